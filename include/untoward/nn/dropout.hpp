// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rule.hpp"

namespace untoward {

/// x / (1 - rate) where noise, uniform on (0, 1), is at least `rate`, and 0 elsewhere.
struct DropoutRule {
    double rate;

    constexpr auto shape(const auto& x, const auto& noise) const { return broadcast(x, noise); }
    void forward(auto y, auto x, auto noise) const { assign(y, keep(x), x, noise); }
    void backward(auto dy, auto, auto x, auto noise, auto dx, auto) const { dx.add(keep(x), dy, noise); }

private:
    template <class X>
    auto keep(const X&) const {
        using S = typename X::Scalar;
        return [limit = static_cast<S>(rate), factor = static_cast<S>(1 / (1 - rate))](
                   const auto& a, const auto& u) { return (u >= limit).select(a * factor, S(0)); };
    }
};

/// In training sets each element to zero with probability `rate` and scales the others by 1 / (1 - rate);
/// elsewhere does nothing. (Srivastava et al. 2014.) The noise follows the sample's id, not its place in a
/// batch.
struct Dropout {
    double rate = 0.5;  ///< in [0, 1)

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        UNTOWARD_ASSERT(rate >= 0 && rate < 1, "untoward: a dropout rate is in [0, 1)");
        using Result = decltype(scope.apply(DropoutRule{rate}, x, x));
        if (!scope.training()) return Result(x);
        const auto noise = scope.uniform(x.shape(), x.batch());
        return Result(scope.apply(DropoutRule{rate}, x, noise));
    }
};

}  // namespace untoward
