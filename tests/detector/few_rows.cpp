// SPDX-License-Identifier: MIT
// Data that leaves little to learn from: few rows, one feature, nothing but constants, holes.
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::correlated;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float missing = std::numeric_limits<float>::quiet_NaN();

using Layer = Dense<Dynamic, Relu>;
using Model = Vae<Vec<>, Encoder<Layer>, Latent<>, Decoder<Layer>, Gaussian>;

auto fit_quickly(const Eigen::MatrixXf& rows, FitReport* report = nullptr,
                 std::vector<std::string> names = {}) {
    const Model model{
        Vec<>(rows.rows()), Encoder<Layer>(Layer(8)), Latent<>(2), Encoder<Layer>(Layer(8)), {}};
    FitOptions options{.seed = 7, .feature_names = std::move(names)};
    options.training.min_steps = options.training.max_steps = 50;
    return fit(Recipe{RobustScaler{}, model, NegativeElbo{}, Conformal{.false_alarm_rate = 0.01}}, rows,
               options, report);
}

}  // namespace

TEST_CASE("fit: no row and one row are errors") {
    REQUIRE_THROWS_WITH(fit_quickly(correlated(3, 0, 1)),
                        ContainsSubstring("at least 2 rows") && ContainsSubstring("are 0"));
    REQUIRE_THROWS_WITH(fit_quickly(correlated(3, 1, 1)),
                        ContainsSubstring("at least 2 rows") && ContainsSubstring("is 1"));
}

TEST_CASE("fit: two to ten rows give scores, no threshold, and say how many rows are needed") {
    for (Index n = 2; n <= 10; ++n) {
        INFO(n << " rows");
        const Eigen::MatrixXf rows = correlated(4, n, 9);
        FitReport report;
        const auto detector = fit_quickly(rows, &report);
        REQUIRE(report.rows == n);
        REQUIRE(report.calibration_rows >= 1);
        REQUIRE(report.training_rows >= 1);
        REQUIRE(report.held_out_rows == 0);
        REQUIRE(report.training_rows + report.calibration_rows == n);
        REQUIRE(report.training_rows >= (3 * n) / 5);
        REQUIRE(detector.threshold().threshold() == infinity);
        REQUIRE_FALSE(detector.threshold().is_calibrated());
        REQUIRE(detector.threshold().rows_needed() == 99);
        REQUIRE(detector.threshold().attainable_false_alarm_rate() ==
                Approx(1.0 / static_cast<double>(report.calibration_rows + 1)));
        const auto verdict = detector(rows.col(0));
        REQUIRE(std::isfinite(verdict.score));
        REQUIRE_FALSE(verdict.is_anomaly);
        REQUIRE(detector(Eigen::VectorXf::Constant(4, infinity)).is_anomaly);
    }
}

TEST_CASE("fit: an infinite value is an error that names the feature and the sample") {
    Eigen::MatrixXf rows = correlated(4, 30, 9);
    rows(2, 17) = -infinity;
    REQUIRE_THROWS_WITH(fit_quickly(rows), ContainsSubstring("feature 2 of sample 17"));
    REQUIRE_THROWS_WITH(fit_quickly(rows, nullptr, {"a", "b", "amount", "d"}),
                        ContainsSubstring("feature amount of sample 17"));
    REQUIRE_THROWS_AS(fit_quickly(rows), Error);
}

TEST_CASE("fit: another number of features than the model's is an error with both") {
    const Model model{Vec<>(5), Encoder<Layer>(Layer(8)), Latent<>(2), Encoder<Layer>(Layer(8)), {}};
    const Recipe recipe{RobustScaler{}, model, NegativeElbo{}, Conformal{}};
    REQUIRE_THROWS_WITH(fit(recipe, correlated(4, 30, 1)),
                        ContainsSubstring("4 features") && ContainsSubstring("expects 5"));
}

TEST_CASE("fit: holes in the training data, a whole row or feature of them") {
    Eigen::MatrixXf rows = correlated(4, 300, 9);
    for (Index j = 0; j < rows.cols(); j += 3) rows(j % 4, j) = missing;
    rows.col(11).setConstant(missing);
    FitReport report;
    const auto with_holes = fit_quickly(rows, &report);
    REQUIRE(report.constant_features.empty());
    REQUIRE(std::isfinite(with_holes(rows.col(11)).score));
    rows.row(1).setConstant(missing);
    const auto detector = fit_quickly(rows, &report);
    REQUIRE(report.constant_features == std::vector<Index>{1});
    const auto verdict = detector(rows.col(5));
    REQUIRE(std::isfinite(verdict.score));
    REQUIRE(verdict.missing >= 1);
    REQUIRE(std::isfinite(detector(Eigen::VectorXf::Constant(4, missing)).score));
    REQUIRE(std::isfinite(detector(Eigen::VectorXf::Constant(4, 3)).score));
}

TEST_CASE("fit: all-constant data fits; what differs from it scores higher") {
    const Eigen::MatrixXf rows = Eigen::VectorXf::LinSpaced(5, -1, 3).replicate(1, 400);
    FitReport report;
    const auto detector = fit_quickly(rows, &report);
    REQUIRE(report.constant_features == std::vector<Index>{0, 1, 2, 3, 4});
    const auto verdict = detector(rows.col(0));
    REQUIRE(std::isfinite(verdict.score));
    REQUIRE_FALSE(verdict.is_anomaly);  // 80 calibration rows, 1%: too few; they all tie besides
    Eigen::VectorXf moved = rows.col(0);
    moved(3) += 50;
    REQUIRE(detector(moved).score > verdict.score + 100);
    REQUIRE(detector(moved).contributions[0].feature == 3);
}

TEST_CASE("fit: one feature") {
    Eigen::MatrixXf rows(1, 3000);
    fill_normal(rows.data(), rows.size(), {.seed = 4});
    FitReport report;
    const auto detector = fit_quickly(rows, &report);
    REQUIRE(report.held_out_rows == 240);
    REQUIRE(report.training_rows == 2160);
    REQUIRE(report.calibration_rows == 600);
    REQUIRE(detector.threshold().is_calibrated());
    REQUIRE(detector(Eigen::VectorXf::Constant(1, 30)).is_anomaly);
    REQUIRE_FALSE(detector(Eigen::VectorXf::Constant(1, 0)).is_anomaly);
    REQUIRE(detector(Eigen::VectorXf::Constant(1, 30)).contributions[0].feature == 0);
}

TEST_CASE("calibration split: disjoint, complete, at random, and of the size the threshold asks for") {
    const Conformal policy{.false_alarm_rate = 0.01};
    for (const Index n : {2, 3, 10, 100, 250, 1000}) {
        const auto split = calibration_split(policy, n, 3);
        std::vector<Index> all = split.calibration;
        all.insert(all.end(), split.rest.begin(), split.rest.end());
        REQUIRE(static_cast<Index>(split.calibration.size()) ==
                std::max<Index>(1, calibration_size(n, 0.01)));
        std::sort(all.begin(), all.end());
        for (Index i = 0; i < n; ++i) REQUIRE(all[static_cast<std::size_t>(i)] == i);
    }
    REQUIRE(calibration_split(policy, 100, 3).calibration == calibration_split(policy, 100, 3).calibration);
    REQUIRE(calibration_split(policy, 100, 3).calibration != calibration_split(policy, 100, 4).calibration);
    REQUIRE_THROWS_AS(calibration_split(policy, 1, 3), Error);
}
