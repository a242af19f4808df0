// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>

#include "../rule.hpp"

// Rules that work element by element on one value, the activations, and a user's own function.

namespace untoward {

// An activation is a struct of static functions on Eigen arrays: value(x), and its derivative either as
// slope_from_output(y) or as slope(x). One with a slope_from_output is the epilogue of an affine rule, which
// then need not keep its input; another is a rule of its own behind it. With a `name` the layers that have
// it can be saved and printed; those that are chosen by name at run time have one of the library's. A user's
// own:
//
//     struct Sine {
//         static auto value(const auto& x) { return x.sin(); }
//         static auto slope(const auto& x) { return x.cos(); }
//         static constexpr const char* name = "sine";
//     };
//     Dense<64, Sine>{}

/// An activation whose derivative is a function of its output.
template <class T>
concept HasSlopeFromOutput = requires(const detail::ConstFlatMap<float>& y) {
    T::slope_from_output(y);
};

/// What an activation is: a value, and one of the two derivatives.
template <class T>
concept ActivationFunction = requires(const detail::ConstFlatMap<float>& x) {
    T::value(x);
}
&&(HasSlopeFromOutput<T> || requires(const detail::ConstFlatMap<float>& x) { T::slope(x); });

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
    static auto value(const auto& x) { return x; }
    static auto slope_from_output(const auto& y) {
        using Array = std::remove_cvref_t<decltype(y)>;
        return Array::Constant(y.size(), typename Array::Scalar(1));
    }
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

/// x where x > 0, else x / 100 (Maas et al. 2013)
struct LeakyRelu {
    static auto value(const auto& x) {
        using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
        return x.max(S(0.01) * x);
    }
    static auto slope_from_output(const auto& y) {
        using Array = std::remove_cvref_t<decltype(y)>;
        using S = typename Array::Scalar;
        return (y > S(0)).select(Array::Constant(y.size(), S(1)), S(0.01));
    }
    static constexpr const char* name = "leaky-relu";
};

/// x where x > 0, else exp(x) - 1 (Clevert et al. 2016, alpha 1)
struct Elu {
    // exp(x) - 1 = 2 t / (1 - t) with t = tanh(x / 2), negative: nothing cancels, and t is met once.
    static auto value(const auto& x) {
        using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
        return x.max(S(0)) + S(2) / ((x.min(S(0)) / S(2)).tanh().inverse() - S(1));
    }
    static auto slope_from_output(const auto& y) {
        using S = typename std::remove_cvref_t<decltype(y)>::Scalar;
        return y.min(S(0)) + S(1);
    }
    static constexpr const char* name = "elu";
};

/// x Phi(x), with Phi the standard normal's distribution function: the exact form (Hendrycks and Gimpel 2016)
struct Gelu {
    static auto value(const auto& x) {
        using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
        return x.unaryExpr([](S a) {
            const S phi = cumulative(a);
            return phi == 0 ? S(0) : a * phi;
        });
    }
    static auto slope(const auto& x) {
        using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
        return x.unaryExpr([](S a) {
            const S density = static_cast<S>(0.3989422804014327) * std::exp(a * a / -2);
            return density == 0 ? cumulative(a) : cumulative(a) + a * density;
        });
    }
    static constexpr const char* name = "gelu";

private:
    // By erfc: 1 + erf would lose the lower tail.
    template <class S>
    static S cumulative(S a) {
        return std::erfc(a * static_cast<S>(-0.7071067811865476)) / 2;
    }
};

/// x sigmoid(x), also called swish (Elfwing et al. 2018)
struct Silu {
    static auto value(const auto& x) { return x.max(bound(x, -1)) / (one(x) + (-x).exp()); }
    // s (1 + x (1 - s)) with s = sigmoid(x)
    static auto slope(const auto& x) {
        const auto within = x.max(bound(x, -1)).min(bound(x, 1));
        return (one(x) + within * (-x).logistic()) / (one(x) + (-x).exp());
    }
    static constexpr const char* name = "silu";

private:
    template <class X>
    static auto one(const X&) {
        return static_cast<typename X::Scalar>(1);
    }
    // The sigmoid is 0 or 1 there, and an infinity is not multiplied by zero.
    template <class X>
    static auto bound(const X&, int sign) {
        return static_cast<typename X::Scalar>(1000 * sign);
    }
};

/// One activation as a rule of its own.
template <ActivationFunction Activation>
struct Activate {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](const auto& a) { return Activation::value(a); }, x);
    }
    void backward(auto dy, auto y, auto x, auto dx) const {
        if constexpr (HasSlopeFromOutput<Activation>) {
            dx.add([](const auto& d, const auto& b) { return d * Activation::slope_from_output(b); }, dy, y);
        } else {
            dx.add([](const auto& d, const auto& a) { return d * Activation::slope(a); }, dy, x);
        }
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

/// the square root; its slope at 0 is infinite
struct Sqrt {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        using S = typename decltype(y)::Scalar;
        // Number by number: Eigen's packets in float make a NaN of the root of infinity.
        assign(
            y, [](const auto& a) { return a.unaryExpr([](S b) { return std::sqrt(b); }); }, x);
    }
    void backward(auto dy, auto y, auto, auto dx) const {
        dx.add([](const auto& d, const auto& b) { return d / (2 * b); }, dy, y);
    }
};

/// |x|; slope 0 at 0
struct Abs {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](const auto& a) { return a.abs(); }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        using S = typename decltype(x)::Scalar;
        // What is neither positive nor negative is zero or NaN, and d a is the one or the other.
        dx.add(
            [](const auto& d, const auto& a) { return (a > S(0)).select(d, (a < S(0)).select(-d, d * a)); },
            dy, x);
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
    return scope.apply(Map<Function, Slope>{function, slope}, x);
}

}  // namespace untoward
