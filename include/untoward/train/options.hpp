// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "adam.hpp"
#include "any_schedule.hpp"
#include "beta.hpp"
#include "callback.hpp"
#include "optimiser.hpp"

namespace untoward {

/// The peak learning rate for a number of features: 4e-3 up to 32 of them, then in inverse proportion to
/// their number down to 1.5e-3. One step of Adam moves every weight alike, so what it changes in a unit's
/// input grows with the number of its weights (Yang and Hu 2021): wide tables want smaller steps.
inline double default_learning_rate(Index features) {
    return std::clamp(4e-3 * 32.0 / static_cast<double>(std::max<Index>(features, 1)), 1.5e-3, 4e-3);
}

/// How to train.
struct TrainingOptions {
    Index epochs = 0;  ///< passes over the rows; 0: 20, within the next two numbers of steps
    Index min_steps = 1500;
    Index max_steps = 4000;
    Index batch = 128;  ///< rows a step; all rows where there are fewer
    AnyOptimiser optimiser = Adam{};
    AnySchedule learning_rate = CosineSchedule{};
    AnySchedule beta = LinearBeta{};  ///< the weight of the KL term
    double free_bits = 0;             ///< nats of KL that each latent unit has for free
    AnySchedule averaging{};          ///< average.hpp; none: the parameters are what is kept
    double max_gradient_norm = 1000;  ///< global-norm clipping; 0 turns it off
    Index evaluations = 40;           ///< of the held-out loss, over all of training
    Index patience = 12;              ///< evaluations without a better one before training stops
    std::uint64_t seed = 0;
    /// Parts of a batch that are worked on side by side, each with a gradient of its own; these are added up in order.
    /// The result depends on their number, not on that of the threads (batch norm and free bits see a part for a batch).
    Index shards = 1;
    Index threads =
        1;  ///< that share out shards, and the rows of evaluations; 0: as many as the processor runs
    std::vector<AnyCallback> callbacks{};
};

}  // namespace untoward
