// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/elementwise.hpp"
#include "../autodiff/rules/layout.hpp"
#include "../data/kind.hpp"
#include "../distributions/distribution.hpp"
#include "../nn/dense.hpp"

// The likelihood contract. A likelihood is what the decoder's last layer says about the data. It makes that
// layer, so nobody can put an activation where none belongs. It is a plain struct with
//
//     layer(sample_shape)                    the layer from the decoder's output to a struct of values, most
//                                            naturally a distribution (distributions/distribution.hpp)
//     log_density(scope, x, output)          log p(x_d | z) of every element, in x's shape
//     expectation(scope, output)             E[x | z], in the data's shape
//     sample(scope, output)                  a draw x ~ p(x | z), in the data's shape
//     static constexpr bool has_variance     whether it can give a reconstruction probability
//     static constexpr DataKind data         the numbers that it is for; `fit` refuses a scaler that does not
//                                            keep them. DataKind::any where it is not said
//     name, options                          where it is to be chosen at run time, see core/options.hpp
//
// Where the layer's output is a distribution, `DistributionLikelihood` has the three functions. A complete
// likelihood, of data on (0, infinity) whose logarithm is normal:
//
//     template <class Mean, class LogVariance>
//     struct LogNormal {                                      // a distribution
//         distributions::Normal<Mean, LogVariance> of_log;
//
//         template <class Scope, class X>
//         constexpr auto log_density(Scope& scope, const X& x) const {
//             const auto positive = clamp(scope, x, 1e-6, 1e6);
//             const auto logarithm = log(scope, positive);
//             const auto density = of_log.log_density(scope, logarithm);
//             return subtract(scope, density, logarithm);     // |d log x / dx| = 1 / x
//         }
//         template <class Scope>
//         constexpr auto sample(Scope& scope) const {
//             const auto logarithm = of_log.sample(scope);
//             return exp(scope, logarithm);
//         }
//         template <class Scope>
//         constexpr auto expectation(Scope& scope) const {    // exp(mean + variance / 2)
//             const auto variance = exp(scope, of_log.log_variance);
//             const auto half = scale(scope, 0.5, variance);
//             const auto exponent = add(scope, of_log.mean, half);
//             return exp(scope, exponent);
//         }
//     };
//
//     template <class Sample>
//     struct LogNormalHead {                                  // the layer that makes it
//         [[no_unique_address]] Sample sample;
//
//         template <class Scope, class X>
//         constexpr auto operator()(Scope& scope, const X& x) const {
//             const auto mean = scope.call("mean", head_for(sample), x);
//             const auto raw = scope.parameter("log_variance", sample, Constant{0}, Attributes{.decay = false});
//             const auto log_variance = clamp(scope, raw, -6, 4);
//             const distributions::Normal of_log{mean, log_variance};
//             return LogNormal<decltype(of_log.mean), decltype(of_log.log_variance)>{of_log};
//         }
//     };
//
//     struct LogNormalLikelihood : DistributionLikelihood {
//         static constexpr const char* name = "log-normal";
//
//         template <class Sample>
//         constexpr auto layer(const Sample& sample) const {
//             return LogNormalHead<Sample>{sample};
//         }
//     };
//     using Model = Vae<Vec<4>, Encoder<...>, Latent<2>, Decoder<...>, LogNormalLikelihood>;
//
// The x of log_density is scaled, finite, and within +-1000 (data/scaling.hpp), but need not be what the
// likelihood is for: a density says something finite of everything else as well. autodiff/scope.hpp says
// where operations are, distributions/special.hpp has log_gamma and digamma, and what is nowhere is a rule of
// your own (autodiff/rule.hpp): tests/extension/negative_binomial.hpp has them for a density and its draws.

namespace untoward UNTOWARD_SETTING {

/// The range of a decoder's log-variance (in scaled units), in value and gradient alike: columns with point
/// masses would make an unbounded density otherwise. A logarithm of a scale has half of it, [-3, 2].
inline constexpr double decoder_log_variance_low = -6;
inline constexpr double decoder_log_variance_high = 4;

/// The dense layer from a decoder's output to one number for every element of a sample: as many outputs as
/// the sample has channels, at every position. The decoder's output has the sample's positions.
template <class Sample>
struct Head {
    [[no_unique_address]] Sample sample;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        constexpr Index Channels = Sample::template static_extent<0>;
        const Vec<Channels> channels(sample.channels());
        using Decoded = typename X::SampleShape;
        using Result = decltype(detail::with_channels(channels, x.shape()));
        if constexpr (detail::may_be_same<Result, Sample>) {
            UNTOWARD_ASSERT(x.shape().positions() == sample.positions(),
                            "untoward: the decoder ends at other positions than the sample has");
            if constexpr (std::is_same_v<Result, Sample> || !Sample::is_static) {
                return Dense<Channels>(channels)(scope, x);
            } else {
                const auto y = Dense<Channels>(channels)(scope, x);
                return reshape(scope, y, sample);  // what a decoder of run-time sizes ends at
            }
        } else {
            static_cast<void>(detail::Refuse<mistake::DecoderDoesNotFitSample<Decoded, Sample>>::value);
            return scope.constant(sample, x.batch(), 0);
        }
    }
};
template <class Sample>
constexpr Head<Sample> head_for(const Sample& sample) {
    return {sample};
}

/// What likelihoods have in common whose layer returns a distribution.
struct DistributionLikelihood {
    static constexpr bool has_variance = true;
    static constexpr DataKind data = DataKind::any;

    template <class Scope, class X, class Output>
    constexpr auto log_density(Scope& scope, const X& x, const Output& output) const {
        return output.log_density(scope, x);
    }
    template <class Scope, class Output>
    constexpr auto expectation(Scope& scope, const Output& output) const {
        return output.expectation(scope);
    }
    template <class Scope, class Output>
    constexpr auto sample(Scope& scope, const Output& output) const {
        return output.sample(scope);
    }
};

namespace detail {

template <class Likelihood>
constexpr DataKind data_kind_of() {
    if constexpr (requires { Likelihood::data; }) {
        return Likelihood::data;
    } else {
        return DataKind::any;
    }
}

// A scaler that says nothing of what it keeps is one that moves and stretches.
template <class Scaler>
constexpr bool scaler_keeps(DataKind kind) {
    if constexpr (requires { Scaler::keeps(kind); }) {
        return Scaler::keeps(kind);
    } else {
        return kind == DataKind::any;
    }
}

// The template arguments name the two in a compiler's first notes.
template <class Likelihood, class Scaler>
constexpr void require_scaler_for_likelihood() {
    constexpr DataKind kind = data_kind_of<Likelihood>();
    constexpr bool kept = scaler_keeps<Scaler>(kind);
    static_assert(kind != DataKind::unit || kept,
                  "untoward: this likelihood is for values in [0, 1]: use UnitScaler or IdentityScaler");
    static_assert(kind != DataKind::one_hot || kept,
                  "untoward: this likelihood is for one-hot channels: use IdentityScaler");
    static_assert(kind != DataKind::counts || kept,
                  "untoward: this likelihood is for counts: use IdentityScaler");
}

}  // namespace detail

}  // namespace untoward
