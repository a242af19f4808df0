// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <limits>

#include "callback.hpp"

namespace untoward UNTOWARD_SETTING {

/// A callback that stops a run of training after some seconds, at the end of a step. The best parameters so
/// far are kept; with a Checkpoint (io/checkpoint.hpp) another run goes on from there.
///
///     options.training.callbacks = {TimeLimit{.seconds = 600}, ProgressBar{}};
struct TimeLimit {
    double seconds = 3600;

    std::chrono::steady_clock::time_point start{};  // of this run

    static constexpr const char* name = "time-limit";
    static constexpr void options(auto& self, auto&& visit) {
        visit("seconds", self.seconds, OptionRange{0, std::numeric_limits<double>::infinity()});
    }

    void on_begin(const Training&) { start = std::chrono::steady_clock::now(); }
    void on_step(Training& training) const {
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
        if (passed.count() >= seconds)
            training.stop("the time limit of " + detail::number_text(seconds) + " s");
    }
};

}  // namespace untoward
