// SPDX-License-Identifier: MIT
// The layer that autodiff/scope.hpp shows, word for word.
#include "support/property.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;

namespace {

template <class Layer>
struct ScaledResidual {  // x + factor * layer(x) (Touvron et al. 2021, "LayerScale")
    [[no_unique_address]] Layer layer{};
    double first = 0.1;  // what every factor is at first

    static constexpr const char* name = "scaled-residual";  // core/options.hpp
    static constexpr void options(auto& self, auto&& visit) {
        visit("layer", self.layer);
        visit("first", self.first);
    }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        constexpr Index C = X::SampleShape::template static_extent<0>;
        const Vec<C> channels(x.shape().channels());
        const auto y = scope.call("layer", layer, x);
        const auto factor = scope.parameter("factor", channels, Constant{first});
        const auto scaled = multiply(scope, factor, y);
        return add(scope, x, scaled);
    }
};

}  // namespace

TEST_CASE("the layer of the documentation keeps the library's promises") {
    property::check_properties(ScaledResidual<Dense<3, Tanh>>{}, {}, Vec<3>{});
}
