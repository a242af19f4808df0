// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../core/random.hpp"
#include "callback.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

inline std::string hash_text(std::uint64_t hash) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; hash >>= 4) text[i] = digits[hash & 15U];
    return text;
}

// Of sizes and bits.
template <class Matrix>
std::string hash_of_numbers(const Matrix& values) {
    std::uint64_t hash = mix64(static_cast<std::uint64_t>(values.rows()));
    for (Index i = 0; i < values.size(); ++i) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, values.data() + i, sizeof *values.data());
        hash = mix64(hash * 0x9e3779b97f4a7c15u + bits);
    }
    return hash_text(hash);
}

struct SettingsList {
    std::vector<Setting> settings{};

    void text(const char* name, std::string value) { settings.push_back({name, std::move(value), false}); }
    void number(const char* name, std::integral auto value) {
        settings.push_back({name, std::to_string(value), true});
    }
    void number(const char* name, double value) { settings.push_back({name, number_text(value), true}); }
};

}  // namespace detail

/// The part of a run of training that does not depend on the model: counts, sums, curves and the best so far.
class TrainingSession : public Training {
public:
    explicit TrainingSession(Index planned) { steps = planned; }

    double best_loss = std::numeric_limits<double>::infinity();

    [[nodiscard]] double seconds() const final { return earlier_seconds_ + this_run(); }
    /// Whether there is no further step to take.
    [[nodiscard]] bool over() const { return step >= steps || report.stopped_early || stopping(); }

    /// A step was taken, and its numbers are in place.
    void add_step() {
        sum_loss_ += loss;
        sum_kl_ += kl;
        ++summed_;
        report.steps = ++step;
    }
    /// An evaluation was made. Returns whether it is the best of those that count; where it may, training is
    /// to stop after `patience` of them without a better one.
    bool add_evaluation(double loss_held_out, bool counts, bool may_stop, Index patience) {
        const auto n = static_cast<double>(summed_);
        held_out_loss = loss_held_out;
        training_loss = sum_loss_ / n;
        training_kl = sum_kl_ / n;
        report.training_losses.push_back(training_loss);
        report.held_out_losses.push_back(held_out_loss);
        sum_loss_ = sum_kl_ = 0;
        summed_ = 0;
        is_best = counts && held_out_loss < best_loss;
        if (is_best) {
            best_loss = held_out_loss;
            report.best_step = step;
            waited_ = 0;
        } else if (counts && may_stop && ++waited_ >= patience) {
            report.stopped_early = true;
        }
        return is_best;
    }

protected:
    ~TrainingSession() = default;

    void visit_progress(StateVisitor& visitor) {
        std::int64_t done = step;
        std::int64_t best_step = report.best_step;
        std::int64_t stopped_early = report.stopped_early ? 1 : 0;
        std::int64_t clipped = report.clipped_steps;
        double spent = seconds();
        visitor.visit("step", done);
        visitor.visit("best_step", best_step);
        visitor.visit("best_loss", best_loss);
        visitor.visit("waited", waited_);
        visitor.visit("stopped_early", stopped_early);
        visitor.visit("sum_loss", sum_loss_);
        visitor.visit("sum_kl", sum_kl_);
        visitor.visit("summed", summed_);
        visitor.visit("clipped", clipped);
        visitor.visit("seconds", spent);
        visitor.visit("training_losses", report.training_losses);
        visitor.visit("held_out_losses", report.held_out_losses);
        step = report.steps = static_cast<Index>(done);
        report.best_step = static_cast<Index>(best_step);
        report.stopped_early = stopped_early != 0;
        report.clipped_steps = static_cast<Index>(clipped);
        earlier_seconds_ = spent - this_run();
    }

    // What was put back, if anything was, must be a state that this training can be in.
    void check_progress() const {
        const auto evaluations = static_cast<Index>(report.held_out_losses.size());
        if (step < 0 || step > steps || report.best_step < 0 || report.best_step > step || summed_ < 0 ||
            summed_ > step || waited_ < 0 || waited_ > evaluations || evaluations > step ||
            report.clipped_steps < 0 || report.clipped_steps > step ||
            report.training_losses.size() != report.held_out_losses.size())
            fail("the state of training that was put back is none of this training: step ", step, " of ",
                 steps, ", best step ", report.best_step, ", ", evaluations, " evaluations");
    }

private:
    using Clock = std::chrono::steady_clock;
    [[nodiscard]] double this_run() const {
        return std::chrono::duration<double>(Clock::now() - start_).count();
    }

    double sum_loss_ = 0;
    double sum_kl_ = 0;
    std::int64_t summed_ = 0;
    std::int64_t waited_ = 0;
    double earlier_seconds_ = 0;
    Clock::time_point start_ = Clock::now();
};

}  // namespace untoward
