// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../autodiff/scope.hpp"
#include "../core/options.hpp"

// Convolutions over time, and the transposed one that undoes their strides. As in PyTorch a "convolution" is a
// correlation. Their weights are Shape<in, K, out>, that is (K, out, in), where PyTorch has (out, in, K), or
// (in, out, K) for the transposed one.

namespace untoward UNTOWARD_SETTING {

namespace detail {

// What one tap of a kernel joins: steps [begin, begin + count) of the shorter sequence with the steps start,
// start + stride, ... of the longer one.
struct Tap {
    Index begin;
    Index count;
    Index start;
};

// Where step i of the shorter sequence meets step i stride + offset of the longer one.
constexpr Tap tap_at(Index offset, Index stride, Index shorter, Index longer) {
    const Index begin = offset >= 0 ? 0 : (stride - 1 - offset) / stride;
    const Index end = longer > offset ? (std::min)(shorter, (longer - 1 - offset) / stride + 1) : begin;
    return {begin, std::max<Index>(end - begin, 0), begin * stride + offset};
}

constexpr Index convolution_steps(Index steps, Index kernel, Index stride, Index padding, Index dilation) {
    return (steps + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

}  // namespace detail

/// A convolution, y[t] = b + sum over k of W[k] x[t stride + k dilation - padding], or the transposed one,
/// y = b and then y[t stride + k dilation - padding] += W[k] x[t]; x is zero outside. W is
/// Shape<in, K, out>: K matrices of out x in.
template <Index Steps, bool Transposed = false>
struct Convolve {
    Index stride;
    Index dilation;
    Index padding;  ///< before the first step; what lies behind the last one follows from `steps`
    [[no_unique_address]] Vec<Steps> steps;  ///< of the result

    template <Index C, Index T, Index In, Index K, Index Out, Index Bias>
    constexpr auto shape(const Shape<C, T>& x, const Shape<In, K, Out>& weight,
                         const Shape<Bias>& bias) const {
        detail::require_same_extent<Convolve, In, C>(weight.template extent<0>(), x.template extent<0>());
        detail::require_same_extent<Convolve, Out, Bias>(weight.template extent<2>(),
                                                         bias.template extent<0>());
        UNTOWARD_ASSERT(stride >= 1, "untoward: the stride of a convolution is at least one");
        UNTOWARD_ASSERT(dilation >= 1, "untoward: a dilation is at least one");
        UNTOWARD_ASSERT(padding >= 0, "untoward: the padding of a convolution is not negative");
        return Shape<Out, Steps>(weight.template extent<2>(), steps.size());
    }
    constexpr Index multiply_adds(const auto& x, const auto& weight, const auto&) const {
        return weight.size() * (Transposed ? x.positions() : steps.size());
    }
    constexpr Index batch(Index x, Index weight, Index bias) const {
        detail::require_one_for_all(weight);
        detail::require_one_for_all(bias);
        return x;
    }

    // K products on shifted views, per sample: no patch matrix, any stride and dilation.
    void forward(auto y, auto x, auto weight, auto bias) const {
        using S = typename decltype(y)::Scalar;
        for (Index j = 0; j < y.batch(); ++j) {
            const auto to = y.sample_columns(j);
            for (Index t = 0; t < to.cols; ++t) std::copy_n(bias.data(), bias.rows(), to.column(t));
            for_each_tap(to.cols, x.shape().positions(), weight, [&](const S* w, const detail::Tap& tap) {
                product::forward<S>(of_output(to, tap), w,
                                    product::Columns<const S>(of_input(x.sample_columns(j), tap)), true);
            });
        }
    }
    void backward(auto dy, auto, auto x, auto weight, auto, auto dx, auto dweight, auto dbias) const {
        using S = typename decltype(x)::Scalar;
        dbias.write([&](const auto& to, bool accumulate) {
            detail::sum_columns<S>(to.data(), dy.position_columns(), accumulate);
        });
        const auto for_each_product = [&](const auto& function) {
            for (Index j = 0; j < dy.batch(); ++j) {
                const product::Columns<const S> d = dy.sample_columns(j);
                for_each_tap(d.cols, x.shape().positions(), weight, [&](const S* w, const detail::Tap& tap) {
                    function(j, w, tap, of_output(d, tap));
                });
            }
        };
        if (dweight) {
            S* const to = dweight.partial().data();
            for_each_product([&](Index j, const S* w, const detail::Tap& tap, const auto& d) {
                product::backward_weight<S>(to + (w - weight.data()), d,
                                            product::Columns<const S>(of_input(x.sample_columns(j), tap)),
                                            true);
            });
        }
        if (dx) {
            const auto to = dx.partial();
            for_each_product([&](Index j, const S* w, const detail::Tap& tap, const auto& d) {
                product::backward_input<S>(of_input(to.sample_columns(j), tap), w, d, true);
            });
        }
    }

private:
    // Calls f(tap's matrix, what it joins) for every tap that meets a step.
    template <class Function>
    void for_each_tap(Index of_output, Index of_input, const auto& weight, const Function& function) const {
        const Index taps = weight.shape().template extent<1>();
        const Index size = weight.shape().template extent<0>() * weight.shape().template extent<2>();
        for (Index k = 0; k < taps; ++k) {
            const Index offset = k * dilation - padding;
            const detail::Tap tap = Transposed ? detail::tap_at(offset, stride, of_input, of_output)
                                               : detail::tap_at(offset, stride, of_output, of_input);
            if (tap.count > 0) function(weight.data() + k * size, tap);
        }
    }
    template <class T>
    product::Columns<T> of_output(const product::Columns<T>& y, const detail::Tap& tap) const {
        return Transposed ? longer(y, tap) : y.middle(tap.begin, tap.count);
    }
    template <class T>
    product::Columns<T> of_input(const product::Columns<T>& x, const detail::Tap& tap) const {
        return Transposed ? x.middle(tap.begin, tap.count) : longer(x, tap);
    }
    template <class T>
    product::Columns<T> longer(const product::Columns<T>& x, const detail::Tap& tap) const {
        return {x.column(tap.start), x.rows, tap.count, x.stride * stride};
    }
};

namespace detail {

// The parameters of a convolution, and the rule applied to them.
template <class Scope, class X, Index Out, Index Kernel, class Rule>
constexpr auto convolve(Scope& scope, const X& x, const Vec<Out>& outputs, const Vec<Kernel>& kernel,
                        Index fan_in, const Rule& rule) {
    constexpr Index In = X::SampleShape::template static_extent<0>;
    const UniformFanIn initial{fan_in};
    const auto weight = scope.parameter(
        "weight", Shape<In, Kernel, Out>(x.shape().channels(), kernel.size(), outputs.size()), initial);
    const auto bias = scope.parameter("bias", outputs, initial, Attributes{.decay = false});
    return scope.apply(rule, x, weight, bias);
}

}  // namespace detail

/// A causal dilated convolution over time: `Seq<C, T>` to `Seq<Out, T>`; step t sees t, t - dilation, ...,
/// t - (Kernel - 1) dilation and zeros before the first step. PyTorch's Conv1d after a left padding of
/// (Kernel - 1) dilation; the weight is stored as (Kernel, Out, in), the last matrix for the present.
///
///     CausalConvolution1d<16, 3>{.dilation = 4}
///     CausalConvolution1d<>{.dilation = 4, .outputs = Vec<>(16), .kernel = Vec<>(3)}    // sizes at run time
template <Index Out = Dynamic, Index Kernel = Dynamic>
struct CausalConvolution1d {
    Index dilation = 1;
    [[no_unique_address]] Vec<Out> outputs{};
    [[no_unique_address]] Vec<Kernel> kernel{};

    static constexpr const char* name = "causal-convolution1d";
    static constexpr void options(auto& self, auto&& visit) {
        visit("dilation", self.dilation, OptionRange{1, 1 << 20});
        visit("outputs", self.outputs);
        visit("kernel", self.kernel);
    }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<CausalConvolution1d>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index T = X::SampleShape::template static_extent<1>;
        const Index back = (kernel.size() - 1) * dilation;
        return detail::convolve(scope, x, outputs, kernel, x.shape().channels() * kernel.size(),
                                Convolve<T>{1, dilation, back, Vec<T>(x.shape().positions())});
    }
};

/// A convolution over time: `Seq<C, T>` to Out channels at
/// (T + 2 Padding - Dilation (Kernel - 1) - 1) / Stride + 1 steps, with Padding zeros before the first step and
/// after the last. PyTorch's Conv1d, with its first values; the weight is stored as (Kernel, Out, in).
///
///     Convolution1d<16, 4, 2, 1>{}    // 16 channels, kernel 4, stride 2, padding 1: half as many steps
///     Convolution1d<Dynamic, Dynamic, Dynamic, Dynamic>{
///         .outputs = Vec<>(16), .kernel = Vec<>(4), .stride = Vec<>(2), .padding = Vec<>(1)}
template <Index Out = Dynamic, Index Kernel = Dynamic, Index Stride = 1, Index Padding = 0,
          Index Dilation = 1>
struct Convolution1d {
    [[no_unique_address]] Vec<Out> outputs{};
    [[no_unique_address]] Vec<Kernel> kernel{};
    [[no_unique_address]] Vec<Stride> stride{};
    [[no_unique_address]] Vec<Padding> padding{};
    [[no_unique_address]] Vec<Dilation> dilation{};

    static constexpr const char* name = "convolution1d";
    static constexpr void options(auto& self, auto&& visit) {
        visit("outputs", self.outputs);
        visit("kernel", self.kernel);
        visit("stride", self.stride);
        visit("padding", self.padding, at_least(0));
        visit("dilation", self.dilation);
    }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<Convolution1d>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index T = X::SampleShape::template static_extent<1>;
        constexpr bool known = T != Dynamic && Kernel != Dynamic && Stride != Dynamic && Padding != Dynamic &&
                               Dilation != Dynamic;
        require_reach<known ? T + 2 * Padding : Dynamic, known ? Dilation*(Kernel - 1) + 1 : Dynamic>(
            x.shape().positions() + 2 * padding.size(), dilation.size() * (kernel.size() - 1) + 1);
        constexpr Index Steps =
            known ? detail::convolution_steps(T, Kernel, Stride == 0 ? 1 : Stride, Padding, Dilation)
                  : Dynamic;
        const Vec<Steps> steps(detail::convolution_steps(x.shape().positions(), kernel.size(), stride.size(),
                                                         padding.size(), dilation.size()));
        return detail::convolve(scope, x, outputs, kernel, x.shape().channels() * kernel.size(),
                                Convolve<Steps>{stride.size(), dilation.size(), padding.size(), steps});
    }

private:
    template <Index PaddedSteps, Index Reach>
    constexpr void require_reach(Index padded_steps, Index reach) const {
        if constexpr (PaddedSteps != Dynamic && PaddedSteps < Reach) {
            static_cast<void>(detail::Refuse<mistake::InputIsShorter<Convolution1d, mistake::Expected<Reach>,
                                                                     mistake::Found<PaddedSteps>>>::value);
        }
        static_assert(Stride >= 1 || Stride == Dynamic,
                      "untoward: the stride of a Convolution1d is at least one");
        UNTOWARD_ASSERT(stride.size() >= 1, "untoward: the stride of a Convolution1d is at least one");
        UNTOWARD_ASSERT(PaddedSteps != Dynamic || padded_steps >= reach,
                        "untoward: a Convolution1d's kernel fits into its padded input");
        static_cast<void>(padded_steps);
        static_cast<void>(reach);
    }
};

}  // namespace untoward
