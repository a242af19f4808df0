// SPDX-License-Identifier: MIT
#pragma once

#include "../distributions/bernoulli.hpp"
#include "likelihood.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Sample>
struct BernoulliHead {
    [[no_unique_address]] Sample sample;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto logits = scope.call("logits", head_for(sample), x);
        return distributions::Bernoulli{logits};
    }
};

}  // namespace detail

/// Features that are zeros and ones, each by its logit from the decoder; also shares and grey values between
/// (the loss is the cross-entropy then). Behind UnitScaler or IdentityScaler. A value outside of [0, 1] is
/// less normal than the edge it crossed, by 50 nats times the square of the distance. Parameters
/// `logits.weight` and `logits.bias`.
///
///     using Model = Vae<Vec<784>, Encoder<Dense<64, Relu>>, Latent<8>, Decoder<Dense<64, Relu>>, Bernoulli>;
///     Recipe recipe{UnitScaler{}, Model{}, NegativeElbo{}, Conformal{}};
struct Bernoulli : DistributionLikelihood {
    static constexpr DataKind data = DataKind::unit;
    static constexpr const char* name = "bernoulli";

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::BernoulliHead<Sample>{sample};
    }
};

}  // namespace untoward
