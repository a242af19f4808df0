// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/scope.hpp"

namespace untoward UNTOWARD_SETTING {

/// A layer whose parameters stay as they are in training: neither gradient nor optimiser reaches them, while
/// gradients still pass through to what lies before it. Parameters have the names and places that the layer
/// itself gives them, so a saved model fits with and without. Use it as the child of another layer or in a
/// chain.
///
///     Vae<Vec<30>, Frozen<Encoder<Dense<64, Relu>>>, Latent<8>, Decoder<Dense<64, Relu>>, Gaussian>
template <class Layer>
struct Frozen {
    [[no_unique_address]] Layer layer{};

    constexpr Frozen() = default;
    constexpr explicit Frozen(const Layer& kept) : layer(kept) {}

    static constexpr const char* name = "frozen";
    static constexpr void options(auto& self, auto&& visit) { visit("layer", self.layer); }

    template <class Scope, class... X>
    constexpr auto operator()(Scope& scope, const X&... x) const {
        scope.freeze();
        return layer(scope, x...);
    }
};

}  // namespace untoward
