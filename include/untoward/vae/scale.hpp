// SPDX-License-Identifier: MIT
#pragma once

#include "likelihood.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// The logarithm of a scale of every feature, the same for every sample, as a parameter.
template <class Scope, class Sample>
constexpr auto learned_log_scale(Scope& scope, const Sample& sample) {
    const auto raw = scope.parameter("log_scale", sample, Constant{0}, Attributes{.decay = false});
    return clamp(scope, raw, decoder_log_variance_low / 2, decoder_log_variance_high / 2);
}

}  // namespace detail

}  // namespace untoward
