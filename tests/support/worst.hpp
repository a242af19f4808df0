// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>

/// The larger of two errors, infinite from the first on that is no number (which std::max would leave out).
template <class T>
T larger_error(T worst, T error) {
    if (error <= worst) return worst;
    return std::isnan(error) ? std::numeric_limits<T>::infinity() : error;
}
