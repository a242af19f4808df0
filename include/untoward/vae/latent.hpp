// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "../distributions/normal.hpp"
#include "../distributions/point.hpp"
#include "../nn/dense.hpp"

// The latent contract. A latent is what lies between encoder and decoder: it makes the posterior q(z|x) of
// the encoder's output, draws z from it, and says how far it is from the prior. It is a plain struct with
//
//     units                              Vec<K>: the shape of z
//     operator()(scope, hidden)          as a layer: the posterior, any struct of values, most naturally a
//                                        distribution (distributions/distribution.hpp)
//     sample(scope, posterior)           z ~ q(z|x), K x batch
//     mean(scope, posterior)             E[z|x], K x batch: what deterministic scores decode
//     log_variance(scope, posterior)     of every unit, K x batch; -infinity where there is no spread
//     kl(scope, posterior)               KL(q(z|x) || p(z)) split into a share of every unit, K x batch
//     within_prior(scope, mean)          the nearest z at which the decoder knows what it says: the value that
//                                        is expected of a sample is decoded from there
//     prior(scope, batch)                z ~ p(z), K x batch, where there is a prior to generate from
//     sampled_kl(scope, posterior, z)    log q(z|x) - log p(z), whose mean over draws is the KL: of every unit, or
//                                        per sample (Vec<1>); where there are such densities. Scores need it that
//                                        weigh draws, as ImportanceWeightedLikelihood
//     static constexpr bool is_deterministic    whether z is always the mean: then one draw is all draws.
//                                        false where it is not said
//     name, options                      where it is to be chosen at run time, see core/options.hpp
//
// A complete latent, whose posterior and prior are Laplace distributions (sparser codes):
//
//     template <Index K>
//     struct LaplaceLatent {
//         Vec<K> units{};
//
//         template <class Scope, class X>
//         constexpr auto operator()(Scope& scope, const X& hidden) const {
//             const auto location = scope.call("location", Dense<K>(units), hidden);
//             const auto raw = scope.call("log_scale", Dense<K>(units), hidden);
//             const auto log_scale = clamp(scope, raw, -6, 3);
//             return distributions::Laplace{location, log_scale};
//         }
//         template <class Scope, class Posterior>
//         constexpr auto sample(Scope& scope, const Posterior& q) const {
//             return q.sample(scope);
//         }
//         template <class Scope, class Posterior>
//         constexpr auto mean(Scope&, const Posterior& q) const {
//             return q.location;
//         }
//         template <class Scope, class Posterior>
//         constexpr auto log_variance(Scope& scope, const Posterior& q) const {    // of 2 scale^2
//             const auto twice = scale(scope, 2, q.log_scale);
//             const auto log_two = scope.constant(Vec<1>{}, 1, 0.6931471805599453);
//             return add(scope, twice, log_two);
//         }
//         template <class Scope, class Posterior>
//         constexpr auto kl(Scope& scope, const Posterior& q) const {
//             const auto zero = scope.constant(Vec<1>{}, 1, 0);
//             return distributions::kl(scope, q, distributions::Laplace{zero, zero});
//         }
//         template <class Scope, class Posterior, class Z>
//         constexpr auto sampled_kl(Scope& scope, const Posterior& q, const Z& z) const {
//             const auto zero = scope.constant(Vec<1>{}, 1, 0);
//             return distributions::log_ratio(scope, q, distributions::Laplace{zero, zero}, z);
//         }
//         template <class Scope, class Z>
//         constexpr auto within_prior(Scope& scope, const Z& mean) const {
//             return clamp(scope, mean, -6, 6);
//         }
//         template <class Scope>
//         constexpr auto prior(Scope& scope, Index batch) const {
//             const auto zero = scope.constant(units, batch, 0);
//             return distributions::Laplace{zero, zero}.sample(scope);
//         }
//     };
//     using Model = Vae<Vec<8>, Encoder<...>, LaplaceLatent<3>, Decoder<...>, Gaussian>;

namespace untoward UNTOWARD_SETTING {

/// The range of a posterior's log-variance, in value and gradient alike.
inline constexpr double posterior_log_variance_low = -12;
inline constexpr double posterior_log_variance_high = 6;

/// How far from 0 a latent unit goes where an expected value is asked for: three standard deviations of the
/// prior. An anomaly may be encoded far outside, where the decoder extrapolates and knows nothing.
inline constexpr double prior_bulk = 3;

namespace detail {

// What latent units are made of; where it is no vector, one error says so and a vector stands for it.
template <class LatentType, class Scope, class X>
constexpr decltype(auto) require_encoded(Scope& scope, const X& x) {
    using Encoded = typename X::SampleShape;
    if constexpr (Encoded::rank == 1) {
        static_cast<void>(scope);
        return (x);
    } else {
        static_cast<void>(
            Refuse<
                mistake::EncoderEndsInNoVector<LatentType, Encoded, mistake::AddLastStepOrFlatten>>::value);
        return scope.constant(Vec<Encoded::template static_extent<0>>(x.shape().channels()), x.batch(), 0);
    }
}

// Whether a draw is always the mean; a latent that was chosen at run time knows at run time.
template <class LatentType>
constexpr bool is_deterministic(const LatentType& latent) {
    if constexpr (requires { latent.holds_deterministic(); }) {
        return latent.holds_deterministic();
    } else if constexpr (requires { LatentType::is_deterministic; }) {
        return LatentType::is_deterministic;
    } else {
        return false;
    }
}

}  // namespace detail

/// K latent units with a diagonal normal posterior and a standard normal prior. As a layer it turns the
/// encoder's output into a `distributions::Normal`: one product, parameters `weight` (2 K, in) and `bias`
/// (2 K), the first K rows for the mean and the others for the log-variance, which is kept in [-12, 6].
template <Index K = Dynamic>
struct Latent {
    [[no_unique_address]] Vec<K> units{};

    static constexpr const char* name = "latent";
    static constexpr void options(auto& self, auto&& visit) { visit("units", self.units); }

    constexpr Latent() = default;
    constexpr explicit Latent(Index k) requires(K == Dynamic) : units(k) {}

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& encoded) const {
        const auto& x = detail::require_encoded<Latent>(scope, encoded);
        constexpr Index both = K == Dynamic ? Dynamic : 2 * K;
        const auto heads = Dense<both>(Vec<both>(2 * units.size()))(scope, x);
        const auto [mean, log_variance] = mean_and_log_variance(
            scope, heads, units, posterior_log_variance_low, posterior_log_variance_high);
        return distributions::Normal{mean, log_variance};
    }
    template <class Scope, class Posterior>
    constexpr auto sample(Scope& scope, const Posterior& posterior) const {
        return posterior.sample(scope);
    }
    template <class Scope, class Posterior>
    constexpr auto mean(Scope&, const Posterior& posterior) const {
        return posterior.mean;
    }
    template <class Scope, class Posterior>
    constexpr auto log_variance(Scope&, const Posterior& posterior) const {
        return posterior.log_variance;
    }
    template <class Scope, class Posterior>
    constexpr auto kl(Scope& scope, const Posterior& posterior) const {
        return distributions::kl(scope, posterior, distributions::StandardNormal{});
    }
    template <class Scope, class Posterior, class Z>
    constexpr auto sampled_kl(Scope& scope, const Posterior& posterior, const Z& z) const {
        return distributions::log_ratio(scope, posterior, distributions::StandardNormal{}, z);
    }
    template <class Scope, class Z>
    constexpr auto within_prior(Scope& scope, const Z& mean) const {
        return clamp(scope, mean, -prior_bulk, prior_bulk);
    }
    template <class Scope>
    constexpr auto prior(Scope& scope, Index batch) const {
        return scope.normal(units, batch);
    }
};

/// K numbers without noise and without a prior: z is what the encoder says, and the KL term is 0. A `Vae` with
/// a `Code` is a plain autoencoder of the same encoder, decoder and likelihood. Parameters `weight` (K, in)
/// and `bias` (K). A posterior has a spread and so must leave room between samples; a code need not, and
/// what lies between the codes of the training rows means nothing.
template <Index K = Dynamic>
struct Code {
    [[no_unique_address]] Vec<K> units{};

    static constexpr bool is_deterministic = true;
    static constexpr const char* name = "code";
    static constexpr void options(auto& self, auto&& visit) { visit("units", self.units); }

    constexpr Code() = default;
    constexpr explicit Code(Index k) requires(K == Dynamic) : units(k) {}

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& encoded) const {
        const auto& x = detail::require_encoded<Code>(scope, encoded);
        const auto code = Dense<K>(units)(scope, x);
        return distributions::Point{code};
    }
    template <class Scope, class Posterior>
    constexpr auto sample(Scope& scope, const Posterior& posterior) const {
        return posterior.sample(scope);
    }
    template <class Scope, class Posterior>
    constexpr auto mean(Scope& scope, const Posterior& posterior) const {
        return posterior.expectation(scope);
    }
    template <class Scope, class Posterior>
    constexpr auto log_variance(Scope& scope, const Posterior& posterior) const {
        return scope.constant(units, posterior.value.batch(), -std::numeric_limits<double>::infinity());
    }
    template <class Scope, class Posterior>
    constexpr auto kl(Scope& scope, const Posterior& posterior) const {
        return scope.constant(units, posterior.value.batch(), 0);
    }
    /// There is no prior: the code as it is.
    template <class Scope, class Z>
    constexpr auto within_prior(Scope&, const Z& mean) const {
        return mean;
    }
};

}  // namespace untoward
