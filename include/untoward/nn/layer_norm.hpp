// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../core/options.hpp"

namespace untoward UNTOWARD_SETTING {

/// At every position, over its channels: y = gain (x - mean) / sqrt(variance + epsilon) + bias, with the
/// variance that divides by the number of channels. Gain and bias are Vec<channels>, the same for all
/// samples.
struct Standardise {
    double epsilon;

    template <Index C, Index... P, Index G, Index B>
    constexpr auto shape(const Shape<C, P...>& x, const Shape<G>& gain, const Shape<B>& bias) const {
        detail::require_same_extent<Standardise, C, G>(x.channels(), gain.size());
        detail::require_same_extent<Standardise, C, B>(x.channels(), bias.size());
        return x;
    }
    constexpr Index batch(Index x, Index gain, Index bias) const {
        detail::require_one_for_all(gain);
        detail::require_one_for_all(bias);
        return x;
    }
    // Mean and inverse deviation of every position.
    constexpr Index saved(Index batch, const auto& x, const auto&, const auto&) const {
        return 2 * x.positions() * batch;
    }

    template <class S>
    void forward(S* saved, auto y, auto x, auto gain, auto bias) const {
        const auto n = static_cast<S>(x.shape().channels());
        const auto g = gain.column(0);
        const auto b = bias.column(0);
        for_each_position(x, [&](Index j, Index t) {
            const auto from = channels_at<const S>(x, j, t);
            const S mean = detail::sum_of_elements(from) / n;
            // Of the differences, not of the squares: nothing cancels where the mean is large.
            const S inverse =
                1 / std::sqrt(detail::sum_of_elements((from - mean).square()) / n + static_cast<S>(epsilon));
            channels_at<S>(y, j, t) = (from - mean) * inverse * g + b;
            saved[0] = mean;
            saved[1] = inverse;
            saved += 2;
        });
    }
    template <class S>
    void backward(S* saved, auto dy, auto, auto x, auto gain, auto, auto dx, auto dgain, auto dbias) const {
        dbias.write([&](const auto& to, bool accumulate) {
            detail::sum_columns<S>(to.data(), dy.position_columns(), accumulate);
        });
        if (dgain) {
            auto to = dgain.partial().column(0);
            const S* of_position = saved;
            for_each_position(x, [&](Index j, Index t) {
                to += channels_at<S>(dy, j, t) * (channels_at<const S>(x, j, t) - of_position[0]) *
                      of_position[1];
                of_position += 2;
            });
        }
        // With u = (x - mean) inverse and d = gain dy: dx = inverse (d - mean(d) - u mean(d u)).
        dx.write([&](const auto& to, bool accumulate) {
            const auto n = static_cast<S>(x.shape().channels());
            const auto g = gain.column(0);
            const S* of_position = saved;
            for_each_position(x, [&](Index j, Index t) {
                const S mean = of_position[0];
                const S inverse = of_position[1];
                of_position += 2;
                const auto from = channels_at<const S>(x, j, t);
                const auto d = channels_at<S>(dy, j, t);
                const S mean_d = detail::sum_of_elements(d * g) / n;
                const S mean_du = detail::sum_of_elements(d * g * (from - mean)) * inverse / n;
                auto out = channels_at<S>(to, j, t);
                if (!accumulate) out.setZero();
                out += inverse * (d * g - mean_d - (from - mean) * (inverse * mean_du));
            });
        });
    }

private:
    template <class T>
    static auto channels_at(const auto& x, Index sample, Index position) {
        const Index n = x.shape().channels();
        using Map = std::conditional_t<std::is_const_v<T>, detail::ConstFlatMap<std::remove_const_t<T>>,
                                       detail::FlatMap<T>>;
        return Map(x.data() + sample * x.stride() + position * n, n);
    }
    template <class Function>
    static void for_each_position(const auto& x, const Function& function) {
        for (Index j = 0; j < x.batch(); ++j) {
            for (Index t = 0; t < x.shape().positions(); ++t) function(j, t);
        }
    }
};

/// Layer normalisation (Ba, Kiros and Hinton 2016): at every position the channels get mean 0 and variance 1,
/// then a gain and a bias of their own. PyTorch's LayerNorm over the channels. Parameters `weight` (the gain,
/// 1 at first) and `bias` (0 at first), one number per channel each.
///
///     Chain<Dense<64>, LayerNorm, Dense<32, Relu>>{}
struct LayerNorm {
    double epsilon = 1e-5;  ///< added to the variance; above 0

    static constexpr const char* name = "layer-norm";
    static constexpr void options(auto& self, auto&& visit) {
        visit("epsilon", self.epsilon, OptionRange{0, 1, true});
    }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        UNTOWARD_ASSERT(epsilon > 0, "untoward: the epsilon of a LayerNorm is above 0");
        const Vec<X::SampleShape::template static_extent<0>> channels(x.shape().channels());
        const Attributes no_decay{.decay = false};
        const auto gain = scope.parameter("weight", channels, Constant{1}, no_decay);
        const auto bias = scope.parameter("bias", channels, Constant{0}, no_decay);
        return scope.apply(Standardise{epsilon}, x, gain, bias);
    }
};

}  // namespace untoward
