// SPDX-License-Identifier: MIT
#pragma once

#include "score.hpp"

// Scores that learn something of the training rows: a covariance, stored neighbours, a unit. The policy is
// options only, as any score, and says besides
//
//     template <class Vector> using Fitted = ...;    the fitted score; it keeps its numbers in `Vector`s
//     auto fit(const auto& rows) const               -> Fitted<Vector>, from TrainingEvidence
//                                                    (train/training_evidence.hpp): blocks of the evidence of
//                                                    the training rows, never of the calibration slice
//
// The fitted score scores: it has `needs()` and `add_to` as any other, and
//
//     Fitted<Vector>{policy}, or policy.blank()      as it is before its numbers are read from a file
//     arena_bytes(batch)                             what it takes of `sheet.arena` meanwhile; 0 if not said
//     static state(self, visit)                      visit.size("name", an Index) and, as long as sizes that
//                                                    were visited before say, visit.numbers("name", a Vector,
//                                                    its length), in one order for writing and reading
//     fits(features, units)                          whether what was read is of such a model; true if not said
//
// `needs`, `blank`, `state`, `fits` and `arena_bytes` are constexpr where the score is to be compiled into firmware, with
// `Vector`s that are numbers in flash (embedded/learned.hpp): those have size(), data(), [] and array().
//
// A policy without `Fitted` is its own fitted score and costs nothing. This one, outside the library, measures
// squared errors in units of their mean in training:
//
//     template <class Vector>
//     struct FittedRelativeError {
//         RelativeError policy{};
//         Index features = 0;
//         Vector mean{};
//
//         constexpr untoward::Needs needs() const { return {.reconstruction = true}; }
//         static constexpr void state(auto& self, auto&& visit) {
//             visit.size("features", self.features);
//             visit.numbers("mean", self.mean, self.features);
//         }
//         void add_to(auto& sheet, const auto& evidence, auto weight) const {
//             for (Index j = 0; j < evidence.x.batch(); ++j)
//                 sheet.features.column(j) +=
//                     weight * (evidence.x.column(j) - evidence.reconstruction().column(j)).square() /
//                     (mean.array() + policy.floor);
//         }
//     };
//     struct RelativeError {
//         float floor = 0.01f;
//         template <class Vector> using Fitted = FittedRelativeError<Vector>;
//
//         constexpr untoward::Needs needs() const { return {.reconstruction = true}; }
//         auto fit(const auto& rows) const {
//             FittedRelativeError<typename std::remove_cvref_t<decltype(rows)>::Vector> fitted{*this};
//             fitted.features = rows.features();
//             fitted.mean.setZero(fitted.features);
//             rows.for_each(untoward::FitRows::training, needs(), [&](const auto& evidence) {
//                 for (Index j = 0; j < evidence.x.batch(); ++j)
//                     fitted.mean.array() += (evidence.x.column(j) - evidence.reconstruction().column(j)).square();
//             });
//             fitted.mean /= rows.count(untoward::FitRows::training);
//             return fitted;
//         }
//     };
//
// tests/scores/own_fitted.cpp is this, fitted, added to another score, saved and loaded.

namespace untoward UNTOWARD_SETTING {

/// Which of the rows that `fit` may learn from.
enum class FitRows {
    training,  ///< that gradients came from
    held_out,  ///< that only chose the best step, or nothing; there may be none
    all,       ///< both
};

/// A score policy whose fitted form is another type.
template <class T>
concept ScoreToFit = Score<T> && requires {
    typename T::template Fitted<Eigen::Matrix<float, Dynamic, 1>>;
};

namespace detail {

// What a policy's fitted score is, how to make one from evidence, and how to make one to read numbers into.
template <class Policy, class Vector>
struct ScoreFitting {
    using type = Policy;
    static constexpr type blank(const Policy& policy) { return policy; }
    static type fit(const Policy& policy, const auto&) { return policy; }
};
template <ScoreToFit Policy, class Vector>
struct ScoreFitting<Policy, Vector> {
    using type = typename Policy::template Fitted<Vector>;
    static constexpr type blank(const Policy& policy) {
        if constexpr (requires { policy.blank(); }) {
            return policy.blank();
        } else {
            return type{policy};
        }
    }
    static type fit(const Policy& policy, const auto& rows) { return policy.fit(rows); }
};
template <class Inner, class Vector>
struct ScoreFitting<Weighted<Inner>, Vector> {
    using Part = ScoreFitting<Inner, Vector>;
    using type = Weighted<typename Part::type>;
    static constexpr type blank(const Weighted<Inner>& policy) {
        return {Part::blank(policy.score), policy.weight};
    }
    static type fit(const Weighted<Inner>& policy, const auto& rows) {
        return {Part::fit(policy.score, rows), policy.weight};
    }
};
template <class First, class Second, class Vector>
struct ScoreFitting<SumOfScores<First, Second>, Vector> {
    using PartOne = ScoreFitting<First, Vector>;
    using PartTwo = ScoreFitting<Second, Vector>;
    using type = SumOfScores<typename PartOne::type, typename PartTwo::type>;
    static constexpr type blank(const SumOfScores<First, Second>& policy) {
        return {PartOne::blank(policy.first), PartTwo::blank(policy.second)};
    }
    static type fit(const SumOfScores<First, Second>& policy, const auto& rows) {
        return {PartOne::fit(policy.first, rows), PartTwo::fit(policy.second, rows)};
    }
};

template <class Policy, class Vector>
using FittedScore = typename ScoreFitting<Policy, Vector>::type;

// The rows by which a fitted model is judged: those that were held out, or the training rows where none were.
FitRows rows_to_judge(const auto& rows) {
    return rows.count(FitRows::held_out) > 0 ? FitRows::held_out : FitRows::training;
}

// The mean over rows of every feature's squared error of reconstruction.
inline Eigen::ArrayXd mean_squared_errors(const auto& rows, FitRows which) {
    Eigen::ArrayXd squares = Eigen::ArrayXd::Zero(rows.features());
    rows.for_each(which, Needs{.reconstruction = true}, [&](const auto& evidence) {
        for (Index j = 0; j < evidence.x.batch(); ++j)
            squares +=
                (evidence.x.column(j) - evidence.reconstruction().column(j)).template cast<double>().square();
    });
    return squares / static_cast<double>(std::max<Index>(rows.count(which), 1));
}

// Whether a fitted score has nothing that its policy has not.
template <class Policy>
inline constexpr bool is_own_fitted =
    std::is_same_v<FittedScore<Policy, Eigen::Matrix<float, Dynamic, 1>>, Policy>;

}  // namespace detail

}  // namespace untoward
