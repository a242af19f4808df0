// SPDX-License-Identifier: MIT
#pragma once

#include "../distributions/poisson.hpp"
#include "likelihood.hpp"

namespace untoward UNTOWARD_SETTING {

/// The range of a decoder's log-rate, in value and gradient alike: rates from 0.00005 to 1,100, about where
/// scaled data ends.
inline constexpr double decoder_log_rate_low = -10;
inline constexpr double decoder_log_rate_high = 7;

namespace detail {

template <class Sample>
struct PoissonHead {
    [[no_unique_address]] Sample sample;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto raw = scope.call("log_rate", head_for(sample), x);
        const auto log_rate = clamp(scope, raw, decoder_log_rate_low, decoder_log_rate_high);
        return distributions::Poisson{log_rate};
    }
};

}  // namespace detail

/// Features that are counts, each by its log-rate from the decoder, which is kept in [-10, 7]. Behind
/// IdentityScaler; counts beyond 1,000 are taken for 1,000, where scaled data ends. Parameters
/// `log_rate.weight` and `log_rate.bias`.
///
///     using Model = Vae<Vec<12>, Encoder<Dense<32, Relu>>, Latent<3>, Decoder<Dense<32, Relu>>, Poisson>;
///     Recipe recipe{IdentityScaler{}, Model{}, NegativeElbo{}, Conformal{}};
struct Poisson : DistributionLikelihood {
    static constexpr DataKind data = DataKind::counts;
    static constexpr const char* name = "poisson";

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::PoissonHead<Sample>{sample};
    }
};

}  // namespace untoward
