// SPDX-License-Identifier: MIT
#include "untoward/statistics/gaussian_mixture.hpp"

#include "statistics/fitted.hpp"
#include "support/allocation.hpp"

using namespace untoward;
using namespace untoward_test;
using statistics::columns;
using statistics::gaussian_mixture;

namespace {

// Two components over 2 features, far enough from one another that both shapes matter.
template <class S>
auto two(bool full) {
    const Eigen::Vector2d weights(0.3, 0.7);
    Eigen::MatrixXd means(2, 2);
    means << -1, 2, 0.5, 1;
    Eigen::MatrixXd covariances(2, full ? 4 : 2);
    if (full) {
        covariances << 1, 0.6, 0.5, -0.2, 0.6, 2, -0.2, 0.3;
    } else {
        covariances << 1, 0.5, 2, 0.3;
    }
    return gaussian_mixture<S>(weights, means, covariances, full);
}

}  // namespace

TEST_CASE("mixture: a density adds up to one") {
    for (const bool full : {true, false}) {
        const auto mixture = two<double>(full);
        const Index steps = 400;
        const double step = 20.0 / static_cast<double>(steps);
        double sum = 0;
        Eigen::MatrixXd line(2, steps);
        for (Index a = 0; a < steps; ++a) {
            for (Index b = 0; b < steps; ++b)
                line.col(b) =
                    Eigen::Vector2d(-10 + step * static_cast<double>(a), -10 + step * static_cast<double>(b));
            sum += (-scores_of(mixture, line).array()).exp().sum() * step * step;
        }
        CHECK(sum == Approx(1).epsilon(1e-6));
    }
}

TEST_CASE("mixture: one component is a normal density, and contributions are halves of its quadratic form") {
    const Eigen::MatrixXd x = normal_rows(3, 20, 1);
    Eigen::MatrixXd covariance(3, 3);
    covariance << 4, 1, 0, 1, 2, 0.5, 0, 0.5, 1;
    const auto mixture = gaussian_mixture<double>(Eigen::VectorXd::Ones(1),
                                                  Eigen::MatrixXd::Constant(3, 1, 0.25), covariance, true);
    const auto answer = evaluate(mixture, x);
    Eigen::MatrixXd precision(3, 3);
    precision << 1.75, -1, 0.5, -1, 4, -2, 0.5, -2, 7;  // times the determinant, 6
    for (Index j = 0; j < x.cols(); ++j) {
        const Eigen::VectorXd d = x.col(j).array() - 0.25;
        const Eigen::VectorXd halves = d.cwiseProduct(times(precision, d)) / 12;
        CHECK((answer.contributions.col(j) - halves).norm() < 1e-12);
        CHECK(answer.scores[j] - halves.sum() ==
              Approx(1.5 * std::log(2 * 3.14159265358979324) + std::log(6) / 2));
    }
}

TEST_CASE("mixture: what contributions lack of the score is what belongs to no feature") {
    for (const bool full : {true, false}) {
        const auto mixture = two<double>(full);
        const Eigen::MatrixXd x = 3 * normal_rows(2, 60, 2);
        const auto answer = evaluate(mixture, x);
        Eigen::MatrixXd terms(2, x.cols());
        Eigen::MatrixXd centred(2, x.cols());
        Eigen::MatrixXd white(2, x.cols());
        mixture.joint(columns(x), terms.data(), {centred.data(), white.data()});
        for (Index j = 0; j < x.cols(); ++j) {
            const double density = terms.col(j).array().exp().sum();
            double rest = 0;
            for (Index k = 0; k < 2; ++k) {
                const double r = std::exp(terms(k, j)) / density;
                if (r > 0) rest += r * (std::log(r) - mixture.offsets[k]);
            }
            CHECK(answer.scores[j] == Approx(-std::log(density)));
            CHECK(answer.contributions.col(j).sum() + rest == Approx(answer.scores[j]));
        }
    }
}

TEST_CASE("mixture: nothing underflows far away") {
    const auto mixture = two<float>(true);
    Eigen::MatrixXf far(2, 3);
    far << 1e3F, 1e6F, 3e18F, -1e3F, 1e6F, 3e18F;
    const auto scores = scores_of(mixture, far);
    CHECK(scores.head(2).allFinite());
    CHECK(scores[0] ==
          Approx(scores_of(two<double>(true), Eigen::MatrixXd(far.leftCols(1).cast<double>()))[0]));
    CHECK(scores[1] > scores[0]);
    CHECK(!(scores[2] <= scores[1]));
}

TEST_CASE("mixture: promises and allocations") {
    check_promises(two<float>(true), normal_rows<float>(2, 150, 2));
    check_promises(two<double>(false), normal_rows(2, 20, 2));
    static_assert(statistics::MixtureSizes{.features = 8, .components = 3}.arena_bytes<float>(1) < 512);
    CHECK(statistics::MixtureSizes{.features = 3, .components = 2, .full = 1}.parameters() == 19);
    CHECK(statistics::MixtureSizes{.features = 3, .components = 2, .full = 0}.parameters() == 13);
    const auto mixture = two<float>(true);
    const auto x = normal_rows<float>(2, 300, 2);
    Buffer<std::byte> memory(static_cast<Index>(mixture.arena_bytes(300)));
    Eigen::VectorXf scores(300);
    Eigen::MatrixXf contributions(2, 300);
    const AllocationCount count;
    Arena arena(memory);
    mixture.evaluate(columns(x), arena, scores.data(), contributions.data());
    CHECK(count.since() == 0);
}
