// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "../core/options.hpp"

// Averages of the parameters over the steps of training. After each step
//
//     average += w (parameters - average)
//
// and an average is a schedule of w. It begins as the first parameters, and a w of 1 makes the average the
// parameters themselves. Where there is one, it is what is evaluated, what the best of is kept, and what
// training gives; the optimiser goes on from the parameters. It holds for all parameters: running averages
// are averaged once more, with the same weights, and so belong to the averaged weights up to that lag; frozen
// parameters stay as they are, to the bit.

namespace untoward UNTOWARD_SETTING {

/// An exponential moving average over about 1 / (1 - decay) steps; over all of them in equal parts until
/// there are as many.
struct ExponentialAverage {
    double decay = 0.999;

    static constexpr const char* name = "exponential-average";
    static constexpr void options(auto& self, auto&& visit) { visit("decay", self.decay, from_below(0, 1)); }

    [[nodiscard]] double operator()(Index step, Index) const {
        return (std::max)(1 - decay, 1 / (static_cast<double>(step) + 1));
    }
};

/// The plain average over the last `last` of all steps (Izmailov et al. 2018), which goes well with a
/// constant learning rate.
struct UniformAverage {
    double last = 0.25;  ///< share of all steps

    static constexpr const char* name = "uniform-average";
    static constexpr void options(auto& self, auto&& visit) { visit("last", self.last, OptionRange{0, 1}); }

    [[nodiscard]] double operator()(Index step, Index steps) const {
        const auto first = static_cast<Index>(std::floor((1 - last) * static_cast<double>(steps)));
        return step <= first ? 1 : 1 / static_cast<double>(step - first + 1);
    }
};

}  // namespace untoward
