// SPDX-License-Identifier: MIT
#pragma once

#include <numbers>

#include "../core/math_circular.hpp"
#include "distribution.hpp"
#include "special.hpp"
#include "support.hpp"

// Student's t distribution with v degrees of freedom, by its location m and the logarithm s of its scale: a
// normal distribution that expects wild values now and then. More than 2 degrees of freedom, so that it has a
// variance: e^(2 s) v / (v - 2).

namespace untoward UNTOWARD_SETTING {

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
            y, [v, constant](auto a, auto m, auto s) { return constant + kernel(a, m, s, v); }, x, location,
            log_scale);
    }
    void backward(auto dy, auto, auto x, auto location, auto log_scale, auto dx, auto dlocation,
                  auto dlog_scale) const {
        using S = typename decltype(x)::Scalar;
        const S v = static_cast<S>(degrees_of_freedom);
        const auto toward = [v](auto d, auto from, auto to, auto s) { return d * pull(from, to, s, v); };
        dx.add(toward, dy, x, location, log_scale);
        dlocation.add(toward, dy, location, x, log_scale);
        dlog_scale.add([v](auto d, auto a, auto m, auto s) { return d * widening(a, m, s, v); }, dy, x,
                       location, log_scale);
    }

    void forward(auto y, auto x, auto location, auto log_scale, auto degrees) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](auto a, auto m, auto s, auto v) {
                return static_cast<S>(log_normaliser(static_cast<double>(v))) + kernel(a, m, s, v);
            },
            x, location, log_scale, degrees);
    }
    void backward(auto dy, auto, auto x, auto location, auto log_scale, auto degrees, auto dx, auto dlocation,
                  auto dlog_scale, auto ddegrees) const {
        using S = typename decltype(x)::Scalar;
        const auto toward = [](auto d, auto from, auto to, auto s, auto v) {
            return d * pull(from, to, s, v);
        };
        dx.add(toward, dy, x, location, log_scale, degrees);
        dlocation.add(toward, dy, location, x, log_scale, degrees);
        dlog_scale.add([](auto d, auto a, auto m, auto s, auto v) { return d * widening(a, m, s, v); }, dy, x,
                       location, log_scale, degrees);
        ddegrees.add(
            [](auto d, auto a, auto m, auto s, auto v) {
                const auto squares = math::square((a - m) * math::exp(-s));
                const auto of_constant = static_cast<S>(slope_of_log_normaliser(static_cast<double>(v)));
                return S(0.5) * d *
                       (of_constant - math::log1p(squares / v) + (v + 1) * squares / (v * (v + squares)));
            },
            dy, x, location, log_scale, degrees);
    }

private:
    static double log_normaliser(double v) {
        return detail::log_gamma((v + 1) / 2) - detail::log_gamma(v / 2) -
               0.5 * math::log(v * std::numbers::pi);
    }
    // 2 d/dv
    static double slope_of_log_normaliser(double v) {
        return detail::digamma((v + 1) / 2) - detail::digamma(v / 2) - 1 / v;
    }
    template <class S>
    static S kernel(S a, S m, S s, S v) {
        return S(-0.5) * (v + 1) * math::log1p(math::square((a - m) * math::exp(-s)) / v) - s;
    }
    // d/d from
    template <class S>
    static S pull(S from, S to, S s, S v) {
        const S inverse = math::exp(-s);
        const S r = (to - from) * inverse;
        return (v + 1) * r * inverse / (v + r * r);
    }
    // d/ds
    template <class S>
    static S widening(S a, S m, S s, S v) {
        const S squares = math::square((a - m) * math::exp(-s));
        return (v + 1) * squares / (v + squares) - 1;
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
            y, [v](auto a, auto b) { return radius(a, v) * math::turn(b).cos; }, u, w);
    }
    void backward(auto dy, auto y, auto u, auto w, auto du, auto dw) const {
        using S = typename decltype(u)::Scalar;
        const S v = static_cast<S>(degrees_of_freedom);
        du.add([v](auto d, auto t, auto a) { return d * t * of_radius(a, v); }, dy, y, u);
        dw.add([v](auto d, auto a, auto b) { return d * of_angle(a, b, v); }, dy, u, w);
    }

    void forward(auto y, auto u, auto w, auto degrees) const {
        assign(
            y, [](auto a, auto b, auto v) { return radius(a, v) * math::turn(b).cos; }, u, w, degrees);
    }
    void backward(auto dy, auto y, auto u, auto w, auto degrees, auto du, auto dw, auto ddegrees) const {
        using S = typename decltype(u)::Scalar;
        du.add([](auto d, auto t, auto a, auto v) { return d * t * of_radius(a, v); }, dy, y, u, degrees);
        dw.add([](auto d, auto a, auto b, auto v) { return d * of_angle(a, b, v); }, dy, u, w, degrees);
        // With g = v (e^k - 1), k = -2 log(u) / v: dg/dv = e^k - 1 - k e^k, and dy/dv = y dg/dv / (2 g).
        ddegrees.add(
            [](auto d, auto t, auto a, auto v) {
                const auto k = -2 * math::log(a) / v;
                return S(0.5) * d * t * (1 - k * math::exp(k) / math::expm1(k)) / v;
            },
            dy, y, u, degrees);
    }

private:
    template <class S>
    static S radius(S u, S v) {
        return math::sqrt(v * math::expm1(-2 * math::log(u) / v));
    }
    // d/du log radius
    template <class S>
    static S of_radius(S u, S v) {
        const S k = -2 * math::log(u) / v;
        return -math::exp(k) / (u * v * math::expm1(k));
    }
    template <class S>
    static S of_angle(S u, S w, S v) {
        return static_cast<S>(-2 * std::numbers::pi) * radius(u, v) * math::turn(w).sin;
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
