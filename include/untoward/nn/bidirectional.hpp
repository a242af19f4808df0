// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/layout.hpp"
#include "../autodiff/rules/rows.hpp"
#include "../autodiff/scope.hpp"

namespace untoward UNTOWARD_SETTING {

/// A layer over time in both directions (Schuster and Paliwal 1997): `Seq<C, T>` to the channels of the layer
/// on the sequence as it is, and below them those of a second layer that reads it from the end, each at its
/// own time. The two have parameters of their own, named `forward...` and `backward...`; PyTorch's
/// `bidirectional=True` calls them ..._l0 and ..._l0_reverse.
///
///     Chain<Bidirectional<Lstm<32>>, LastStates>{}
///     Bidirectional{Gru<>{units}}
template <class Layer>
struct Bidirectional {
    [[no_unique_address]] Layer layer{};

    constexpr Bidirectional() = default;
    constexpr explicit Bidirectional(const Layer& both) : layer(both) {}

    static constexpr const char* name = "bidirectional";
    static constexpr void options(auto& self, auto&& visit) { visit("layer", self.layer); }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<Bidirectional>(scope, input);
        const auto onward = scope.call("forward", layer, x);
        const auto reversed = reverse(scope, x);
        const auto from_end = scope.call("backward", layer, reversed);
        const auto in_time = reverse(scope, from_end);
        return concatenate(scope, onward, in_time);
    }
};

}  // namespace untoward
