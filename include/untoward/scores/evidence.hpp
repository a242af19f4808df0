// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/count.hpp"
#include "../autodiff/rules/arithmetic.hpp"
#include "../autodiff/run.hpp"
#include "../vae/vae.hpp"

namespace untoward {

/// What a score asks of a model. A composed score asks for the union, so the encoder runs once and nothing is
/// computed that nobody asked for.
struct Needs {
    bool reconstruction = false;  ///< the decoder's answer to the posterior's mean
    Index draws = 0;              ///< log densities under this many draws of z
    std::uint64_t seed = 0;       ///< of the draws
    bool expectation = false;     ///< what a normal sample nearby would look like, to explain with

    constexpr Needs operator|(const Needs& other) const {
        UNTOWARD_ASSERT(draws == 0 || other.draws == 0 || seed == other.seed,
                        "untoward: scores that are added share their draws, so their seeds are the same");
        return {reconstruction || other.reconstruction, draws > other.draws ? draws : other.draws,
                draws > 0 ? seed : other.seed, expectation || other.expectation};
    }
};

/// What a model says of a batch: computed once, read by every score. D x batch or K x batch each.
template <class X, class Units>
struct Evidence {
    X x;                 ///< the scaled input
    Units mean;          ///< of the posterior
    Units log_variance;  ///< of the posterior; -infinity where it has no spread
    Units kl;            ///< every unit's share of KL(q(z|x) || p(z))
    X reconstruction;    ///< E[x | z = mean], where needed; else the input
    X log_density;       ///< mean over the draws of log p(x_d | z), where needed; else the input
    X expectation;       ///< E[x | z = mean, kept within the prior], where needed; else the input
};

namespace detail {

// The same numbers with run-time sizes, and samples as plain vectors.
template <class T, class Sample>
Tensor<const std::remove_const_t<T>, Vec<>> flattened(const Tensor<T, Sample>& x) {
    return {x.data(), Vec<>(x.rows()), x.batch(), x.stride()};
}

}  // namespace detail

/// What scores read whatever the model's sizes.
template <class S>
using FlatEvidence = Evidence<Tensor<const S, Vec<>>, Tensor<const S, Vec<>>>;

namespace detail {

template <class X, class Units>
auto flattened(const Evidence<X, Units>& e) {
    return FlatEvidence<typename X::Scalar>{
        flattened(e.x),          flattened(e.mean),           flattened(e.log_variance),
        flattened(e.kl),         flattened(e.reconstruction), flattened(e.log_density),
        flattened(e.expectation)};
}

}  // namespace detail

/// A model's pass over a batch for a score, as a layer: so that `count` knows its arena.
template <class Model>
struct GatherEvidence {
    [[no_unique_address]] Model model;
    Needs needs;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto parts = model.bind(scope);
        const auto& likelihood = model.likelihood;
        const auto& latent = model.latent;
        const auto posterior = parts.encode(x);
        const auto kl = detail::kl_of(latent, scope, posterior);
        const auto mean = detail::mean_of(latent, scope, posterior);
        const auto log_variance = detail::log_variance_of(latent, scope, posterior);
        using Units = std::remove_const_t<decltype(kl)>;
        Evidence<X, Units> evidence{x, Units(mean), Units(log_variance), kl, x, x, x};
        if (needs.reconstruction) {
            evidence.reconstruction = X(scope.call(
                "reconstruction",
                [&](auto& inner, const auto& z) {
                    const auto output = parts.decode(z);
                    return detail::expectation_of(likelihood, inner, output, model.sample);
                },
                mean));
        }
        if (needs.expectation) {
            evidence.expectation = X(scope.call(
                "expectation",
                [&](auto& inner, const auto& anywhere) {
                    const auto z = detail::within_prior_of(latent, inner, anywhere);
                    const auto output = parts.decode(z);
                    return detail::expectation_of(likelihood, inner, output, model.sample);
                },
                mean));
        }
        if (needs.draws > 0) {
            const Index draws = detail::is_deterministic(latent) ? 1 : needs.draws;
            auto total = X(scope.constant(x.shape(), x.batch(), 0));
            for (Index draw = 0; draw < draws; ++draw) {
                // As a layer of its own, so that the arena gets back all but the new total.
                total = X(scope.call(
                    Name::index(draw),
                    [&](auto&, const auto& sum) {
                        const auto z = detail::draw_of(latent, scope, posterior);
                        const auto output = parts.decode(z);
                        const auto log_density = detail::log_density_of(likelihood, scope, x, output);
                        return add(scope, sum, log_density);
                    },
                    total));
            }
            evidence.log_density = X(scale(scope, 1.0 / static_cast<double>(draws), total));
        }
        return evidence;
    }
};

}  // namespace untoward
