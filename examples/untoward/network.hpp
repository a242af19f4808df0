// SPDX-License-Identifier: MIT
#pragma once

#include <untoward/dynamic/detector.hpp>

// The detector that this program fits: every part of it is chosen at run time, by the command line or by a
// model file. Only fit.cpp, which trains it, model.cpp, which does the rest, and registries.cpp compile it.

// Everything that can be chosen is compiled once, in registries.cpp.
namespace untoward {
extern template Registry<AnyLayer<float>>& layer_registry<float>();
extern template Registry<AnyLatent<float>>& latent_registry<float>();
extern template Registry<AnyLikelihood<float>>& likelihood_registry<float>();
extern template Registry<AnyScaler<float>>& scaler_registry<float>();
extern template Registry<AnyScore<float>>& score_registry<float>();
extern template Registry<AnyThreshold<float>>& threshold_registry<float>();
}  // namespace untoward

namespace program {

/// A fitted detector, of one model or of several; a struct, so that it can be named without its type.
struct Network {
    untoward::AnyEnsembleDetector<float> detector;
};

}  // namespace program
