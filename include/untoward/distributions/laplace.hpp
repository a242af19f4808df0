// SPDX-License-Identifier: MIT
#pragma once

#include "distribution.hpp"
#include "support.hpp"

// The Laplace distribution, by its location m and the logarithm s of its scale: heavier tails than a normal,
// and the median in place of the mean. Its variance is 2 e^(2 s).

namespace untoward {

/// log Laplace(x; m, e^s), element by element: -|x - m| e^-s - s - log 2. The slope at x = m is 0.
struct LaplaceLogDensity {
    constexpr auto shape(const auto& x, const auto& location, const auto& log_scale) const {
        return broadcast<LaplaceLogDensity>(x, location, log_scale);
    }
    void forward(auto y, auto x, auto location, auto log_scale) const {
        using S = typename decltype(y)::Scalar;
        const S log_two = static_cast<S>(0.69314718055994530942);
        assign(
            y,
            [log_two](const auto& a, const auto& m, const auto& s) {
                return -(a - m).abs() * (-s).exp() - s - log_two;
            },
            x, location, log_scale);
    }
    void backward(auto dy, auto, auto x, auto location, auto log_scale, auto dx, auto dlocation,
                  auto dlog_scale) const {
        using S = typename decltype(x)::Scalar;
        const auto toward = [](const auto& d, const auto& from, const auto& to, const auto& s) {
            return d * (to - from).sign() * (-s).exp();
        };
        dx.add(toward, dy, x, location, log_scale);
        dlocation.add(toward, dy, location, x, log_scale);
        dlog_scale.add([](const auto& d, const auto& a, const auto& m,
                          const auto& s) { return d * ((a - m).abs() * (-s).exp() - S(1)); },
                       dy, x, location, log_scale);
    }
};

/// KL(Laplace(m, e^s) || Laplace(n, e^t)), element by element, with r = |m - n|:
///     t - s - 1 + (e^s exp(-r e^-s) + r) e^-t
struct LaplaceKl {
    constexpr auto shape(const auto& m, const auto& s, const auto& n, const auto& t) const {
        return broadcast<LaplaceKl>(m, s, n, t);
    }
    void forward(auto y, auto m, auto s, auto n, auto t) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](const auto& a, const auto& b, const auto& c, const auto& d) {
                const auto r = (a - c).abs();
                return d - b - S(1) + (b - r * (-b).exp() - d).exp() + r * (-d).exp();
            },
            m, s, n, t);
    }
    void backward(auto dy, auto, auto m, auto s, auto n, auto t, auto dm, auto ds, auto dn, auto dt) const {
        using S = typename decltype(m)::Scalar;
        const auto apart = [](const auto& u, const auto& a, const auto& b, const auto& c, const auto& d) {
            return u * (a - c).sign() * (S(1) - (-(a - c).abs() * (-b).exp()).exp()) * (-d).exp();
        };
        dm.add(apart, dy, m, s, n, t);
        dn.add([apart](const auto& u, const auto& a, const auto& b, const auto& c,
                       const auto& d) { return -apart(u, a, b, c, d); },
               dy, m, s, n, t);
        ds.add(
            [](const auto& u, const auto& a, const auto& b, const auto& c, const auto& d) {
                const auto r = (a - c).abs();
                return u * ((b.exp() + r) * (-r * (-b).exp() - d).exp() - S(1));
            },
            dy, m, s, n, t);
        dt.add(
            [](const auto& u, const auto& a, const auto& b, const auto& c, const auto& d) {
                const auto r = (a - c).abs();
                return u * (S(1) - (b - r * (-b).exp() - d).exp() - r * (-d).exp());
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
            y, [](const auto& u) { return (S(0.5) - u).sign() * (S(2) * nearer_end(u)).log(); }, noise);
    }
    void backward(auto dy, auto, auto noise, auto dnoise) const {
        dnoise.add([](const auto& d, const auto& u) { return d / nearer_end(u); }, dy, noise);
    }

private:
    static auto nearer_end(const auto& u) {
        using S = typename std::remove_cvref_t<decltype(u)>::Scalar;
        return (u < S(0.5)).select(u, S(1) - u);
    }
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
