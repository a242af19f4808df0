// SPDX-License-Identifier: MIT
#pragma once

// A small VAE for the rows of planted.hpp, and a fit that takes little time.

#include "untoward/train/fit.hpp"

namespace untoward_test {

using untoward::Index;

inline constexpr Index small_features = 6;

template <class Likelihood = untoward::Gaussian>
using SmallVae =
    untoward::Vae<untoward::Vec<small_features>, untoward::Encoder<untoward::Dense<12, untoward::Tanh>>,
                  untoward::Latent<3>, untoward::Decoder<untoward::Dense<12, untoward::Tanh>>, Likelihood>;

/// Exactly this many steps, unless training stops early.
inline untoward::FitOptions quick(Index steps) {
    untoward::FitOptions options{.seed = 1};
    options.training.min_steps = options.training.max_steps = steps;
    return options;
}

}  // namespace untoward_test
