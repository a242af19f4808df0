// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "../fwd.hpp"
#include "../io/policy_text.hpp"

namespace untoward UNTOWARD_SETTING {

/// The C++ that makes a policy, a layer or a model, whether its parts were chosen by the compiler or at run
/// time: its type and its options. Needs a name (core/options.hpp) of each part.
///
///     std::puts(describe(detector).c_str());
///
///     Recipe{RobustScaler{}, Vae{Vec<6>{}, Chain{Dense<9, Relu>{}}, Latent<2>{}, Chain{Dense<9, Relu>{}},
///         Gaussian{}}, NegativeElbo{.draws = 8, .seed = 0}, Conformal{.false_alarm_rate = 0.01}}   (one line)
template <class Policy>
std::string describe(const Policy& policy) {
    return io::policy_text(policy);
}
/// The same of a recipe.
template <class Scaler, class Model, class ScoreType, class Threshold>
std::string describe(const Recipe<Scaler, Model, ScoreType, Threshold>& recipe) {
    return io::detail::joined(
        {describe(recipe.scaler), describe(recipe.model), describe(recipe.score), describe(recipe.threshold)},
        "Recipe{", "}");
}
/// The same of what a detector was fitted as.
template <class RecipeType, class Storage>
std::string describe(const Detector<RecipeType, Storage>& detector) {
    return describe(detector.recipe());
}

}  // namespace untoward
