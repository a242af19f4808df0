// SPDX-License-Identifier: MIT
#pragma once

#include "distribution.hpp"
#include "support.hpp"

// The Laplace distribution, by its location m and the logarithm s of its scale: heavier tails than a normal,
// and the median in place of the mean. Its variance is 2 e^(2 s).

namespace untoward UNTOWARD_SETTING {

/// log Laplace(x; m, e^s), element by element: -|x - m| e^-s - s - log 2. The slope at x = m is 0.
struct LaplaceLogDensity {
    constexpr auto shape(const auto& x, const auto& location, const auto& log_scale) const {
        return broadcast<LaplaceLogDensity>(x, location, log_scale);
    }
    void forward(auto y, auto x, auto location, auto log_scale) const {
        using S = typename decltype(y)::Scalar;
        const S log_two = static_cast<S>(0.69314718055994530942);
        assign(
            y, [log_two](auto a, auto m, auto s) { return -math::abs(a - m) * math::exp(-s) - s - log_two; },
            x, location, log_scale);
    }
    void backward(auto dy, auto, auto x, auto location, auto log_scale, auto dx, auto dlocation,
                  auto dlog_scale) const {
        const auto toward = [](auto d, auto from, auto to, auto s) {
            return d * detail::sign(to - from) * math::exp(-s);
        };
        dx.add(toward, dy, x, location, log_scale);
        dlocation.add(toward, dy, location, x, log_scale);
        dlog_scale.add(
            [](auto d, auto a, auto m, auto s) { return d * (math::abs(a - m) * math::exp(-s) - 1); }, dy, x,
            location, log_scale);
    }
};

/// KL(Laplace(m, e^s) || Laplace(n, e^t)), element by element, with r = |m - n|:
///     t - s - 1 + (e^s exp(-r e^-s) + r) e^-t
struct LaplaceKl {
    constexpr auto shape(const auto& m, const auto& s, const auto& n, const auto& t) const {
        return broadcast<LaplaceKl>(m, s, n, t);
    }
    void forward(auto y, auto m, auto s, auto n, auto t) const {
        assign(
            y,
            [](auto a, auto b, auto c, auto d) {
                const auto r = math::abs(a - c);
                return d - b - 1 + math::exp(b - r * math::exp(-b) - d) + r * math::exp(-d);
            },
            m, s, n, t);
    }
    void backward(auto dy, auto, auto m, auto s, auto n, auto t, auto dm, auto ds, auto dn, auto dt) const {
        const auto apart = [](auto u, auto a, auto b, auto c, auto d) {
            return u * detail::sign(a - c) * (1 - math::exp(-math::abs(a - c) * math::exp(-b))) *
                   math::exp(-d);
        };
        dm.add(apart, dy, m, s, n, t);
        dn.add(apart, dy, n, s, m, t);
        ds.add(
            [](auto u, auto a, auto b, auto c, auto d) {
                const auto r = math::abs(a - c);
                return u * ((math::exp(b) + r) * math::exp(-r * math::exp(-b) - d) - 1);
            },
            dy, m, s, n, t);
        dt.add(
            [](auto u, auto a, auto b, auto c, auto d) {
                const auto r = math::abs(a - c);
                return u * (1 - math::exp(b - r * math::exp(-b) - d) - r * math::exp(-d));
            },
            dy, m, s, n, t);
    }
};

/// A standard Laplace number of uniform noise u, by inverse CDF: sign(u - 1/2) log(1 / (2 min(u, 1 - u))).
struct LaplaceNoise {
    constexpr auto shape(const auto& noise) const { return noise; }
    void forward(auto y, auto noise) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y, [](auto u) { return detail::sign(S(0.5) - u) * math::log(2 * nearer_end(u)); }, noise);
    }
    void backward(auto dy, auto, auto noise, auto dnoise) const {
        dnoise.add([](auto d, auto u) { return d / nearer_end(u); }, dy, noise);
    }

private:
    static auto nearer_end(auto u) { return u < 1 - u ? u : 1 - u; }
};

namespace distributions {

/// Independent Laplace distributions: location and log-scale have the shape of x or broadcast to it. The
/// density is of every element; draws are reparameterised, and have the location's shape.
///
///     distributions::Laplace p{location, log_scale};
template <class Location, class LogScale>
struct Laplace {
    Location location;
    LogScale log_scale;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        return scope.apply(LaplaceLogDensity{}, x, location, log_scale);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto uniform = scope.uniform(location.shape(), location.batch());
        const auto noise = scope.apply(LaplaceNoise{}, uniform);
        return scope.apply(detail::LocationScale{}, location, log_scale, noise);
    }
    template <class Scope>
    constexpr auto expectation(Scope&) const {
        return location;
    }
    /// KL to another, of every element.
    template <class Scope, class L, class LS>
    constexpr auto kl(Scope& scope, const Laplace<L, LS>& p) const {
        return scope.apply(LaplaceKl{}, location, log_scale, p.location, p.log_scale);
    }
};

template <class Location, class LogScale>
Laplace(const Location&, const LogScale&) -> Laplace<Location, LogScale>;

}  // namespace distributions

}  // namespace untoward
