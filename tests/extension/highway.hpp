// SPDX-License-Identifier: MIT
#pragma once

// A layer of a user's own: all of it is in this file, none of it in the library.

#include <type_traits>

#include <untoward/autodiff/initialiser.hpp>
#include <untoward/autodiff/rules/affine.hpp>
#include <untoward/autodiff/rules/arithmetic.hpp>
#include <untoward/core/options.hpp>

namespace extension {

using namespace untoward;

/// A highway around a layer that keeps its input's shape (Srivastava, Greff and Schmidhuber 2015): at every
/// position, and for every channel by itself, a learned gate between the layer and its input,
///
///     g = sigmoid(W x + b),    y = g layer(x) + (1 - g) x
///
/// Parameters `weight` (C, C), uniform on +-1/sqrt(C) at first, and `bias` (C), at first -1: most of x passes
/// until the layer has learned something. The layer's name is "layer".
///
///     Encoder<Dense<32, Relu>, Highway<Dense<32, Tanh>>, Highway<Dense<32, Tanh>>>
template <class Layer>
struct Highway {
    [[no_unique_address]] Layer layer{};

    static constexpr const char* name = "highway";
    static constexpr void options(auto& self, auto&& visit) { visit("layer", self.layer); }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        using Sample = typename X::SampleShape;
        constexpr Index C = Sample::template static_extent<0>;
        const Index channels = x.shape().channels();

        const auto changed = scope.call("layer", layer, x);
        require_same_shape(x.shape(), changed.shape());
        const auto weight =
            scope.parameter("weight", Shape<C, C>(channels, channels), UniformFanIn{channels});
        const auto bias = scope.parameter("bias", Vec<C>(channels), Constant{-1}, Attributes{.decay = false});
        const auto gate = affine<Sigmoid>(scope, x, weight, bias);

        const auto difference = subtract(scope, changed, x);
        const auto step = multiply(scope, gate, difference);
        return add(scope, x, step);
    }

private:
    // Operations broadcast an extent of one: without this, a layer of one output would do.
    template <class In, class Out>
    static constexpr void require_same_shape(const In& in, const Out& out) {
        static_assert(!In::is_static || !Out::is_static || std::is_same_v<In, Out>,
                      "Highway: the layer changes the shape of its input");
        UNTOWARD_ASSERT(in == out, "Highway: the layer changes the shape of its input");
        static_cast<void>(in);
        static_cast<void>(out);
    }
};

template <class Layer>
Highway(const Layer&) -> Highway<Layer>;

}  // namespace extension
