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

#include "fitted.hpp"
#include "robust_unit.hpp"

namespace untoward {

namespace detail {

// The scores of a batch, and what each feature has of them (D x batch, packed), by a score alone.
template <class S>
void score_alone(const auto& score, const auto& evidence, Arena& arena, bool leave_one_out, S* scores,
                 S* shares) {
    const std::size_t mark = arena.used();
    const Index n = evidence.x.batch();
    const Index features = evidence.x.rows();
    ScoreSheet<S> sheet{{arena.allocate<S>(features * n), Vec<>(features), n},
                        {scores, Vec<1>{}, n},
                        &arena,
                        shares,
                        leave_one_out};
    sheet.features.flat().setZero();
    sheet.rest.flat().setZero();
    if (shares != nullptr) std::fill_n(shares, features * n, S(0));
    add_score(score, sheet, evidence, S(1));
    for (Index j = 0; j < n; ++j) {
        for (Index i = 0; i < features; ++i) {
            scores[j] += sheet.features(i, j);
            if (shares != nullptr) shares[i + j * features] += sheet.features(i, j);
        }
    }
    arena.rewind(mark);
}
template <class S>
constexpr std::size_t score_alone_bytes(const auto& score, Index features, Index batch) {
    return align_up(static_cast<std::size_t>(features * batch) * sizeof(S)) + score_bytes(score, batch);
}

}  // namespace detail

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
        const bool held_out = rows.count(FitRows::held_out) > 0;
        const FitRows which = held_out ? FitRows::held_out : FitRows::training;
        const Index d = rows.features();
        constexpr Index most_explained = 2048;
        Vector scores(rows.count(which));
        Eigen::Matrix<S, Dynamic, Dynamic> shares(std::min(most_explained, scores.size()), d);
        Buffer<std::byte> memory{};
        Vector block_scores;
        Vector block_shares;
        Index known = 0;
        Index explained = 0;
        rows.for_each(which, needs(), [&](const auto& evidence) {
            const Index n = evidence.x.batch();
            if (block_scores.size() < n) {
                memory =
                    Buffer<std::byte>(static_cast<Index>(detail::score_alone_bytes<S>(fitted.score, d, n)));
                block_scores.resize(n);
                block_shares.resize(d * n);
            }
            Arena arena(memory);
            const bool explain = explained < shares.rows();
            detail::score_alone(fitted.score, evidence, arena, true, block_scores.data(),
                                explain ? block_shares.data() : static_cast<S*>(nullptr));
            for (Index j = 0; j < n; ++j) {
                if (!std::isfinite(block_scores[j])) continue;
                scores[known++] = block_scores[j];
                if (explained == shares.rows()) continue;
                for (Index i = 0; i < d; ++i) shares(explained, i) = block_shares[i + j * d];
                ++explained;
            }
        });
        const S range = detail::interquartile_range(scores.data(), known);
        fitted.unit.resize(2);
        fitted.unit[0] = detail::median(scores.data(), known);
        fitted.unit[1] = range > 0 ? range : S(1);  // of a score that does not vary
        fitted.typical.resize(d);
        for (Index i = 0; i < d; ++i)
            fitted.typical[i] = detail::median(shares.data() + i * shares.rows(), explained);
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
