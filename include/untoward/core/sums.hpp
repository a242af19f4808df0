// SPDX-License-Identifier: MIT
#pragma once

#include "math.hpp"

// What Eigen does in another order, or by another function, where it uses vector instructions. With UNTOWARD_PLAIN the
// order is that of the elements, so that a device and a host have the same bits whatever Eigen does on either.

namespace untoward UNTOWARD_SETTING::detail {

/// The sum of an array's elements.
template <class X>
typename X::Scalar sum_of_elements(const X& x) {
#ifdef UNTOWARD_PLAIN
    typename X::Scalar sum = 0;
    for (Index j = 0; j < x.cols(); ++j) {
        for (Index i = 0; i < x.rows(); ++i) sum += x.coeff(i, j);
    }
    return sum;
#else
    return x.sum();
#endif
}

/// exp(x), element by element. (Eigen's would call the C library where there are fewer numbers than a vector holds.)
template <class X>
auto exponentials(const X& x) {
    return x.unaryExpr([](typename X::Scalar a) { return math::exp(a); });
}

/// The same for many numbers: Eigen's, but with UNTOWARD_PLAIN.
template <class X>
auto fast_exponentials(const X& x) {
#ifdef UNTOWARD_PLAIN
    return exponentials(x);
#else
    return x.exp();
#endif
}

}  // namespace untoward::detail
