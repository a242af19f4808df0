// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "../core/options.hpp"

// Learning-rate schedules. A schedule is a plain struct that gives the rate of each step:
//
//     struct InverseRoot {                   // Vaswani et al. 2017: linear warm-up, then 1 / sqrt(step)
//         double peak = untoward::automatic; // this very name and value: the trainer puts the optimiser's
//                                            // default here
//         double warmup = 100;               // steps
//
//         static constexpr const char* name = "inverse-root";
//         static constexpr void options(auto& self, auto&& visit) {
//             visit("peak", self.peak, untoward::learning_rates);
//             visit("warmup", self.warmup);
//         }
//         // The rate of step `step` of `steps`, from 0. `steps` are those planned: training may stop before.
//         double operator()(untoward::Index step, untoward::Index /* steps */) const {
//             const double t = static_cast<double>(step) + 1;
//             return peak * std::min(t / warmup, std::sqrt(warmup / t));
//         }
//     };
//
//     FitOptions options;
//     options.training.learning_rate = InverseRoot{.warmup = 50};
//
// A lambda of the same parameters will do, too; what has no name cannot be chosen at run time, and logs call
// it "(unnamed)". Options are numbers and switches, with a range where there is one (core/options.hpp), and are checked
// where the schedule is chosen.
// tests/extension/one_cycle.hpp is another schedule, with its tests. One that learns from how training goes
// has two more members, as PlateauSchedule shows:
//
//     void observe(double loss)                        the held-out loss of an evaluation, from when beta
//                                                      (beta.hpp) has grown up
//     static void state(auto& self, auto&& visit)      what it has learned, whole numbers and doubles, for
//                                                      checkpoints: as `options` has its options
//
// Schedules of the KL term's weight (beta.hpp) and averages of weights (average.hpp) are the same kind of
// thing.

namespace untoward UNTOWARD_SETTING {

/// A peak learning rate that the trainer chooses: see default_learning_rate in options.hpp; an optimiser may
/// have a default of its own.
inline constexpr double automatic = -1;

/// What a peak learning rate may be.
inline constexpr OptionRange learning_rates = at_least(0).or_else(automatic, "automatic");

/// The same rate at every step.
struct ConstantSchedule {
    double peak = automatic;

    static constexpr const char* name = "constant-schedule";
    static constexpr void options(auto& self, auto&& visit) { visit("peak", self.peak, learning_rates); }

    [[nodiscard]] double operator()(Index, Index) const { return peak; }
};

/// Multiplies the rate by `factor` after every `every` steps, or after every `share` of all steps where
/// `every` is 0.
///
///     options.training.learning_rate = StepSchedule{.peak = 0.01, .factor = 0.5, .every = 500};
struct StepSchedule {
    double peak = automatic;
    double factor = 0.5;
    Index every = 0;
    double share = 0.25;

    static constexpr const char* name = "step-schedule";
    static constexpr void options(auto& self, auto&& visit) {
        visit("peak", self.peak, learning_rates);
        visit("factor", self.factor, above(0));
        visit("every", self.every, at_least(0));
        visit("share", self.share, OptionRange{0, 1});
    }

    [[nodiscard]] double operator()(Index step, Index steps) const {
        const double stretch =
            every > 0 ? static_cast<double>(every) : (std::max)(1.0, share * static_cast<double>(steps));
        return peak * std::pow(factor, std::floor(static_cast<double>(step) / stretch));
    }
};

/// Learning rate: linear warm-up, then half a cosine down to `last` times the peak (Loshchilov and Hutter
/// 2017).
///
///     options.training.learning_rate = CosineSchedule{.peak = 3e-3, .warmup = 0.1};
struct CosineSchedule {
    double peak = automatic;
    double warmup = 0.02;  ///< share of all steps
    double last = 0.0;     ///< share of the peak at the end

    static constexpr const char* name = "cosine-schedule";
    static constexpr void options(auto& self, auto&& visit) {
        visit("peak", self.peak, learning_rates);
        visit("warmup", self.warmup, OptionRange{0, 1});
        visit("last", self.last, at_least(0));
    }

    /// The rate of step `step` of `steps`, from 0.
    [[nodiscard]] double operator()(Index step, Index steps) const {
        const double warm = std::floor(warmup * static_cast<double>(steps));
        const auto t = static_cast<double>(step);
        if (t < warm) return peak * (t + 1) / warm;
        const double span = (std::max)(1.0, static_cast<double>(steps) - warm);
        const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * (t - warm) / span));
        return peak * (last + (1 - last) * cosine);
    }
};

/// Multiplies the rate by `factor` when the held-out loss has not fallen by `threshold` nats for more than
/// `patience` evaluations, down to `last` times the peak: PyTorch's ReduceLROnPlateau with an absolute
/// threshold, since -ELBO may be negative. Let `patience` be well under that of TrainingOptions, which stops
/// training.
///
///     options.training.learning_rate = PlateauSchedule{.peak = 3e-3, .patience = 3};
struct PlateauSchedule {
    double peak = automatic;
    double factor = 0.5;
    Index patience = 3;
    double threshold = 0.01;
    double last = 0.01;

    // What it has learned.
    double scale = 1;
    double best = std::numeric_limits<double>::infinity();
    Index waited = 0;

    static constexpr const char* name = "plateau-schedule";
    static constexpr void options(auto& self, auto&& visit) {
        visit("peak", self.peak, learning_rates);
        visit("factor", self.factor, OptionRange{0, 1});
        visit("patience", self.patience, at_least(0));
        visit("threshold", self.threshold, at_least(0));
        visit("last", self.last, OptionRange{0, 1});
    }
    static constexpr void state(auto& self, auto&& visit) {
        visit("scale", self.scale);
        visit("best", self.best);
        visit("waited", self.waited);
    }

    [[nodiscard]] double operator()(Index, Index) const { return peak * scale; }

    void observe(double loss) {
        if (loss < best - threshold) {
            best = loss;
            waited = 0;
        } else if (++waited > patience) {
            scale = (std::max)(scale * factor, last);
            waited = 0;
        }
    }
};

}  // namespace untoward
