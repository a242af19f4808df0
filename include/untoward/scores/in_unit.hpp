// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "../thresholds/quantile.hpp"
#include "fitted.hpp"

// Scores in other units, for fusion: slog.hpp, rank.hpp. Such a policy is options only,
//
//     Inner score;
//     using Unit = ...;                       what the scores of rows that were not learned from, sorted, make:
//                                             Unit::Fitted<Vector>, with
//     fit(sorted)                             from numbers, ascending
//     UnitValue<S> operator()(score) const    the score in this unit, and how features share in it
//     slope(score) const                      its derivative there, where it has one: for the standard error
//     state(self, visit), is_sound() const    as fitted scores have them (fitted.hpp)

namespace untoward UNTOWARD_SETTING {

/// A score in another unit, and what of that a feature answers for: `slope` times what it has of the score beyond its
/// own median.
template <class S>
struct UnitValue {
    S value;
    S slope;
};

namespace detail {

// The scores of a batch, and what each feature has of them (D x batch, packed, or null), by a score alone.
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
    for (Index j = 0; j < n; ++j) scores[j] += detail::sum_of_elements(sheet.features.column(j));
    if (shares != nullptr) FlatMap<S>(shares, features * n) += sheet.features.flat();
    arena.rewind(mark);
}
template <class S>
constexpr std::size_t score_alone_bytes(const auto& score, Index features, Index batch) {
    return align_up(static_cast<std::size_t>(features * batch) * sizeof(S)) + score_bytes(score, batch);
}

// The scores that are numbers, ascending, by a fitted score alone, of the rows to judge by (fitted.hpp); and in `typical`,
// if that is not null, the median of what each feature has of them (in 2,048 rows at most).
template <class Vector>
Vector calibrate_alone(const auto& score, const auto& rows, const Needs& needs, Vector* typical = nullptr) {
    using S = typename Vector::Scalar;
    const FitRows which = rows_to_judge(rows);
    const Index d = rows.features();
    constexpr Index most_explained = 2048;
    Vector scores(rows.count(which));
    Eigen::Matrix<S, Dynamic, Dynamic> shares(
        typical == nullptr ? 0 : (std::min)(most_explained, scores.size()), d);
    Buffer<std::byte> memory{};
    Vector block_scores;
    Vector block_shares;
    Index known = 0;
    Index explained = 0;
    rows.for_each(which, needs, [&](const auto& evidence) {
        const Index n = evidence.x.batch();
        if (block_scores.size() < n) {
            memory = Buffer<std::byte>(static_cast<Index>(score_alone_bytes<S>(score, d, n)));
            block_scores.resize(n);
            block_shares.resize(d * n);
        }
        Arena arena(memory);
        S* const explaining = explained < shares.rows() ? block_shares.data() : nullptr;
        score_alone(score, evidence, arena, true, block_scores.data(), explaining);
        for (Index j = 0; j < n; ++j) {
            if (!std::isfinite(block_scores[j])) continue;
            scores[known++] = block_scores[j];
            if (explained == shares.rows()) continue;
            for (Index i = 0; i < d; ++i) shares(explained, i) = block_shares[i + j * d];
            ++explained;
        }
    });
    scores.conservativeResize(known);
    std::sort(scores.begin(), scores.end());
    if (typical != nullptr) {
        typical->setZero(d);
        for (Index i = 0; i < d && explained > 0; ++i) {
            auto share = shares.col(i).head(explained);
            std::sort(share.begin(), share.end());
            (*typical)[i] = quantile_of_sorted(share, 0.5);
        }
    }
    return scores;
}

// Of numbers, ascending; 0 of none.
template <class Vector>
typename Vector::Scalar median(const Vector& sorted) {
    return sorted.size() == 0 ? 0 : quantile_of_sorted(sorted, 0.5);
}
template <class Vector>
typename Vector::Scalar interquartile_range(const Vector& sorted) {
    return sorted.size() == 0 ? 0 : quantile_of_sorted(sorted, 0.75) - quantile_of_sorted(sorted, 0.25);
}

}  // namespace detail

/// A score in a unit of its own, fitted.
template <class Unit, class Inner, class Vector>
struct FittedInUnit {
    using Scalar = typename Vector::Scalar;
    static constexpr DrawDetail draw_detail = detail::draw_detail<Inner>();

    Inner score;
    Index features = 0;
    typename Unit::template Fitted<Vector> unit{};
    Vector typical{};  ///< D: the median of what each feature has of the score

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index batch) const {
        return detail::score_alone_bytes<Scalar>(score, features, batch) +
               align_up(static_cast<std::size_t>(batch) * sizeof(Scalar)) +
               align_up(static_cast<std::size_t>(features * batch) * sizeof(Scalar));
    }
    static constexpr void state(auto& self, auto&& visit) {
        visit.size("features", self.features);
        decltype(unit)::state(self.unit, visit);
        visit.numbers("typical", self.typical, self.features);
        auto of_score = visit.part("of");
        detail::visit_state(self.score, of_score);
    }
    [[nodiscard]] constexpr bool fits(Index d, Index units) const {
        return features == d && unit.is_sound() && detail::score_fits(score, d, units);
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
            const UnitValue<Scalar> result = unit(scores[j]);
            sheet.rest(0, j) += weight * result.value;
            if (shares == nullptr) continue;
            for (Index i = 0; i < features; ++i)
                sheet.blame[i + j * features] +=
                    weight * result.slope * (shares[i + j * features] - typical[i]);
        }
        arena.rewind(mark);
    }
    /// By the slope of the unit (the delta method); NaN where it has none, as a rank.
    void add_deviations(DeviationSheet<Scalar>& sheet, const auto& evidence, Scalar weight) const {
        if (detail::needs_of(score).draws == 0) return;
        Arena& arena = *sheet.arena;
        const std::size_t mark = arena.used();
        const Index n = evidence.x.batch();
        Scalar* const scores = arena.template allocate<Scalar>(n);
        Scalar* const slopes = arena.template allocate<Scalar>(n);
        detail::score_alone<Scalar>(score, evidence, arena, false, scores, nullptr);
        for (Index j = 0; j < n; ++j) {
            const Scalar outer = sheet.factors == nullptr ? Scalar(1) : sheet.factors[j];
            if constexpr (requires { unit.slope(scores[j]); }) {
                slopes[j] = outer * unit.slope(scores[j]);
            } else {
                slopes[j] = std::numeric_limits<Scalar>::quiet_NaN();
            }
        }
        DeviationSheet<Scalar> inner{sheet.draws, slopes, &arena};
        detail::add_deviations(score, inner, evidence, weight);
        arena.rewind(mark);
    }
};

namespace detail {

template <class T>
concept ScoreInUnit = Score<T> && requires(const T& policy) {
    typename T::Unit;
    policy.score;
};
template <ScoreInUnit Policy, class Vector>
struct ScoreFitting<Policy, Vector> {
    using Inner = ScoreFitting<decltype(Policy::score), Vector>;
    using type = FittedInUnit<typename Policy::Unit, typename Inner::type, Vector>;

    static constexpr type blank(const Policy& policy) { return {Inner::blank(policy.score)}; }
    static type fit(const Policy& policy, const auto& rows) {
        type fitted{Inner::fit(policy.score, rows), rows.features()};
        fitted.unit.fit(calibrate_alone<Vector>(fitted.score, rows, policy.needs(), &fitted.typical));
        return fitted;
    }
};

}  // namespace detail

}  // namespace untoward
