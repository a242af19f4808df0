// SPDX-License-Identifier: MIT
#include "untoward/thresholds/threshold.hpp"

#include <cmath>
#include <limits>

#include "reference/thresholds.hpp"
#include "support/catch.hpp"
#include "untoward/thresholds/conformal.hpp"
#include "untoward/thresholds/fixed.hpp"
#include "untoward/thresholds/quantile.hpp"

using namespace untoward;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

static_assert(ThresholdPolicy<Fixed>);
static_assert(ThresholdPolicy<Quantile>);
static_assert(FittedThreshold<PlainThreshold<float>>);
static_assert(!HasPValue<PlainThreshold<float>>);
static_assert(!FittedThreshold<Eigen::VectorXf>);
static_assert(!ThresholdPolicy<PlainThreshold<float>>);
static_assert(PlainThreshold<float>(2.0f, 0, 0).is_anomaly(3.0f));

/// The example in threshold.hpp.
struct MedianDeviation {
    double width = 3.5;

    template <class Derived>
    auto calibrate(const Eigen::DenseBase<Derived>& scores) const {
        using Scalar = typename Derived::Scalar;
        auto sorted = untoward::sorted_scores(scores);
        const Scalar median = untoward::quantile_of_sorted(sorted, 0.5);
        auto deviations = untoward::sorted_scores((sorted.array() - median).abs());
        const Scalar spread = Scalar(1.4826) * untoward::quantile_of_sorted(deviations, 0.5);
        return untoward::PlainThreshold<Scalar>(median + static_cast<Scalar>(width) * spread, scores.size(),
                                                1);
    }
};
static_assert(ThresholdPolicy<MedianDeviation>);

}  // namespace

TEST_CASE("fixed threshold: needs no rows, and flags what is above it, NaN and infinity") {
    const auto fitted = Fixed{.value = 2.5f}.calibrate(Eigen::VectorXf(0));
    CHECK(fitted.threshold() == 2.5f);
    CHECK(fitted.is_calibrated());
    CHECK(fitted.rows_needed() == 0);
    CHECK(fitted.calibration_rows() == 0);
    CHECK(fitted.attainable_false_alarm_rate() == 1.0);
    CHECK_FALSE(fitted.is_anomaly(2.5f));
    CHECK(fitted.is_anomaly(2.6f));
    CHECK(fitted.is_anomaly(not_a_number));
    CHECK(fitted.is_anomaly(infinity));
    CHECK_FALSE(fitted.is_anomaly(-infinity));
    CHECK(Fixed{.value = HUGE_VAL}.calibrate(Eigen::VectorXf(0)).is_anomaly(infinity));
    CHECK(Fixed{.value = 1}.calibrate(Eigen::RowVectorXd::Zero(7)).calibration_rows() == 7);
}

TEST_CASE("quantile threshold: NumPy's quantile") {
    for (const auto& c : reference::quantiles) {
        CAPTURE(c.n, c.level);
        const auto scores = Eigen::Map<const Eigen::VectorXd>(c.scores, c.n);
        CHECK(Quantile{.level = c.level}.calibrate(scores).threshold() == Approx(c.value).margin(1e-15));
    }
}

TEST_CASE("quantile threshold: no rows, infinities and NaN") {
    const auto empty = Quantile{.level = 0.9}.calibrate(Eigen::ArrayXf());
    CHECK_FALSE(empty.is_calibrated());
    CHECK(empty.rows_needed() == 1);
    CHECK(empty.threshold() == infinity);
    CHECK(empty.is_anomaly(not_a_number));
    CHECK_FALSE(empty.is_anomaly(1e30f));

    Eigen::Vector4f scores(1, not_a_number, 2, infinity);
    CHECK(Quantile{.level = 1.0}.calibrate(scores).threshold() == infinity);
    CHECK(Quantile{.level = 0.9}.calibrate(scores).threshold() == infinity);
    CHECK(Quantile{.level = 0.5}.calibrate(scores).threshold() == infinity);
    CHECK(Quantile{.level = 1.0 / 3}.calibrate(scores).threshold() == Approx(2.0f));
    CHECK(Quantile{.level = 0.0}.calibrate(scores).threshold() == 1.0f);
    scores << -infinity, 1, 2, 3;
    CHECK(Quantile{.level = 0.1}.calibrate(scores).threshold() == -infinity);
    CHECK(Quantile{.level = 0.5}.calibrate(scores).threshold() == 1.5f);
}

TEST_CASE("sorted scores: ascending, NaN last as infinity, from any vector expression") {
    Eigen::VectorXf scores(5);
    scores << 3, not_a_number, -infinity, 1, infinity;
    const Eigen::VectorXf sorted = sorted_scores(scores);
    Eigen::VectorXf expected(5);
    expected << -infinity, 1, 3, infinity, infinity;
    CHECK(sorted == expected);
    CHECK(is_sorted_scores(sorted));
    CHECK_FALSE(is_sorted_scores(scores));
    CHECK_FALSE(is_sorted_scores(Eigen::Vector2f(1, not_a_number)));
    CHECK_FALSE(is_sorted_scores(Eigen::Vector2f(not_a_number, 1)));
    CHECK(is_sorted_scores(Eigen::VectorXf()));

    const Eigen::MatrixXf table = Eigen::MatrixXf::Random(4, 6);
    CHECK(is_sorted_scores(sorted_scores(table.row(1) * 2.0f)));
    CHECK(sorted_scores(table.array().row(2).abs()).size() == 6);
}

TEST_CASE("a threshold of one's own: the documented example") {
    Eigen::VectorXd scores(5);
    scores << 5, 1, 2, 3, 4;
    const auto fitted = MedianDeviation{.width = 2}.calibrate(scores);
    CHECK(fitted.threshold() == Approx(3 + 2 * 1.4826));
    CHECK(fitted.is_anomaly(6.0));
    CHECK_FALSE(fitted.is_anomaly(5.0));
}
