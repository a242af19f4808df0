// SPDX-License-Identifier: MIT
#include "untoward/statistics/expectation_maximisation.hpp"

#include "statistics/fitted.hpp"

using namespace untoward;
using namespace untoward_test;
using statistics::columns;
using statistics::GaussianMixture;
using statistics::MixtureShape;

namespace {

// Clusters 8 apart, each with a correlation of its own.
template <class S>
Matrix<S> clusters(Index features, Index n, Index count, std::uint64_t seed) {
    Matrix<S> rows = normal_rows<S>(features, n, seed);
    for (Index j = 0; j < n; ++j) {
        const Index k = j % count;
        rows(0, j) += (k % 2 == 0 ? S(0.9) : S(-0.9)) * rows(1, j);
        rows(k % features, j) += static_cast<S>(8 * (1 + k / features));
    }
    return rows;
}

}  // namespace

TEST_CASE("EM: the number of clusters by BIC, and their density") {
    for (const Index count : {1, 2, 4}) {
        const auto rows = clusters<float>(3, 2000, count, 1);
        const auto fitted = GaussianMixture{}.fit(columns(rows), 3);
        CHECK(fitted.sizes.components == count);
        CHECK(fitted.sizes.full == 1);
        // No other density has a higher mean log; of this one it is known.
        const auto others = clusters<float>(3, 4000, count, 2);
        const double entropy =
            1.5 * (std::log(2 * 3.14159265358979324) + 1) + std::log(static_cast<double>(count));
        CHECK(scores_of(fitted, others).mean() == Approx(entropy).epsilon(0.02));
    }
}

TEST_CASE("EM: no unit matters, and no offset") {
    const Eigen::MatrixXd rows = clusters<double>(4, 600, 2, 3);
    const Eigen::MatrixXd others = clusters<double>(4, 50, 2, 4);
    const Eigen::Vector4d scale(1e-3, 1, 50, 1e5);
    const Eigen::Vector4d shift(1, -1e3, 0, 1e7);
    const auto moved = [&](const Eigen::MatrixXd& x) -> Eigen::MatrixXd {
        return (scale.asDiagonal() * x).colwise() + shift;
    };
    for (const MixtureShape shape : {MixtureShape::full, MixtureShape::diagonal}) {
        const GaussianMixture policy{.shape = shape};
        const auto fitted = policy.fit(columns(rows), 1);
        const auto scaled = policy.fit(columns(moved(rows)), 1);
        const Eigen::VectorXd expected = scores_of(fitted, others).array() + scale.array().log().sum();
        CHECK(largest_difference(scores_of(scaled, moved(others)), expected) < 1e-5);
    }
}

TEST_CASE("EM: a likelihood that rises with every step") {
    const Eigen::MatrixXd rows = normal_rows(2, 300, 5).array().cube().matrix();
    statistics::detail::MixtureFit<double> em(rows, 0);
    RandomStream random(1);
    const auto start = em.start(4, true, random);
    double previous = -1e300;
    for (const Index steps : {0, 1, 2, 3, 5, 8, 20}) {
        (void)em.run(start, steps, 0);
        CHECK(em.log_likelihood >= previous - 1e-9);
        previous = em.log_likelihood;
    }
}

TEST_CASE("EM: shapes, few rows, bounds") {
    const auto rows = normal_rows<float>(10, 300, 6);
    CHECK(GaussianMixture{}.fit(columns(rows)).sizes.full == 1);
    const Matrix<float> few = rows.leftCols(30);
    CHECK(GaussianMixture{}.fit(columns(few)).sizes.full == 0);
    CHECK(GaussianMixture{.shape = MixtureShape::diagonal}.fit(columns(rows)).sizes.full == 0);
    CHECK(
        GaussianMixture{.most_components = 1}.fit(columns(clusters<float>(3, 500, 2, 1))).sizes.components ==
        1);
    // Diagonal: variances, and the floor on top of them.
    const Eigen::MatrixXd plain = 3 * normal_rows(2, 1000, 7);
    const auto one = GaussianMixture{.most_components = 1, .shape = MixtureShape::diagonal, .floor = 0.5}.fit(
        columns(plain));
    for (Index i = 0; i < 2; ++i) {
        const double mean = plain.row(i).mean();
        const double variance = (plain.row(i).array() - mean).square().mean();
        CHECK(one.means[i] == Approx(mean));
        CHECK(1 / (one.whiteners[i] * one.whiteners[i]) == Approx(1.5 * variance));
    }
    const auto many = normal_rows<float>(2, 3000, 8);
    const GaussianMixture some{.most_rows = 400};
    const Eigen::VectorXd chosen = scores_of(some.fit(columns(many), 1), many);
    CHECK(are_equal(scores_of(some.fit(columns(many), 1), many), chosen));
    CHECK(!are_equal(scores_of(some.fit(columns(many), 2), many), chosen));
}

TEST_CASE("EM: hard rows") {
    check_hard_rows<float>(GaussianMixture{});
    check_hard_rows<double>(GaussianMixture{.shape = MixtureShape::full, .floor = 0});
    check_hard_rows<float>(GaussianMixture{.shape = MixtureShape::diagonal});
}
