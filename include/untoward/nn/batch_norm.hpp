// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../core/options.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// 1 / sqrt(x), number by number: exact, where Eigen's packets approximate and processors differ.
auto inverse_root(const auto& x) {
    using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
    return x.unaryExpr([](S a) { return 1 / std::sqrt(a); });
}

// Per channel, y = gain (x - mean) / sqrt(variance + epsilon) + bias; what both rules of a BatchNorm share.
template <class Who, Index C, Index... P, Index... Others>
constexpr auto batch_norm_shape(const Shape<C, P...>& x, const Shape<Others>&... per_channel) {
    (require_same_extent<Who, C, Others>(x.channels(), per_channel.size()), ...);
    return x;
}

template <class S>
void normalise_channels(const auto& y, const auto& x, const auto& mean, const auto& inverse, const auto& gain,
                        const auto& bias) {
    for_each_position_block(
        [&](const product::Columns<S>& to, const product::Columns<const S>& from) {
            for (Index t = 0; t < to.cols; ++t) {
                FlatMap<S>(to.column(t), to.rows) =
                    (ConstFlatMap<S>(from.column(t), to.rows) - mean) * inverse * gain + bias;
            }
        },
        y, x);
}

// sum over all positions of all samples of f(dy, x), per channel.
template <class S, class Function>
void sum_of_channels(S* sum, bool accumulate, const Function& function, const auto& dy, const auto& x) {
    FlatMap<S> to(sum, x.shape().channels());
    if (!accumulate) to.setZero();
    for_each_position_block(
        [&](const product::Columns<const S>& d, const product::Columns<const S>& from) {
            for (Index t = 0; t < d.cols; ++t) {
                to += function(ConstFlatMap<S>(d.column(t), d.rows), ConstFlatMap<S>(from.column(t), d.rows));
            }
        },
        for_reading(dy), x);
}

}  // namespace detail

/// The normalisation of BatchNorm by the batch's own mean and variance over samples and positions; what goes
/// back to the running mean and variance is their difference from the batch's.
struct BatchStandardise {
    double epsilon;

    constexpr auto shape(const auto& x, const auto&... per_channel) const {
        return detail::batch_norm_shape<BatchStandardise>(x, per_channel...);
    }
    constexpr Index batch(Index x, auto... per_channel) const {
        (detail::require_one_for_all(per_channel), ...);
        return x;
    }
    // Mean, variance and inverse deviation of every channel, and room for two sums.
    constexpr Index saved(Index, const auto& x, const auto&...) const { return 5 * x.channels(); }

    template <class S>
    void forward(S* saved, auto y, auto x, auto gain, auto bias, auto, auto) const {
        const Index n = x.shape().channels();
        const S values = static_cast<S>(std::max<Index>(x.shape().positions() * x.batch(), 1));
        detail::FlatMap<S> mean(saved, n);
        detail::FlatMap<S> variance(saved + n, n);
        detail::FlatMap<S> inverse(saved + 2 * n, n);
        detail::sum_of_channels<S>(
            mean.data(), false, [](const auto&, const auto& a) { return a; }, x, x);
        mean /= values;
        detail::sum_of_channels<S>(
            variance.data(), false, [&](const auto&, const auto& a) { return (a - mean).square(); }, x, x);
        variance /= values;
        inverse = detail::inverse_root(variance + static_cast<S>(epsilon));
        detail::normalise_channels<S>(y, x, mean, inverse, gain.column(0), bias.column(0));
    }
    template <class S>
    void backward(S* saved, auto dy, auto, auto x, auto gain, auto, auto running_mean, auto running_variance,
                  auto dx, auto dgain, auto dbias, auto drunning_mean, auto drunning_variance) const {
        const Index n = x.shape().channels();
        const Index values = x.shape().positions() * x.batch();
        const detail::ConstFlatMap<S> mean(saved, n);
        const detail::ConstFlatMap<S> variance(saved + n, n);
        const detail::ConstFlatMap<S> inverse(saved + 2 * n, n);
        detail::FlatMap<S> sum_d(saved + 3 * n, n);
        detail::FlatMap<S> sum_du(saved + 4 * n, n);
        // With u = (x - mean) inverse: dbias = sum(dy), dgain = sum(dy u), and over all values
        // dx = gain inverse (dy - mean(dy) - u mean(dy u)).
        detail::sum_of_channels<S>(
            sum_d.data(), false, [](const auto& d, const auto&) { return d; }, dy, x);
        detail::sum_of_channels<S>(
            sum_du.data(), false, [&](const auto& d, const auto& a) { return d * (a - mean) * inverse; }, dy,
            x);
        const auto give = [](const auto& sink, const auto& value) {
            sink.write([&](const auto& to, bool accumulate) {
                if (!accumulate) to.flat().setZero();
                to.flat() += value;
            });
        };
        give(dbias, sum_d);
        give(dgain, sum_du);
        // Of no value there is no mean to learn from, and of one no variance.
        const auto learn = [&](const auto& sink, const auto& running, const auto& met, Index needed) {
            if (values >= needed) {
                give(sink, running - met);
            } else {
                give(sink, met.Constant(n, S(0)));
            }
        };
        const S unbiased = static_cast<S>(values) / static_cast<S>(std::max<Index>(values - 1, 1));
        learn(drunning_mean, running_mean.column(0), mean, 1);
        learn(drunning_variance, running_variance.column(0), unbiased * variance, 2);
        dx.write([&](const auto& to, bool accumulate) {
            const S share = S(1) / static_cast<S>(std::max<Index>(values, 1));
            const auto g = gain.column(0);
            for (Index j = 0; j < x.batch(); ++j) {
                const auto from = x.sample_columns(j);
                const auto d = dy.sample_columns(j);
                for (Index t = 0; t < d.cols; ++t) {
                    detail::FlatMap<S> out(to.sample_columns(j).column(t), n);
                    if (!accumulate) out.setZero();
                    out += g * inverse *
                           (detail::ConstFlatMap<S>(d.column(t), n) - share * sum_d -
                            (detail::ConstFlatMap<S>(from.column(t), n) - mean) * inverse * (share * sum_du));
                }
            }
        });
    }
};

/// The normalisation of BatchNorm by the running mean and variance, which do not change.
struct RunningStandardise {
    double epsilon;

    constexpr auto shape(const auto& x, const auto&... per_channel) const {
        return detail::batch_norm_shape<RunningStandardise>(x, per_channel...);
    }
    constexpr Index batch(Index x, auto... per_channel) const {
        (detail::require_one_for_all(per_channel), ...);
        return x;
    }
    constexpr Index saved(Index, const auto& x, const auto&...) const { return x.channels(); }

    template <class S>
    void forward(S* saved, auto y, auto x, auto gain, auto bias, auto mean, auto variance) const {
        detail::FlatMap<S> inverse(saved, x.shape().channels());
        inverse = detail::inverse_root(variance.column(0) + static_cast<S>(epsilon));
        detail::normalise_channels<S>(y, x, mean.column(0), inverse, gain.column(0), bias.column(0));
    }
    template <class S>
    void backward(S* saved, auto dy, auto, auto x, auto gain, auto, auto mean, auto, auto dx, auto dgain,
                  auto dbias, auto dmean, auto dvariance) const {
        const detail::ConstFlatMap<S> inverse(saved, x.shape().channels());
        dbias.write([&](const auto& to, bool accumulate) {
            detail::sum_columns<S>(to.data(), dy.position_columns(), accumulate);
        });
        dgain.write([&](const auto& to, bool accumulate) {
            const auto m = mean.column(0);
            detail::sum_of_channels<S>(
                to.data(), accumulate, [&](const auto& d, const auto& a) { return d * (a - m) * inverse; },
                dy, x);
        });
        // Nothing was learned of the two: their difference from what was met is zero.
        const auto nothing = [](const auto& to, bool accumulate) {
            if (!accumulate) to.flat().setZero();
        };
        dmean.write(nothing);
        dvariance.write(nothing);
        dx.write([&](const auto& to, bool accumulate) {
            const auto g = gain.column(0);
            for (Index j = 0; j < dy.batch(); ++j) {
                for (Index t = 0; t < dy.shape().positions(); ++t) {
                    detail::FlatMap<S> out(to.sample_columns(j).column(t), g.size());
                    if (!accumulate) out.setZero();
                    out += detail::ConstFlatMap<S>(dy.sample_columns(j).column(t), g.size()) * g * inverse;
                }
            }
        });
    }
};

/// Batch normalisation (Ioffe and Szegedy 2015): every channel gets mean 0 and variance 1 over the samples
/// and positions of a batch, then a gain and a bias of its own. PyTorch's BatchNorm1d.
///
/// Training normalises by the batch's mean and variance (divided by n, as PyTorch does); scoring by running
/// averages of them, where the variance is divided by n - 1. A sample's score therefore does not depend on
/// its batch. A batch of one value per channel normalises to the bias and leaves the running variance alone;
/// PyTorch refuses it.
///
/// Parameters, one number per channel each: `weight` (the gain, 1 at first), `bias` (0), and the running
/// averages `running_mean` (0) and `running_var` (1), which no optimiser touches: training moves them by a
/// share (PyTorch's momentum, 0.1) of their difference from the batch's. A frozen one still normalises by the
/// batch in training.
///
///     Chain<Dense<64>, BatchNorm, Dense<32, Relu>>{}
struct BatchNorm {
    double epsilon = 1e-5;  ///< added to the variance; above 0

    static constexpr const char* name = "batch-norm";
    static constexpr void options(auto& self, auto&& visit) {
        visit("epsilon", self.epsilon, OptionRange{0, 1, true});
    }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        UNTOWARD_ASSERT(epsilon > 0, "untoward: the epsilon of a BatchNorm is above 0");
        const Vec<X::SampleShape::template static_extent<0>> channels(x.shape().channels());
        const Attributes no_decay{.decay = false};
        const auto gain = scope.parameter("weight", channels, Constant{1}, no_decay);
        const auto bias = scope.parameter("bias", channels, Constant{0}, no_decay);
        const auto mean = scope.parameter("running_mean", channels, Constant{0}, running_average);
        const auto variance = scope.parameter("running_var", channels, Constant{1}, running_average);
        if (scope.training()) return scope.apply(BatchStandardise{epsilon}, x, gain, bias, mean, variance);
        return scope.apply(RunningStandardise{epsilon}, x, gain, bias, mean, variance);
    }
};

}  // namespace untoward
