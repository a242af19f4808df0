// SPDX-License-Identifier: MIT
#pragma once

// Other units for fusion (slog.hpp), by the rank of a score s among those of the rows that were held out, or of
// the training rows where none were, S_1 <= ... <= S_n:
//
//     NegativeLogP     -log p,             p = (1 + #{S_i >= s}) / (n + 1)
//     NormalQuantile   Phi^-1(1 - p'),     p' = (1/2 + #{S_i >= s}) / (n + 1)
//
// Both know nothing of how far beyond all of these a sample is: the order of wild samples is lost, and they
// are no better than Slog where that was measured; but an outlier among the rows does not stretch them. A rank
// has no slope, so the standard error of a Monte Carlo score is not known in these units (NaN). Of more than
// 1,000 rows 1,000 quantiles are kept.

#include <algorithm>
#include <cmath>
#include <limits>

#include "../thresholds/rounding.hpp"
#include "in_unit.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// Phi^-1(u), for u in (0, 1): bisection on erfc, to the last digits of a float. For fitting only.
inline double inverse_normal(double u) {
    double low = -9;
    double high = 9;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (std::erfc(-middle * 0.70710678118654752440) / 2 < u ? low : high) = middle;
    }
    return (low + high) / 2;
}

// The unit of a policy whose value(as_high, rows) says what it makes of a score that so many of so many rows reach.
template <class Policy>
struct RankUnit {
    template <class Vector>
    struct Fitted {
        using S = typename Vector::Scalar;
        Index rows = 0;
        Vector scores{};  // ascending
        Vector values{};  // one more than rows: of a score that none reaches, one reaches, ...

        static constexpr void state(auto& self, auto&& visit) {
            visit.size("rows", self.rows);
            visit.numbers("scores", self.scores, self.rows);
            visit.numbers("values", self.values, self.rows + 1);
        }
        [[nodiscard]] constexpr bool is_sound() const { return std::is_sorted(scores.begin(), scores.end()); }
        void fit(const Vector& sorted) {
            constexpr Index most = 1000;
            rows = (std::min)(sorted.size(), most);
            scores.resize(rows);
            values.resize(rows + 1);
            for (Index i = 0; i < rows; ++i) {
                const double level = (static_cast<double>(i) + 0.5) / static_cast<double>(rows);
                scores[i] = sorted.size() <= most ? sorted[i] : quantile_of_sorted(sorted, level);
            }
            // A row that repeats one of these reaches it, whatever kernel computed either.
            scores = raised_for_rounding(scores);
            for (Index i = 0; i <= rows; ++i) values[i] = static_cast<S>(Policy::value(i, rows));
        }
        UnitValue<S> operator()(S score) const {
            const auto first = std::lower_bound(scores.begin(), scores.end(), score);
            const S value = values[std::isnan(score) ? 0 : static_cast<Index>(scores.end() - first)];
            // Features share in what is beyond the middle row's.
            const S beyond = rows > 0 ? score - scores[rows / 2] : S(0);
            const bool is_shared = std::isfinite(beyond) && beyond != 0;
            return {value, is_shared ? (value - values[rows - rows / 2]) / beyond : S(0)};
        }
    };
};

}  // namespace detail

/// -log p of a score, p by its rank.
template <Score Inner>
struct NegativeLogP {
    using Unit = detail::RankUnit<NegativeLogP>;
    static constexpr bool needs_variance = detail::needs_variance<Inner>();
    static constexpr DrawDetail draw_detail = detail::draw_detail<Inner>();
    [[no_unique_address]] Inner score;

    static constexpr const char* name = "negative-log-p";
    static constexpr void options(auto& self, auto&& visit) { visit("score", self.score); }

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    static double value(Index as_high, Index rows) {
        return -std::log((1 + static_cast<double>(as_high)) / (static_cast<double>(rows) + 1));
    }
};
template <class Inner>
NegativeLogP(const Inner&) -> NegativeLogP<Inner>;

/// The standard normal quantile of a score's rank.
template <Score Inner>
struct NormalQuantile {
    using Unit = detail::RankUnit<NormalQuantile>;
    static constexpr bool needs_variance = detail::needs_variance<Inner>();
    static constexpr DrawDetail draw_detail = detail::draw_detail<Inner>();
    [[no_unique_address]] Inner score;

    static constexpr const char* name = "normal-quantile";
    static constexpr void options(auto& self, auto&& visit) { visit("score", self.score); }

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    static double value(Index as_high, Index rows) {
        return -detail::inverse_normal((0.5 + static_cast<double>(as_high)) /
                                       (static_cast<double>(rows) + 1));
    }
};
template <class Inner>
NormalQuantile(const Inner&) -> NormalQuantile<Inner>;

}  // namespace untoward
