// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "../autodiff/rules/elementwise.hpp"
#include "distribution.hpp"
#include "special.hpp"
#include "support.hpp"

// The Poisson distribution of counts, by the logarithm l of its rate.

namespace untoward UNTOWARD_SETTING {

/// x l - e^l - log Gamma(x + 1), element by element. Below 0 it is that of 0 less 50 times the square of the
/// distance.
struct PoissonLogDensity {
    constexpr auto shape(const auto& x, const auto& log_rate) const {
        return broadcast<PoissonLogDensity>(x, log_rate);
    }
    void forward(auto y, auto x, auto log_rate) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](auto a, auto l) {
                const auto kept = at_least_zero(a);
                return kept * l - math::exp(l) - detail::log_gamma_of(kept + 1) -
                       S(0.5 * detail::outside_curvature) * math::square(a - kept);
            },
            x, log_rate);
    }
    void backward(auto dy, auto, auto x, auto log_rate, auto dx, auto dlog_rate) const {
        using S = typename decltype(x)::Scalar;
        dx.add(
            [](auto d, auto a, auto l) {
                return d * (a < 0 ? -S(detail::outside_curvature) * a : l - detail::digamma_of(a + 1));
            },
            dy, x, log_rate);
        dlog_rate.add([](auto d, auto a, auto l) { return d * (at_least_zero(a) - math::exp(l)); }, dy, x,
                      log_rate);
    }

private:
    static auto at_least_zero(auto x) { return x < 0 ? 0 : x; }
};

/// KL(Poisson(e^l) || Poisson(e^k)), element by element: e^l (l - k) - e^l + e^k
struct PoissonKl {
    constexpr auto shape(const auto& l, const auto& k) const { return broadcast<PoissonKl>(l, k); }
    void forward(auto y, auto l, auto k) const {
        // e^l ((l - k) + (e^(k - l) - 1)): the rates need not be near each other for it to be exact.
        assign(
            y, [](auto a, auto b) { return math::exp(a) * ((a - b) + math::expm1(b - a)); }, l, k);
    }
    void backward(auto dy, auto, auto l, auto k, auto dl, auto dk) const {
        dl.add([](auto d, auto a, auto b) { return d * math::exp(a) * (a - b); }, dy, l, k);
        dk.add([](auto d, auto a, auto b) { return d * (math::exp(b) - math::exp(a)); }, dy, l, k);
    }
};

/// A count of uniform noise: the probabilities of the mode and of its neighbours, the nearer first, are added
/// up until they reach u. Rates up to `largest_rate` (beyond it, that one), so the search is over after
/// 12 standard deviations on each side. No gradient.
struct PoissonDraw {
    static constexpr double largest_rate = 1e6;

    constexpr auto shape(const auto& noise, const auto& log_rate) const {
        return broadcast<PoissonDraw>(noise, log_rate);
    }
    void forward(auto y, auto noise, auto log_rate) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](auto u, auto l) {
                return static_cast<S>(count_at(static_cast<double>(u), static_cast<double>(l)));
            },
            noise, log_rate);
    }
    void backward(auto, auto, auto, auto, auto, auto) const {}

private:
    static double count_at(double u, double log_rate) {
        if (!(log_rate == log_rate)) return log_rate;  // NaN stays
        const double rate = (std::min)(std::exp(log_rate), largest_rate);
        const double mode = std::floor(rate);
        const auto most = static_cast<Index>(12 * std::sqrt(rate) + 40);
        double above = rate > 0 ? std::exp(mode * std::log(rate) - rate - detail::log_gamma(mode + 1)) : 1;
        double below = above;
        double reached = above;
        if (u < reached) return mode;
        for (Index i = 1; i <= most; ++i) {
            const auto distance = static_cast<double>(i);
            above *= rate / (mode + distance);
            reached += above;
            if (u < reached) return mode + distance;
            if (mode < distance) continue;
            below *= (mode - distance + 1) / rate;
            reached += below;
            if (u < reached) return mode - distance;
        }
        return mode;  // rounding at the end of the sum
    }
};

namespace distributions {

/// Independent counts of the rates exp(log_rate). The density is of every element; draws have no gradient.
///
///     distributions::Poisson p{log_rate};
template <class LogRate>
struct Poisson {
    LogRate log_rate;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        return scope.apply(PoissonLogDensity{}, x, log_rate);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto noise = scope.uniform(log_rate.shape(), log_rate.batch());
        return scope.apply(PoissonDraw{}, noise, log_rate);
    }
    /// The rate.
    template <class Scope>
    constexpr auto expectation(Scope& scope) const {
        return exp(scope, log_rate);
    }
    /// KL to another, of every element.
    template <class Scope, class L>
    constexpr auto kl(Scope& scope, const Poisson<L>& p) const {
        return scope.apply(PoissonKl{}, log_rate, p.log_rate);
    }
};

template <class LogRate>
Poisson(const LogRate&) -> Poisson<LogRate>;

}  // namespace distributions

}  // namespace untoward
