// SPDX-License-Identifier: MIT
#pragma once

#include "../distributions/normal.hpp"
#include "likelihood.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Sample, class Variance>
struct GaussianHead {
    [[no_unique_address]] Sample sample;
    [[no_unique_address]] Variance variance;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto mean = scope.call("mean", head_for(sample), x);
        const auto log_variance = variance(scope, sample, x);
        return distributions::Normal{mean, log_variance};
    }
};

struct LearnedVariance {
    template <class Scope, class Sample, class X>
    constexpr auto operator()(Scope& scope, const Sample& sample, const X&) const {
        const auto raw = scope.parameter("log_variance", sample, Constant{0}, Attributes{.decay = false});
        return clamp(scope, raw, decoder_log_variance_low, decoder_log_variance_high);
    }
};

struct GivenVariance {
    double log_variance;
    template <class Scope, class Sample, class X>
    constexpr auto operator()(Scope& scope, const Sample&, const X&) const {
        return scope.constant(Vec<1>{}, 1, log_variance);
    }
};

struct DecodedVariance {
    template <class Scope, class Sample, class X>
    constexpr auto operator()(Scope& scope, const Sample& sample, const X& x) const {
        const auto raw = scope.call("log_variance", head_for(sample), x);
        return clamp(scope, raw, decoder_log_variance_low, decoder_log_variance_high);
    }
};

}  // namespace detail

/// A normal likelihood whose variance is learned, one per feature and the same for every sample. Parameters
/// `mean.weight`, `mean.bias` and `log_variance`, which is kept in [-6, 4].
///
///     Vae<Vec<30>, Encoder<Dense<64, Relu>>, Latent<8>, Decoder<Dense<64, Relu>>, Gaussian>
struct Gaussian : DistributionLikelihood {
    static constexpr const char* name = "gaussian";

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::GaussianHead<Sample, detail::LearnedVariance>{sample, {}};
    }
};

/// A normal likelihood whose variance the decoder says, for every element of every sample: it can be sure of
/// some and unsure of others. Parameters `mean.weight`, `mean.bias`, `log_variance.weight` and
/// `log_variance.bias`; the log-variance is kept in [-6, 4].
///
///     Vae<Vec<30>, Encoder<Dense<64, Relu>>, Latent<8>, Decoder<Dense<64, Relu>>, HeteroscedasticGaussian>
struct HeteroscedasticGaussian : DistributionLikelihood {
    static constexpr const char* name = "heteroscedastic-gaussian";

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::GaussianHead<Sample, detail::DecodedVariance>{sample, {}};
    }
};

/// A normal likelihood of one given variance, in scaled units: squared error, with its constants. Parameters
/// `mean.weight` and `mean.bias`. The `log_variance` of its output is one number for all.
struct FixedGaussian {
    double log_variance = 0;

    static constexpr bool has_variance = true;
    static constexpr DataKind data = DataKind::any;
    static constexpr const char* name = "fixed-gaussian";
    static constexpr void options(auto& self, auto&& visit) {
        visit("log_variance", self.log_variance, OptionRange{-30, 30});
    }

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::GaussianHead<Sample, detail::GivenVariance>{sample, {log_variance}};
    }
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

}  // namespace untoward
