// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/arithmetic.hpp"
#include "../autodiff/rules/elementwise.hpp"
#include "../autodiff/rules/layout.hpp"
#include "../core/options.hpp"
#include "convolution.hpp"
#include "dense.hpp"
#include "dropout.hpp"

namespace untoward UNTOWARD_SETTING {

/// A block of a temporal convolutional network (Bai, Kolter and Koltun 2018): `Seq<C, T>` to `Seq<Out, T>`,
/// two causal convolutions of one dilation, each with activation and dropout, then a residual:
///
///     y = activation(x + dropout(activation(conv2(dropout(activation(conv1(x)))))))
///
/// where x goes through a convolution of kernel one where its channels are not Out. Parameters `conv1...`,
/// `conv2...` and, for that, `downsample...`. Without the paper's weight normalisation. Blocks of dilation 1,
/// 2, 4, ... in a chain see 1 + 2 (Kernel - 1) (1 + 2 + 4 + ...) steps back.
///
///     Chain<TemporalBlock<16, 3>, TemporalBlock<16, 3>>{{.dilation = 1}, {.dilation = 2}}
template <Index Out = Dynamic, Index Kernel = Dynamic, class Activation = Relu>
struct TemporalBlock {
    Index dilation = 1;
    double dropout = 0;
    [[no_unique_address]] Vec<Out> outputs{};
    [[no_unique_address]] Vec<Kernel> kernel{};

    static constexpr const char* name = "temporal-block";
    static constexpr void options(auto& self, auto&& visit) {
        visit("outputs", self.outputs);
        visit("kernel", self.kernel);
        visit("activation", as_argument<Activation>);
        visit("dilation", self.dilation, OptionRange{1, 1 << 20});
        visit("dropout", self.dropout, from_below(0, 1));
    }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<TemporalBlock>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index In = X::SampleShape::template static_extent<0>;
        const CausalConvolution1d<Out, Kernel> convolution{dilation, outputs, kernel};
        const Dropout drop{dropout};
        const auto sums1 = scope.call("conv1", convolution, x);
        const auto active1 = scope.apply(Activate<Activation>{}, sums1);
        const auto dropped1 = scope.call("dropout1", drop, active1);
        const auto sums2 = scope.call("conv2", convolution, dropped1);
        const auto active2 = scope.apply(Activate<Activation>{}, sums2);
        const auto dropped2 = scope.call("dropout2", drop, active2);
        const auto with = [&](const auto& base) {
            const auto sum = add(scope, base, dropped2);
            return scope.apply(Activate<Activation>{}, sum);
        };
        constexpr bool same = In == Out && In != Dynamic;
        if constexpr (same) {
            return with(x);
        } else {
            if (x.shape().channels() == outputs.size()) {
                if constexpr (In == Out) {
                    return with(x);
                } else if constexpr (In == Dynamic || Out == Dynamic) {
                    // Both ways end in one type.
                    return with(reshape(scope, x, dropped2.shape()));
                }
            }
            return with(scope.call("downsample", Dense<Out>(outputs), x));
        }
    }
};

}  // namespace untoward
