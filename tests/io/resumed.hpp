// SPDX-License-Identifier: MIT
#pragma once

// Trainings that are stopped again and again, and go on from a checkpoint.

#include <vector>

#include "io/folder.hpp"
#include "support/catch.hpp"
#include "train/trained.hpp"
#include "untoward/io/checkpoint.hpp"
#include "untoward/train/average.hpp"
#include "untoward/train/sgd.hpp"
#include "untoward/train/time_limit.hpp"

namespace untoward_test {

struct StopAt {
    Index step;
    void on_step(Training& t) const {
        if (t.step == step) t.stop("step " + std::to_string(step));
    }
};

/// Every optimiser, with and without an average, with a cosine and a plateau.
template <class S>
void check_resuming() {
    const Folder folder;
    Index file = 0;
    const AnyOptimiser optimisers[] = {Adam{}, AdamW{.decay = 0.1}, Sgd{.momentum = 0.9, .nesterov = true}};
    const AnySchedule rates[] = {CosineSchedule{.peak = 0.02},
                                 PlateauSchedule{.peak = 0.02, .patience = 0, .threshold = 0.05}};
    for (const AnyOptimiser& optimiser : optimisers) {
        for (const AnySchedule& rate : rates) {
            for (const AnySchedule& average : {AnySchedule(), AnySchedule(ExponentialAverage{.decay = 0.9}),
                                               AnySchedule(UniformAverage{})}) {
                auto options = tiny_options(130);
                options.optimiser = optimiser;
                options.learning_rate = rate;
                options.averaging = average;
                INFO(optimiser.text() << ", " << rate.text() << ", " << average.text());
                const auto whole = train<S>(options);

                // Within the ramp, between evaluations and at one, at the last step; 13 steps are a stretch.
                const std::string path = folder / std::to_string(file++);
                for (const Index stop : {1, 17, 60, 65, 129}) {
                    options.callbacks = {io::Checkpoint{path}, StopAt{stop}};
                    const auto part = train<S>(options);
                    REQUIRE(part.report.steps == stop);
                    REQUIRE(part.report.stopped_by == "step " + std::to_string(stop));
                }
                options.callbacks = {io::Checkpoint{path}};
                const auto resumed = train<S>(options);
                REQUIRE(same_bits(resumed.parameters, whole.parameters));
                REQUIRE(same(resumed.report, whole.report));
            }
        }
    }

    // By the clock: a run ends after a step or two, wherever it is.
    auto options = tiny_options(60);
    options.averaging = ExponentialAverage{};
    const auto whole = train<S>(options);
    options.callbacks = {TimeLimit{1e-4}, io::Checkpoint{folder / "clock"}};
    Index runs = 1;
    auto part = train<S>(options);
    for (; part.report.steps < 60; ++runs) {
        const Index before = part.report.steps;
        part = train<S>(options);
        REQUIRE(part.report.steps > before);
    }
    REQUIRE(runs > 1);
    options.callbacks.erase(options.callbacks.begin());
    part = train<S>(options);
    REQUIRE(same_bits(part.parameters, whole.parameters));
    REQUIRE(same(part.report, whole.report));
}

}  // namespace untoward_test
