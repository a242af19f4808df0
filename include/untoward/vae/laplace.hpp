// SPDX-License-Identifier: MIT
#pragma once

#include "../distributions/laplace.hpp"
#include "scale.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Sample>
struct LaplaceHead {
    [[no_unique_address]] Sample sample;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto location = scope.call("location", head_for(sample), x);
        const auto log_scale = learned_log_scale(scope, sample);
        return distributions::Laplace{location, log_scale};
    }
};

}  // namespace detail

/// A Laplace likelihood whose scale is learned, one per feature and the same for every sample: the decoder
/// learns medians, and a few wild values among the training rows pull it less than a Gaussian. Parameters
/// `location.weight`, `location.bias` and `log_scale`, which is kept in [-3, 2].
///
///     Vae<Vec<30>, Encoder<Dense<64, Relu>>, Latent<8>, Decoder<Dense<64, Relu>>, Laplace>
struct Laplace : DistributionLikelihood {
    static constexpr const char* name = "laplace";

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::LaplaceHead<Sample>{sample};
    }
};

}  // namespace untoward
