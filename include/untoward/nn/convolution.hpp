// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"

namespace untoward {

/// y[t] = b + sum over k of W[k] x[t - (K - 1 - k) dilation], with zeros before the first step. W is
/// Shape<in, K, out>: K matrices of out x in, the last one for the present.
struct CausalConvolution {
    Index dilation = 1;

    template <Index C, Index T, Index In, Index K, Index Out, Index Bias>
    constexpr auto shape(const Shape<C, T>& x, const Shape<In, K, Out>& weight,
                         const Shape<Bias>& bias) const {
        detail::require_same_extent<In, C>(weight.template extent<0>(), x.template extent<0>());
        detail::require_same_extent<Out, Bias>(weight.template extent<2>(), bias.template extent<0>());
        UNTOWARD_ASSERT(dilation >= 1, "untoward: a dilation is at least one");
        return Shape<Out, T>(weight.template extent<2>(), x.template extent<1>());
    }
    static constexpr Index multiply_adds(const auto& x, const auto& weight, const auto&) {
        return weight.size() * x.positions();
    }
    constexpr Index batch(Index x, Index weight, Index bias) const {
        detail::require_one_for_all(weight);
        detail::require_one_for_all(bias);
        return x;
    }

    // K products on shifted views, per sample: no patch matrix, any dilation.
    void forward(auto y, auto x, auto weight, auto bias) const {
        using S = typename decltype(y)::Scalar;
        for (Index j = 0; j < y.batch(); ++j) {
            for (Index t = 0; t < y.shape().positions(); ++t)
                std::copy_n(bias.data(), bias.rows(), y.sample_columns(j).column(t));
            for_each_tap(x, weight, [&](const S* w, Index, Index shift, Index n) {
                product::forward<S>(y.sample_columns(j).middle(shift, n), w,
                                    product::Columns<const S>(x.sample_columns(j).middle(0, n)), true);
            });
        }
    }
    void backward(auto dy, auto, auto x, auto weight, auto, auto dx, auto dweight, auto dbias) const {
        using S = typename decltype(x)::Scalar;
        dbias.write([&](const auto& to, bool accumulate) {
            detail::sum_columns<S>(to.data(), dy.position_columns(), accumulate);
        });
        if (dweight) {
            const auto to = dweight.partial();
            for (Index j = 0; j < dy.batch(); ++j) {
                for_each_tap(x, weight, [&](const S* w, Index, Index shift, Index n) {
                    product::backward_weight<S>(
                        to.data() + (w - weight.data()),
                        product::Columns<const S>(dy.sample_columns(j).middle(shift, n)),
                        product::Columns<const S>(x.sample_columns(j).middle(0, n)), true);
                });
            }
        }
        if (dx) {
            const auto to = dx.partial();
            for (Index j = 0; j < dy.batch(); ++j) {
                for_each_tap(x, weight, [&](const S* w, Index, Index shift, Index n) {
                    product::backward_input<S>(
                        to.sample_columns(j).middle(0, n), w,
                        product::Columns<const S>(dy.sample_columns(j).middle(shift, n)), true);
                });
            }
        }
    }

private:
    // Calls f(tap's matrix, tap, how far it looks back, how many steps it reaches).
    template <class Function>
    void for_each_tap(const auto& x, const auto& weight, const Function& function) const {
        const Index steps = x.shape().template extent<1>();
        const Index taps = weight.shape().template extent<1>();
        const Index size = weight.shape().template extent<0>() * weight.shape().template extent<2>();
        for (Index k = 0; k < taps; ++k) {
            const Index shift = (taps - 1 - k) * dilation;
            if (shift < steps) function(weight.data() + k * size, k, shift, steps - shift);
        }
    }
};

/// A causal dilated convolution over time: `Seq<C, T>` to `Seq<Out, T>`; step t sees t, t - dilation, ...,
/// t - (Kernel - 1) dilation and zeros before the first step. PyTorch's Conv1d after a left padding of
/// (Kernel - 1) dilation; the weight is stored as (Kernel, Out, in).
///
///     CausalConvolution1d<16, 3>{.dilation = 4}
///     CausalConvolution1d<>{.dilation = 4, .outputs = Vec<>(16), .kernel = Vec<>(3)}    // sizes at run time
template <Index Out = Dynamic, Index Kernel = Dynamic>
struct CausalConvolution1d {
    Index dilation = 1;
    [[no_unique_address]] Vec<Out> outputs{};
    [[no_unique_address]] Vec<Kernel> kernel{};

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        static_assert(X::SampleShape::rank == 2, "untoward: this convolution's input is a sequence");
        constexpr Index In = X::SampleShape::template static_extent<0>;
        const Index in = x.shape().channels();
        const UniformFanIn initial{in * kernel.size()};
        const auto weight =
            scope.parameter("weight", Shape<In, Kernel, Out>(in, kernel.size(), outputs.size()), initial);
        const auto bias = scope.parameter("bias", outputs, initial, Attributes{.decay = false});
        return scope.apply(CausalConvolution{dilation}, x, weight, bias);
    }
};

}  // namespace untoward
