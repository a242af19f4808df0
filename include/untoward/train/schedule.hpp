// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../config.hpp"

namespace untoward {

/// Learning rate: linear warm-up, then half a cosine down to `last` times the peak (Loshchilov and Hutter
/// 2017).
struct CosineSchedule {
    static constexpr double automatic = -1;  ///< let the trainer choose: see default_learning_rate

    double peak = automatic;
    double warmup = 0.02;  ///< share of all steps
    double last = 0.0;     ///< share of the peak at the end

    /// The rate of step `step` of `steps`, from 0.
    [[nodiscard]] double operator()(Index step, Index steps) const {
        const double warm = std::floor(warmup * static_cast<double>(steps));
        const auto t = static_cast<double>(step);
        if (t < warm) return peak * (t + 1) / warm;
        const double span = std::max(1.0, static_cast<double>(steps) - warm);
        const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * (t - warm) / span));
        return peak * (last + (1 - last) * cosine);
    }
};

/// The weight of the KL term: constant, or a linear ramp from 0 over the first `ramp` of all steps.
struct BetaSchedule {
    double beta = 1;
    double ramp = 0.3;  ///< share of all steps; 0 keeps beta constant

    [[nodiscard]] double operator()(Index step, Index steps) const {
        const double end = ramp * static_cast<double>(steps);
        const auto t = static_cast<double>(step);
        return t < end ? beta * (t + 1) / (end + 1) : beta;
    }
    /// Whether the ramp is over.
    [[nodiscard]] bool complete(Index step, Index steps) const {
        return static_cast<double>(step) >= ramp * static_cast<double>(steps);
    }
};

}  // namespace untoward
