// SPDX-License-Identifier: MIT
#pragma once

// A learning-rate schedule of a user's own: all of it is in this file, none of it in the library.

#include <algorithm>
#include <cmath>
#include <numbers>

#include <untoward/core/options.hpp>
#include <untoward/train/schedule.hpp>

namespace extension {

using untoward::Index;

/// One cycle (Smith and Topin 2018): the rate rises from `first` times the peak to the peak over the share
/// `warmup` of all steps, and falls to `last` times the peak by the final one, each time by half a cosine.
/// PyTorch's OneCycleLR without its cycle of momentum, which calls them 1 / div_factor, pct_start and
/// 1 / (div_factor final_div_factor).
///
///     options.learning_rate = OneCycle{.peak = 0.01};
struct OneCycle {
    double peak = untoward::automatic;
    double warmup = 0.3;
    double first = 0.04;
    double last = 4e-6;

    static constexpr const char* name = "one-cycle";
    static constexpr void options(auto& self, auto&& visit) {
        visit("peak", self.peak);
        visit("warmup", self.warmup, untoward::OptionRange{0, 1});
        visit("first", self.first, untoward::OptionRange{0, 1});
        visit("last", self.last, untoward::OptionRange{0, 1});
    }

    /// The rate of step `step` of `steps`, from 0.
    [[nodiscard]] double operator()(Index step, Index steps) const {
        const auto t = static_cast<double>(step);
        const double end = static_cast<double>(steps) - 1;
        const double top = warmup * static_cast<double>(steps) - 1;  // the step of the peak, or between two
        if (t < top) return peak * between(first, 1, t / top);
        if (end <= std::max(top, 0.0)) return peak;
        return peak * between(1, last, (t - std::max(top, 0.0)) / (end - std::max(top, 0.0)));
    }

private:
    // From a to b as `way` goes from 0 to 1, level at both ends.
    static double between(double a, double b, double way) {
        return b + (a - b) / 2 * (1 + std::cos(std::numbers::pi * way));
    }
};

}  // namespace extension
