// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../core/options.hpp"

namespace untoward UNTOWARD_SETTING {

/// activation(W x + b) with Out outputs, at every position of the input: PyTorch's Linear and an activation
/// (autodiff/rules/elementwise.hpp has them, and one of a user's own). Parameters `weight` (Out, in) and
/// `bias` (Out), both uniform on +-1/sqrt(in) at first.
///
///     Dense<64, Relu>{}              // 64 outputs
///     Dense<Dynamic, Relu>{units}    // as many as `units`
template <Index Out = Dynamic, class Activation = Identity>
struct Dense {
    [[no_unique_address]] Vec<Out> outputs{};

    static constexpr const char* name = "dense";
    static constexpr void options(auto& self, auto&& visit) {
        visit("outputs", self.outputs);
        visit("activation", as_argument<Activation>);
    }

    constexpr Dense() = default;
    constexpr explicit Dense(Index units) requires(Out == Dynamic) : outputs(units) {}
    constexpr explicit Dense(const Vec<Out>& shape) : outputs(shape) {}

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        constexpr Index In = X::SampleShape::template static_extent<0>;
        const Index in = x.shape().channels();
        const auto weight = scope.parameter("weight", Shape<In, Out>(in, outputs.size()), UniformFanIn{in});
        const auto bias = scope.parameter("bias", outputs, UniformFanIn{in}, Attributes{.decay = false});
        return affine<Activation>(scope, x, weight, bias);
    }
};

}  // namespace untoward
