// SPDX-License-Identifier: MIT
#pragma once

#include "../distributions/categorical.hpp"
#include "likelihood.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Sample>
struct CategoricalHead {
    [[no_unique_address]] Sample sample;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto logits = scope.call("logits", head_for(sample), x);
        return distributions::Categorical{logits};
    }
};

}  // namespace detail

/// One class of several at each position: the channels of a sample are the classes, of which one is 1 and the
/// others are 0. Behind IdentityScaler. What is not one-hot is less normal than any class nearby, see
/// `CategoricalLogDensity`. Parameters `logits.weight` and `logits.bias`.
///
///     // 20 steps, at each of them one of 5 events
///     using Model = Vae<Seq<5, 20>, Encoder<Gru<16>, LastStep>, Latent<4>, Decoder<Repeat<20>, Gru<16>>,
///                       Categorical>;
///     Recipe recipe{IdentityScaler{}, Model{}, NegativeElbo{}, Conformal{}};
struct Categorical : DistributionLikelihood {
    static constexpr DataKind data = DataKind::one_hot;
    static constexpr const char* name = "categorical";

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::CategoricalHead<Sample>{sample};
    }
};

}  // namespace untoward
