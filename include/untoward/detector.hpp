// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "data/scaling.hpp"
#include "judge.hpp"
#include "scores/fitted.hpp"
#include "thresholds/threshold.hpp"

namespace untoward UNTOWARD_SETTING {

/// Where a detector keeps its numbers: on the heap, copied deeply.
template <class S = float>
struct Owned {
    using Scalar = S;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;
    using Parameters = Buffer<S>;
};

namespace detail {

// Samples as they are where their memory is what a tensor's is, else copied to `room`.
template <class S, class Matrix>
Tensor<const S, Vec<>> as_tensor(const Matrix& samples, S* room) {
    const Vec<> shape(samples.rows());
    if constexpr (requires { samples.outerStride(); }) {
        if constexpr (std::is_same_v<typename Matrix::Scalar, S> && !Matrix::IsRowMajor) {
            if (samples.innerStride() == 1)
                return {samples.data(), shape, samples.cols(), samples.outerStride()};
        }
    }
    const Tensor<S, Vec<>> copy(room, shape, samples.cols());
    for (Index j = 0; j < copy.batch(); ++j) {
        for (Index i = 0; i < copy.rows(); ++i) copy(i, j) = static_cast<S>(samples(i, j));
    }
    return copy;
}

template <class S>
bool any_is_infinite(const Tensor<const S, Vec<>>& x) {
    const auto counted = [](auto value) {
        constexpr S highest = (std::numeric_limits<S>::max)();
        return value > highest || value < -highest ? S(1) : S(0);
    };
    if (x.contiguous()) return total(x.size(), counted, {x.data()}) > 0;
    S count = 0;
    for (Index j = 0; j < x.batch(); ++j) count += total(x.rows(), counted, {&x(0, j)});
    return count > 0;
}

// Where a storage keeps numbers of a length that only data knows.
template <class Storage>
struct NumbersOf {
    using type = Eigen::Matrix<typename Storage::Scalar, Dynamic, 1>;
};
template <class Storage>
requires requires {
    typename Storage::Numbers;
}
struct NumbersOf<Storage> {
    using type = typename Storage::Numbers;
};

template <class Recipe>
using SampleOfRecipe = typename std::remove_cvref_t<decltype(std::declval<Recipe>().model)>::SampleShape;
template <class Recipe, class Vector>
using ThresholdOfRecipe =
    std::remove_cvref_t<decltype(calibrate(std::declval<Recipe>().threshold, std::declval<Vector>()))>;

}  // namespace detail

/// A fitted detector: scaler, model, score and threshold. Scoring is const, throws for nothing that data can hold, refuses
/// samples of another size, and gives the same numbers for a sample whatever else is in its batch (up to the rounding
/// of differently blocked products).
///
/// Threads: any number may call the const functions of one detector at once, each with an arena of its own where one is
/// given. While one calls set_threshold or assigns, no other may look: put a new detector in the place of the old one.
template <class RecipeType, class Storage = Owned<>>
class Detector : public detail::Judge<Detector<RecipeType, Storage>, typename Storage::Scalar,
                                      detail::SampleOfRecipe<RecipeType>,
                                      detail::ThresholdOfRecipe<RecipeType, typename Storage::Vector>> {
    using Base = detail::Judge<Detector, typename Storage::Scalar, detail::SampleOfRecipe<RecipeType>,
                               detail::ThresholdOfRecipe<RecipeType, typename Storage::Vector>>;

public:
    using typename Base::Sample;
    using typename Base::Scalar;
    using typename Base::Threshold;
    using Vector = typename Storage::Vector;
    using Model = std::remove_cvref_t<decltype(std::declval<RecipeType>().model)>;
    using ScorePolicy = std::remove_cvref_t<decltype(std::declval<RecipeType>().score)>;
    /// The score with what it learned of the training rows; the policy itself where it learns nothing. Its
    /// numbers are in the storage's `Numbers`, or in vectors of their own.
    using FittedScore = detail::FittedScore<ScorePolicy, typename detail::NumbersOf<Storage>::type>;

    // These are errors; as templates, whose text is said where they are used.
    template <bool IsEmpty = true>
    Detector() : Detector(detail::refuse_empty<Detector, IsEmpty>()) {}
    template <class Other>
    requires(!std::is_same_v<Other, Storage>) Detector(const Detector<RecipeType, Other>&)
        : Detector(detail::refuse_other_numbers<Detector, Other, true>()) {}

    /// From its fitted parts: as `fit` and loading make it. `typical` is the training median of each
    /// feature's share of the score. A score that learns something is given as it was fitted.
    Detector(const RecipeType& recipe, Scaling<Vector> scaling, typename Storage::Parameters parameters,
             Vector typical, Threshold threshold)
        : Detector(recipe, std::move(scaling), std::move(parameters), std::move(typical),
                   std::move(threshold),
                   detail::ScoreFitting<ScorePolicy, typename detail::NumbersOf<Storage>::type>::blank(
                       recipe.score)) {}
    Detector(const RecipeType& recipe, Scaling<Vector> scaling, typename Storage::Parameters parameters,
             Vector typical, Threshold threshold, FittedScore score)
        : Base(std::move(threshold)), recipe_(recipe), score_(std::move(score)), scaling_(std::move(scaling)),
          parameters_(std::move(parameters)), typical_(std::move(typical)) {
        require_own_sizes();
    }

    [[nodiscard]] const RecipeType& recipe() const { return recipe_; }
    [[nodiscard]] const Scaling<Vector>& scaling() const { return scaling_; }
    [[nodiscard]] const typename Storage::Parameters& parameters() const { return parameters_; }
    [[nodiscard]] const Vector& typical() const { return typical_; }
    [[nodiscard]] Index features() const { return recipe_.model.sample.size(); }
    [[nodiscard]] const FittedScore& fitted_score() const {
        if constexpr (detail::is_own_fitted<ScorePolicy>) {
            return recipe_.score;
        } else {
            return score_;
        }
    }

    /// Arena bytes for a batch, with or without explanation, where the score learns nothing or `score_bytes`
    /// is what the fitted one takes: its `arena_bytes(batch)`.
    [[nodiscard]] static constexpr std::size_t arena_bytes(const RecipeType& recipe, Index batch,
                                                           bool explain, std::size_t score_bytes = 0) {
        const auto size = static_cast<std::size_t>(recipe.model.sample.size() * batch);
        const auto features = static_cast<std::size_t>(recipe.model.sample.size());
        return 2 * align_up(size * sizeof(Scalar)) + align_up(features * sizeof(Scalar)) +
               align_up(static_cast<std::size_t>(batch) * sizeof(Scalar)) + score_bytes +
               detail::count_pass<Scalar>(false, gather(recipe, explain), batch, recipe.model.sample)
                   .run_bytes;
    }
    /// Arena bytes for `judge`, likewise.
    [[nodiscard]] static constexpr std::size_t judge_bytes(const RecipeType& recipe,
                                                           std::size_t score_bytes = 0) {
        return arena_bytes(recipe, 1, true, score_bytes) +
               2 * align_up(static_cast<std::size_t>(recipe.model.sample.size()) * sizeof(Scalar));
    }
    /// The same of this detector.
    [[nodiscard]] std::size_t arena_bytes(Index batch, bool explain) const {
        return arena_bytes(recipe_, batch, explain, detail::score_bytes(fitted_score(), batch));
    }
    [[nodiscard]] std::size_t judge_bytes() const {
        return judge_bytes(recipe_, detail::score_bytes(fitted_score(), 1));
    }

    /// Draws of z that the score is a mean over; 0 where it is none.
    [[nodiscard]] Index draws() const { return detail::needs_of(recipe_.score).draws; }
    /// Arena bytes for `add_deviations`.
    [[nodiscard]] std::size_t deviation_bytes(Index batch) const {
        return align_up(static_cast<std::size_t>(features() * batch) * sizeof(Scalar)) +
               detail::score_bytes(fitted_score(), batch) +
               detail::count_pass<Scalar>(false, gather_draws(), batch, recipe_.model.sample).run_bytes;
    }
    /// Adds to `deviations`, draws() or more x n, `weight` times what each draw does to the score of each of n raw
    /// samples (DeviationSheet): for `standard_error`.
    template <class Derived>
    void add_deviations(const Eigen::DenseBase<Derived>& samples, Arena& arena,
                        const Tensor<Scalar, Vec<>>& deviations, Scalar weight) const {
        if (draws() == 0) return;
        const Index n = samples.cols();
        if (deviations.rows() < draws() || deviations.batch() != n) [[unlikely]] {
            detail::refuse({"the deviations are ", deviations.rows(), " x ", deviations.batch(),
                            ", the detector needs ", draws(), " x ", n, " (draws x n)"});
        }
        const detail::ArenaScope arena_scope(arena);
        const auto [x, is_infinite] = scaled(samples, arena);
        const auto layer = gather_draws();
        Run<Scalar> scope(parameters_.data(), arena, Pass{.seed = layer.needs.seed});
        const auto evidence = layer(scope, scope.input(Tensor<const Scalar, Sample>(x)));
        DeviationSheet<Scalar> sheet{deviations, nullptr, &arena};
        detail::add_deviations(fitted_score(), sheet, evidence, weight);
        for (Index j = 0; j < n && is_infinite; ++j) {
            for (Index i = 0; i < features(); ++i) {
                if (detail::is_infinite<Scalar>(samples.derived().coeff(i, j)))
                    deviations(0, j) = std::numeric_limits<Scalar>::quiet_NaN();
            }
        }
    }

    /// Scores a batch of raw samples (features x n, NaN = missing) in an arena of `arena_bytes(n,
    /// expected != nullptr)`, without any other memory. `contributions` and `expected` (features x n,
    /// column-major, or null) receive every feature's excess share of the score and what was to be expected of
    /// it, in the data's unit.
    template <class Derived>
    void evaluate(const Eigen::DenseBase<Derived>& samples, Arena& arena, Scalar* scores,
                  Scalar* contributions = nullptr, Scalar* expected = nullptr) const {
        const Index n = samples.cols();
        const Index features = this->features();
        const detail::ArenaScope arena_scope(arena);
        const auto [x, is_infinite] = scaled(samples, arena);
        evaluate_scaled(x, arena, scores, contributions, expected);
        for (Index j = 0; j < n && is_infinite; ++j) {
            for (Index i = 0; i < features; ++i) {
                if (!detail::is_infinite<Scalar>(samples.derived().coeff(i, j))) continue;
                scores[j] = std::numeric_limits<Scalar>::infinity();
                if (contributions != nullptr)
                    contributions[i + j * features] = std::numeric_limits<Scalar>::infinity();
            }
        }
    }

private:
    static constexpr auto gather(const RecipeType& recipe, bool explain) {
        detail::require_variance<ScorePolicy, std::remove_cvref_t<decltype(recipe.model.likelihood)>>();
        Needs needs = detail::needs_of(recipe.score);
        needs.expectation = needs.expectation || explain;
        return GatherEvidence<Model, detail::draw_detail<ScorePolicy>()>{recipe.model, needs};
    }
    // The same with every draw apart.
    [[nodiscard]] constexpr auto gather_draws() const {
        Needs needs = detail::needs_of(recipe_.score);
        needs.each_draw = true;
        return GatherEvidence<Model, (std::max)(DrawDetail::apart, detail::draw_detail<ScorePolicy>())>{
            recipe_.model, needs};
    }

    // Raw samples in scaled units, in the arena, and whether one of their values is infinite.
    struct Scaled {
        Tensor<Scalar, Sample> x;
        bool is_infinite;
    };
    template <class Derived>
    Scaled scaled(const Eigen::DenseBase<Derived>& samples, Arena& arena) const {
        const Sample& shape = recipe_.model.sample;
        detail::require_features(samples.rows(), samples.cols(), shape.size());
        const Index n = samples.cols();
        const Tensor<Scalar, Sample> x(arena.allocate<Scalar>(shape.size() * n), shape, n);
        if constexpr (!std::is_same_v<typename Derived::Scalar, Scalar>) {
            // Of another type: centred as given.
            bool is_infinite = false;
            for (Index j = 0; j < n; ++j) {
                for (Index i = 0; i < shape.size(); ++i) {
                    const auto value = samples.derived().coeff(i, j);
                    is_infinite = is_infinite || detail::is_infinite<Scalar>(value);
                    x(i, j) = scaling_.apply(i, value);
                }
            }
            return {x, is_infinite};
        } else {
            const auto raw = detail::as_tensor<Scalar>(samples.derived(), x.data());
            const bool is_infinite = detail::any_is_infinite(raw);
            scaling_.apply(x, raw);
            return {x, is_infinite};
        }
    }

    // What `evaluate` does with samples of any type once they are scaled; compiled once.
    void evaluate_scaled(const Tensor<Scalar, Sample>& x, Arena& arena, Scalar* scores, Scalar* contributions,
                         Scalar* expected) const {
        const Index n = x.batch();
        const Index features = x.rows();
        ScoreSheet<Scalar> sheet{{arena.allocate<Scalar>(features * n), Vec<>(features), n},
                                 {arena.allocate<Scalar>(n), Vec<1>{}, n},
                                 &arena,
                                 contributions};
        Scalar* const ones = arena.allocate<Scalar>(features);
        std::fill_n(ones, features, Scalar(1));
        sheet.features.flat().setZero();
        sheet.rest.flat().setZero();
        if (contributions != nullptr) std::fill_n(contributions, features * n, Scalar(0));

        const auto layer = gather(recipe_, expected != nullptr);
        Run<Scalar> scope(parameters_.data(), arena, Pass{.seed = layer.needs.seed});
        const auto evidence = layer(scope, scope.input(Tensor<const Scalar, Sample>(x)));
        detail::add_score(fitted_score(), sheet, evidence, Scalar(1));

        // Every column added up, and the rest.
        product::forward<Scalar>({scores, n, 1, n}, sheet.features.data(), {ones, features, 1, features},
                                 false, sheet.rest.data());
        // Nothing that is not a number leaves here: it is as anomalous as can be.
        for (Index j = 0; j < n; ++j) {
            if (std::isnan(scores[j])) scores[j] = std::numeric_limits<Scalar>::infinity();
        }
        for (Index j = 0; j < n && contributions != nullptr; ++j) {
            for (Index i = 0; i < features; ++i) {
                Scalar& share = contributions[i + j * features];
                const Scalar excess = sheet.features(i, j) + share - typical_[i];
                share = std::isnan(excess) ? std::numeric_limits<Scalar>::infinity() : excess;
            }
        }
        for (Index j = 0; j < n && expected != nullptr; ++j) {
            for (Index i = 0; i < features; ++i)
                expected[i + j * features] = scaling_.invert(i, evidence.expectation()(i, j));
        }
    }

    // Takes no room where the policy is all there is.
    struct OfPolicy {
        constexpr explicit OfPolicy(const FittedScore&) {}
    };
    [[no_unique_address]] RecipeType recipe_;
    [[no_unique_address]] std::conditional_t<detail::is_own_fitted<ScorePolicy>, OfPolicy, FittedScore>
        score_;
    Scaling<Vector> scaling_;
    typename Storage::Parameters parameters_;
    Vector typical_;

    void require_own_sizes() const {
#if UNTOWARD_HOSTED  // a device has what was written for it
        for (const Index found :
             {scaling_.centre.size(), scaling_.scale.size(), scaling_.fill.size(), typical_.size()}) {
            if (found != features())
                detail::refuse({"a scaling or the typical shares have ", found, " features, the model has ",
                                features()});
        }
#endif
    }
};

// In place of a detector of parts that make none, where an error has said so: nothing else fails for the same reason.
template <class RecipeType, class Storage>
requires(!detail::makes_detector<RecipeType>) class Detector<RecipeType, Storage>
    : public detail::Judge<Detector<RecipeType, Storage>, typename Storage::Scalar, Vec<>,
                           PlainThreshold<typename Storage::Scalar>> {
public:
    using Scalar = typename Storage::Scalar;

    Detector() : detail::Judge<Detector, Scalar, Vec<>, PlainThreshold<Scalar>>({0, 0, 1}) {}
    [[nodiscard]] Index features() const { return 0; }
    [[nodiscard]] std::size_t arena_bytes(Index, bool) const { return 0; }
    [[nodiscard]] std::size_t judge_bytes() const { return 0; }
    void evaluate(const auto&, Arena&, Scalar*, Scalar* = nullptr, Scalar* = nullptr) const {}
};

}  // namespace untoward
