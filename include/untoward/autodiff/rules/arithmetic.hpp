// SPDX-License-Identifier: MIT
#pragma once

#include "../rule.hpp"

// Sums, differences and products of two values, element by element. Each extent, and the batch, is equal or
// one: a parameter (batch one) meets every sample, one number per sample (Vec<1>) every element of it.

namespace untoward {

/// a + b
struct Add {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast(a, b); }
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
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast(a, b); }
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
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](const auto& p, const auto& q) { return p * q; }, a, b);
    }
    void backward(auto dy, auto, auto a, auto b, auto da, auto db) const {
        da.add([](const auto& d, const auto& q) { return d * q; }, dy, b);
        db.add([](const auto& d, const auto& p) { return d * p; }, dy, a);
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

}  // namespace untoward
