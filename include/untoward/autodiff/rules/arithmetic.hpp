// SPDX-License-Identifier: MIT
#pragma once

#include "../rule.hpp"

// Two values, element by element: sum, difference, product, quotient, the larger, the smaller. Each extent,
// and the batch, is equal or one: a parameter (batch one) meets every sample, one number per sample (Vec<1>)
// every element of it. In a layer:
//
//     const auto gain = scope.parameter("gain", Vec<4>{}, Constant{1});     // x is Vec<4>
//     const auto scaled = multiply(scope, gain, x);
//     const auto largest = max_per_sample(scope, scaled);                   // Vec<1>; see groups.hpp
//     return divide(scope, scaled, largest);

namespace untoward UNTOWARD_SETTING {

/// a + b
struct Add {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Add>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](auto p, auto q) { return p + q; }, a, b);
    }
    void backward(auto dy, auto, auto, auto, auto da, auto db) const {
        da.add([](auto d) { return d; }, dy);
        db.add([](auto d) { return d; }, dy);
    }
};

/// a + factor b
struct AddScaled {
    double factor;

    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<AddScaled>(a, b); }
    void forward(auto y, auto a, auto b) const {
        const auto c = static_cast<typename decltype(y)::Scalar>(factor);
        assign(
            y, [c](auto p, auto q) { return p + c * q; }, a, b);
    }
    void backward(auto dy, auto, auto, auto, auto da, auto db) const {
        const auto c = static_cast<typename decltype(dy)::Scalar>(factor);
        da.add([](auto d) { return d; }, dy);
        db.add([c](auto d) { return c * d; }, dy);
    }
};

/// a - b
struct Subtract {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Subtract>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](auto p, auto q) { return p - q; }, a, b);
    }
    void backward(auto dy, auto, auto, auto, auto da, auto db) const {
        da.add([](auto d) { return d; }, dy);
        db.add([](auto d) { return -d; }, dy);
    }
};

/// a b
struct Multiply {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Multiply>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](auto p, auto q) { return p * q; }, a, b);
    }
    void backward(auto dy, auto, auto a, auto b, auto da, auto db) const {
        da.add([](auto d, auto q) { return d * q; }, dy, b);
        db.add([](auto d, auto p) { return d * p; }, dy, a);
    }
};

/// a / b
struct Divide {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Divide>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](auto p, auto q) { return p / q; }, a, b);
    }
    void backward(auto dy, auto y, auto, auto b, auto da, auto db) const {
        da.add([](auto d, auto q) { return d / q; }, dy, b);
        db.add([](auto d, auto r, auto q) { return -d * r / q; }, dy, y, b);
    }
};

namespace detail {

// NaN where one of them is.
template <class S>
constexpr S larger_or_nan(S a, S b) {
    return ((a < b) | (b != b)) ? b : a;
}
template <class S>
constexpr S smaller_or_nan(S a, S b) {
    return ((a > b) | (b != b)) ? b : a;
}

// What the larger of two gives to the one of them: all of its gradient where that is the larger, half at a
// tie. Where one is NaN the result is, and both have all of it.
struct ShareOfLarger {
    auto operator()(auto d, auto own, auto other) const { return own < other ? 0 : own == other ? d / 2 : d; }
};
struct ShareOfSmaller {
    auto operator()(auto d, auto own, auto other) const { return own > other ? 0 : own == other ? d / 2 : d; }
};

}  // namespace detail

/// max(a, b), NaN where one of them is. The larger takes the gradient, each half of it at a tie (as in
/// PyTorch).
struct Maximum {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Maximum>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](auto p, auto q) { return detail::larger_or_nan(p, q); }, a, b);
    }
    void backward(auto dy, auto, auto a, auto b, auto da, auto db) const {
        da.add(detail::ShareOfLarger{}, dy, a, b);
        db.add(detail::ShareOfLarger{}, dy, b, a);
    }
};

/// min(a, b), NaN where one of them is. The smaller takes the gradient, each half of it at a tie.
struct Minimum {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Minimum>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](auto p, auto q) { return detail::smaller_or_nan(p, q); }, a, b);
    }
    void backward(auto dy, auto, auto a, auto b, auto da, auto db) const {
        da.add(detail::ShareOfSmaller{}, dy, a, b);
        db.add(detail::ShareOfSmaller{}, dy, b, a);
    }
};

template <class Scope, class A, class B>
constexpr auto add(Scope& scope, const A& a, const B& b) {
    return scope.apply(Add{}, a, b);
}
/// a + factor b
template <class Scope, class A, class B>
constexpr auto add_scaled(Scope& scope, const A& a, double factor, const B& b) {
    return scope.apply(AddScaled{factor}, a, b);
}
template <class Scope, class A, class B>
constexpr auto subtract(Scope& scope, const A& a, const B& b) {
    return scope.apply(Subtract{}, a, b);
}
template <class Scope, class A, class B>
constexpr auto multiply(Scope& scope, const A& a, const B& b) {
    return scope.apply(Multiply{}, a, b);
}

template <class Scope, class A, class B>
constexpr auto divide(Scope& scope, const A& a, const B& b) {
    return scope.apply(Divide{}, a, b);
}
template <class Scope, class A, class B>
constexpr auto maximum(Scope& scope, const A& a, const B& b) {
    return scope.apply(Maximum{}, a, b);
}
template <class Scope, class A, class B>
constexpr auto minimum(Scope& scope, const A& a, const B& b) {
    return scope.apply(Minimum{}, a, b);
}

}  // namespace untoward
