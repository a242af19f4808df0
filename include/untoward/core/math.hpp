// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>
#include "../config.hpp"
namespace untoward::math {
template <class S>
S exp(S x) {
    return std::exp(x);
}
template <class S>
S expm1(S x) {
    return std::expm1(x);
}
template <class S>
S log(S x) {
    return std::log(x);
}
template <class S>
S log1p(S x) {
    return std::log1p(x);
}
template <class S>
S tanh(S x) {
    return std::tanh(x);
}
template <class S>
S sqrt(S x) {
    return std::sqrt(x);
}
template <class S>
S abs(S x) {
    return std::abs(x);
}
template <class S>
S square(S x) {
    return x * x;
}
template <class S>
S sigmoid(S x) {
    return 1 / (1 + std::exp(-x));
}
template <class S>
S softplus(S x) {
    return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::abs(x)));
}
template <class S>
S cumulative_normal(S x) {
    return std::erfc(x * S(-0.70710678118654752440)) / 2;
}
}  // namespace untoward::math
