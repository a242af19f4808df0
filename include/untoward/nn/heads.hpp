// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>

#include "../autodiff/scope.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <std::size_t I, class Layers, class Scope, class X, class... Results>
constexpr auto call_heads(const Layers& layers, Scope& scope, const X& x, const Results&... results) {
    if constexpr (I == std::tuple_size_v<Layers>) {
        return std::tuple<Results...>{results...};
    } else {
        const auto y = scope.call(Name::index(static_cast<Index>(I)), std::get<I>(layers), x);
        return call_heads<I + 1>(layers, scope, x, results..., y);
    }
}

}  // namespace detail

/// One trunk for several layers: each head sees the trunk's result, which is computed once, and everything
/// is one parameter vector: `trunk...`, `0...`, `1...`. The result is the std::tuple of the heads' results,
/// and the trunk learns from all of them.
///
///     Heads<Chain<Dense<64, Relu>, Dense<16, Relu>>, Dense<30>, Dense<1, Sigmoid>>{}
///
/// Two models of more than one call share a trunk as easily, by a layer that binds it once and hands the
/// bound layer to both:
///
///     auto encoder = scope.child("encoder", encoder_layer, x.shape());
///     const auto code_of_x = encoder(x);
///     const auto a = scope.call("a", first, code_of_x);
///     const auto code_of_y = encoder(y);
///     const auto b = scope.call("b", second, code_of_y);
template <class Trunk, class... Layers>
struct Heads {
    [[no_unique_address]] Trunk trunk{};
    [[no_unique_address]] std::tuple<Layers...> layers{};

    constexpr Heads() = default;
    constexpr explicit Heads(const Trunk& shared, const Layers&... heads) : trunk(shared), layers(heads...) {}

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        static_assert(sizeof...(Layers) >= 1, "untoward: a trunk has at least one head");
        const auto shared = scope.call("trunk", trunk, x);
        if constexpr (sizeof...(Layers) >= 1) {
            return detail::call_heads<0>(layers, scope, shared);
        } else {
            return shared;
        }
    }
};

}  // namespace untoward
