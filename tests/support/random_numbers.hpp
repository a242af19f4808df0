// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "untoward/core/random.hpp"

/// n normal numbers.
template <class S>
std::vector<S> random_numbers(untoward::Index n, std::uint64_t site) {
    std::vector<S> x(static_cast<std::size_t>(n));
    untoward::fill_normal(x.data(), n, untoward::NoiseKey{.seed = 1, .site = site});
    return x;
}
