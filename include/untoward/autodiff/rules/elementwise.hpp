// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>

#include "../../core/math_normal.hpp"
#include "../rule.hpp"

// Rules that work element by element on one value, the activations, and a user's own function.

namespace untoward UNTOWARD_SETTING {

// An activation is a struct of static functions of a number: value(x), and its derivative either as
// slope_from_output(y) or as slope(x). One with a slope_from_output is the epilogue of an affine rule, which
// then need not keep its input; another is a rule of its own behind it. core/math.hpp has functions that become
// vector instructions. With a `name` the layers that have it can be saved and printed; those that are chosen by
// name at run time have one of the library's. A user's own:
//
//     struct Softsign {                                          // x / (1 + |x|)
//         static auto value(auto x) { return x / (1 + untoward::math::abs(x)); }
//         static auto slope(auto x) { return 1 / untoward::math::square(1 + untoward::math::abs(x)); }
//         static constexpr const char* name = "softsign";
//     };
//     Dense<64, Softsign>{}

/// An activation whose derivative is a function of its output.
template <class T>
concept HasSlopeFromOutput = requires(float y) {
    T::slope_from_output(y);
};

template <class T>
concept HasSlope = requires(float x) {
    T::slope(x);
};

template <class T>
concept HasDerivative = HasSlopeFromOutput<T> || HasSlope<T>;

/// What an activation is: a value, and one of the two derivatives.
template <class T>
concept ActivationFunction = HasDerivative<T> && requires(float x) {
    T::value(x);
};

namespace detail {

template <class Activation>
constexpr bool require_activation() {
    static_assert(ActivationFunction<Activation>,
                  "untoward: an activation has value(x), and slope_from_output(y) or slope(x)");
    return ActivationFunction<Activation>;
}

}  // namespace detail

/// x
struct Identity {
    static auto value(auto x) { return x; }
    static auto slope_from_output(auto y) { return static_cast<decltype(y)>(1); }
    static constexpr const char* name = "identity";
};

/// max(x, 0); slope 0 at 0
struct Relu {
    static auto value(auto x) { return x < 0 ? 0 : x; }
    static auto slope_from_output(auto y) { return static_cast<decltype(y)>(y > 0 ? 1 : 0); }
    static constexpr const char* name = "relu";
};

/// tanh(x)
struct Tanh {
    static auto value(auto x) { return math::tanh(x); }
    static auto slope_from_output(auto y) { return 1 - y * y; }
    static constexpr const char* name = "tanh";
};

/// 1 / (1 + exp(-x))
struct Sigmoid {
    static auto value(auto x) { return math::sigmoid(x); }
    static auto slope_from_output(auto y) { return y * (1 - y); }
    static constexpr const char* name = "sigmoid";
};

/// log(1 + exp(x)), as max(x, 0) + log1p(exp(-|x|)): no overflow
struct Softplus {
    static auto value(auto x) { return math::softplus(x); }
    static auto slope_from_output(auto y) { return -math::expm1(-y); }
    static constexpr const char* name = "softplus";
};

/// x where x > 0, else x / 100 (Maas et al. 2013)
struct LeakyRelu {
    static auto value(auto x) { return x < 0 ? static_cast<decltype(x)>(0.01) * x : x; }
    static auto slope_from_output(auto y) { return static_cast<decltype(y)>(y > 0 ? 1 : 0.01); }
    static constexpr const char* name = "leaky-relu";
};

/// x where x > 0, else exp(x) - 1 (Clevert et al. 2016, alpha 1)
struct Elu {
    static auto value(auto x) {
        const auto below = math::expm1(x < 0 ? x : 0);
        return x < 0 ? below : x;
    }
    static auto slope_from_output(auto y) { return y < 0 ? y + 1 : 1; }
    static constexpr const char* name = "elu";
};

/// x Phi(x), with Phi the standard normal's distribution function: the exact form (Hendrycks and Gimpel 2016)
struct Gelu {
    // An infinity is not multiplied by zero.
    static UNTOWARD_INLINE auto value(auto x) {
        return math::detail::at_least(x, static_cast<decltype(x)>(-1000)) * math::cumulative_normal(x);
    }
    static UNTOWARD_INLINE auto slope(auto x) {
        const auto [density, cumulative] = math::normal(x);
        return cumulative + math::detail::within(x, static_cast<decltype(x)>(1000)) * density;
    }
    static constexpr const char* name = "gelu";
};

/// x sigmoid(x), also called swish (Elfwing et al. 2018)
struct Silu {
    // The sigmoid is 0 or 1 beyond 1,000, and an infinity is not multiplied by zero.
    static auto value(auto x) { return (x < -1000 ? -1000 : x) * math::sigmoid(x); }
    // s (1 + x (1 - s)) with s = sigmoid(x)
    static auto slope(auto x) {
        const auto within = x < -1000 ? -1000 : x > 1000 ? 1000 : x;
        return math::sigmoid(x) * (1 + within * math::sigmoid(-x));
    }
    static constexpr const char* name = "silu";
};

/// One activation as a rule of its own.
template <ActivationFunction Activation>
struct Activate {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return Activation::value(a); }, x);
    }
    void backward(auto dy, auto y, auto x, auto dx) const {
        if constexpr (HasSlopeFromOutput<Activation>) {
            dx.add([](auto d, auto b) { return d * Activation::slope_from_output(b); }, dy, y);
        } else {
            dx.add([](auto d, auto a) { return d * Activation::slope(a); }, dy, x);
        }
    }
};

/// exp(x)
struct Exp {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return math::exp(a); }, x);
    }
    void backward(auto dy, auto y, auto, auto dx) const {
        dx.add([](auto d, auto b) { return d * b; }, dy, y);
    }
};

/// log(x)
struct Log {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return math::log(a); }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        dx.add([](auto d, auto a) { return d / a; }, dy, x);
    }
};

/// x^2
struct Square {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return a * a; }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        dx.add([](auto d, auto a) { return 2 * d * a; }, dy, x);
    }
};

/// the square root; its slope at 0 is infinite
struct Sqrt {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return math::sqrt(a); }, x);
    }
    void backward(auto dy, auto y, auto, auto dx) const {
        dx.add([](auto d, auto b) { return d / (2 * b); }, dy, y);
    }
};

/// |x|; slope 0 at 0
struct Abs {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return math::abs(a); }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        // What is neither positive nor negative is zero or NaN, and d a is the one or the other.
        dx.add([](auto d, auto a) { return a > 0 ? d : a < 0 ? -d : d * a; }, dy, x);
    }
};

/// factor * x
struct Scale {
    double factor;
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        const auto c = factor_as(x);
        assign(
            y, [c](auto a) { return c * a; }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        const auto c = factor_as(x);
        dx.add([c](auto d) { return c * d; }, dy);
    }

private:
    template <class X>
    auto factor_as(const X&) const {
        return static_cast<typename X::Scalar>(factor);
    }
};

/// x kept in [low, high], in value and gradient alike: outside, the gradient is zero.
struct Clamp {
    double low;
    double high;
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        using S = typename decltype(x)::Scalar;
        const S l = static_cast<S>(low);
        const S h = static_cast<S>(high);
        // Comparisons, not max and min: a NaN stays one.
        assign(
            y, [l, h](auto a) { return math::detail::at_least(math::detail::at_most(a, h), l); }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        dx.add(pull<typename decltype(x)::Scalar>(), dy, x);
    }
    /// (d, x) to the gradient of x, of numbers.
    template <class S>
    constexpr auto pull() const {
        return [l = static_cast<S>(low), h = static_cast<S>(high)](auto d, auto a) {
            return ((a >= l) & (a <= h)) ? d : 0;
        };
    }
};

/// function(x) element by element, with its derivative slope(x), of numbers; they write nothing else.
///
///     auto y = map(scope, x, [](auto a) { return std::sin(a); }, [](auto a) { return std::cos(a); });
template <class Function, class Slope>
struct MapRule {
    [[no_unique_address]] Function function;
    [[no_unique_address]] Slope slope;
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const { assign(y, function, x); }
    void backward(auto dy, auto, auto x, auto dx) const {
        dx.add([this](auto d, auto a) { return d * slope(a); }, dy, x);
    }
};

/// any activation: activate<Gelu>(s, x)
template <ActivationFunction Activation, class Scope, class X>
constexpr auto activate(Scope& scope, const X& x) {
    return scope.apply(Activate<Activation>{}, x);
}
template <class Scope, class X>
constexpr auto relu(Scope& scope, const X& x) {
    return activate<Relu>(scope, x);
}
template <class Scope, class X>
constexpr auto tanh(Scope& scope, const X& x) {
    return activate<Tanh>(scope, x);
}
template <class Scope, class X>
constexpr auto sigmoid(Scope& scope, const X& x) {
    return activate<Sigmoid>(scope, x);
}
template <class Scope, class X>
constexpr auto softplus(Scope& scope, const X& x) {
    return activate<Softplus>(scope, x);
}
template <class Scope, class X>
constexpr auto exp(Scope& scope, const X& x) {
    return scope.apply(Exp{}, x);
}
template <class Scope, class X>
constexpr auto log(Scope& scope, const X& x) {
    return scope.apply(Log{}, x);
}
template <class Scope, class X>
constexpr auto square(Scope& scope, const X& x) {
    return scope.apply(Square{}, x);
}
template <class Scope, class X>
constexpr auto sqrt(Scope& scope, const X& x) {
    return scope.apply(Sqrt{}, x);
}
template <class Scope, class X>
constexpr auto abs(Scope& scope, const X& x) {
    return scope.apply(Abs{}, x);
}
template <class Scope, class X>
constexpr auto scale(Scope& scope, double factor, const X& x) {
    return scope.apply(Scale{factor}, x);
}
template <class Scope, class X>
constexpr auto clamp(Scope& scope, const X& x, double low, double high) {
    return scope.apply(Clamp{low, high}, x);
}
template <class Scope, class X, class Function, class Slope>
constexpr auto map(Scope& scope, const X& x, const Function& function, const Slope& slope) {
    return scope.apply(MapRule<Function, Slope>{function, slope}, x);
}

}  // namespace untoward
