// SPDX-License-Identifier: MIT
#pragma once

#include "../rule.hpp"

// Two values, element by element: sum, difference, product, quotient, the larger, the smaller. Each extent, and the batch, is equal or
// one: a parameter (batch one) meets every sample, one number per sample (Vec<1>) every element of it.

namespace untoward {

/// a + b
struct Add {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Add>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](const auto& p, const auto& q) { return p + q; }, a, b);
    }
    void backward(auto dy, auto, auto, auto, auto da, auto db) const {
        da.add([](const auto& d) { return d; }, dy);
        db.add([](const auto& d) { return d; }, dy);
    }
};

/// a - b
struct Subtract {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Subtract>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](const auto& p, const auto& q) { return p - q; }, a, b);
    }
    void backward(auto dy, auto, auto, auto, auto da, auto db) const {
        da.add([](const auto& d) { return d; }, dy);
        db.add([](const auto& d) { return -d; }, dy);
    }
};

/// a b
struct Multiply {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Multiply>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](const auto& p, const auto& q) { return p * q; }, a, b);
    }
    void backward(auto dy, auto, auto a, auto b, auto da, auto db) const {
        da.add([](const auto& d, const auto& q) { return d * q; }, dy, b);
        db.add([](const auto& d, const auto& p) { return d * p; }, dy, a);
    }
};

/// a / b
struct Divide {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Divide>(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](const auto& p, const auto& q) { return p / q; }, a, b);
    }
    void backward(auto dy, auto y, auto, auto b, auto da, auto db) const {
        da.add([](const auto& d, const auto& q) { return d / q; }, dy, b);
        db.add([](const auto& d, const auto& r, const auto& q) { return -d * r / q; }, dy, y, b);
    }
};

namespace detail {

template <class S>
using LargerOrNaN = Eigen::internal::scalar_max_op<S, S, Eigen::PropagateNaN>;
template <class S>
using SmallerOrNaN = Eigen::internal::scalar_min_op<S, S, Eigen::PropagateNaN>;

// What the larger of two gives to the one of them: all of its gradient where that is the larger, half at a
// tie. Where one is NaN the result is, and both have all of it.
struct ShareOfLarger {
    auto operator()(const auto& d, const auto& own, const auto& other) const {
        using S = typename std::remove_cvref_t<decltype(d)>::Scalar;
        return (own < other).select(S(0), (own == other).select(d / S(2), d));
    }
};
struct ShareOfSmaller {
    auto operator()(const auto& d, const auto& own, const auto& other) const {
        using S = typename std::remove_cvref_t<decltype(d)>::Scalar;
        return (own > other).select(S(0), (own == other).select(d / S(2), d));
    }
};

}  // namespace detail

/// max(a, b), NaN where one of them is. The larger takes the gradient, each half of it at a tie (as in
/// PyTorch).
struct Maximum {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast<Maximum>(a, b); }
    void forward(auto y, auto a, auto b) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y, [](const auto& p, const auto& q) { return p.binaryExpr(q, detail::LargerOrNaN<S>()); }, a, b);
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
        using S = typename decltype(y)::Scalar;
        assign(
            y, [](const auto& p, const auto& q) { return p.binaryExpr(q, detail::SmallerOrNaN<S>()); }, a, b);
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
