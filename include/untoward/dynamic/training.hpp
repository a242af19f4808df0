// SPDX-License-Identifier: MIT
#pragma once

#include "../train/average.hpp"
#include "../train/options.hpp"
#include "../train/sgd.hpp"
#include "registry.hpp"

// The parts of TrainingOptions by name.

namespace untoward UNTOWARD_SETTING {

/// The optimisers that are known by name: the library's, and those that a program adds.
inline Registry<AnyOptimiser>& optimiser_registry() {
    static Registry<AnyOptimiser> registry = [] {
        Registry<AnyOptimiser> all("optimiser");
        all.add<Adam>();
        all.add<AdamW>();
        all.add<Sgd>();
        return all;
    }();
    return registry;
}

/// The schedules of the learning rate that are known by name, likewise.
inline Registry<AnySchedule>& learning_rate_registry() {
    static Registry<AnySchedule> registry = [] {
        Registry<AnySchedule> all("learning-rate schedule");
        all.add<ConstantSchedule>();
        all.add<StepSchedule>();
        all.add<CosineSchedule>();
        all.add<PlateauSchedule>();
        return all;
    }();
    return registry;
}

/// The schedules of beta, the weight of the KL term, that are known by name, likewise.
inline Registry<AnySchedule>& beta_registry() {
    static Registry<AnySchedule> registry = [] {
        Registry<AnySchedule> all("beta schedule");
        all.add<ConstantBeta>();
        all.add<LinearBeta>();
        all.add<SigmoidBeta>();
        all.add<CyclicalBeta>();
        return all;
    }();
    return registry;
}

/// The averages of the weights that are known by name, likewise.
inline Registry<AnySchedule>& averaging_registry() {
    static Registry<AnySchedule> registry = [] {
        Registry<AnySchedule> all("average of the weights");
        all.add<ExponentialAverage>();
        all.add<UniformAverage>();
        return all;
    }();
    return registry;
}

}  // namespace untoward
