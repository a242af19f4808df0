// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "../config.hpp"

namespace untoward UNTOWARD_SETTING {

/// What happened in training.
struct TrainingReport {
    Index steps = 0;  ///< done
    Index planned_steps = 0;
    Index best_step = 0;         ///< whose parameters were kept
    bool stopped_early = false;  ///< the held-out loss did not get better any more
    std::string stopped_by{};    ///< why it stopped before all steps were done; empty where it did not
    double seconds = 0;
    double loss = 0;        ///< `Trainer::evaluate` of the parameters kept, on the rows that chose them
    double first_loss = 0;  ///< the same before the first step
    Index features = 0;
    Index rows_never_seen = 0;            ///< training rows that no step came to, in less than one pass
    Index clipped_steps = 0;              ///< whose gradient was longer than `max_gradient_norm`
    std::vector<double> training_losses;  ///< mean over each stretch between evaluations
    std::vector<double> held_out_losses;  ///< at each evaluation

    /// Whether the parameters kept are none to use: their loss is not finite, or more than 0.1 nats per feature above
    /// what it was before the first step. In heavy noise training may gain nothing; it loses that much only by steps
    /// that are too long.
    [[nodiscard]] bool diverged() const {
        constexpr double margin = 0.1;
        return !std::isfinite(loss) || loss - first_loss > margin * static_cast<double>(features);
    }
    /// Whether nearly every step was clipped, so that the limit, not the gradient, says how long steps are.
    [[nodiscard]] bool mostly_clipped() const { return steps > 0 && 10 * clipped_steps > 9 * steps; }

    /// A sentence for whatever a person should know of it; none where all went as planned.
    [[nodiscard]] std::vector<std::string> notes() const {
        std::vector<std::string> result;
        char text[300];
        if (diverged()) {
            std::snprintf(
                text, sizeof text,
                "training diverged: -ELBO is %.4g nats a row, and was %.4g before the first step; lower the "
                "learning rate, or look for extreme values",
                loss, first_loss);
            result.emplace_back(text);
        } else if (steps > 0 && loss >= first_loss) {
            std::snprintf(
                text, sizeof text,
                "training gained nothing: -ELBO is %.4g nats a row, and was %.4g before the first step", loss,
                first_loss);
            result.emplace_back(text);
        }
        if (mostly_clipped()) {
            std::snprintf(text, sizeof text,
                          "the gradient was clipped in %lld of %lld steps: look for extreme values, or raise "
                          "max_gradient_norm",
                          static_cast<long long>(clipped_steps), static_cast<long long>(steps));
            result.emplace_back(text);
        }
        if (steps < planned_steps) {
            std::snprintf(text, sizeof text, "training stopped after %lld of %lld steps",
                          static_cast<long long>(steps), static_cast<long long>(planned_steps));
            result.push_back(text + (stopped_by.empty() ? std::string() : ": " + stopped_by));
        }
        if (rows_never_seen > 0) {
            std::snprintf(
                text, sizeof text,
                "%lld training rows were never seen: %lld steps are less than one pass; raise max_steps or "
                "the batch",
                static_cast<long long>(rows_never_seen), static_cast<long long>(steps));
            result.emplace_back(text);
        }
        return result;
    }
};

}  // namespace untoward
