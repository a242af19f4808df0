// SPDX-License-Identifier: MIT
#include "network.hpp"

// A program with policies of its own adds them where main begins: untoward::score_registry<float>().add<Own>().

namespace untoward {
template Registry<AnyLayer<float>>& layer_registry<float>();
template Registry<AnyLatent<float>>& latent_registry<float>();
template Registry<AnyLikelihood<float>>& likelihood_registry<float>();
template Registry<AnyScaler<float>>& scaler_registry<float>();
template Registry<AnyScore<float>>& score_registry<float>();
template Registry<AnyThreshold<float>>& threshold_registry<float>();
}  // namespace untoward
