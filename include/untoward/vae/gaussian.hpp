// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/elementwise.hpp"
#include "../distributions/normal.hpp"
#include "../nn/dense.hpp"

// Likelihoods: what the decoder's last layer says about the data. The likelihood makes that layer, so nobody
// can put an activation where none belongs. A likelihood is a plain struct with
//
//     layer(sample_shape)                        the layer from the decoder's output to the distribution
//     log_density(scope, x, distribution)        of every element
//     expectation(distribution)                  E[x | z], in the data's shape
//     static constexpr bool has_variance         whether it can give a reconstruction probability

namespace untoward {

/// The range of a decoder's log-variance (in scaled units), in value and gradient alike: columns with point
/// masses would make an unbounded density otherwise.
inline constexpr double decoder_log_variance_low = -6;
inline constexpr double decoder_log_variance_high = 4;

/// A normal distribution over the data: mean D x batch, log-variance D x 1 or D x batch.
template <class Mean, class LogVariance>
struct NormalOutput {
    Mean mean;
    LogVariance log_variance;
};

namespace detail {

template <class Sample, class Variance>
struct GaussianHead {
    [[no_unique_address]] Sample sample;
    [[no_unique_address]] Variance variance;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const Vec<Sample::template static_extent<0>> channels(sample.channels());
        const auto mean = scope.call("mean", Dense<Sample::template static_extent<0>>(channels), x);
        const auto log_variance = variance(scope, sample);
        return NormalOutput<std::remove_const_t<decltype(mean)>, std::remove_const_t<decltype(log_variance)>>{
            mean, log_variance};
    }
};

struct LearnedVariance {
    template <class Scope, class Sample>
    constexpr auto operator()(Scope& scope, const Sample& sample) const {
        const auto raw = scope.parameter("log_variance", sample, Constant{0}, Attributes{.decay = false});
        return clamp(scope, raw, decoder_log_variance_low, decoder_log_variance_high);
    }
};

struct GivenVariance {
    double log_variance;
    template <class Scope, class Sample>
    constexpr auto operator()(Scope& scope, const Sample& sample) const {
        return scope.constant(sample, 1, log_variance);
    }
};

struct GaussianBase {
    static constexpr bool has_variance = true;

    template <class Scope, class X, class Output>
    constexpr auto log_density(Scope& scope, const X& x, const Output& output) const {
        return normal_log_density(scope, x, output.mean, output.log_variance);
    }
    template <class Output>
    constexpr const auto& expectation(const Output& output) const {
        return output.mean;
    }
};

}  // namespace detail

/// A normal likelihood whose variance is learned, one per feature and the same for every sample. Parameters
/// `mean.weight`, `mean.bias` and `log_variance`, which is kept in [-6, 4].
struct Gaussian : detail::GaussianBase {
    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::GaussianHead<Sample, detail::LearnedVariance>{sample, {}};
    }
};

/// A normal likelihood of one given variance, in scaled units: squared error, with its constants.
struct FixedGaussian : detail::GaussianBase {
    double log_variance;

    constexpr explicit FixedGaussian(double log_of_variance = 0) : log_variance(log_of_variance) {}

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::GaussianHead<Sample, detail::GivenVariance>{sample, {log_variance}};
    }
};

}  // namespace untoward
