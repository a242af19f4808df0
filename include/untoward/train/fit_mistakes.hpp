// SPDX-License-Identifier: MIT
#pragma once

#include "../detector.hpp"

// What is handed to `fit` that it does not take: one error that says what it takes.

namespace untoward UNTOWARD_SETTING {

struct FitOptions;

namespace detail {

// The arguments are looked at in their order, and one thing is said.
template <class First, class Second, bool IsOptions>
constexpr void refuse_fit() {
    constexpr bool has_recipe = is_recipe<First>;
    // Of a recipe out of order its own error says so.
    constexpr bool has_rows = !has_recipe || !makes_detector<First> || EigenDense<Second>;
    constexpr bool has_numbers =
        !has_recipe || !makes_detector<First> || !EigenDense<Second> || Numbers<Second>;
    constexpr bool has_options = IsOptions || !makes_detector<First> || !Numbers<Second>;
    static_assert(has_recipe, "untoward: fit takes a Recipe{scaler, model, score, threshold}, then the rows");
    static_assert(has_rows,
                  "untoward: fit takes its rows as an Eigen matrix, features x n, every sample a column: "
                  "Eigen::Map<const Eigen::MatrixXf>(numbers.data(), features, n) makes one of other memory");
    static_assert(has_numbers, "untoward: fit takes rows of float or double: rows.cast<float>() makes them");
    static_assert(
        has_options,
        "untoward: the third argument of fit is FitOptions, as in {.epochs = 20, .seed = 7}: no labels, "
        "and TrainingOptions go into it, {.training = ...}");
}

}  // namespace detail

template <class First, class Second, class Third = FitOptions>
requires((detail::is_recipe<First> || detail::is_recipe<Second> || detail::is_model<First>()) &&
         !(detail::makes_detector<First> && detail::Numbers<Second> &&
           std::is_convertible_v<const Third&, FitOptions>))  //
    auto fit(const First& recipe, const Second& rows, const Third& = {}, const auto&...) {
    detail::refuse_fit<First, Second, std::is_convertible_v<const Third&, FitOptions>>();
    if constexpr (detail::makes_detector<First> && detail::Numbers<Second>) {
        return fit(recipe, rows);
    } else if constexpr (detail::makes_detector<First>) {
        return fit(recipe, Eigen::MatrixXf());
    } else {
        return Detector<First, Owned<float>>();
    }
}

}  // namespace untoward
