// SPDX-License-Identifier: MIT
#pragma once

#include "../rule.hpp"

// Rules that work element by element on one value, the activations, and a user's own function.

namespace untoward {

// Activations: value(x), and where it exists the slope as a function of the output, on Eigen arrays. One with
// a slope_from_output can be the epilogue of an affine rule, which then need not keep its input.

/// x
struct Identity {
    static auto value(const auto& x) { return x; }
    static auto slope_from_output(const auto& y) { return y.constant(y.rows(), y.cols(), 1); }
    static constexpr const char* name = "identity";
};

/// max(x, 0); slope 0 at 0
struct Relu {
    static auto value(const auto& x) { return x.max(scalar_of(x, 0)); }
    static auto slope_from_output(const auto& y) {
        return (y > scalar_of(y, 0)).template cast<scalar_type<decltype(y)>>();
    }
    static constexpr const char* name = "relu";

private:
    template <class X>
    using scalar_type = typename std::remove_cvref_t<X>::Scalar;
    template <class X>
    static auto scalar_of(const X&, int value) {
        return static_cast<typename X::Scalar>(value);
    }
};

/// tanh(x)
struct Tanh {
    static auto value(const auto& x) { return x.tanh(); }
    static auto slope_from_output(const auto& y) { return 1 - y.square(); }
    static constexpr const char* name = "tanh";
};

/// 1 / (1 + exp(-x))
struct Sigmoid {
    static auto value(const auto& x) { return x.logistic(); }
    static auto slope_from_output(const auto& y) { return y * (1 - y); }
    static constexpr const char* name = "sigmoid";
};

/// log(1 + exp(x)), as max(x, 0) + log1p(exp(-|x|)): no overflow
struct Softplus {
    static auto value(const auto& x) {
        using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
        return x.max(S(0)) + (-x.abs()).exp().log1p();
    }
    static auto slope_from_output(const auto& y) { return -(-y).expm1(); }
    static constexpr const char* name = "softplus";
};

/// One activation as a rule of its own.
template <class Activation>
struct Activate {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](const auto& a) { return Activation::value(a); }, x);
    }
    void backward(auto dy, auto y, auto, auto dx) const {
        dx.add([](const auto& d, const auto& b) { return d * Activation::slope_from_output(b); }, dy, y);
    }
};

/// exp(x)
struct Exp {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](const auto& a) { return a.exp(); }, x);
    }
    void backward(auto dy, auto y, auto, auto dx) const {
        dx.add([](const auto& d, const auto& b) { return d * b; }, dy, y);
    }
};

/// log(x)
struct Log {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](const auto& a) { return a.log(); }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        dx.add([](const auto& d, const auto& a) { return d / a; }, dy, x);
    }
};

/// x^2
struct Square {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](const auto& a) { return a.square(); }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        dx.add([](const auto& d, const auto& a) { return 2 * d * a; }, dy, x);
    }
};

/// factor * x
struct Scale {
    double factor;
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        const auto c = factor_as(x);
        assign(
            y, [c](const auto& a) { return c * a; }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        const auto c = factor_as(x);
        dx.add([c](const auto& d) { return c * d; }, dy);
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
            y, [l, h](const auto& a) { return (a < l).select(l, (a > h).select(h, a)); }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        using S = typename decltype(x)::Scalar;
        const S l = static_cast<S>(low);
        const S h = static_cast<S>(high);
        dx.add([l, h](const auto& d, const auto& a) { return (a >= l && a <= h).select(d, S(0)); }, dy, x);
    }
};

/// function(x) element by element, with its derivative slope(x): both take and return Eigen arrays.
///
///     auto y = map(scope, x, [](const auto& a) { return a.sin(); }, [](const auto& a) { return a.cos(); });
template <class Function, class Slope>
struct Map {
    [[no_unique_address]] Function function;
    [[no_unique_address]] Slope slope;
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const { assign(y, function, x); }
    void backward(auto dy, auto, auto x, auto dx) const {
        dx.add([this](const auto& d, const auto& a) { return d * slope(a); }, dy, x);
    }
};

template <class Scope, class X>
constexpr auto relu(Scope& scope, const X& x) {
    return scope.apply(Activate<Relu>{}, x);
}
template <class Scope, class X>
constexpr auto tanh(Scope& scope, const X& x) {
    return scope.apply(Activate<Tanh>{}, x);
}
template <class Scope, class X>
constexpr auto sigmoid(Scope& scope, const X& x) {
    return scope.apply(Activate<Sigmoid>{}, x);
}
template <class Scope, class X>
constexpr auto softplus(Scope& scope, const X& x) {
    return scope.apply(Activate<Softplus>{}, x);
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
constexpr auto scale(Scope& scope, double factor, const X& x) {
    return scope.apply(Scale{factor}, x);
}
template <class Scope, class X>
constexpr auto clamp(Scope& scope, const X& x, double low, double high) {
    return scope.apply(Clamp{low, high}, x);
}
template <class Scope, class X, class Function, class Slope>
constexpr auto map(Scope& scope, const X& x, const Function& function, const Slope& slope) {
    return scope.apply(Map<Function, Slope>{function, slope}, x);
}

}  // namespace untoward
