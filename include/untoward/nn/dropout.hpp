// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rule.hpp"
#include "../core/options.hpp"

namespace untoward UNTOWARD_SETTING {

/// x / (1 - rate) where noise, uniform on (0, 1), is at least `rate`, and 0 elsewhere.
struct DropoutRule {
    double rate;

    constexpr auto shape(const auto& x, const auto& noise) const { return broadcast<DropoutRule>(x, noise); }
    void forward(auto y, auto x, auto noise) const { assign(y, keep(x), x, noise); }
    void backward(auto dy, auto, auto x, auto noise, auto dx, auto) const { dx.add(keep(x), dy, noise); }

private:
    template <class X>
    auto keep(const X&) const {
        using S = typename X::Scalar;
        return [limit = static_cast<S>(rate), factor = static_cast<S>(1 / (1 - rate))](auto a, auto u) {
            return u >= limit ? a * factor : 0;
        };
    }
};

/// In training sets each element to zero with probability `rate` and scales the others by 1 / (1 - rate);
/// elsewhere does nothing. (Srivastava et al. 2014.) The noise follows the sample's id, not its place in a
/// batch.
///
/// With `monte_carlo` it stays on when scoring, so that several draws tell how sure the model is (Gal and
/// Ghahramani 2016). A draw is `Pass::epoch`, and its noise depends on the seed, the draw and the place in
/// the model: the same draw gives the same score, and every sample meets the same units left out. Within one
/// pass each call of a bound layer draws anew: each of a score's draws goes through another decoder.
///
///     Chain<Dense<64, Relu>, Dropout, Dense<32>>{{}, Dropout{.rate = 0.1, .monte_carlo = true}, {}}
struct Dropout {
    double rate = 0.5;         ///< in [0, 1)
    bool monte_carlo = false;  ///< on in scoring too

    static constexpr const char* name = "dropout";
    static constexpr void options(auto& self, auto&& visit) {
        visit("rate", self.rate, from_below(0, 1));
        visit("monte_carlo", self.monte_carlo);
    }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        using Result = decltype(scope.apply(DropoutRule{rate}, x, x));
        if (!scope.training() && !monte_carlo) return Result(x);
        require_options(*this);
        const auto noise = scope.uniform(x.shape(), x.batch());
        return Result(scope.apply(DropoutRule{rate}, x, noise));
    }
};

}  // namespace untoward
