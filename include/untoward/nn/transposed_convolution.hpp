// SPDX-License-Identifier: MIT
#pragma once

#include "convolution.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

constexpr Index transposed_steps(Index steps, Index kernel, Index stride, Index padding, Index output_padding,
                                 Index dilation) {
    return (steps - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1;
}

}  // namespace detail

/// The transposed convolution over time, which makes a sequence longer: `Seq<C, T>` to Out channels at
/// (T - 1) Stride - 2 Padding + Dilation (Kernel - 1) + OutputPadding + 1 steps. Each step adds its kernel to
/// the result at Stride times its place, Padding steps are cut off at both ends, and OutputPadding steps are
/// more at the end, to tell apart the inputs that a `Convolution1d` of the same numbers makes equally long.
/// PyTorch's ConvTranspose1d, with its first values; the weight is stored as (Kernel, Out, in).
///
///     TransposedConvolution1d<16, 4, 2, 1>{}    // 16 channels, kernel 4, stride 2, padding 1: 2 T steps
template <Index Out = Dynamic, Index Kernel = Dynamic, Index Stride = 1, Index Padding = 0,
          Index OutputPadding = 0, Index Dilation = 1>
struct TransposedConvolution1d {
    [[no_unique_address]] Vec<Out> outputs{};
    [[no_unique_address]] Vec<Kernel> kernel{};
    [[no_unique_address]] Vec<Stride> stride{};
    [[no_unique_address]] Vec<Padding> padding{};
    [[no_unique_address]] Vec<OutputPadding> output_padding{};
    [[no_unique_address]] Vec<Dilation> dilation{};

    static constexpr const char* name = "transposed-convolution1d";
    static constexpr void options(auto& self, auto&& visit) {
        visit("outputs", self.outputs);
        visit("kernel", self.kernel);
        visit("stride", self.stride);
        visit("padding", self.padding, at_least(0));
        visit("output_padding", self.output_padding, at_least(0));
        visit("dilation", self.dilation);
    }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<TransposedConvolution1d>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index T = X::SampleShape::template static_extent<1>;
        constexpr bool known = T != Dynamic && Kernel != Dynamic && Stride != Dynamic && Padding != Dynamic &&
                               OutputPadding != Dynamic && Dilation != Dynamic;
        constexpr Index Steps =
            known ? detail::transposed_steps(T, Kernel, Stride, Padding, OutputPadding, Dilation) : Dynamic;
        static_assert(!known || Steps >= 1, "untoward: a TransposedConvolution1d's padding leaves no step");
        static_assert(
            Stride == Dynamic || OutputPadding == Dynamic || Dilation == Dynamic || OutputPadding < Stride ||
                OutputPadding < Dilation,
            "untoward: a TransposedConvolution1d's output padding is less than its stride or dilation");
        UNTOWARD_ASSERT(
            output_padding.size() < stride.size() || output_padding.size() < dilation.size(),
            "untoward: a TransposedConvolution1d's output padding is less than its stride or dilation");
        const Index count = detail::transposed_steps(x.shape().positions(), kernel.size(), stride.size(),
                                                     padding.size(), output_padding.size(), dilation.size());
        UNTOWARD_ASSERT(count >= 1, "untoward: a TransposedConvolution1d's padding leaves no step");
        return detail::convolve(
            scope, x, outputs, kernel, outputs.size() * kernel.size(),
            Convolve<Steps, true>{stride.size(), dilation.size(), padding.size(), Vec<Steps>(count)});
    }
};

}  // namespace untoward
