// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/arithmetic.hpp"

namespace untoward UNTOWARD_SETTING {

/// x + layer(x); the layer's name is "layer".
///
///     Chain<Dense<32, Relu>, Residual<Dense<32, Relu>>, Residual<Chain<Dense<64, Relu>, Dense<32>>>>{}
template <class Layer>
struct Residual {
    [[no_unique_address]] Layer layer;

    static constexpr const char* name = "residual";
    static constexpr void options(auto& self, auto&& visit) { visit("layer", self.layer); }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto y = scope.call("layer", layer, x);
        using Y = typename std::remove_const_t<decltype(y)>::SampleShape;
        detail::require_same_shape<Residual>(x.shape(), y.shape());
        if constexpr (detail::may_be_same<typename X::SampleShape, Y>) {
            return add(scope, x, y);
        } else {
            return x;
        }
    }
};

template <class Layer>
Residual(const Layer&) -> Residual<Layer>;

}  // namespace untoward
