// SPDX-License-Identifier: MIT
#pragma once

#include <untoward/data/scaler.hpp>
#include <untoward/detector.hpp>
#include <untoward/scores/elbo.hpp>
#include <untoward/thresholds/conformal.hpp>

// The detector that this program fits. Sizes are known when the table is read, so all extents are run-time.
// Only fit.cpp, which trains it, and model.cpp, which does the rest, compile it.

namespace program {

using Layer = untoward::Dense<untoward::Dynamic, untoward::Relu>;
using Vae = untoward::Vae<untoward::Vec<>, untoward::Encoder<Layer, Layer>, untoward::Latent<>,
                          untoward::Decoder<Layer, Layer>, untoward::Gaussian>;
using Recipe = untoward::Recipe<untoward::RobustScaler, Vae, untoward::NegativeElbo, untoward::Conformal>;

/// A fitted detector; a struct, so that it can be named without its type.
struct Network {
    untoward::Detector<Recipe> detector;
};

/// What the type of a model leaves open.
struct Sizes {
    untoward::Index features;
    untoward::Index hidden;
    untoward::Index latent;
};

inline Recipe make_recipe(const Sizes& sizes, double false_alarm_rate) {
    const Layer hidden(sizes.hidden);
    return {{},
            Vae{untoward::Vec<>(sizes.features),
                {hidden, hidden},
                untoward::Latent<>(sizes.latent),
                {hidden, hidden},
                {}},
            {},
            {.false_alarm_rate = false_alarm_rate}};
}

}  // namespace program
