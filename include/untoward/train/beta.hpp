// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "../core/options.hpp"

// Schedules of beta, the weight of the KL term in training; in every score it is 1. They are schedules like
// those of schedule.hpp, with one optional member more:
//
//     bool complete(Index step, Index steps) const
//
// which says whether beta has grown up. An evaluation before that does not choose parameters and does not
// count for patience, since -ELBO is not yet what training minimises. Without it every evaluation counts.

namespace untoward UNTOWARD_SETTING {

/// The same weight at every step.
struct ConstantBeta {
    double beta = 1;

    static constexpr const char* name = "constant-beta";
    static constexpr void options(auto& self, auto&& visit) { visit("beta", self.beta, at_least(0)); }

    [[nodiscard]] double operator()(Index, Index) const { return beta; }
};

/// A linear ramp from 0 over the first `ramp` of all steps (Bowman et al. 2016; Soenderby et al. 2016), then
/// constant.
///
///     options.training.beta = LinearBeta{.beta = 0.5, .ramp = 0.3};
struct LinearBeta {
    double beta = 1;
    double ramp = 0.3;  ///< share of all steps; 0 keeps beta constant

    static constexpr const char* name = "linear-beta";
    static constexpr void options(auto& self, auto&& visit) {
        visit("beta", self.beta, at_least(0));
        visit("ramp", self.ramp, OptionRange{0, 1});
    }

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

/// beta / (1 + exp(-(t - middle) / width)), with t the share of all steps that are done (Bowman et al. 2016).
///
///     options.training.beta = SigmoidBeta{.beta = 1, .middle = 0.3};
struct SigmoidBeta {
    double beta = 1;
    double middle = 0.15;  ///< where it is half of beta, a share of all steps
    double width = 0.03;   ///< likewise

    static constexpr const char* name = "sigmoid-beta";
    static constexpr void options(auto& self, auto&& visit) {
        visit("beta", self.beta, at_least(0));
        visit("middle", self.middle, OptionRange{0, 1});
        visit("width", self.width, above(0));
    }

    [[nodiscard]] double operator()(Index step, Index steps) const {
        return beta / (1 + std::exp(-(share(step, steps) - middle) / width));
    }
    /// Five widths past the middle: 99.3% of beta.
    [[nodiscard]] bool complete(Index step, Index steps) const {
        return share(step, steps) >= middle + 5 * width;
    }

private:
    [[nodiscard]] static double share(Index step, Index steps) {
        return static_cast<double>(step) / static_cast<double>(std::max<Index>(steps, 1));
    }
};

/// `cycles` ramps from 0, each over the first `ratio` of its cycle (Fu et al. 2019): beta min(1, tau / R),
/// with tau = frac(t M / T).
///
///     options.training.beta = CyclicalBeta{.beta = 1, .cycles = 4};
struct CyclicalBeta {
    double beta = 1;
    Index cycles = 4;    ///< M
    double ratio = 0.5;  ///< R; 0 keeps beta constant

    static constexpr const char* name = "cyclical-beta";
    static constexpr void options(auto& self, auto&& visit) {
        visit("beta", self.beta, at_least(0));
        visit("cycles", self.cycles, at_least(1));
        visit("ratio", self.ratio, OptionRange{0, 1});
    }

    [[nodiscard]] double operator()(Index step, Index steps) const {
        return complete(step, steps) ? beta : beta * tau(step, steps) / ratio;
    }
    /// In the flat part of a cycle.
    [[nodiscard]] bool complete(Index step, Index steps) const { return tau(step, steps) >= ratio; }

private:
    [[nodiscard]] double tau(Index step, Index steps) const {
        // In whole numbers: t M / T may round to just under the next cycle.
        const Index all = std::max<Index>(steps, 1);
        return static_cast<double>(step * std::max<Index>(cycles, 1) % all) / static_cast<double>(all);
    }
};

}  // namespace untoward
