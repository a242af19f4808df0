// SPDX-License-Identifier: MIT
// Which samples calibrate, are held out and train: at random, in time, by groups; the promise on windows.
#include "untoward/train/split.hpp"

#include <cmath>
#include <numeric>
#include <set>

#include "support/beta_binomial.hpp"
#include "support/catch.hpp"
#include "support/small_vae.hpp"
#include "untoward/core/random.hpp"
#include "untoward/scores/statistic.hpp"
#include "untoward/train/fit_ensemble.hpp"
#include "untoward/train/latent_size.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

const Conformal threshold{.false_alarm_rate = 0.05};

std::vector<Index> from_to(Index begin, Index end) {
    std::vector<Index> result(static_cast<std::size_t>(end - begin));
    std::iota(result.begin(), result.end(), begin);
    return result;
}

/// Groups of 7 samples, not in a row.
Groups groups_of(Index n) {
    Groups groups;
    for (Index i = 0; i < n; ++i) groups.of_sample.push_back(100 - i % ((n + 6) / 7));
    return groups;
}

}  // namespace

TEST_CASE("later block: the last samples calibrate, those before are held out, gaps belong to none") {
    const SplitPolicy block = LaterBlock{.gap = 30};
    const CalibrationSplit split = calibration_split(threshold, 5000, 1, block);
    REQUIRE(split.calibration == from_to(4000, 5000));
    REQUIRE(split.rest == from_to(0, 3970));
    std::vector<Index> rest = split.rest;
    REQUIRE(detail::hold_out(rest, block) == 397);
    std::vector<Index> expected = from_to(3573, 3970);
    detail::append(expected, from_to(0, 3543));
    REQUIRE(rest == expected);

    // A member's fold is a block with a gap on both sides.
    rest = from_to(0, 1000);
    REQUIRE(detail::hold_out_fold(2, rest, block) == 200);
    expected = from_to(400, 600);
    detail::append(expected, from_to(0, 370));
    detail::append(expected, from_to(630, 1000));
    REQUIRE(rest == expected);
    // Of what a search has left beside such a fold, what it holds out lies at the end.
    std::vector<Index> others(rest.begin() + 200, rest.end());
    for (Index i = 0; i < 2000; ++i) others.push_back(1000 + i);
    REQUIRE(detail::hold_out(others, block) == 274);
    REQUIRE(others.front() == 3000 - 274);
    REQUIRE(others.back() == 3000 - 274 - 31);

    REQUIRE_THROWS_WITH(
        calibration_split(threshold, 100, 1, LaterBlock{.gap = 80}),
        ContainsSubstring("a gap of 80 samples beside 20 calibration samples leaves none of 100"));
    REQUIRE_NOTHROW(calibration_split(threshold, 100, 1, LaterBlock{.gap = 79}));
    rest = from_to(0, 2000);
    REQUIRE_THROWS_WITH(detail::hold_out(rest, LaterBlock{.gap = 1800}),
                        ContainsSubstring("200 held-out samples"));
    rest = from_to(0, 50);
    REQUIRE_THROWS_AS(detail::hold_out_fold(2, rest, LaterBlock{.gap = 20}), Error);
    REQUIRE_THROWS_WITH(calibration_split(threshold, 1, 1, block), ContainsSubstring("at least 2"));
}

TEST_CASE("groups: none is on two sides, and the seed draws them") {
    const Groups groups = groups_of(3500);
    const auto of = [&groups](auto begin, auto end) {
        std::set<Index> found;
        for (auto i = begin; i != end; ++i) found.insert(groups.of_sample[static_cast<std::size_t>(*i)]);
        return found;
    };
    const auto apart = [](const std::set<Index>& a, const std::set<Index>& b) {
        return std::none_of(a.begin(), a.end(), [&b](Index group) { return b.count(group) > 0; });
    };
    const CalibrationSplit split = calibration_split(threshold, 3500, 1, groups);
    REQUIRE(split.calibration.size() == 700);
    REQUIRE(split.rest.size() == 2800);
    REQUIRE(apart(of(split.calibration.begin(), split.calibration.end()),
                  of(split.rest.begin(), split.rest.end())));
    REQUIRE(split.calibration != calibration_split(threshold, 3500, 2, groups).calibration);
    REQUIRE(split.calibration == calibration_split(threshold, 3500, 1, groups).calibration);
    std::vector<Index> rest = split.rest;
    const auto held_out = static_cast<std::ptrdiff_t>(detail::hold_out(rest, groups));
    REQUIRE(held_out == 280);
    REQUIRE(rest.size() == 2800);
    REQUIRE(apart(of(rest.begin(), rest.begin() + held_out), of(rest.begin() + held_out, rest.end())));
    std::set<Index> all_folds;
    for (Index member = 0; member < 5; ++member) {
        rest = split.rest;
        const auto fold = static_cast<std::ptrdiff_t>(detail::hold_out_fold(member, rest, groups));
        REQUIRE(rest.size() == 2800);
        const auto of_fold = of(rest.begin(), rest.begin() + fold);
        REQUIRE(apart(of_fold, of(rest.begin() + fold, rest.end())));
        REQUIRE(apart(of_fold, all_folds));
        all_folds.insert(of_fold.begin(), of_fold.end());
    }
    REQUIRE(all_folds == of(split.rest.begin(), split.rest.end()));

    REQUIRE_THROWS_WITH(calibration_split(threshold, 3400, 1, groups),
                        ContainsSubstring("3500 numbers of groups, expected one for each of 3400 samples"));
    REQUIRE_THROWS_WITH(calibration_split(threshold, 3, 1, Groups{{5, 5, 5}}),
                        ContainsSubstring("of one group"));
    // One of two groups stays to be learned from, however large the other is.
    const auto two = calibration_split(threshold, 4, 1, Groups{{5, 9, 9, 9}});
    REQUIRE(two.calibration.size() + two.rest.size() == 4);
    REQUIRE_FALSE(two.rest.empty());
}

TEST_CASE("series windows: an expression of the series that knows how far windows overlap") {
    Eigen::MatrixXf series(2, 11);
    for (Index t = 0; t < 11; ++t) series.col(t) << static_cast<float>(t), static_cast<float>(-t);
    const auto windows = windows_of(series, {.length = 4, .hop = 3});
    REQUIRE(windows.rows() == 8);
    REQUIRE(windows.cols() == 3);
    REQUIRE(windows.data() == series.data());
    for (Index j = 0; j < 3; ++j) {
        for (Index t = 0; t < 4; ++t) {
            REQUIRE(windows(2 * t, j) == static_cast<float>(3 * j + t));
            REQUIRE(windows(2 * t + 1, j) == -static_cast<float>(3 * j + t));
        }
    }
    REQUIRE(windows.gap() == 1);
    const Eigen::VectorXd one = Eigen::VectorXd::LinSpaced(100, 0, 99);
    for (const Index hop : {1, 2, 3, 7, 8, 9, 100}) {
        const auto all = windows_of(one, {.length = 8, .hop = hop});
        REQUIRE(all.cols() == 92 / hop + 1);
        REQUIRE((all.cols() == 1 || all(0, 1) == static_cast<double>(hop)));
        REQUIRE((all.gap() + 1) * hop >= 8);  // these two share nothing,
        REQUIRE(all.gap() * hop < 8);         // and these would
    }
    REQUIRE(windows_of(one, {.length = 8}).without_overlap(17) == 3);
    REQUIRE(windows_of(one.transpose(), {.length = 100}).cols() == 1);
    REQUIRE_THROWS_WITH(windows_of(one, {.length = 101}),
                        ContainsSubstring("100 readings has no window of 101"));
    REQUIRE_THROWS_WITH(windows_of(one, {}), "WindowOptions.length is 0, expected 1 or more");
    REQUIRE_THROWS_WITH(windows_of(one, {.length = 8, .hop = 0}),
                        "WindowOptions.hop is 0, expected 1 or more");
    REQUIRE_THROWS_WITH(windows_of(series.topRows(1), {.length = 4}),
                        ContainsSubstring("lie apart in memory"));
    const Eigen::Matrix<float, Dynamic, Dynamic, Eigen::RowMajor> flat = series.topRows(1);
    REQUIRE(windows_of(flat.row(0), {.length = 4}).cols() == 8);
}

namespace {

constexpr Index length = 32;
using Small = Vae<Vec<length>, Encoder<Dense<8, Tanh>>, Latent<2>, Decoder<Dense<8, Tanh>>, Gaussian>;

/// A moving sum of noise: a step of a window changes it little, and beyond its width nothing is remembered.
Eigen::VectorXf series_of(Index n, std::uint64_t seed) {
    constexpr Index width = 8;
    Eigen::VectorXf noise(n + width);
    fill_normal(noise.data(), noise.size(), {.seed = seed});
    Eigen::VectorXf x(n);
    for (Index t = 0; t < n; ++t) x(t) = noise.segment(t, width).sum();
    return x;
}

/// The alarms in a later stretch of a series: their rate, and how long one depends on another.
struct Alarms {
    double rate = 0;
    /// The integrated autocorrelation time 1 + 2 sum_k rho_k, lags up to two windows, of being among the 5% highest
    /// scores. As far as a rate of 5% goes, n windows in a row are worth n / time independent ones.
    double time = 1;
};

/// What a detector of windows flags in a later stretch of the series.
template <class DetectorType>
Alarms later_alarms(const DetectorType& detector, std::uint64_t seed) {
    const Eigen::VectorXf later = series_of(12000, 1000 + seed);
    const auto windows = windows_of(later, {.length = length});
    const Eigen::VectorXf scores = detector.score(windows);
    const auto n = static_cast<double>(scores.size());
    Alarms alarms;
    for (const float score : scores) alarms.rate += detector.threshold().is_anomaly(score) ? 1 / n : 0;
    const float limit = quantile_of_sorted(sorted_scores(scores), 0.95);
    const Eigen::ArrayXd high = (scores.array() > limit).cast<double>();
    const double mean = high.mean();
    for (Index k = 1; k <= 2 * length; ++k) {
        const double both = (high.head(high.size() - k) * high.tail(high.size() - k)).mean();
        alarms.time += 2 * (both - mean * mean) / (mean * (1 - mean));
    }
    return alarms;
}

}  // namespace

TEST_CASE(
    "fit: on overlapping windows the promised false-alarm rate holds, as it does not by a split at random") {
    // The distance to training windows: near copies of one that calibrates, a reading away, are as near as can be.
    const Recipe recipe{StandardScaler{}, Small{}, NeighbourScore{.space = Space::input, .k = 1}, threshold};
    constexpr int seeds = 4;
    double rate = 0;
    double at_random = 0;
    double variance = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const Eigen::VectorXf series = series_of(6031, seed);
        const auto windows = windows_of(series, {.length = length});
        FitOptions options = untoward_test::quick(2);
        FitReport report;
        const auto detector = fit(recipe, windows, options, &report);
        REQUIRE(report.rows == 6000);
        REQUIRE(report.calibration_rows == 1200);
        REQUIRE(report.held_out_rows == 476);  // a tenth of 6000 - 1200 - 31
        REQUIRE(report.gap_rows == 62);
        REQUIRE(report.training_rows == 6000 - 1200 - 476 - 62);
        REQUIRE(report.calibration_rows_without_overlap == 38);
        const Alarms alarms = later_alarms(detector, seed);
        // As many independent ones as these are worth, judged by as many as those of calibration are worth.
        const auto judged = static_cast<Index>(std::lround((12000 - length + 1) / alarms.time));
        const auto calibrated = static_cast<Index>(std::lround(1200 / alarms.time));
        const auto interval = untoward_test::false_alarm_interval(judged, calibrated, 0.05);
        INFO("seed " << seed << ": rate " << alarms.rate << ", " << calibrated << " effective rows, interval "
                     << interval.low << " to " << interval.high << " of " << judged);
        CHECK(calibrated > 40);
        CHECK(alarms.rate * static_cast<double>(judged) >= static_cast<double>(interval.low));
        CHECK(alarms.rate * static_cast<double>(judged) <= static_cast<double>(interval.high));
        rate += alarms.rate / seeds;
        variance += 0.05 * 0.95 * alarms.time * (1.0 / 1200 + 1.0 / 12000) / (seeds * seeds);

        REQUIRE_FALSE(report.overlap_ignored);

        if (seed > 2) continue;
        options.split = RandomSplit{};
        at_random += later_alarms(fit(recipe, windows, options, &report), seed).rate / 2;
        REQUIRE(report.overlap_ignored);
        REQUIRE_THAT(report.notes().back(), ContainsSubstring("share readings with those of training"));
    }
    INFO("mean " << rate << " +- " << std::sqrt(variance) << ", by a random split " << at_random);
    CHECK(std::abs(rate - 0.05) < 3 * std::sqrt(variance));
    CHECK(at_random > 0.1);
}

TEST_CASE("fit: an ensemble of windows and a search for the latent size split them in time, too") {
    const Eigen::VectorXf series = series_of(1031, 1);
    const auto windows = windows_of(series, {.length = length});
    const Recipe member{StandardScaler{}, Small{}, NeighbourScore{.space = Space::input, .k = 1},
                        NoThreshold{}};
    EnsembleReport report;
    const Ensemble ensemble{std::tuple{member, member}, threshold};
    const auto detector = fit(ensemble, windows, untoward_test::quick(2), &report);
    REQUIRE(report.calibration_rows == 200);
    REQUIRE(report.members[0].held_out_rows == 153);
    REQUIRE(report.members[0].training_rows == 769 - 153 - 31);
    REQUIRE(report.members[1].training_rows == 769 - 154 - 62);
    REQUIRE(report.members[1].gap_rows == 93);
    const CalibrationSplit split = calibration_split(threshold, 1000, 1, LaterBlock{windows.gap()});
    Eigen::MatrixXf calibration(length, 200);
    for (Index j = 0; j < 200; ++j)
        calibration.col(j) = windows.col(split.calibration[static_cast<std::size_t>(j)]);
    const Eigen::VectorXf scores = detector.score(calibration);
    REQUIRE((detector.threshold().scores() - sorted_scores(raised_for_rounding(scores))).norm() == 0);

    const auto recipe = [](Index units) {
        const Vae model{Vec<>(length), Encoder<Dense<8, Tanh>>{}, Latent<>(units), Decoder<Dense<8, Tanh>>{},
                        Gaussian{}};
        return Recipe{StandardScaler{}, model, NeighbourScore{}, threshold};
    };
    const auto found = search_latent_size(recipe, windows, untoward_test::quick(2), {1});
    REQUIRE(found.validation_rows == 153 + 154 + 154);
    FitOptions wide = untoward_test::quick(2);
    wide.split = LaterBlock{.gap = 700};
    REQUIRE_THROWS_WITH(search_latent_size(recipe, windows, wide, {1}), ContainsSubstring("gap of 700"));
}
