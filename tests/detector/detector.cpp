// SPDX-License-Identifier: MIT
#include "untoward/detector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/metrics/ranking.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;
using untoward_test::correlated;
using untoward_test::mirrored;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float missing = std::numeric_limits<float>::quiet_NaN();
constexpr Index features = 8;

using Layer = Dense<Dynamic, Relu>;
using Model = Vae<Vec<>, Encoder<Layer>, Latent<>, Decoder<Layer>, Gaussian>;

Model model_of(Index inputs) {
    return {Vec<>(inputs), Encoder<Layer>(Layer(16)), Latent<>(2), Encoder<Layer>(Layer(16)), {}};
}
auto recipe_of(Index inputs) {
    return Recipe{RobustScaler{}, model_of(inputs), NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}};
}
FitOptions quick(Index steps) {
    FitOptions options{.seed = 7};
    options.training.min_steps = steps;
    options.training.max_steps = steps;
    return options;
}
auto fit_quickly(const Eigen::MatrixXf& rows, Index steps = 60, FitReport* report = nullptr) {
    return fit(recipe_of(rows.rows()), rows, quick(steps), report);
}

const auto& fitted() {
    static const auto detector = fit_quickly(correlated(features, 1500, 1), 1500);
    return detector;
}

}  // namespace

TEST_CASE("detector: finds what breaks the correlation but not the range, and blames the right feature") {
    const auto& detector = fitted();
    const Index n = 400;
    const Eigen::MatrixXf normal = correlated(features, n, 2);
    const auto anomalies = mirrored(features, n, 3);
    REQUIRE(anomalies.features.size() == static_cast<std::size_t>(n));
    Eigen::VectorXf scores(2 * n);
    scores << detector.score(normal), detector.score(anomalies.rows);
    Eigen::VectorXi labels(2 * n);
    labels << Eigen::VectorXi::Zero(n), Eigen::VectorXi::Ones(n);
    REQUIRE(auc_roc(scores, labels) > 0.99);

    Index blamed = 0;
    Index caught = 0;
    Index false_alarms = 0;
    for (Index j = 0; j < n; ++j) {
        const auto verdict = detector(anomalies.rows.col(j));
        const Index planted = anomalies.features[static_cast<std::size_t>(j)];
        blamed += verdict.contributions[0].feature == planted;
        caught += verdict.is_anomaly;
        false_alarms += detector(normal.col(j)).is_anomaly;
        if (verdict.contributions[0].feature == planted) {
            // What the model expects instead lies on the other side of the mean.
            const float centre = 10 * static_cast<float>(planted);
            REQUIRE((verdict.contributions[0].expected > centre) != (anomalies.rows(planted, j) > centre));
        }
    }
    REQUIRE(blamed > n * 95 / 100);
    REQUIRE(caught > n * 95 / 100);
    // 5% promised with 300 calibration rows: BetaBinomial(400; 16, 285), of which 46 is beyond the 99.99%
    // point.
    REQUIRE(false_alarms < 46);
}

TEST_CASE("verdict: contributions are sorted and add up to the score; values are in the data's unit") {
    const auto& detector = fitted();
    const Eigen::MatrixXf rows = correlated(features, 20, 5);
    for (Index j = 0; j < rows.cols(); ++j) {
        const auto verdict = detector(rows.col(j));
        REQUIRE(verdict.contributions.size() == features);
        std::set<Index> seen;
        float sum = 0;
        for (Index i = 0; i < features; ++i) {
            const auto& c = verdict.contributions[i];
            seen.insert(c.feature);
            REQUIRE(c.observed == rows(c.feature, j));
            REQUIRE(std::abs(c.expected - c.observed) < 3 * (1 + static_cast<float>(c.feature)));
            if (i > 0) REQUIRE(c.excess <= verdict.contributions[i - 1].excess);
            sum += c.excess + detector.typical()(c.feature);
        }
        REQUIRE(seen.size() == static_cast<std::size_t>(features));
        // What is left is the KL term, which is not negative.
        REQUIRE(sum <= verdict.score + 1e-3f);
        REQUIRE(verdict.is_valid);
        REQUIRE(verdict.missing == 0);
        REQUIRE(verdict.score == Approx(detector.score(rows.col(j))(0)).epsilon(1e-6));
        REQUIRE(verdict.p_value == detector.threshold().p_value(verdict.score));
        REQUIRE(verdict.is_anomaly == (verdict.p_value <= 0.05f));
    }
}

TEST_CASE("verdict: missing values are counted and take the median") {
    const auto& detector = fitted();
    Eigen::VectorXf sample = correlated(features, 1, 6);
    Eigen::VectorXf filled = sample;
    for (const Index i : {1, 4}) {
        sample(i) = missing;
        filled(i) = detector.scaling().fill(i);
    }
    const auto verdict = detector(sample);
    REQUIRE(verdict.missing == 2);
    REQUIRE(verdict.is_valid);
    REQUIRE(verdict.score == detector(filled).score);
    REQUIRE(detector(filled).missing == 0);
    for (const auto& c : verdict.contributions) {
        REQUIRE(std::isnan(c.observed) == (c.feature == 1 || c.feature == 4));
        REQUIRE(std::isfinite(c.expected));
    }
    const auto nothing = detector(Eigen::VectorXf::Constant(features, missing));
    REQUIRE(nothing.missing == features);
    REQUIRE(std::isfinite(nothing.score));
}

TEST_CASE("verdict: an infinite value is invalid and anomalous, and is the one to blame") {
    const auto& detector = fitted();
    for (const float value : {infinity, -infinity}) {
        Eigen::VectorXf sample = correlated(features, 1, 6);
        sample(3) = value;
        const auto verdict = detector(sample);
        REQUIRE_FALSE(verdict.is_valid);
        REQUIRE(verdict.is_anomaly);
        REQUIRE(verdict.score == infinity);
        REQUIRE(verdict.contributions[0].feature == 3);
        REQUIRE(verdict.contributions[0].excess == infinity);
        REQUIRE(verdict.p_value == Approx(1 / 301.0));
        REQUIRE(detector.score(sample)(0) == infinity);
        // Its neighbours in a batch do not notice.
        Eigen::MatrixXf rows = correlated(features, 3, 8);
        const Eigen::VectorXf before = detector.score(rows);
        rows.col(1) = sample;
        const Eigen::VectorXf after = detector.score(rows);
        REQUIRE(after(0) == before(0));
        REQUIRE(after(1) == infinity);
        REQUIRE(after(2) == before(2));
    }
}

TEST_CASE("verdict: 1e30 is a large, finite score") {
    const auto& detector = fitted();
    for (const float value : {1e30f, -1e30f, std::numeric_limits<float>::max()}) {
        Eigen::VectorXf sample = correlated(features, 1, 6);
        sample(2) = value;
        const auto verdict = detector(sample);
        REQUIRE(verdict.is_valid);
        REQUIRE(verdict.is_anomaly);
        REQUIRE(std::isfinite(verdict.score));
        REQUIRE(verdict.score > 1e4f);
        const auto all = detector(Eigen::VectorXf::Constant(features, value));
        REQUIRE(all.is_anomaly);
        REQUIRE(std::isfinite(all.score));
    }
    // A float cannot hold it: the same as infinite.
    const auto verdict = detector(Eigen::VectorXd::Constant(features, 1e300));
    REQUIRE_FALSE(verdict.is_valid);
    REQUIRE(verdict.score == infinity);
}

TEST_CASE("scores: alone, shuffled, in any batch and as a double they are the same, and so is the decision") {
    const auto& detector = fitted();
    const Index n = 700;
    Eigen::MatrixXf rows(features, n);
    rows << correlated(features, n / 2, 21), mirrored(features, n / 2, 22).rows;
    const Eigen::VectorXf scores = detector.score(rows);
    REQUIRE((detector.score(rows) - scores).cwiseAbs().maxCoeff() == 0);
    float worst = 0;
    const auto same = [&](float a, float b) {
        // A score is a difference of terms of some nats: near 0 it is known to their rounding, not to its
        // own.
        worst = std::max(worst, std::abs(a - b) / std::max({1.0f, std::abs(a), std::abs(b)}));
        return std::abs(a - b) <= 1e-5f * std::max({1.0f, std::abs(a), std::abs(b)}) &&
               detector.threshold().is_anomaly(a) == detector.threshold().is_anomaly(b);
    };
    std::vector<Index> order(static_cast<std::size_t>(n));
    permutation(4, 4, order);
    Eigen::MatrixXf shuffled(features, n);
    for (Index j = 0; j < n; ++j) shuffled.col(j) = rows.col(order[static_cast<std::size_t>(j)]);
    const Eigen::VectorXf of_shuffled = detector.score(shuffled);
    const Eigen::MatrixXd wide = rows.cast<double>();
    Index wrong = 0;
    for (Index j = 0; j < n; ++j) {
        wrong += !same(scores(j), detector(rows.col(j)).score);
        wrong += !same(scores(j), detector.score(rows.col(j))(0));
        wrong += !same(scores(order[static_cast<std::size_t>(j)]), of_shuffled(j));
        wrong += !same(scores(j), detector(wide.col(j)).score);
    }
    for (const Index size : {2, 3, 7, 64, 300}) {
        for (Index begin = 0; begin + size <= n; begin += size) {
            const Eigen::VectorXf some = detector.score(rows.middleCols(begin, size));
            for (Index j = 0; j < size; ++j) wrong += !same(scores(begin + j), some(j));
        }
    }
    INFO("worst relative difference " << worst);
    REQUIRE(wrong == 0);
    REQUIRE(detector.score(rows.leftCols(0)).size() == 0);
}

TEST_CASE("detector: copies are deep and score the same bits; another threshold changes decisions only") {
    const Eigen::MatrixXf rows = correlated(features, 50, 31);
    auto copy = fitted();
    const Eigen::VectorXf scores = fitted().score(rows);
    REQUIRE(copy.parameters().data() != fitted().parameters().data());
    copy.set_threshold(Conformal{.false_alarm_rate = 0.5}.calibrate(scores));
    REQUIRE(copy.score(rows) == scores);
    REQUIRE(copy.threshold().calibration_rows() == 50);
    REQUIRE(copy.threshold().threshold() < fitted().threshold().threshold());
}
