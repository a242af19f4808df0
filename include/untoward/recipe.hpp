// SPDX-License-Identifier: MIT
#pragma once

#include "scores/score.hpp"

// What a detector is made of, and what is wrong where it cannot be: a recipe whose parts stand in each other's places,
// or something else in its place, is one error that says so. Everything that would fail for the same reason meets a
// `Detector` that has all members and does nothing (detector.hpp).

namespace untoward UNTOWARD_SETTING {

namespace detail {

// In a Recipe's place for a threshold where nothing was given.
struct Forgotten {};

template <class T>
concept HasSampleShape = requires {
    typename T::SampleShape;
};

// Whether this is a model whose parts stand in their places.
template <class T>
constexpr bool is_model() {
    if constexpr (requires { T::parts_in_order; }) {
        return T::parts_in_order;
    } else {
        return HasSampleShape<T>;
    }
}

// Whether every part that is known by what it has stands in its place.
template <class Scaler, class Model, class ScoreType, class Threshold>
constexpr bool recipe_in_order() {
    return HasSampleShape<Model> && !std::is_same_v<Threshold, Forgotten> &&
           (Score<ScoreType> || !(Score<Scaler> || Score<Threshold>));
}

}  // namespace detail

/// What a detector is made of: options only. It cannot score; `fit` makes a `Detector` of it.
///
///     Recipe recipe{RobustScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.01}};
template <class Scaler, class Model, class ScoreType, class Threshold>
struct Recipe {
    static_assert(detail::recipe_in_order<Scaler, Model, ScoreType, Threshold>(),
                  "untoward: a Recipe is {scaler, model, score, threshold}: all four, in this order");

    [[no_unique_address]] Scaler scaler;
    [[no_unique_address]] Model model;
    [[no_unique_address]] ScoreType score;
    [[no_unique_address]] Threshold threshold;

    constexpr void check_options() const {
        require_options(scaler);
        require_options(model);
        require_options(score);
        require_options(threshold);
    }
};

template <class Scaler, class Model, class ScoreType, class Threshold>
Recipe(const Scaler&, const Model&, const ScoreType&, const Threshold&)
    -> Recipe<Scaler, Model, ScoreType, Threshold>;
template <class Scaler, class Model, class ScoreType>
Recipe(const Scaler&, const Model&, const ScoreType&) -> Recipe<Scaler, Model, ScoreType, detail::Forgotten>;

namespace detail {

// What `fit` takes.
template <class T>
inline constexpr bool is_recipe = false;
template <class Scaler, class Model, class ScoreType, class Threshold>
inline constexpr bool is_recipe<Recipe<Scaler, Model, ScoreType, Threshold>> = true;

// A recipe of which a detector can be made, as far as places go.
template <class T>
inline constexpr bool makes_detector = false;
template <class Scaler, class Model, class ScoreType, class Threshold>
inline constexpr bool makes_detector<Recipe<Scaler, Model, ScoreType, Threshold>> =
    recipe_in_order<Scaler, Model, ScoreType, Threshold>() && is_model<Model>();

// Eigen's matrices, vectors, arrays, maps and expressions of them.
template <class Derived>
void takes_dense(const Eigen::DenseBase<Derived>&);
template <class T>
concept EigenDense = requires(const T& t) {
    takes_dense(t);
};
// Those of float or double.
template <class T>
concept Numbers = EigenDense<T> && std::is_floating_point_v<typename T::Scalar>;

// Samples of another size than a model's, where the compiler knows both.
template <Index Expected, Index Found>
constexpr void require_static_features() {
    if constexpr (Expected != Dynamic && Found != Dynamic && Expected != Found) {
        static_cast<void>(
            Refuse<mistake::SamplesAreColumns<mistake::Expected<Expected>, mistake::Found<Found>>>::value);
    }
}
// Samples that are no matrix of Eigen's.
template <class Samples>
constexpr void refuse_samples() {
    static_assert(EigenDense<Samples>,
                  "untoward: samples are an Eigen matrix, features x n, and one sample a vector: "
                  "Eigen::Map<const Eigen::VectorXf>(numbers.data(), n) makes one of other memory");
}
// A detector that nobody made. Nothing runs that an error was said of.
template <class DetectorType, bool IsEmpty>
DetectorType refuse_empty() {
    static_assert(
        !IsEmpty,
        "untoward: a Detector is never empty: std::optional<Detector<...>> is where one is to come later");
    __builtin_trap();
}
template <class DetectorType, class Other, bool IsOther>
DetectorType refuse_other_numbers() {
    static_assert(
        !IsOther,
        "untoward: a Detector<Recipe> is of float, and `fit` makes one of the numbers that it is given: "
        "hand it rows.cast<float>(), or write Detector<Recipe, Owned<double>>");
    __builtin_trap();
}

}  // namespace detail

}  // namespace untoward
