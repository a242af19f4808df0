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
Matrix<float> clusters(Index features, Index n, Index count, std::uint64_t seed) {
    Matrix<float> rows = normal_rows<float>(features, n, seed);
    for (Index j = 0; j < n; ++j) {
        const Index k = j % count;
        rows(0, j) += (k % 2 == 0 ? 0.9F : -0.9F) * rows(1, j);
        rows(k % features, j) += static_cast<float>(8 * (1 + k / features));
    }
    return rows;
}

}  // namespace

TEST_CASE("EM: the number of clusters by BIC, and their density") {
    for (const Index count : {1, 2, 4}) {
        const auto rows = clusters(3, 2000, count, 1);
        const auto fitted = GaussianMixture{}.fit(columns(rows), 3);
        CHECK(fitted.sizes.components == count);
        CHECK(fitted.sizes.full == 1);
        // No other density has a higher mean log; of this one it is known.
        const auto others = clusters(3, 4000, count, 2);
        const double entropy =
            1.5 * (std::log(2 * 3.14159265358979324) + 1) + std::log(static_cast<double>(count));
        CHECK(scores_of(fitted, others).mean() == Approx(entropy).epsilon(0.02));
    }
}

TEST_CASE("EM: no unit matters, and no offset") {
    const Matrix<float> rows = clusters(4, 600, 2, 3);
    const Matrix<float> others = clusters(4, 50, 2, 4);
    const Eigen::Vector4f scale(1e-3F, 1, 64, 1e5F);
    const Eigen::Vector4f shift(1, -100, 0, 1e7F);
    const auto moved = [&](Matrix<float> x) {
        for (Index j = 0; j < x.cols(); ++j) x.col(j) = x.col(j).cwiseProduct(scale) + shift;
        return x;
    };
    for (const MixtureShape shape : {MixtureShape::full, MixtureShape::diagonal}) {
        const GaussianMixture policy{.shape = shape};
        const auto fitted = policy.fit(columns(rows), 1);
        const auto scaled = policy.fit(columns(moved(rows)), 1);
        const double log_scale = std::log(1e-3) + std::log(64) + std::log(1e5);
        const Eigen::VectorXd expected = scores_of(fitted, others).array() + log_scale;
        CHECK(largest_difference(scores_of(scaled, moved(others)), expected) < 2e-3);
    }
}

TEST_CASE("EM: a likelihood that rises with every step") {
    const Matrix<float> rows = normal_rows<float>(2, 300, 5).array().cube().matrix();
    statistics::detail::MixtureFit<float> em(rows, 0);
    RandomStream random(1);
    const auto start = em.start(4, true, random);
    double previous = -1e300;
    for (const Index steps : {0, 1, 2, 3, 5, 8, 20}) {
        (void)em.run(start, steps, 0);
        CHECK(em.log_likelihood >= previous - 1e-3);
        previous = em.log_likelihood;
    }
}

TEST_CASE("EM: shapes, few rows, bounds") {
    const auto rows = normal_rows<float>(10, 300, 6);
    CHECK(GaussianMixture{}.fit(columns(rows)).sizes.full == 1);
    const Matrix<float> few = rows.leftCols(30);
    CHECK(GaussianMixture{}.fit(columns(few)).sizes.full == 0);
    CHECK(GaussianMixture{.shape = MixtureShape::diagonal}.fit(columns(rows)).sizes.full == 0);
    CHECK(GaussianMixture{.most_components = 1}.fit(columns(clusters(3, 500, 2, 1))).sizes.components == 1);
    // Diagonal: variances, and the floor on top of them.
    const Matrix<float> plain = 3 * normal_rows<float>(2, 1000, 7);
    const auto one = GaussianMixture{.most_components = 1, .shape = MixtureShape::diagonal, .floor = 0.5}.fit(
        columns(plain));
    for (Index i = 0; i < 2; ++i) {
        const float mean = plain.row(i).mean();
        const float variance = (plain.row(i).array() - mean).square().mean();
        CHECK(one.means[i] == Approx(mean).epsilon(1e-4));
        CHECK(1 / (one.whiteners[i] * one.whiteners[i]) == Approx(1.5 * variance).epsilon(1e-4));
    }
    const auto many = normal_rows<float>(2, 3000, 8);
    const GaussianMixture some{.most_rows = 400};
    const Eigen::VectorXd chosen = scores_of(some.fit(columns(many), 1), many);
    CHECK(are_equal(scores_of(some.fit(columns(many), 1), many), chosen));
    CHECK(!are_equal(scores_of(some.fit(columns(many), 2), many), chosen));
}

TEST_CASE("EM: hard rows") {
    check_hard_rows<float>(GaussianMixture{});
    check_hard_rows<float>(GaussianMixture{.shape = MixtureShape::full, .floor = 1e-6});
    check_hard_rows<float>(GaussianMixture{.shape = MixtureShape::diagonal});
}
