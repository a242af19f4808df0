// SPDX-License-Identifier: MIT
#include "untoward/thresholds/tail.hpp"

#include <limits>

#include "support/catch.hpp"
#include "untoward/core/random.hpp"

using namespace untoward;

static_assert(FittedThreshold<ConformalTail<float, 4>>);
static_assert(HasPValue<ConformalTail<double, 4>>);
static_assert(ConformalTail<float, 2>(0.5, 3, {3, 2}).threshold() == 2);

TEST_CASE("tail: the largest scores give the threshold and the p-values of all of them") {
    const double rate = GENERATE(0.01, 0.05, 0.1, static_cast<double>(0.01f), 1.0 / 3, 0.3);
    const auto seed = GENERATE(std::uint64_t{1}, std::uint64_t{2});
    constexpr Index most = 400;
    Eigen::VectorXf scores(most);
    fill_normal(scores.data(), most, {.seed = seed});
    scores = (scores * 8).array().round();  // some tie
    scores(7) = std::numeric_limits<float>::quiet_NaN();
    scores(8) = std::numeric_limits<float>::infinity();
    ConformalTail<float, 130> tail(rate);
    for (Index n = 0; n <= most; ++n) {
        if (n > 0) tail.add(scores(n - 1));
        const auto all = Conformal{.false_alarm_rate = rate}.calibrate(scores.head(n));
        REQUIRE(tail.calibration_rows() == n);
        REQUIRE(tail.is_calibrated() == all.is_calibrated());
        REQUIRE(tail.is_exact() == (n + 1 - conformal_rank(n, rate) <= 130));
        if (tail.is_exact()) {
            REQUIRE(tail.threshold() == all.threshold());
        } else {
            REQUIRE(tail.threshold() >= all.threshold());
        }
        for (const float s : {-30.0f, 0.0f, 3.0f, 8.0f, 20.0f, 31.0f}) {
            REQUIRE((tail.p_value(s) == all.p_value(s) || tail.p_value(s) == 1));
            const bool is_known = n <= 130 || s > tail.largest().back();
            if (is_known) REQUIRE(tail.p_value(s) == all.p_value(s));
            if (tail.is_exact()) REQUIRE(tail.is_anomaly(s) == all.is_anomaly(s));
        }
    }
    const ConformalTail<float, 130> stored(rate, most, tail.largest());
    REQUIRE(stored.threshold() == tail.threshold());
    REQUIRE(stored.p_value(20) == tail.p_value(20));
    tail.reset();
    REQUIRE(tail.calibration_rows() == 0);
    REQUIRE_FALSE(tail.is_calibrated());
    REQUIRE(tail.p_value(5) == 1);
}
