// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "../config.hpp"

namespace untoward::detail {

// A quantile of sorted values, by linear interpolation between order statistics, as NumPy's default.
template <class S>
S quantile_of(const S* sorted, Index n, double level) {
    const double place = level * static_cast<double>(n - 1);
    const auto below = static_cast<Index>(place);
    const Index above = std::min(below + 1, n - 1);
    const auto low = static_cast<double>(sorted[below]);
    const auto high = static_cast<double>(sorted[above]);
    return static_cast<S>(low + (place - static_cast<double>(below)) * (high - low));
}
// Both sort the values, all of which are numbers.
template <class S>
S median(S* values, Index n) {
    std::sort(values, values + n);
    return n == 0 ? S(0) : quantile_of(values, n, 0.5);
}
template <class S>
S interquartile_range(S* values, Index n) {
    std::sort(values, values + n);
    return n == 0 ? S(0) : quantile_of(values, n, 0.75) - quantile_of(values, n, 0.25);
}

}  // namespace untoward::detail
