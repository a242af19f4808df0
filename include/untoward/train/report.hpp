// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "../config.hpp"

namespace untoward {

/// What happened in training.
struct TrainingReport {
    Index steps = 0;             ///< done
    Index best_step = 0;         ///< whose parameters were kept
    bool stopped_early = false;  ///< the held-out loss did not get better any more
    std::string stopped_by{};    ///< why it stopped before all steps were done; empty where it did not
    double seconds = 0;
    double loss = 0;  ///< `Trainer::evaluate` of the parameters kept, on the rows that chose them
    std::vector<double> training_losses;  ///< mean over each stretch between evaluations
    std::vector<double> held_out_losses;  ///< at each evaluation
};

}  // namespace untoward
