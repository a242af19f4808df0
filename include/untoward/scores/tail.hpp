// SPDX-License-Identifier: MIT
#pragma once

// Other units for fusion (slog.hpp), by the rank of a score s among those of the rows that were held out, or of
// the training rows where none were, S_1 <= ... <= S_n:
//
//     NegativeLogP     -log p,             p = (1 + #{S_i >= s}) / (n + 1)
//     NormalQuantile   Phi^-1(1 - p'),     p' = (1/2 + #{S_i >= s}) / (n + 1)
//
// Both know nothing of how far beyond all of these a sample is: the order of wild samples is lost, and they
// are no better than Slog where that was measured; but an outlier among the rows does not stretch them. Of
// more than 1,000 rows 1,000 quantiles are kept.

#include <cmath>

#include "score_alone.hpp"

namespace untoward {

namespace detail {

// Phi^-1(u), for u in (0, 1): bisection on erfc, to the last digits of a float.
inline double inverse_normal(double u) {
    double low = -9;
    double high = 9;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (std::erfc(-middle * 0.70710678118654752440) / 2 < u ? low : high) = middle;
    }
    return (low + high) / 2;
}

}  // namespace detail

/// A score as its rank, fitted.
template <class Unit, class Inner, class Vector>
struct FittedRank {
    using IsScore = void;
    using Scalar = typename Vector::Scalar;

    Inner score;
    Index features = 0;
    Index rows = 0;
    Vector scores{};   ///< ascending
    Vector typical{};  ///< D: the median of what each feature has of the score

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index batch) const {
        return detail::score_alone_bytes<Scalar>(score, features, batch) +
               align_up(static_cast<std::size_t>(batch) * sizeof(Scalar)) +
               align_up(static_cast<std::size_t>(features * batch) * sizeof(Scalar));
    }
    static constexpr void state(auto& self, auto&& visit) {
        visit.size("features", self.features);
        visit.size("rows", self.rows);
        visit.numbers("scores", self.scores, self.rows);
        visit.numbers("typical", self.typical, self.features);
        auto of_score = visit.part("of");
        detail::visit_state(self.score, of_score);
    }
    [[nodiscard]] bool fits(Index d, Index units) const {
        return features == d && std::is_sorted(scores.begin(), scores.end()) &&
               detail::score_fits(score, d, units);
    }

    void add_to(auto& sheet, const auto& evidence, Scalar weight) const {
        Arena& arena = *sheet.arena;
        const std::size_t mark = arena.used();
        const Index n = evidence.x.batch();
        Scalar* const found = arena.template allocate<Scalar>(n);
        Scalar* const shares =
            sheet.blame == nullptr ? nullptr : arena.template allocate<Scalar>(features * n);
        detail::score_alone(score, evidence, arena, sheet.leave_one_out, found, shares);
        for (Index j = 0; j < n; ++j) {
            const auto first = std::lower_bound(scores.begin(), scores.end(), found[j]);
            const Index as_high = std::isnan(found[j]) ? 0 : static_cast<Index>(scores.end() - first);
            const Scalar value = static_cast<Scalar>(Unit::value(as_high, rows));
            sheet.rest(0, j) += weight * value;
            if (shares == nullptr) continue;
            // Features share what they share of the score beyond its median.
            const Scalar beyond = rows > 0 ? found[j] - scores[rows / 2] : Scalar(0);
            const Scalar usual = static_cast<Scalar>(Unit::value(rows - rows / 2, rows));
            const bool has_share = std::isfinite(beyond) && beyond != 0;
            const Scalar slope = has_share ? weight * (value - usual) / beyond : Scalar(0);
            for (Index i = 0; i < features; ++i)
                sheet.blame[i + j * features] += slope * (shares[i + j * features] - typical[i]);
        }
        arena.rewind(mark);
    }
};

namespace detail {

template <class Unit, class Vector, class Inner>
auto fit_rank(const Inner& policy, const auto& rows) {
    constexpr Index most = 1000;
    FittedRank<Unit, FittedScore<Inner, Vector>, Vector> fitted{
        ScoreFitting<Inner, Vector>::fit(policy, rows), rows.features()};
    Vector scores;
    const Index known = calibrate_alone(fitted.score, rows, policy.needs(), scores, fitted.typical);
    std::sort(scores.data(), scores.data() + known);
    fitted.rows = std::min(known, most);
    fitted.scores.resize(fitted.rows);
    for (Index i = 0; i < fitted.rows; ++i) {
        const double level = (static_cast<double>(i) + 0.5) / static_cast<double>(fitted.rows);
        fitted.scores[i] = known <= most ? scores[i] : quantile_of(scores.data(), known, level);
    }
    return fitted;
}

}  // namespace detail

/// -log p of a score, p by its rank.
template <Score Inner>
struct NegativeLogP {
    using IsScore = void;
    static constexpr bool needs_variance = detail::needs_variance<Inner>();
    [[no_unique_address]] Inner score;

    static constexpr const char* name = "negative-log-p";
    static constexpr void options(auto& self, auto&& visit) { visit("score", self.score); }
    static double value(Index as_high, Index rows) {
        return -std::log((1 + static_cast<double>(as_high)) / (static_cast<double>(rows) + 1));
    }
    template <class Vector>
    using Fitted = FittedRank<NegativeLogP, detail::FittedScore<Inner, Vector>, Vector>;

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    auto fit(const auto& rows) const {
        return detail::fit_rank<NegativeLogP, typename std::remove_cvref_t<decltype(rows)>::Vector>(score,
                                                                                                    rows);
    }
};
template <class Inner>
NegativeLogP(const Inner&) -> NegativeLogP<Inner>;

/// The standard normal quantile of a score's rank.
template <Score Inner>
struct NormalQuantile {
    using IsScore = void;
    static constexpr bool needs_variance = detail::needs_variance<Inner>();
    [[no_unique_address]] Inner score;

    static constexpr const char* name = "normal-quantile";
    static constexpr void options(auto& self, auto&& visit) { visit("score", self.score); }
    static double value(Index as_high, Index rows) {
        return -detail::inverse_normal((0.5 + static_cast<double>(as_high)) /
                                       (static_cast<double>(rows) + 1));
    }
    template <class Vector>
    using Fitted = FittedRank<NormalQuantile, detail::FittedScore<Inner, Vector>, Vector>;

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    auto fit(const auto& rows) const {
        return detail::fit_rank<NormalQuantile, typename std::remove_cvref_t<decltype(rows)>::Vector>(score,
                                                                                                      rows);
    }
};
template <class Inner>
NormalQuantile(const Inner&) -> NormalQuantile<Inner>;

namespace detail {

template <class Inner, class Vector>
struct ScoreFitting<NegativeLogP<Inner>, Vector> {
    using type = typename NegativeLogP<Inner>::template Fitted<Vector>;
    static type blank(const NegativeLogP<Inner>& policy) {
        return {ScoreFitting<Inner, Vector>::blank(policy.score)};
    }
    static type fit(const NegativeLogP<Inner>& policy, const auto& rows) { return policy.fit(rows); }
};
template <class Inner, class Vector>
struct ScoreFitting<NormalQuantile<Inner>, Vector> {
    using type = typename NormalQuantile<Inner>::template Fitted<Vector>;
    static type blank(const NormalQuantile<Inner>& policy) {
        return {ScoreFitting<Inner, Vector>::blank(policy.score)};
    }
    static type fit(const NormalQuantile<Inner>& policy, const auto& rows) { return policy.fit(rows); }
};

}  // namespace detail

}  // namespace untoward
