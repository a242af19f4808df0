// SPDX-License-Identifier: MIT
#pragma once

// Fusion: scores of different units are made comparable one by one, and then added. `Slog` takes a score s to
//
//     slog(z) = sign(z) log(1 + |z|),    z = (s - median) / IQR
//
// with median and interquartile range of s over the rows that were held out, or over the training rows where
// none were. A sum of them is a fused score:
//
//     const auto fused = 0.5f * Slog{NegativeElbo{}} + 0.5f * Slog{NeighbourScore{}};
//
// The logarithm keeps one score that is wild about a sample from outvoting the others, and still keeps the
// order of wild samples, which p-values from few rows do not.

#include <algorithm>
#include <cmath>

#include "score_alone.hpp"

namespace untoward {

/// A score in robust units of its own, fitted.
template <class Inner, class Vector>
struct FittedSlog {
    using IsScore = void;
    using Scalar = typename Vector::Scalar;

    Inner score;
    Index features = 0;
    Vector unit{};     ///< 2: median and IQR
    Vector typical{};  ///< D: the median of what each feature has of the score

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index batch) const {
        return detail::score_alone_bytes<Scalar>(score, features, batch) +
               align_up(static_cast<std::size_t>(batch) * sizeof(Scalar)) +
               align_up(static_cast<std::size_t>(features * batch) * sizeof(Scalar));
    }
    static constexpr void state(auto& self, auto&& visit) {
        visit.size("features", self.features);
        visit.numbers("unit", self.unit, 2);
        visit.numbers("typical", self.typical, self.features);
        auto of_score = visit.part("of");
        detail::visit_state(self.score, of_score);
    }
    [[nodiscard]] bool fits(Index d, Index units) const {
        return features == d && unit[1] > 0 && detail::score_fits(score, d, units);
    }

    void add_to(auto& sheet, const auto& evidence, Scalar weight) const {
        Arena& arena = *sheet.arena;
        const std::size_t mark = arena.used();
        const Index n = evidence.x.batch();
        Scalar* const scores = arena.template allocate<Scalar>(n);
        Scalar* const shares =
            sheet.blame == nullptr ? nullptr : arena.template allocate<Scalar>(features * n);
        detail::score_alone(score, evidence, arena, sheet.leave_one_out, scores, shares);
        for (Index j = 0; j < n; ++j) {
            const Scalar beyond = scores[j] - unit[0];
            const Scalar z = beyond / unit[1];
            const Scalar value = std::copysign(std::log1p(std::abs(z)), z);
            sheet.rest(0, j) += weight * value;
            if (shares == nullptr) continue;
            // Features share the result as they share what is beyond the median.
            const Scalar slope = weight * (std::isfinite(z) && beyond != 0 ? value / beyond : 1 / unit[1]);
            for (Index i = 0; i < features; ++i)
                sheet.blame[i + j * features] += slope * (shares[i + j * features] - typical[i]);
        }
        arena.rewind(mark);
    }
};

/// slog((s - median) / IQR) of a score s.
template <Score Inner>
struct Slog {
    using IsScore = void;
    static constexpr bool needs_variance = detail::needs_variance<Inner>();
    [[no_unique_address]] Inner score;

    static constexpr const char* name = "slog";
    static constexpr void options(auto& self, auto&& visit) { visit("score", self.score); }

    template <class Vector>
    using Fitted = FittedSlog<detail::FittedScore<Inner, Vector>, Vector>;

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    auto fit(const auto& rows) const {
        using Vector = typename std::remove_cvref_t<decltype(rows)>::Vector;
        using S = typename Vector::Scalar;
        Fitted<Vector> fitted{detail::ScoreFitting<Inner, Vector>::fit(score, rows), rows.features()};
        Vector scores;
        const Index known = detail::calibrate_alone(fitted.score, rows, needs(), scores, fitted.typical);
        const S range = detail::interquartile_range(scores.data(), known);
        fitted.unit.resize(2);
        fitted.unit[0] = detail::median(scores.data(), known);
        fitted.unit[1] = range > 0 ? range : S(1);  // of a score that does not vary
        return fitted;
    }
};
template <class Inner>
Slog(const Inner&) -> Slog<Inner>;

namespace detail {

template <class Inner, class Vector>
struct ScoreFitting<Slog<Inner>, Vector> {
    using type = typename Slog<Inner>::template Fitted<Vector>;
    static type blank(const Slog<Inner>& policy) {
        return {ScoreFitting<Inner, Vector>::blank(policy.score)};
    }
    static type fit(const Slog<Inner>& policy, const auto& rows) { return policy.fit(rows); }
};

}  // namespace detail

}  // namespace untoward
