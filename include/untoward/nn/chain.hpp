// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>

#include "../autodiff/scope.hpp"

namespace untoward {

namespace detail {

template <std::size_t I, class Layers, class Scope, class X>
constexpr auto call_chain(const Layers& layers, Scope& scope, const X& x) {
    if constexpr (I == std::tuple_size_v<Layers>) {
        return x;
    } else {
        const auto y = scope.call(Name::index(static_cast<Index>(I)), std::get<I>(layers), x);
        return call_chain<I + 1>(layers, scope, y);
    }
}

}  // namespace detail

/// Layers one after the other; their names are their numbers: "0", "1", ...
///
///     Chain<Dense<64, Relu>, Dense<32, Relu>>{}
template <class... Layers>
struct Chain {
    [[no_unique_address]] std::tuple<Layers...> layers{};

    constexpr Chain() = default;
    constexpr Chain(const Layers&... all) requires(sizeof...(Layers) > 0) : layers(all...) {}

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return detail::call_chain<0>(layers, scope, x);
    }
};

template <class... Layers>
Chain(const Layers&...) -> Chain<Layers...>;

}  // namespace untoward
