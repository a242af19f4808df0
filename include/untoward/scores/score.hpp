// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include "evidence.hpp"

// Scores: higher is more anomalous. A score is a plain struct that says what it needs of the model and adds
// its terms, feature by feature, to a sheet:
//
//     struct LargestError {                                   // outside the library
//         constexpr untoward::Needs needs() const { return {.reconstruction = true}; }
//         void add_to(auto& sheet, const auto& evidence, auto weight) const {
//             for (Index j = 0; j < evidence.x.batch(); ++j) {
//                 Index worst;
//                 const auto error = (evidence.x.column(j) - evidence.reconstruction.column(j)).abs();
//                 const auto largest = error.maxCoeff(&worst);
//                 sheet.features(worst, j) += weight * largest;
//             }
//         }
//         using IsScore = void;                               // a + 0.1f * b for it, too
//     };
//
// The score of a sample is the sum of its column of the sheet and of what no feature answers for.

namespace untoward {

/// Where scores add their terms for a batch.
template <class S>
struct ScoreSheet {
    Tensor<S, Vec<>> features;  ///< D x batch: what each feature contributes
    Tensor<S, Vec<1>> rest;     ///< 1 x batch: what belongs to no feature
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
    require_add_to<Score, has>();
    if constexpr (has) score.add_to(sheet, evidence, weight);
}

}  // namespace detail

/// weight * score
template <Score Inner>
struct Weighted {
    using IsScore = void;
    [[no_unique_address]] Inner score;
    float weight;

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
    template <class Sheet, class Evidence, class S>
    void add_to(Sheet& sheet, const Evidence& evidence, S factor) const {
        score.add_to(sheet, evidence, factor * static_cast<S>(weight));
    }
};

/// first + second
template <Score First, Score Second>
struct SumOfScores {
    using IsScore = void;
    [[no_unique_address]] First first;
    [[no_unique_address]] Second second;

    [[nodiscard]] constexpr Needs needs() const { return first.needs() | second.needs(); }
    template <class Sheet, class Evidence, class S>
    void add_to(Sheet& sheet, const Evidence& evidence, S factor) const {
        first.add_to(sheet, evidence, factor);
        second.add_to(sheet, evidence, factor);
    }
};

template <Score Inner>
constexpr Weighted<Inner> weighted(float weight, const Inner& score) {
    return {score, weight};
}
template <Score Inner>
requires requires {
    typename Inner::IsScore;
}
constexpr Weighted<Inner> operator*(float weight, const Inner& score) {
    return {score, weight};
}
template <Score First, Score Second>
requires requires {
    typename First::IsScore;
    typename Second::IsScore;
}
constexpr SumOfScores<First, Second> operator+(const First& first, const Second& second) {
    return {first, second};
}

}  // namespace untoward
