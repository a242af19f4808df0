// SPDX-License-Identifier: MIT
#pragma once

#include "../nn/chain.hpp"
#include "parts.hpp"

namespace untoward UNTOWARD_SETTING {

/// The layers before the latent units.
template <class... Layers>
using Encoder = Chain<Layers...>;
/// The layers between the latent units and the likelihood, which makes the last one.
template <class... Layers>
using Decoder = Chain<Layers...>;

namespace detail {

// Whether every part that is known by what it has stands in its place.
template <class Sample, class EncoderType, class LatentType, class DecoderType, class Likelihood>
constexpr bool vae_in_order() {
    constexpr bool has_units = requires(const LatentType& latent) {
        latent.units;
    };
    constexpr bool has_layer_early = requires(const EncoderType& part, const Sample& sample) {
        part.layer(sample);
    }
    || requires(const DecoderType& part, const Sample& sample) {
        part.layer(sample);
    };
    return is_shape<Sample> && has_units && !has_layer_early;
}

// The four parts of a VAE, bound to their places.
template <class Encode, class Heads, class Decode, class Output>
struct VaeParts {
    Encode encoder;
    Heads latent;
    Decode decoder;
    Output likelihood;

    template <class X>
    constexpr auto encode(const X& x) {
        const auto hidden = encoder(x);
        return latent(hidden);
    }
    template <class Z>
    constexpr auto decode(const Z& z) {
        const auto hidden = decoder(z);
        return likelihood(hidden);
    }
};

// What one pass through a VAE leaves: everything that its ELBO and scores are made of.
template <class PosteriorType, class Z, class Output, class LogDensity, class Kl>
struct VaePass {
    PosteriorType posterior;
    Z z;
    Output output;           // the likelihood's distribution over x
    LogDensity log_density;  // log p(x_d | z) of every element, as x
    Kl kl;                   // every unit's share of KL(q(z|x) || p(z)), K x batch
};

}  // namespace detail

/// A variational autoencoder (Kingma and Welling 2014): encoder, latent units, decoder, likelihood.
///
///     using Model = Vae<Vec<30>, Encoder<Dense<64, Relu>, Dense<32, Relu>>, Latent<8>,
///                       Decoder<Dense<32, Relu>, Dense<64, Relu>>, Gaussian>;
///
/// Its parameters are named encoder.0.weight, ..., latent.weight, latent.bias, decoder.0.weight, ...,
/// likelihood.mean.weight, likelihood.mean.bias, likelihood.log_variance.
///
/// Latents: `Latent`, `CorrelatedLatent`, and `Code`, with which this is a plain autoencoder; vae/latent.hpp has
/// the contract for one of your own. Likelihoods: `Gaussian`, `HeteroscedasticGaussian`, `FixedGaussian`,
/// `StudentT`, `Laplace`, `Bernoulli`, `Categorical`, `Poisson`; vae/likelihood.hpp has that contract.
template <class Sample, class EncoderType, class LatentType, class DecoderType, class Likelihood>
struct Vae {
    using SampleShape = Sample;
    static constexpr bool parts_in_order =
        detail::vae_in_order<Sample, EncoderType, LatentType, DecoderType, Likelihood>();
    static_assert(parts_in_order,
                  "untoward: a Vae is <sample, encoder, latent, decoder, likelihood>, in this order, as in "
                  "Vae<Vec<6>, Encoder<...>, Latent<2>, Decoder<...>, Gaussian>");

    [[no_unique_address]] Sample sample{};
    [[no_unique_address]] EncoderType encoder{};
    [[no_unique_address]] LatentType latent{};
    [[no_unique_address]] DecoderType decoder{};
    [[no_unique_address]] Likelihood likelihood{};

    constexpr void check_options() const {
        require_options(encoder);
        require_options(latent);
        require_options(decoder);
        require_options(likelihood);
    }

    /// The four parts in their places, each to be called as often as wanted: `parts.encode(x)` gives the
    /// posterior, `parts.decode(z)` the likelihood's distribution.
    template <class Scope>
    constexpr auto bind(Scope& scope) const {
        const auto head = detail::layer_of(likelihood, sample);
        auto encode = scope.child("encoder", encoder, sample);
        auto heads = scope.child("latent", latent, output_shape(encoder, sample));
        auto decode = scope.child("decoder", decoder, latent.units);
        auto output = scope.child("likelihood", head, output_shape(decoder, latent.units));
        return detail::VaeParts<decltype(encode), decltype(heads), decltype(decode), decltype(output)>{
            encode, heads, decode, output};
    }

    /// One pass with one draw of z.
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto parts = bind(scope);
        const auto posterior = parts.encode(x);
        const auto z = detail::draw_of(latent, scope, posterior);
        const auto output = parts.decode(z);
        const auto log_density = detail::log_density_of(likelihood, scope, x, output);
        const auto kl = detail::kl_of(latent, scope, posterior);
        return detail::VaePass<std::remove_const_t<decltype(posterior)>, std::remove_const_t<decltype(z)>,
                               std::remove_const_t<decltype(output)>,
                               std::remove_const_t<decltype(log_density)>, std::remove_const_t<decltype(kl)>>{
            posterior, z, output, log_density, kl};
    }
};

template <class Sample, class EncoderType, class LatentType, class DecoderType, class Likelihood>
Vae(const Sample&, const EncoderType&, const LatentType&, const DecoderType&, const Likelihood&)
    -> Vae<Sample, EncoderType, LatentType, DecoderType, Likelihood>;

}  // namespace untoward
