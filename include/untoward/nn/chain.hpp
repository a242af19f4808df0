// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>

#include "../autodiff/scope.hpp"
#include "../core/options.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// Whether a layer has something better to do with the next one than to be called before it. What with_next makes of the two
// has the parameters of one of them, and says of which: 0 or 1.
template <std::size_t I, class Layers>
constexpr bool has_with_next() {
    if constexpr (I + 1 < std::tuple_size_v<Layers>) {
        return requires(const Layers& layers) {
            std::get<I>(layers).with_next(std::get<I + 1>(layers));
        };
    } else {
        return false;
    }
}

template <std::size_t I, class Layers, class Scope, class X>
constexpr auto call_chain(const Layers& layers, Scope& scope, const X& x) {
    if constexpr (I == std::tuple_size_v<Layers>) {
        return x;
    } else if constexpr (has_with_next<I, Layers>()) {
        const auto both = std::get<I>(layers).with_next(std::get<I + 1>(layers));
        const auto y = scope.call(Name::index(static_cast<Index>(I) + both.has_parameters_of), both, x);
        return call_chain<I + 2>(layers, scope, y);
    } else {
        const auto y = scope.call(Name::index(static_cast<Index>(I)), std::get<I>(layers), x);
        return call_chain<I + 1>(layers, scope, y);
    }
}

}  // namespace detail

/// Layers one after the other; their names are their numbers: "0", "1", ...
///
///     Chain<Dense<64, Relu>, Dense<32, Relu>>{}
///
/// A layer that knows something better to do with the next one says so in `with_next(next)`: a recurrent layer in front of
/// `LastStep` computes no other output, and one behind `Repeat` multiplies its input once.
template <class... Layers>
struct Chain {
    [[no_unique_address]] std::tuple<Layers...> layers{};

    constexpr Chain() = default;
    constexpr Chain(const Layers&... all) requires(sizeof...(Layers) > 0) : layers(all...) {}

    constexpr void check_options() const {
        std::apply([](const auto&... layer) { (require_options(layer), ...); }, layers);
    }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return detail::call_chain<0>(layers, scope, x);
    }
};

template <class... Layers>
Chain(const Layers&...) -> Chain<Layers...>;

}  // namespace untoward
