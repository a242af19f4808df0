// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/elementwise.hpp"
#include "distribution.hpp"
#include "support.hpp"

namespace untoward UNTOWARD_SETTING {

/// x log p + (1 - x) log(1 - p) with p = sigmoid(l), element by element and without overflow:
///     x l - max(l, 0) - log1p(exp(-|l|))
/// for x in [0, 1] (between 0 and 1 it is the negative cross-entropy, no density). Outside it is that of the
/// nearest edge less 50 times the square of the distance, so that 2 never looks more normal than 1.
struct BernoulliLogDensity {
    constexpr auto shape(const auto& x, const auto& logits) const {
        return broadcast<BernoulliLogDensity>(x, logits);
    }
    void forward(auto y, auto x, auto logits) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](auto a, auto l) {
                const auto inside = detail::kept_within(a, S(0), S(1));
                return l * inside - math::softplus(l) -
                       S(0.5 * detail::outside_curvature) * math::square(a - inside);
            },
            x, logits);
    }
    void backward(auto dy, auto, auto x, auto logits, auto dx, auto dlogits) const {
        using S = typename decltype(x)::Scalar;
        dx.add(
            [](auto d, auto a, auto l) {
                const auto inside = detail::kept_within(a, S(0), S(1));
                return d * ((a == inside ? l : 0) - S(detail::outside_curvature) * (a - inside));
            },
            dy, x, logits);
        dlogits.add([](auto d, auto a,
                       auto l) { return d * (detail::kept_within(a, S(0), S(1)) - math::sigmoid(l)); },
                    dy, x, logits);
    }
};

/// KL of two Bernoulli distributions by their logits, element by element, with p = sigmoid(l):
///     p (l - k) - log(1 + e^l) + log(1 + e^k)
struct BernoulliKl {
    constexpr auto shape(const auto& l, const auto& k) const { return broadcast<BernoulliKl>(l, k); }
    void forward(auto y, auto l, auto k) const {
        assign(
            y,
            [](auto a, auto b) { return math::sigmoid(a) * (a - b) - math::softplus(a) + math::softplus(b); },
            l, k);
    }
    void backward(auto dy, auto, auto l, auto k, auto dl, auto dk) const {
        dl.add([](auto d, auto a, auto b) { return d * math::sigmoid(a) * math::sigmoid(-a) * (a - b); }, dy,
               l, k);
        dk.add([](auto d, auto a, auto b) { return d * (math::sigmoid(b) - math::sigmoid(a)); }, dy, l, k);
    }
};

/// 1 where uniform noise is under sigmoid(logits), else 0. No gradient.
struct BernoulliDraw {
    constexpr auto shape(const auto& noise, const auto& logits) const {
        return broadcast<BernoulliDraw>(noise, logits);
    }
    void forward(auto y, auto noise, auto logits) const {
        assign(
            y,
            [](auto u, auto l) {
                const auto p = math::sigmoid(l);
                return u < p ? 1 : u >= p ? 0 : p;  // NaN stays one
            },
            noise, logits);
    }
    void backward(auto, auto, auto, auto, auto, auto) const {}
};

namespace distributions {

/// Independent zeros and ones with P(1) = sigmoid(logits). The density is of every element; draws have no
/// gradient.
///
///     distributions::Bernoulli p{logits};
template <class Logits>
struct Bernoulli {
    Logits logits;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        return scope.apply(BernoulliLogDensity{}, x, logits);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto noise = scope.uniform(logits.shape(), logits.batch());
        return scope.apply(BernoulliDraw{}, noise, logits);
    }
    /// P(1)
    template <class Scope>
    constexpr auto expectation(Scope& scope) const {
        return sigmoid(scope, logits);
    }
    /// KL to another, of every element.
    template <class Scope, class L>
    constexpr auto kl(Scope& scope, const Bernoulli<L>& p) const {
        return scope.apply(BernoulliKl{}, logits, p.logits);
    }
};

template <class Logits>
Bernoulli(const Logits&) -> Bernoulli<Logits>;

}  // namespace distributions

}  // namespace untoward
