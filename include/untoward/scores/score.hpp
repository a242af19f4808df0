// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <type_traits>

#include "evidence.hpp"

// Scores: higher is more anomalous. A score is a plain struct that says what it needs of the model and adds
// its terms, feature by feature, to a sheet:
//
//     struct LargestError {                                   // outside the library
//         constexpr untoward::Needs needs() const { return {.reconstruction = true}; }
//         void add_to(auto& sheet, const auto& evidence, auto weight) const {
//             for (Index j = 0; j < evidence.x.batch(); ++j) {
//                 Index worst;
//                 const auto error = (evidence.x.column(j) - evidence.reconstruction().column(j)).abs();
//                 const auto largest = error.maxCoeff(&worst);
//                 sheet.features(worst, j) += weight * largest;
//             }
//         }
//     };
//
// 0.1 * a + b / 2 is a score of scores: the weight any number on either side. Where a score is not in the library's
// namespace, `using untoward::operator*;` or weighted(0.1f, a) weighs it.
//
// The score of a sample is the sum of its column of the sheet and of what no feature answers for. One that
// learns something of the training rows first: fitted.hpp. One that is a mean over draws of z also says how far
// each draw takes it from there, in add_deviations(sheet, evidence, weight) (draws.hpp): standard errors of all
// sums are made of that.

namespace untoward UNTOWARD_SETTING {

/// Where scores add their terms for a batch, and what they may use meanwhile.
template <class S>
struct ScoreSheet {
    Tensor<S, Vec<>> features;  ///< D x batch: what each feature contributes
    Tensor<S, Vec<1>> rest;     ///< 1 x batch: what belongs to no feature, or was computed as a whole
    /// Of `arena_bytes(batch)` of the score; what it takes it gives back.
    Arena* arena = nullptr;
    /// D x batch, packed, or null where nobody asks: what features have of a score that is counted in `rest`.
    S* blame = nullptr;
    /// Whether samples may be among the rows that were stored: no row is its own neighbour then.
    bool leave_one_out = false;
};

/// Where scores add how far each draw takes them, for their standard error: of a mean of v_1 ... v_n the l-th draw
/// has (v_l - mean) / sqrt(n (n - 1)). The draws are those of every score in a sum, so what they do to one score
/// and to another adds up draw by draw, and the root of the sum of squares is the standard error of the sum.
template <class S>
struct DeviationSheet {
    Tensor<S, Vec<>> draws;  ///< draws x batch
    /// One factor for every sample, or null.
    const S* factors = nullptr;
    /// Of `arena_bytes(batch)` of the score; what it takes it gives back.
    Arena* arena = nullptr;

    /// For the sample j; the draw is one of the first of them.
    void add(Index draw, Index j, S deviation) {
        draws(draw, j) += factors == nullptr ? deviation : factors[j] * deviation;
    }
};

template <class T>
concept Score = requires(const T& score) {
    { score.needs() } -> std::convertible_to<Needs>;
};

namespace detail {

template <class Score, bool HasNeeds>
constexpr void require_needs() {
    static_assert(HasNeeds, "untoward: a score has needs() const, which returns Needs");
}
template <class ScoreType>
constexpr Needs needs_of(const ScoreType& score) {
    require_needs<ScoreType, Score<ScoreType>>();
    if constexpr (Score<ScoreType>) {
        return score.needs();
    } else {
        return {};
    }
}
template <class Score, bool HasAddTo>
constexpr void require_add_to() {
    static_assert(HasAddTo, "untoward: a score has add_to(sheet, evidence, weight) const");
}
template <class Score, class Sheet, class Evidence, class S>
void add_score(const Score& score, Sheet& sheet, const Evidence& evidence, S weight) {
    constexpr bool has = requires {
        score.add_to(sheet, evidence, weight);
    };
    require_add_to < Score, has || !requires {
        score.needs();
    }
    > ();
    if constexpr (has) score.add_to(sheet, evidence, weight);
}
// Of a part of a sum, which sees of the evidence what it asked for itself, not what its neighbours did. A device checks
// nothing.
template <class Score, class Sheet, class Evidence, class S>
void add_part(const Score& score, Sheet& sheet, const Evidence& evidence, S weight) {
#if UNTOWARD_HOSTED
    add_score(score, sheet, evidence.only(needs_of(score)), weight);
#else
    add_score(score, sheet, evidence, weight);
#endif
}

// Of a score that says nothing of its draws, and has some, no error is known: NaN.
template <class S>
void add_deviations(const auto& score, DeviationSheet<S>& sheet, const auto& evidence, S weight) {
    if constexpr (requires { score.add_deviations(sheet, evidence, weight); }) {
        score.add_deviations(sheet, evidence, weight);
    } else if (needs_of(score).draws > 0) {
        for (Index j = 0; j < sheet.draws.batch(); ++j)
            sheet.draws(0, j) = std::numeric_limits<S>::quiet_NaN();
    }
}

// What a score may look at of its draws.
template <class Score>
constexpr DrawDetail draw_detail() {
    if constexpr (requires { Score::draw_detail; }) {
        return Score::draw_detail;
    } else {
        return DrawDetail::mean_only;
    }
}

// Bytes that a score takes of the arena while it adds its terms.
template <class Score>
constexpr std::size_t score_bytes(const Score& score, Index batch) {
    if constexpr (requires { score.arena_bytes(batch); }) {
        return score.arena_bytes(batch);
    } else {
        return 0;
    }
}
// Visits the sizes and numbers of a score that has any (fitted.hpp).
template <class Score>
constexpr void visit_state(Score& score, auto& visit) {
    if constexpr (requires { std::remove_const_t<Score>::state(score, visit); })
        std::remove_const_t<Score>::state(score, visit);
}

// Whether a score is a density of the data, so that the likelihood must have a variance.
template <class Score>
constexpr bool needs_variance() {
    if constexpr (requires { Score::needs_variance; }) {
        return Score::needs_variance;
    } else {
        return false;
    }
}
template <class Score, class Likelihood>
constexpr void require_variance() {
    if constexpr (needs_variance<Score>()) {
        static_assert(
            Likelihood::has_variance,
            "untoward: this score is a probability of the data, and the likelihood has no variance: "
            "use another likelihood, or ReconstructionError");
    }
}

// Whether what was read from a file fits a model of so many features and latent units.
template <class Score>
constexpr bool score_fits(const Score& score, Index features, Index units) {
    if constexpr (requires { score.fits(features, units); }) {
        return score.fits(features, units);
    } else {
        return true;
    }
}

}  // namespace detail

/// weight * score
template <Score Inner>
struct Weighted {
    static constexpr bool needs_variance = detail::needs_variance<Inner>();
    static constexpr DrawDetail draw_detail = detail::draw_detail<Inner>();
    [[no_unique_address]] Inner score;
    float weight;

    constexpr void check_options() const {
        detail::OptionCheck{"weighted"}("weight", weight, any_finite());
        require_options(score);
    }
    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    template <class Sheet, class Evidence, class S>
    void add_to(Sheet& sheet, const Evidence& evidence, S factor) const {
        score.add_to(sheet, evidence, factor * static_cast<S>(weight));
    }
    template <class S>
    void add_deviations(DeviationSheet<S>& sheet, const auto& evidence, S factor) const {
        detail::add_deviations(score, sheet, evidence, factor * static_cast<S>(weight));
    }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index batch) const {
        return detail::score_bytes(score, batch);
    }
    static constexpr void state(auto& self, auto&& visit) { detail::visit_state(self.score, visit); }
    [[nodiscard]] constexpr bool fits(Index features, Index units) const {
        return detail::score_fits(score, features, units);
    }
};

/// first + second
template <Score First, Score Second>
struct SumOfScores {
    static constexpr bool needs_variance =
        detail::needs_variance<First>() || detail::needs_variance<Second>();
    static constexpr DrawDetail draw_detail =
        (std::max)(detail::draw_detail<First>(), detail::draw_detail<Second>());
    [[no_unique_address]] First first;
    [[no_unique_address]] Second second;

    constexpr void check_options() const {
        require_options(first);
        require_options(second);
    }
    [[nodiscard]] constexpr Needs needs() const { return first.needs() | second.needs(); }
    template <class Sheet, class Evidence, class S>
    void add_to(Sheet& sheet, const Evidence& evidence, S factor) const {
        detail::add_part(first, sheet, evidence, factor);
        detail::add_part(second, sheet, evidence, factor);
    }
    template <class S>
    void add_deviations(DeviationSheet<S>& sheet, const auto& evidence, S factor) const {
        detail::add_deviations(first, sheet, evidence, factor);
        detail::add_deviations(second, sheet, evidence, factor);
    }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index batch) const {
        return (std::max)(detail::score_bytes(first, batch), detail::score_bytes(second, batch));
    }
    static constexpr void state(auto& self, auto&& visit) {
        auto of_first = visit.part("0");
        detail::visit_state(self.first, of_first);
        auto of_second = visit.part("1");
        detail::visit_state(self.second, of_second);
    }
    [[nodiscard]] constexpr bool fits(Index features, Index units) const {
        return detail::score_fits(first, features, units) && detail::score_fits(second, features, units);
    }
};

template <Score Inner>
constexpr Weighted<Inner> weighted(float weight, const Inner& score) {
    return {score, weight};
}
template <class Weight, Score Inner>
requires std::is_arithmetic_v<Weight>
constexpr Weighted<Inner> operator*(Weight weight, const Inner& score) {
    return {score, static_cast<float>(weight)};
}
template <Score Inner, class Weight>
requires std::is_arithmetic_v<Weight>
constexpr Weighted<Inner> operator*(const Inner& score, Weight weight) {
    return {score, static_cast<float>(weight)};
}
template <Score Inner, class Weight>
requires std::is_arithmetic_v<Weight>
constexpr Weighted<Inner> operator/(const Inner& score, Weight divisor) {
    return {score, static_cast<float>(1 / static_cast<double>(divisor))};
}
template <Score First, Score Second>
constexpr SumOfScores<First, Second> operator+(const First& first, const Second& second) {
    return {first, second};
}

}  // namespace untoward
