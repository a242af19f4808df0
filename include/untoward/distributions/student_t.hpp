// SPDX-License-Identifier: MIT
#pragma once

#include <numbers>

#include "distribution.hpp"
#include "special.hpp"
#include "support.hpp"

// Student's t distribution with v degrees of freedom, by its location m and the logarithm s of its scale: a
// normal distribution that expects wild values now and then. More than 2 degrees of freedom, so that it has a
// variance: e^(2 s) v / (v - 2).

namespace untoward {

/// log t(x; v, m, e^s), element by element, with r = (x - m) e^-s:
///     log Gamma((v + 1) / 2) - log Gamma(v / 2) - log(v pi) / 2 - s - (v + 1) / 2 log1p(r^2 / v)
/// with v given, or as a fourth value: one of every element, or what broadcasts to that.
struct StudentTLogDensity {
    double degrees_of_freedom = 0;  ///< not read where they are a value

    constexpr auto shape(const auto& x, const auto& location, const auto& log_scale) const {
        return broadcast<StudentTLogDensity>(x, location, log_scale);
    }
    constexpr auto shape(const auto& x, const auto& location, const auto& log_scale,
                         const auto& degrees) const {
        return broadcast<StudentTLogDensity>(shape(x, location, log_scale), degrees);
    }

    void forward(auto y, auto x, auto location, auto log_scale) const {
        using S = typename decltype(y)::Scalar;
        const S v = static_cast<S>(degrees_of_freedom);
        const S constant = static_cast<S>(log_normaliser(degrees_of_freedom));
        assign(
            y,
            [v, constant](const auto& a, const auto& m, const auto& s) {
                return constant + kernel(a, m, s, v);
            },
            x, location, log_scale);
    }
    void backward(auto dy, auto, auto x, auto location, auto log_scale, auto dx, auto dlocation,
                  auto dlog_scale) const {
        using S = typename decltype(x)::Scalar;
        const S v = static_cast<S>(degrees_of_freedom);
        const auto toward = [v](const auto& d, const auto& from, const auto& to, const auto& s) {
            return d * pull(from, to, s, v);
        };
        dx.add(toward, dy, x, location, log_scale);
        dlocation.add(toward, dy, location, x, log_scale);
        dlog_scale.add([v](const auto& d, const auto& a, const auto& m,
                           const auto& s) { return d * widening(a, m, s, v); },
                       dy, x, location, log_scale);
    }

    void forward(auto y, auto x, auto location, auto log_scale, auto degrees) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](const auto& a, const auto& m, const auto& s, const auto& v) {
                return v.unaryExpr([](S n) {
                    return static_cast<S>(log_normaliser(static_cast<double>(n)));
                }) + kernel(a, m, s, v);
            },
            x, location, log_scale, degrees);
    }
    void backward(auto dy, auto, auto x, auto location, auto log_scale, auto degrees, auto dx, auto dlocation,
                  auto dlog_scale, auto ddegrees) const {
        using S = typename decltype(x)::Scalar;
        const auto toward = [](const auto& d, const auto& from, const auto& to, const auto& s,
                               const auto& v) { return d * pull(from, to, s, v); };
        dx.add(toward, dy, x, location, log_scale, degrees);
        dlocation.add(toward, dy, location, x, log_scale, degrees);
        dlog_scale.add([](const auto& d, const auto& a, const auto& m, const auto& s,
                          const auto& v) { return d * widening(a, m, s, v); },
                       dy, x, location, log_scale, degrees);
        ddegrees.add(
            [](const auto& d, const auto& a, const auto& m, const auto& s, const auto& v) {
                const auto squares = ((a - m) * (-s).exp()).square();
                const auto of_constant = v.unaryExpr([](S n) {
                    const auto w = static_cast<double>(n);
                    return static_cast<S>(detail::digamma((w + 1) / 2) - detail::digamma(w / 2) - 1 / w);
                });
                return S(0.5) * d *
                       (of_constant - (squares / v).log1p() + (v + S(1)) * squares / (v * (v + squares)));
            },
            dy, x, location, log_scale, degrees);
    }

private:
    static double log_normaliser(double v) {
        return detail::log_gamma((v + 1) / 2) - detail::log_gamma(v / 2) -
               0.5 * std::log(v * std::numbers::pi);
    }
    // In these v is a number or an array.
    static auto kernel(const auto& a, const auto& m, const auto& s, const auto& v) {
        using S = typename std::remove_cvref_t<decltype(a)>::Scalar;
        return S(-0.5) * (v + S(1)) * (((a - m) * (-s).exp()).square() / v).log1p() - s;
    }
    // d/d from
    static auto pull(const auto& from, const auto& to, const auto& s, const auto& v) {
        using S = typename std::remove_cvref_t<decltype(from)>::Scalar;
        const auto r = (to - from) * (-s).exp();
        return (v + S(1)) * r * (-s).exp() / (v + r.square());
    }
    // d/ds
    static auto widening(const auto& a, const auto& m, const auto& s, const auto& v) {
        using S = typename std::remove_cvref_t<decltype(a)>::Scalar;
        const auto squares = ((a - m) * (-s).exp()).square();
        return (v + S(1)) * squares / (v + squares) - S(1);
    }
};

/// A standard t number of two uniforms by Bailey's polar method (Math. Comp. 62, 1994), the Box-Muller
/// transform of this distribution, exact for every v > 0 and smooth in it:
///     sqrt(v (u^(-2 / v) - 1)) cos(2 pi w)
/// with v given, or as a third value.
struct StudentTNoise {
    double degrees_of_freedom = 0;  ///< not read where they are a value

    constexpr auto shape(const auto& u, const auto& w) const { return broadcast<StudentTNoise>(u, w); }
    constexpr auto shape(const auto& u, const auto& w, const auto& degrees) const {
        return broadcast<StudentTNoise>(shape(u, w), degrees);
    }

    void forward(auto y, auto u, auto w) const {
        using S = typename decltype(y)::Scalar;
        const S v = static_cast<S>(degrees_of_freedom);
        assign(
            y, [v](const auto& a, const auto& b) { return radius(a, v) * (two_pi<S> * b).cos(); }, u, w);
    }
    void backward(auto dy, auto y, auto u, auto w, auto du, auto dw) const {
        using S = typename decltype(u)::Scalar;
        const S v = static_cast<S>(degrees_of_freedom);
        du.add([v](const auto& d, const auto& t, const auto& a) { return d * t * of_radius(a, v); }, dy, y,
               u);
        dw.add([v](const auto& d, const auto& a, const auto& b) { return d * of_angle(a, b, v); }, dy, u, w);
    }

    void forward(auto y, auto u, auto w, auto degrees) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](const auto& a, const auto& b, const auto& v) { return radius(a, v) * (two_pi<S> * b).cos(); },
            u, w, degrees);
    }
    void backward(auto dy, auto y, auto u, auto w, auto degrees, auto du, auto dw, auto ddegrees) const {
        using S = typename decltype(u)::Scalar;
        du.add([](const auto& d, const auto& t, const auto& a,
                  const auto& v) { return d * t * of_radius(a, v); },
               dy, y, u, degrees);
        dw.add(
            [](const auto& d, const auto& a, const auto& b, const auto& v) { return d * of_angle(a, b, v); },
            dy, u, w, degrees);
        // With g = v (e^k - 1), k = -2 log(u) / v: dg/dv = e^k - 1 - k e^k, and dy/dv = y dg/dv / (2 g).
        ddegrees.add(
            [](const auto& d, const auto& t, const auto& a, const auto& v) {
                const auto k = S(-2) * a.log() / v;
                return S(0.5) * d * t * (S(1) - k * k.exp() / k.expm1()) / v;
            },
            dy, y, u, degrees);
    }

private:
    template <class S>
    static constexpr S two_pi = static_cast<S>(2 * std::numbers::pi);

    // In these v is a number or an array.
    static auto radius(const auto& u, const auto& v) {
        using S = typename std::remove_cvref_t<decltype(u)>::Scalar;
        return (v * (S(-2) * u.log() / v).expm1()).unaryExpr([](S a) { return std::sqrt(a); });
    }
    // d/du log radius
    static auto of_radius(const auto& u, const auto& v) {
        using S = typename std::remove_cvref_t<decltype(u)>::Scalar;
        const auto k = S(-2) * u.log() / v;
        return -k.exp() / (u * v * k.expm1());
    }
    static auto of_angle(const auto& u, const auto& w, const auto& v) {
        using S = typename std::remove_cvref_t<decltype(u)>::Scalar;
        return -two_pi<S> * radius(u, v) * (two_pi<S> * w).sin();
    }
};

namespace distributions {

/// Independent t distributions: location, log-scale and degrees of freedom have the shape of x or broadcast
/// to it; the degrees are a number over 2, or a reader's value with elements over 2 (then learned). The
/// density is of every element; draws are reparameterised in all three, and have the location's shape. No KL
/// in closed form.
///
///     distributions::StudentT p{location, log_scale, 4.0};
///     distributions::StudentT q{location, log_scale, degrees_of_freedom};
template <class Location, class LogScale, class Degrees = double>
struct StudentT {
    Location location;
    LogScale log_scale;
    Degrees degrees_of_freedom;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        if constexpr (is_given) {
            return scope.apply(StudentTLogDensity{given()}, x, location, log_scale);
        } else {
            return scope.apply(StudentTLogDensity{}, x, location, log_scale, degrees_of_freedom);
        }
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto radius = scope.uniform(location.shape(), location.batch());
        const auto angle = scope.uniform(location.shape(), location.batch());
        if constexpr (is_given) {
            const auto noise = scope.apply(StudentTNoise{given()}, radius, angle);
            return scope.apply(detail::LocationScale{}, location, log_scale, noise);
        } else {
            const auto noise = scope.apply(StudentTNoise{}, radius, angle, degrees_of_freedom);
            return scope.apply(detail::LocationScale{}, location, log_scale, noise);
        }
    }
    template <class Scope>
    constexpr auto expectation(Scope&) const {
        return location;
    }

private:
    static constexpr bool is_given = std::is_arithmetic_v<Degrees>;
    constexpr double given() const {
        UNTOWARD_ASSERT(degrees_of_freedom > 2, "untoward: a t distribution has over 2 degrees of freedom");
        return static_cast<double>(degrees_of_freedom);
    }
};

template <class Location, class LogScale, class Degrees>
StudentT(const Location&, const LogScale&, const Degrees&) -> StudentT<Location, LogScale, Degrees>;

}  // namespace distributions

}  // namespace untoward
