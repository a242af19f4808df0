// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "../core/elementwise.hpp"

// Functions that densities of counts and heavy tails are made of, in double whatever the scalar: they are
// differences of large numbers. (The C library's lgamma writes to a global variable in every call.)

namespace untoward UNTOWARD_SETTING::detail {

/// Where the asymptotic series are exact to the rounding of a double.
inline constexpr double asymptotic_from = 12;

/// log Gamma(x), x > 0: Stirling's series (Abramowitz and Stegun 6.1.40) beyond 12, below by
/// Gamma(x) = Gamma(x + n) / (x (x + 1) ... (x + n - 1)). Absolute error under 1e-14 (1 + |result|).
inline double log_gamma(double x) {
    double product = 1;
    while (x < asymptotic_from) product *= x++;
    const double inverse = 1 / x;
    const double square = inverse * inverse;
    const double series =
        inverse *
        (1.0 / 12 -
         square *
             (1.0 / 360 -
              square * (1.0 / 1260 - square * (1.0 / 1680 - square * (1.0 / 1188 - square * 691 / 360360)))));
    constexpr double half_log_two_pi = 0.91893853320467274178;
    return (x - 0.5) * math::log(x) - x + half_log_two_pi + series - math::log(product);
}

/// The derivative of log Gamma, x > 0 (Abramowitz and Stegun 6.3.18 and 6.3.5).
inline double digamma(double x) {
    double below = 0;
    while (x < asymptotic_from) below += 1 / x++;
    const double inverse = 1 / x;
    const double square = inverse * inverse;
    const double series =
        square *
        (1.0 / 12 - square * (1.0 / 120 -
                              square * (1.0 / 252 -
                                        square * (1.0 / 240 - square * (1.0 / 132 - square * 691 / 32760)))));
    return math::log(x) - 0.5 * inverse - series - below;
}

/// Both of data. A NaN, and what is not over 0, gives NaN.
template <class S>
S log_gamma_of(S x) {
    return x > 0 ? static_cast<S>(log_gamma(static_cast<double>(x))) : S(NAN);
}
template <class S>
S digamma_of(S x) {
    return x > 0 ? static_cast<S>(digamma(static_cast<double>(x))) : S(NAN);
}

}  // namespace untoward::detail

namespace untoward UNTOWARD_SETTING::distributions {

// For densities of your own.
using detail::digamma;
using detail::log_gamma;

}  // namespace untoward::distributions
