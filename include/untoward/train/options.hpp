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

namespace untoward UNTOWARD_SETTING {

/// The peak learning rate for a number of features: 4e-3 up to 32 of them, then in inverse proportion to
/// their number down to 1.5e-3. One step of Adam moves every weight alike, so what it changes in a unit's
/// input grows with the number of its weights (Yang and Hu 2021): wide tables want smaller steps.
inline double default_learning_rate(Index features) {
    return std::clamp(4e-3 * 32.0 / static_cast<double>(std::max<Index>(features, 1)), 1.5e-3, 4e-3);
}

/// How to train.
struct TrainingOptions {
    Index epochs = 0;     ///< passes over the rows; 0: 20, but from 1500 to 4000 steps, and one pass at least
    Index min_steps = 0;  ///< no fewer where `epochs` is 0; 0: 1500, or `max_steps` where that is less
    Index max_steps = 0;  ///< no more, whatever else is said: 10 takes 10 steps; 0: as above
    Index batch = 128;    ///< rows a step; all rows where there are fewer
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

    static constexpr const char* name = "training-options";
    static constexpr void options(auto& self, auto&& visit) {
        visit("epochs", self.epochs, at_least(0));
        visit("min_steps", self.min_steps, at_least(0));
        visit("max_steps", self.max_steps,
              at_least(self.max_steps > 0 ? static_cast<double>(self.min_steps) : 0));
        visit("batch", self.batch, at_least(1));
        visit("optimiser", self.optimiser);
        visit("learning_rate", self.learning_rate);
        visit("beta", self.beta);
        visit("free_bits", self.free_bits, at_least(0));
        visit("averaging", self.averaging);
        visit("max_gradient_norm", self.max_gradient_norm, at_least(0));
        visit("evaluations", self.evaluations, at_least(1));
        visit("patience", self.patience, at_least(1));
        visit("seed", self.seed);
        visit("shards", self.shards, at_least(1));
        visit("threads", self.threads, OptionRange{0, 1024});
        for (auto& callback : self.callbacks) visit("callbacks", callback);
    }
};

/// How many steps these options take over so many rows. Without a number of passes or steps it is 20 passes, but 1500
/// steps at least, and at most 4000 or, where that is more, one whole pass: no row is left unseen by default.
inline Index planned_steps(const TrainingOptions& options, Index rows) {
    const Index batch = std::max<Index>((std::min)(options.batch, rows), 1);
    const Index a_pass = (rows + batch - 1) / batch;
    const Index fewest = options.min_steps > 0 ? options.min_steps : 1500;
    const Index most = options.max_steps > 0 ? options.max_steps : std::max<Index>(4000, a_pass);
    const Index steps = options.epochs > 0 ? options.epochs * a_pass
                                           : std::clamp(20 * a_pass, fewest, (std::max)(fewest, most));
    return options.max_steps > 0 ? (std::min)(steps, options.max_steps) : steps;
}

}  // namespace untoward
