// SPDX-License-Identifier: MIT
#pragma once

// More ways to look at the error of a reconstruction, e = x - E[x | z = mean], in scaled units.

#include <algorithm>
#include <cmath>
#include <limits>

#include "elbo.hpp"
#include "in_unit.hpp"
#include "reconstruction.hpp"

namespace untoward UNTOWARD_SETTING {

/// The mean of the largest squared errors of a sample, those of ceil(share D) features: an anomaly that shows in
/// a few of many features is not averaged away (alibi-detect's `outlier_perc`). Only these features answer for
/// it; where several tie for the last place they share it.
struct TopShare {
    double share = 0.1;

    static constexpr const char* name = "top-share";
    static constexpr void options(auto& self, auto&& visit) { visit("share", self.share, OptionRange{0, 1}); }

    [[nodiscard]] constexpr Needs needs() const { return {.reconstruction = true}; }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        const Index features = evidence.x.rows();
        const auto wanted = static_cast<Index>(std::ceil(share * static_cast<double>(features)));
        const Index count = std::clamp<Index>(wanted, 1, std::max<Index>(features, 1));
        for (Index j = 0; j < evidence.x.batch(); ++j) {
            const auto square = [&](Index i) {
                const S e = evidence.x(i, j) - evidence.reconstruction()(i, j);
                return e * e;
            };
            // Values from the largest down, without room for an order of them.
            S last = std::numeric_limits<S>::infinity();
            for (Index left = count; left > 0;) {
                S next = -1;
                Index ties = 0;
                for (Index i = 0; i < features; ++i) {
                    const S value = square(i);
                    if (value < last && value > next) {
                        next = value;
                        ties = 1;
                    } else if (value == next) {
                        ++ties;
                    }
                }
                if (ties == 0) {  // no number is left: the sample has values that are none
                    sheet.rest(0, j) += weight * std::numeric_limits<S>::infinity();
                    break;
                }
                const S part = weight * next / static_cast<S>(count) *
                               (static_cast<S>((std::min)(left, ties)) / static_cast<S>(ties));
                for (Index i = 0; i < features; ++i) {
                    if (square(i) == next) sheet.features(i, j) += part;
                }
                left -= (std::min)(left, ties);
                last = next;
            }
        }
    }
};

/// What `WhitenedError` becomes.
template <class Policy, class Vector>
struct FittedWhitenedError {
    using Scalar = typename Vector::Scalar;

    Policy policy{};
    Index features = 0;
    Vector weights{};  ///< D: one over the mean squared error of each feature

    [[nodiscard]] constexpr Needs needs() const { return policy.needs(); }
    static constexpr void state(auto& self, auto&& visit) {
        visit.size("features", self.features);
        visit.numbers("weights", self.weights, self.features);
    }
    [[nodiscard]] constexpr bool fits(Index d, Index) const { return features == d; }
    void add_to(auto& sheet, const auto& evidence, Scalar weight) const {
        const Tensor<const Scalar, Vec<>> of_feature(weights.data(), Vec<>(features), 1);
        add_reduced(
            sheet.features, true,
            [weight](auto x, auto y, auto w) { return weight * ((x - y) * (x - y) * w); }, evidence.x,
            evidence.reconstruction(), of_feature);
    }
};

/// The sum of squared errors, each in units of its feature's mean squared error on held-out rows, or on the
/// training rows where there are none: a feature that the model predicts well counts as much as one that it does
/// not. With correlations of the errors as well: `MahalanobisScore{.space = Space::residual}`.
struct WhitenedError {
    double floor = 0.05;  ///< no feature's root mean squared error counts for less

    static constexpr const char* name = "whitened-error";
    static constexpr void options(auto& self, auto&& visit) {
        visit("floor", self.floor, OptionRange{1e-6, 1e6});
    }
    template <class Vector>
    using Fitted = FittedWhitenedError<WhitenedError, Vector>;

    [[nodiscard]] constexpr Needs needs() const { return {.reconstruction = true}; }
    auto fit(const auto& rows) const {
        using Vector = typename std::remove_cvref_t<decltype(rows)>::Vector;
        using S = typename Vector::Scalar;
        const Eigen::ArrayXd squares = detail::mean_squared_errors(rows, detail::rows_to_judge(rows));
        Fitted<Vector> fitted{*this};
        fitted.features = rows.features();
        fitted.weights = (squares.max)(floor * floor).inverse().template cast<S>();
        return fitted;
    }
};

/// What `BalancedError` becomes: norm + lambda KL.
template <class Policy, class Vector>
struct FittedBalancedError {
    using Scalar = typename Vector::Scalar;

    Policy policy{};
    Vector lambda{};  ///< one number

    [[nodiscard]] constexpr Needs needs() const { return policy.needs(); }
    static constexpr void state(auto& self, auto&& visit) { visit.numbers("lambda", self.lambda, 1); }
    void add_to(auto& sheet, const auto& evidence, Scalar weight) const {
        ReconstructionError{policy.norm}.add_to(sheet, evidence, weight);
        detail::add_kl(sheet, evidence, weight * lambda[0]);
    }
};

/// S(x) = ||x - x_hat|| + lambda KL(q(z|x) || p(z)), with the lambda for which both terms vary alike: the
/// interquartile range of the first over that of the second, on held-out rows, or on the training rows where
/// there are none. (With a lambda of one's own: `ReconstructionError{} + 0.1f * KlDivergence{}`.) Where the KL does
/// not vary it is left out.
struct BalancedError {
    Norm norm = Norm::squared;

    static constexpr const char* name = "balanced-error";
    static constexpr void options(auto& self, auto&& visit) { visit("norm", self.norm); }
    template <class Vector>
    using Fitted = FittedBalancedError<BalancedError, Vector>;

    [[nodiscard]] constexpr Needs needs() const { return {.reconstruction = true}; }
    auto fit(const auto& rows) const {
        using Vector = typename std::remove_cvref_t<decltype(rows)>::Vector;
        using S = typename Vector::Scalar;
        const auto range = [&](const auto& score) -> S {
            return detail::interquartile_range(detail::calibrate_alone<Vector>(score, rows, needs()));
        };
        const S range_of_errors = range(ReconstructionError{norm});
        const S range_of_kl = range(KlDivergence{});
        Fitted<Vector> fitted{*this};
        fitted.lambda.resize(1);
        fitted.lambda[0] = range_of_kl > 0 ? range_of_errors / range_of_kl : S(0);
        return fitted;
    }
};

}  // namespace untoward
