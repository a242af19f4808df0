// SPDX-License-Identifier: MIT
#include "untoward/thresholds/conformal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/thresholds.hpp"
#include "support/beta_binomial.hpp"
#include "support/catch.hpp"
#include "untoward/core/random.hpp"

using namespace untoward;
using untoward_test::BetaBinomial;
using untoward_test::false_alarm_interval;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr Index most = std::numeric_limits<Index>::max();

static_assert(ThresholdPolicy<Conformal>);
static_assert(HasPValue<ConformalThreshold<Eigen::VectorXf>>);
static_assert(HasPValue<ConformalThreshold<Eigen::Map<const Eigen::VectorXd>>>);
static_assert(HasPValue<ConformalThreshold<Eigen::Matrix<float, 99, 1>>>);

// The promise of a firmware image can be checked when it is compiled.
static_assert(conformal_rows_needed(0.01) == 99);
static_assert(conformal_rows_needed(0.01f) == 99);
static_assert(conformal_rank(99, 0.01f) == 99);
static_assert(conformal_rank(98, 0.01f) == 99);
static_assert(calibration_size(1000, 0.01) == 200);

/// 1, 2, ..., n.
Eigen::VectorXf one_to(Index n) {
    return Eigen::VectorXf::LinSpaced(n, 1, static_cast<float>(n));
}

/// n scores of a stream: strictly positive, skewed, without ties.
Eigen::VectorXd exponential_scores(RandomStream& stream, Index n) {
    Eigen::VectorXd scores(n);
    for (double& score : scores) score = -std::log(stream.uniform<double>());
    return scores;
}

}  // namespace

TEST_CASE("conformal rank: equals exact arithmetic for every decimal rate, as double and as float") {
    // With rate = p / q the rank is n + 1 - floor((n + 1) p / q), in integers.
    Index wrong = 0;
    for (const Index q : {Index{10}, Index{100}, Index{1000}, Index{10000}}) {
        for (Index p = 1; p < q; p += q == 10000 ? 7 : 1) {
            const double rate = static_cast<double>(p) / static_cast<double>(q);
            const auto single = static_cast<float>(rate);
            wrong += conformal_rows_needed(rate) != (q + p - 1) / p - 1;
            wrong += conformal_rows_needed(single) != (q + p - 1) / p - 1;
            for (Index n = 0; n < 2500; n = n < 120 ? n + 1 : n + 13) {
                const Index exact = n + 1 - (n + 1) * p / q;
                wrong += conformal_rank(n, rate) != exact;
                wrong += conformal_rank(n, single) != exact;
            }
            // The places where rounding does harm: (n + 1) rate is a whole number, or just below one.
            for (Index factor = 1; factor < 60; ++factor) {
                for (const Index n : {q * factor - 1, q * factor - 2, q * factor}) {
                    const Index exact = n + 1 - (n + 1) * p / q;
                    wrong += conformal_rank(n, rate) != exact;
                    if (n < 10000) wrong += conformal_rank(n, single) != exact;
                }
            }
        }
    }
    CHECK(wrong == 0);
    for (Index q = 2; q < 3000; ++q) {  // rates that no decimal writes down: a third, a seventh
        wrong += conformal_rows_needed(1.0 / static_cast<double>(q)) != q - 1;
        wrong += conformal_rows_needed(1.0f / static_cast<float>(q)) != q - 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("conformal rank: rows_needed is where the rank becomes attainable") {
    for (const double rate :
         {0.5, 0.1, 0.05, 0.01, 0.001, 1e-4, 1e-6, 0.0123456789, 1.0 / 3, 2.0 / 3, 0.999}) {
        const Index needed = conformal_rows_needed(rate);
        CHECK(needed == static_cast<Index>(std::ceil(1 / rate - 1e-9)) - 1);
        CHECK(conformal_rank(needed, rate) == (needed == 0 ? 1 : needed));
        if (needed > 0) CHECK(conformal_rank(needed - 1, rate) == needed);
    }
}

TEST_CASE("conformal rank: a rate from a damaged file is harmless") {
    for (const double rate : {0.0, -0.0, -1.0, std::nan(""), -HUGE_VAL, 1e-300, 5e-324}) {
        CHECK(conformal_rows_needed(rate) == most);
        CHECK(conformal_rank(1000, rate) == 1001);
        CHECK(calibration_size(1000, rate) == 400);
    }
    for (const double rate : {1.0, 2.0, 1e300, HUGE_VAL, std::nextafter(1.0, 0.0)}) {
        CHECK(conformal_rows_needed(rate) == 0);
        CHECK(conformal_rank(1000, rate) == 1);
        CHECK(conformal_rank(1, rate) == 1);
        CHECK(conformal_rank(0, rate) <= 1);
    }
}

TEST_CASE("calibration size: what the rate needs, between a fifth and two fifths") {
    CHECK(calibration_size(0, 0.01) == 0);
    CHECK(calibration_size(1, 0.01) == 0);
    CHECK(calibration_size(2, 0.01) == 0);
    CHECK(calibration_size(3, 0.01) == 1);
    CHECK(calibration_size(10, 0.01) == 4);
    CHECK(calibration_size(100, 0.01) == 40);
    CHECK(calibration_size(247, 0.01) == 98);
    CHECK(calibration_size(248, 0.01) == 99);  // the first with which 1% can be promised
    CHECK(calibration_size(495, 0.01) == 99);
    CHECK(calibration_size(500, 0.01) == 100);
    CHECK(calibration_size(10, 0.5) == 2);
    CHECK(calibration_size(1000000, 1e-6) == 400000);
    CHECK(calibration_size(most, 0.01) == most / 5);
    for (Index n = 1; n < 3000; ++n) {
        const Index size = calibration_size(n, 0.01);
        REQUIRE(size >= n / 5);
        REQUIRE(5 * size <= 2 * n);
        REQUIRE(size < n);
    }
}

TEST_CASE("conformal: small cases by hand") {
    const auto fitted = Conformal{.false_alarm_rate = 0.2}.calibrate(one_to(9).reverse());
    CHECK(fitted.calibration_rows() == 9);
    CHECK(fitted.rows_needed() == 4);
    CHECK(fitted.is_calibrated());
    CHECK(fitted.attainable_false_alarm_rate() == Approx(0.1));
    CHECK(fitted.false_alarm_rate() == 0.2);
    CHECK(fitted.threshold() == 8.0f);  // k = ceil(10 * 0.8) = 8
    CHECK_FALSE(fitted.is_anomaly(8.0f));
    CHECK(fitted.is_anomaly(std::nextafter(8.0f, 9.0f)));
    CHECK(fitted.p_value(0.0f) == 1.0f);
    CHECK(fitted.p_value(1.0f) == 1.0f);
    CHECK(fitted.p_value(1.5f) == Approx(0.9f));
    CHECK(fitted.p_value(8.0f) == Approx(0.3f));
    CHECK(fitted.p_value(8.5f) == Approx(0.2f));
    CHECK(fitted.p_value(9.0f) == Approx(0.2f));
    CHECK(fitted.p_value(9.5f) == Approx(0.1f));

    const auto one_row = Conformal{.false_alarm_rate = 0.5}.calibrate(one_to(1));
    CHECK(one_row.is_calibrated());
    CHECK(one_row.threshold() == 1.0f);
    CHECK(one_row.p_value(2.0f) == 0.5f);
}

TEST_CASE("conformal: with too few rows the threshold is infinite and says what is needed") {
    const auto short_of_one = Conformal{.false_alarm_rate = 0.01f}.calibrate(one_to(98));
    CHECK_FALSE(short_of_one.is_calibrated());
    CHECK(short_of_one.rows_needed() == 99);
    CHECK(short_of_one.threshold() == infinity);
    CHECK_FALSE(short_of_one.is_anomaly(1e30f));
    CHECK(short_of_one.attainable_false_alarm_rate() == Approx(1.0 / 99));
    CHECK(short_of_one.p_value(1e30f) == Approx(1.0f / 99));

    const auto enough = Conformal{.false_alarm_rate = 0.01f}.calibrate(one_to(99));
    CHECK(enough.is_calibrated());
    CHECK(enough.threshold() == 99.0f);

    const auto empty = Conformal{}.calibrate(Eigen::VectorXf());
    CHECK(empty.calibration_rows() == 0);
    CHECK(empty.threshold() == infinity);
    CHECK(empty.p_value(1.0f) == 1.0f);
    CHECK(empty.attainable_false_alarm_rate() == 1.0);
}

TEST_CASE("conformal: NaN and infinity") {
    for (const Index n : {0, 5, 50}) {  // calibrated or not
        const auto fitted = Conformal{.false_alarm_rate = 0.1}.calibrate(one_to(n));
        const float smallest = 1.0f / static_cast<float>(n + 1);
        CHECK(fitted.is_anomaly(not_a_number));
        CHECK(fitted.is_anomaly(infinity));
        CHECK_FALSE(fitted.is_anomaly(-infinity));
        CHECK(fitted.p_value(not_a_number) == smallest);
        CHECK(fitted.p_value(infinity) == smallest);
        CHECK(fitted.p_value(-infinity) == 1.0f);
    }
    // A calibration row without a score counts as the most anomalous.
    Eigen::VectorXf scores(9);
    scores << 3, not_a_number, 1, 2, infinity, 5, 4, 6, 7;
    const auto fitted = Conformal{.false_alarm_rate = 0.3}.calibrate(scores);
    CHECK(is_sorted_scores(fitted.scores()));
    CHECK(fitted.threshold() == 7.0f);
    CHECK(fitted.with_false_alarm_rate(0.2).threshold() == infinity);
    CHECK(fitted.p_value(7.5f) == Approx(0.3f));
}

TEST_CASE("conformal: score > threshold exactly when p <= rate") {
    RandomStream stream(3);
    for (const Index n : {1, 4, 9, 50, 99, 100, 333}) {
        // Rounded, so that scores tie with each other and with the threshold.
        Eigen::VectorXd scores = exponential_scores(stream, n);
        scores = (scores * 8).array().round() / 8;
        for (const double rate : {0.5, 0.25, 0.1, 0.05, 0.03, 0.01}) {
            const auto fitted = Conformal{.false_alarm_rate = rate}.calibrate(scores);
            for (double score = -1; score < 12; score += 0.0625) {
                REQUIRE(fitted.is_anomaly(score) == (fitted.p_value(score) <= rate * (1 + 1e-12)));
            }
        }
    }
}

TEST_CASE("conformal: ties only lower the rate") {
    const auto all_equal = Conformal{.false_alarm_rate = 0.1}.calibrate(Eigen::VectorXf::Constant(50, 2.0f));
    CHECK(all_equal.threshold() == 2.0f);
    CHECK_FALSE(all_equal.is_anomaly(2.0f));
    CHECK(all_equal.p_value(2.0f) == 1.0f);

    // Half of the mass on one value at the top: never a false alarm there.
    RandomStream stream(5);
    Index alarms = 0;
    constexpr Index repeats = 4000;
    for (Index repeat = 0; repeat < repeats; ++repeat) {
        Eigen::VectorXd scores = exponential_scores(stream, 40).cwiseMin(0.7);
        const auto fitted = Conformal{.false_alarm_rate = 0.1}.calibrate(scores.head(39));
        alarms += fitted.is_anomaly(scores[39]);
    }
    CHECK(alarms <= repeats / 10);
}

TEST_CASE("conformal: p-values are super-uniform and, without ties, exactly uniform on their grid") {
    constexpr Index n = 19, repeats = 40000;
    RandomStream stream(6);
    std::array<double, n + 1> count{};
    for (Index repeat = 0; repeat < repeats; ++repeat) {
        const Eigen::VectorXd scores = exponential_scores(stream, n + 1);
        const auto fitted = Conformal{.false_alarm_rate = 0.1}.calibrate(scores.head<n>());
        count.at(static_cast<std::size_t>(std::lround(fitted.p_value(scores[n]) * (n + 1))) - 1) += 1;
    }
    constexpr double expected = static_cast<double>(repeats) / (n + 1);
    double chi_squared = 0, cumulative = 0;
    for (std::size_t i = 0; i < count.size(); ++i) {
        chi_squared += (count[i] - expected) * (count[i] - expected) / expected;
        cumulative += count[i];
        const double t = static_cast<double>(i + 1) / (n + 1);
        CHECK(cumulative / repeats <= t + 4 * std::sqrt(t * (1 - t) / repeats));
    }
    CHECK(chi_squared < 43.8);  // 19 degrees of freedom, 1 in 1,000
}

TEST_CASE("conformal: false alarms of one calibration set follow BetaBinomial(m; n + 1 - k, k)") {
    struct Case {
        Index n, m;
        double rate;
    };
    for (const Case c : {Case{50, 40, 0.1}, Case{99, 100, 0.01}, Case{30, 20, 0.25}}) {
        CAPTURE(c.n, c.m, c.rate);
        RandomStream stream(7, static_cast<std::uint64_t>(c.n));
        constexpr Index repeats = 8000;
        std::vector<double> count(static_cast<std::size_t>(c.m) + 1);
        for (Index repeat = 0; repeat < repeats; ++repeat) {
            const auto fitted =
                Conformal{.false_alarm_rate = c.rate}.calibrate(exponential_scores(stream, c.n));
            std::size_t alarms = 0;
            for (const double score : exponential_scores(stream, c.m)) alarms += fitted.is_anomaly(score);
            count[alarms] += 1;
        }
        const Index rank = conformal_rank(c.n, c.rate);
        const BetaBinomial law{static_cast<double>(c.m), static_cast<double>(c.n + 1 - rank),
                               static_cast<double>(rank)};
        double distance = 0, seen = 0, cumulative = 0;
        for (std::size_t i = 0; i < count.size(); ++i) {
            seen += count[i] / repeats;
            cumulative += law.pmf(static_cast<double>(i));
            distance = std::max(distance, std::abs(seen - cumulative));
        }
        CHECK(cumulative == Approx(1.0).epsilon(1e-10));
        CHECK(distance * std::sqrt(static_cast<double>(repeats)) < 1.95);  // Kolmogorov-Smirnov, 1 in 1,000
        // And the interval that other tests use holds as many of them as it should.
        const auto interval = false_alarm_interval(c.m, c.n, c.rate, 0.99);
        double outside = 0;
        for (std::size_t i = 0; i < count.size(); ++i) {
            const auto alarms = static_cast<Index>(i);
            if (alarms < interval.low || alarms > interval.high) outside += count[i] / repeats;
        }
        CHECK(outside < 0.01 + 4 * std::sqrt(0.01 / repeats));
    }
}

TEST_CASE("conformal: the beta-binomial of the tests equals SciPy's") {
    for (const auto& c : reference::beta_binomial) {
        const BetaBinomial law{c.m, c.a, c.b};
        CHECK(law.pmf(c.i) == Approx(c.pmf).epsilon(1e-9));
        CHECK(law.cdf(c.i) == Approx(c.cdf).epsilon(1e-9));
    }
    for (const auto& c : reference::intervals) {
        CAPTURE(c.m, c.n, c.rate);
        const auto interval = false_alarm_interval(c.m, c.n, c.rate);
        CHECK(interval.low == c.low);
        CHECK(interval.high == c.high);
    }
    CHECK(false_alarm_interval(1000, 98, 0.01).high == 0);
}

TEST_CASE("conformal: from stored state, at another rate, on any storage") {
    const Eigen::VectorXf scores = one_to(200).reverse();
    const auto fitted = Conformal{.false_alarm_rate = 0.05}.calibrate(scores);

    static const Eigen::VectorXf in_flash = fitted.scores();
    const ConformalThreshold flash(Eigen::Map<const Eigen::VectorXf>(in_flash.data(), in_flash.size()), 0.05);
    const ConformalThreshold<Eigen::Matrix<float, 200, 1>> fixed(fitted.scores(), 0.05);
    const ConformalThreshold<Eigen::Matrix<float, Eigen::Dynamic, 1, Eigen::ColMajor, 256, 1>> bounded(
        fitted.scores(), 0.05);
    for (const float score : {0.0f, 1.0f, 100.5f, 191.0f, 192.0f, 199.0f, 201.0f, infinity, not_a_number}) {
        CHECK(flash.is_anomaly(score) == fitted.is_anomaly(score));
        CHECK(flash.p_value(score) == fitted.p_value(score));
        CHECK(fixed.p_value(score) == fitted.p_value(score));
        CHECK(bounded.p_value(score) == fitted.p_value(score));
    }
    CHECK(flash.threshold() == fitted.threshold());

    const auto stricter = flash.with_false_alarm_rate(0.01);
    CHECK(stricter.threshold() == Conformal{.false_alarm_rate = 0.01}.calibrate(scores).threshold());
    CHECK(stricter.false_alarm_rate() == 0.01);
    CHECK(stricter.scores().data() == in_flash.data());
    CHECK_FALSE(flash.with_false_alarm_rate(0.001).is_calibrated());

    // What is fixed in size stays so: no heap between the scores and the decision.
    using Fixed9 = Eigen::Array<double, 1, 9>;
    const auto small = Conformal{.false_alarm_rate = 0.1}.calibrate(Fixed9::LinSpaced(1.0, 9.0));
    static_assert(std::is_same_v<std::decay_t<decltype(small.scores())>, Eigen::Matrix<double, 9, 1>>);
    CHECK(small.threshold() == 9.0);
}
