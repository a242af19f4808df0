// SPDX-License-Identifier: MIT
#include "untoward/statistics/neighbours.hpp"

#include <algorithm>

#include "statistics/fitted.hpp"
#include "support/allocation.hpp"

using namespace untoward;
using namespace untoward_test;
using statistics::columns;
using statistics::Neighbours;

namespace {

// The plainest loops, in double from the values as they are.
template <class S>
Eigen::VectorXd brute_force(const Matrix<S>& rows, const Matrix<S>& x, Index k, bool leave_one_out = false) {
    Eigen::VectorXd result(x.cols());
    std::vector<double> squares(static_cast<std::size_t>(rows.cols()));
    for (Index j = 0; j < x.cols(); ++j) {
        for (Index r = 0; r < rows.cols(); ++r) {
            squares[static_cast<std::size_t>(r)] =
                (rows.col(r).template cast<double>() - x.col(j).template cast<double>()).squaredNorm();
        }
        std::sort(squares.begin(), squares.end());
        const Index place = std::min(k - (leave_one_out ? 0 : 1), rows.cols() - 1);
        result[j] = std::sqrt(squares[static_cast<std::size_t>(place)]);
    }
    return result;
}

template <class S>
void check_exact(const char* name, const Matrix<S>& rows, const Matrix<S>& x, Index k) {
    INFO(name << ", " << rows.rows() << " x " << rows.cols() << ", k " << k);
    const auto fitted = Neighbours{.k = k, .most_rows = 1 << 20}.fit(columns(rows));
    const Eigen::VectorXd expected = brute_force(rows, x, k);
    const auto found = scores_of(fitted, x);
    const double tolerance = 4 * static_cast<double>(std::numeric_limits<S>::epsilon());
    double worst = 0;
    for (Index j = 0; j < x.cols(); ++j)
        worst = std::max(worst, std::abs(found[j] - expected[j]) / (expected[j] + 1e-30));
    CHECK(worst < tolerance);
}

template <class S>
Matrix<S> clusters(Index features, Index n, double apart) {
    Matrix<S> rows = normal_rows<S>(features, n, 8);
    for (Index j = 0; j < n; ++j)
        rows.col(j).array() += static_cast<S>(static_cast<double>(j % 3 - 1) * apart);
    return rows;
}

}  // namespace

TEST_CASE("neighbours: brute force, to rounding, in any dimension") {
    for (const Index d : {1, 2, 5, 20, 70}) {
        const auto rows = normal_rows<float>(d, 1500, 1);
        const auto x = normal_rows<float>(d, 150, 2);
        check_exact<float>("normal", rows, x, 5);
        check_exact<float>("few", rows.leftCols(40), x, 1);
    }
    check_exact<double>("double", normal_rows(12, 700, 1), normal_rows(12, 70, 2), 20);
    check_exact<float>("all rows", normal_rows<float>(3, 33, 1), normal_rows<float>(3, 9, 2), 33);
}

TEST_CASE("neighbours: nothing cancels, whatever the offset") {
    const auto rows = normal_rows<float>(8, 1200, 3);
    const auto x = normal_rows<float>(8, 100, 4);
    for (const float offset : {1e2F, 1e4F, 1e6F})
        check_exact<float>("offset", (rows.array() + offset).matrix(), (x.array() + offset).matrix(), 5);
    for (const double apart : {10.0, 1e4})
        check_exact<float>("clusters", clusters<float>(8, 1200, apart), clusters<float>(8, 90, apart), 5);
    Matrix<float> wide = rows;
    wide.row(0) *= 1e5F;
    check_exact<float>("one wide feature", wide, x, 5);
    // Integers: many equal distances, many equal rows.
    check_exact<float>("steps", rows.array().round().matrix(), x.array().round().matrix(), 7);
}

TEST_CASE("neighbours: a row among the stored ones is not its own neighbour when it is left out") {
    Matrix<float> rows = normal_rows<float>(4, 300, 5);
    rows.col(7) = rows.col(200);  // two equal rows are each other's neighbours
    const auto fitted = Neighbours{.k = 3}.fit(columns(rows));
    CHECK(largest_difference(scores_of(fitted, rows, true), brute_force(rows, rows, 3, true)) < 1e-6);
    CHECK(largest_difference(scores_of(fitted, rows, false), brute_force(rows, rows, 3)) < 1e-6);
    // Samples that are not stored are not concerned.
    const auto others = normal_rows<float>(4, 50, 6);
    CHECK(are_equal(scores_of(fitted, others, true), scores_of(fitted, others)));
    const auto first = Neighbours{.k = 1}.fit(columns(rows));
    CHECK(scores_of(first, rows, true)[7] == 0);
    CHECK(scores_of(first, rows, true)[8] > 0);
    // Alone, or with fewer others than k.
    const Matrix<float> alone = rows.leftCols(1);
    CHECK(std::isinf(scores_of(Neighbours{.k = 2}.fit(columns(alone)), alone, true)[0]));
    const Matrix<float> three = rows.leftCols(3);
    CHECK(largest_difference(scores_of(Neighbours{.k = 9}.fit(columns(three)), three, true),
                             brute_force(three, three, 2, true)) < 1e-6);
}

TEST_CASE("neighbours: contributions add up to the distance and point at the feature that moved") {
    const auto rows = normal_rows<float>(6, 500, 7);
    const auto fitted = Neighbours{}.fit(columns(rows));
    Matrix<float> x = normal_rows<float>(6, 80, 8);
    x.row(2).tail(40).array() += 12.0F;
    const auto answer = evaluate(fitted, x);
    for (Index j = 0; j < 80; ++j) {
        CHECK(answer.contributions.col(j).sum() == Approx(answer.scores[j]).epsilon(1e-5));
        CHECK(answer.contributions.col(j).minCoeff() >= 0);
        if (j >= 40) CHECK(answer.contributions(2, j) > 0.8 * answer.scores[j]);
    }
    const auto stored = evaluate(Neighbours{.k = 1}.fit(columns(rows)), rows);
    CHECK(stored.scores.norm() == 0);
    CHECK(stored.contributions.norm() == 0);
}

TEST_CASE("neighbours: promises, hard rows, allocations") {
    check_promises(Neighbours{}.fit(columns(normal_rows<float>(5, 1300, 1))), normal_rows<float>(5, 150, 2));
    check_promises(Neighbours{.k = 2}.fit(columns(normal_rows<float>(40, 600, 1))),
                   normal_rows<float>(40, 70, 2));
    check_hard_rows<float>(Neighbours{});
    check_hard_rows<float>(Neighbours{.k = 1});
    static_assert(statistics::NeighbourSizes{.features = 10, .rows = 1000, .k = 5}.arena_bytes<float>(1) <
                  2048);

    const auto rows = normal_rows<float>(30, 900, 1);
    const auto fitted = Neighbours{}.fit(columns(rows));
    Buffer<std::byte> memory(static_cast<Index>(fitted.arena_bytes(900)));
    Eigen::VectorXf scores(900);
    Eigen::MatrixXf contributions(30, 900);
    const AllocationCount count;
    Arena arena(memory);
    fitted.evaluate(columns(rows), arena, scores.data(), contributions.data());
    CHECK(count.since() == 0);

    // Samples of another size: an Error, with assertions or without.
    const auto wrong = normal_rows<float>(20, 900, 1);
    CHECK_THROWS_AS(fitted.evaluate(columns(wrong), arena, scores.data(), contributions.data()), Error);
}

TEST_CASE("neighbours: a choice of the rows, by the seed, keeps the order of the distances") {
    const auto rows = normal_rows<float>(3, 4000, 1);
    const auto x = normal_rows<float>(3, 300, 2);
    const Neighbours some{.k = 5, .most_rows = 500};
    const auto fitted = some.fit(columns(rows), 1);
    CHECK(fitted.sizes.rows == 500);
    const auto chosen = scores_of(fitted, x);
    CHECK(are_equal(scores_of(some.fit(columns(rows), 1), x), chosen));
    CHECK(!are_equal(scores_of(some.fit(columns(rows), 2), x), chosen));
    // The stored rows are rows, none twice.
    std::vector<float> first;
    for (Index r = 0; r < 500; ++r) first.push_back(fitted.stored(0, r));
    std::sort(first.begin(), first.end());
    CHECK(std::unique(first.begin(), first.end()) == first.end());
    for (const float value : {first.front(), first[250], first.back()})
        CHECK((rows.row(0).array() == value).any());
    // An eighth of the rows: distances grow by 8^(1/3) = 2, nearly everywhere.
    const Eigen::ArrayXd ratio = chosen.array() / scores_of(Neighbours{}.fit(columns(rows)), x).array();
    CHECK(ratio.mean() == Approx(2).epsilon(0.1));
    CHECK(ratio.maxCoeff() < 4);
}
