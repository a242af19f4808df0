// SPDX-License-Identifier: MIT
// Everything that can be chosen at run time, compiled once for all tests that choose: registries_float.cpp and registries_double.cpp.
#pragma once

#include "untoward/dynamic/detector.hpp"

#define UNTOWARD_TEST_REGISTRIES(prefix, S)                      \
    prefix Registry<AnyLayer<S>>& layer_registry<S>();           \
    prefix Registry<AnyLatent<S>>& latent_registry<S>();         \
    prefix Registry<AnyLikelihood<S>>& likelihood_registry<S>(); \
    prefix Registry<AnyScaler<S>>& scaler_registry<S>();         \
    prefix Registry<AnyScore<S>>& score_registry<S>();           \
    prefix Registry<AnyThreshold<S>>& threshold_registry<S>()

namespace untoward {
UNTOWARD_TEST_REGISTRIES(extern template, float);
UNTOWARD_TEST_REGISTRIES(extern template, double);
}  // namespace untoward
