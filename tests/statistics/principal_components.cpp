// SPDX-License-Identifier: MIT
#include "untoward/statistics/principal_components.hpp"

#include "statistics/fitted.hpp"
#include "support/allocation.hpp"

using namespace untoward;
using namespace untoward_test;
using statistics::columns;
using statistics::ComponentScore;
using statistics::PrincipalComponents;

namespace {

constexpr PrincipalComponents standardised{.score = ComponentScore::standardised, .floor = 0};

// Near a plane in 6 dimensions.
Eigen::MatrixXd near_a_plane(Index n, double off, std::uint64_t seed) {
    const Eigen::MatrixXd basis = normal_rows(6, 2, 99);
    return 3 * times(basis, normal_rows(2, n, seed)) + off * normal_rows(6, n, seed + 1);
}

}  // namespace

TEST_CASE("components: a plane is found, and what leaves it has the distance to it as its score") {
    const Eigen::MatrixXd rows = near_a_plane(500, 0.01, 1);
    const auto fitted = PrincipalComponents{.explained = 0.99}.fit(columns(rows));
    CHECK(fitted.sizes.components == 2);
    Eigen::MatrixXd x = near_a_plane(20, 0, 5);
    CHECK(scores_of(fitted, x).maxCoeff() < 0.01);
    // A step across the plane.
    Eigen::VectorXd step = Eigen::VectorXd::Unit(6, 3);
    const Eigen::Map<const Eigen::MatrixXd> directions(fitted.directions.data(), 6, 2);
    step -= times(directions, transposed_times(directions, step));
    x.colwise() += step * (5 / step.norm());
    const auto answer = evaluate(fitted, x);
    for (Index j = 0; j < x.cols(); ++j) {
        CHECK(answer.scores[j] == Approx(25).epsilon(0.02));
        CHECK(answer.contributions.col(j).sum() == Approx(answer.scores[j]));
        CHECK(answer.contributions.col(j).minCoeff() >= 0);
    }
}

TEST_CASE("components: all of them, standardised, are the Mahalanobis distance") {
    const Eigen::MatrixXd rows = times(normal_rows(5, 5, 3), normal_rows(5, 200, 4));
    const Eigen::MatrixXd x = 2 * normal_rows(5, 30, 5);
    const auto answer = evaluate(standardised.fit(columns(rows)), x);
    const auto expected =
        evaluate(statistics::Mahalanobis{.shrink = false, .floor = 0}.fit(columns(rows)), x);
    CHECK(largest_difference(answer.scores, expected.scores) < 1e-8);
    CHECK(largest_difference(answer.contributions, expected.contributions) < 1e-8);
    // A unit for all features scales a reconstruction's score, and no standardised one.
    const Eigen::MatrixXd scaled_rows = 1000 * rows;
    const Eigen::MatrixXd scaled = 1000 * x;
    CHECK(largest_difference(scores_of(standardised.fit(columns(scaled_rows)), scaled), answer.scores) <
          1e-8);
    CHECK(largest_difference(scores_of(PrincipalComponents{}.fit(columns(scaled_rows)), scaled) / 1e6,
                             scores_of(PrincipalComponents{}.fit(columns(rows)), x)) < 1e-8);
}

TEST_CASE("components: fewer rows than features give what many would") {
    // The same rows in 6 features and, turned into 40, with nothing in the other directions.
    const Eigen::MatrixXd rows = near_a_plane(12, 0.1, 7);
    const Eigen::MatrixXd x = near_a_plane(9, 0.5, 8);
    Eigen::MatrixXd turn = normal_rows(40, 40, 9);
    turn = transposed_times(turn, turn);
    (void)statistics::detail::eigenvectors(turn);
    const Eigen::MatrixXd wide_rows = times(turn.leftCols(6), rows);
    const Eigen::MatrixXd wide = times(turn.leftCols(6), x);
    const PrincipalComponents policy{.explained = 0.99};
    const auto fitted = policy.fit(columns(wide_rows));
    CHECK(fitted.sizes.components == policy.fit(columns(rows)).sizes.components);
    CHECK(largest_difference(scores_of(fitted, wide), scores_of(policy.fit(columns(rows)), x)) < 1e-9);
    CHECK(largest_difference(scores_of(standardised.fit(columns(wide_rows)), wide),
                             scores_of(standardised.fit(columns(rows)), x)) < 1e-4);
}

TEST_CASE("components: something is always left to reconstruct") {
    const Eigen::MatrixXd rows = near_a_plane(100, 0, 1);
    CHECK(PrincipalComponents{.explained = 1}.fit(columns(rows)).sizes.components <= 5);
    CHECK(PrincipalComponents{.explained = 1}.fit(columns(normal_rows(3, 100, 1))).sizes.components == 2);
    CHECK(PrincipalComponents{.explained = 0}.fit(columns(rows)).sizes.components == 1);
    const Eigen::MatrixXd line = rows.topRows(1);
    const auto fitted = PrincipalComponents{}.fit(columns(line));
    CHECK(fitted.sizes.components == 0);
    CHECK(scores_of(fitted, line)[3] == Approx(std::pow(line(3) - line.mean(), 2)));
}

TEST_CASE("components: promises, hard rows, allocations") {
    const auto rows = normal_rows<float>(7, 300, 1);
    check_promises(PrincipalComponents{}.fit(columns(rows)), normal_rows<float>(7, 200, 2));
    check_promises(standardised.fit(columns(rows)), normal_rows<float>(7, 20, 2));
    check_hard_rows<float>(PrincipalComponents{});
    check_hard_rows<float>(PrincipalComponents{.score = ComponentScore::standardised});
    check_hard_rows<float>(standardised);
    static_assert(statistics::ComponentSizes{.features = 8, .components = 3}.arena_bytes<float>(1) < 512);
    const auto fitted = PrincipalComponents{}.fit(columns(rows));
    Buffer<std::byte> memory(static_cast<Index>(fitted.arena_bytes(300)));
    Eigen::VectorXf scores(300);
    Eigen::MatrixXf contributions(7, 300);
    const AllocationCount count;
    Arena arena(memory);
    fitted.evaluate(columns(rows), arena, scores.data(), contributions.data());
    CHECK(count.since() == 0);
}
