// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "policy.hpp"
#include "report.hpp"

// Callbacks. A callback is a plain struct with any of four functions:
//
//     void on_begin(Training&)        before the first step; may put back a state
//     void on_step(Training&)         after each step
//     void on_evaluation(Training&)   after each evaluation, when all that follows from it is decided
//     void on_end(Training&)          after the last step, before the best parameters are put in place
//
// `const Training&` will do where it asks for nothing. Callbacks are called in their order; what they throw
// ends training. A complete one, which stops when the gradient's norm is a hundred times what it was at
// first:
//
//     struct GradientGuard {
//         double first = 0;
//
//         void on_begin(const untoward::Training&) { first = 0; }
//         void on_step(untoward::Training& training) {
//             if (first == 0) first = training.gradient_norm;
//             if (training.gradient_norm > 100 * first) training.stop("the gradient has run wild");
//         }
//     };
//
//     options.training.callbacks = {GradientGuard{}, untoward::ProgressBar{}};
//
// Options keep a copy of each, and copies of the options copies of their own, as each training makes of the options that
// it is given: so trainings at once by the same options do not meet. Give std::ref(guard) to look at your own one
// afterwards; then it is shared by all of them. train/time_limit.hpp, train/progress.hpp, io/run_log.hpp and io/checkpoint.hpp have others.

namespace untoward UNTOWARD_SETTING {

/// One thing that was chosen, or that data decide: two trainings with equal settings give the same bits.
struct Setting {
    std::string name;
    std::string value;
    bool is_number = false;
};

/// Training, as callbacks see it.
class Training {
public:
    Index step = 0;   ///< steps done, in all runs of this training
    Index steps = 0;  ///< planned

    // Of the last step.
    double loss = 0;            ///< -ELBO of the batch, nats per sample; beta is 1
    double reconstruction = 0;  ///< its first term
    double kl = 0;              ///< its second term
    double gradient_norm = 0;   ///< before clipping
    double learning_rate = 0;
    double beta = 0;

    // Of the last evaluation.
    double training_loss = 0;  ///< mean of `loss` since the evaluation before
    double training_kl = 0;    ///< mean of `kl`, likewise
    double held_out_loss = 0;  ///< `Trainer::evaluate`
    bool is_best = false;      ///< whether its parameters are the best so far

    /// What happened so far; complete in on_end.
    TrainingReport report;

    /// Asks training to stop after this step. The first reason goes into the report.
    void stop(std::string reason) {
        if (report.stopped_by.empty()) report.stopped_by = std::move(reason);
        stopping_ = true;
    }
    [[nodiscard]] bool stopping() const { return stopping_; }

    /// Seconds spent on it, in all runs of this training.
    [[nodiscard]] virtual double seconds() const = 0;
    /// Everything that decides the outcome.
    [[nodiscard]] virtual std::vector<Setting> settings() const = 0;
    /// Everything that training must remember, to be read or, in on_begin, to be replaced.
    virtual void visit_state(StateVisitor& visitor) = 0;

protected:
    Training() = default;
    Training(const Training&) = default;
    Training& operator=(const Training&) = default;
    ~Training() = default;

private:
    bool stopping_ = false;
};

namespace detail {

template <class T>
struct IsReference : std::false_type {};
template <class T>
struct IsReference<std::reference_wrapper<T>> : std::true_type {};

}  // namespace detail

/// Any callback. Copies are deep.
class AnyCallback {
public:
    /// A copy of `callback`, or what a std::reference_wrapper refers to. Throws Error where its options, as
    /// TimeLimit has some, make no sense.
    template <class Callback>
    requires(!std::is_same_v<Callback, AnyCallback>) AnyCallback(const Callback& callback)
        : held_(std::make_unique<Held<Callback>>(callback)) {
        held_->check_options();
    }

    AnyCallback(const AnyCallback& other) : held_(other.held_->clone()) {}
    AnyCallback(AnyCallback&&) noexcept = default;
    AnyCallback& operator=(AnyCallback other) noexcept {
        std::swap(held_, other.held_);
        return *this;
    }
    ~AnyCallback() = default;

    /// Refuses options of the callback that make no sense; what a std::reference_wrapper refers to may have changed.
    void check_options() const { held_->check_options(); }
    void on_begin(Training& training) { held_->on_begin(training); }
    void on_step(Training& training) { held_->on_step(training); }
    void on_evaluation(Training& training) { held_->on_evaluation(training); }
    void on_end(Training& training) { held_->on_end(training); }

private:
    struct Base {
        virtual ~Base() = default;
        [[nodiscard]] virtual std::unique_ptr<Base> clone() const = 0;
        virtual void check_options() = 0;
        virtual void on_begin(Training& training) = 0;
        virtual void on_step(Training& training) = 0;
        virtual void on_evaluation(Training& training) = 0;
        virtual void on_end(Training& training) = 0;
    };

    template <class Callback>
    struct Held final : Base {
        explicit Held(const Callback& callback) : held(callback) {
            using C = std::remove_reference_t<decltype(get())>;
            constexpr bool has_any = requires(C & c, Training & t) {
                c.on_begin(t);
            }
            || requires(C & c, Training & t) {
                c.on_step(t);
            }
            || requires(C & c, Training & t) {
                c.on_evaluation(t);
            }
            || requires(C & c, Training & t) {
                c.on_end(t);
            };
            static_assert(has_any, "untoward: a callback has on_begin, on_step, on_evaluation or on_end");
        }
        [[nodiscard]] std::unique_ptr<Base> clone() const override { return std::make_unique<Held>(held); }
        void check_options() override { require_options(get()); }
        void on_begin(Training& training) override {
            if constexpr (requires { get().on_begin(training); }) get().on_begin(training);
        }
        void on_step(Training& training) override {
            if constexpr (requires { get().on_step(training); }) get().on_step(training);
        }
        void on_evaluation(Training& training) override {
            if constexpr (requires { get().on_evaluation(training); }) get().on_evaluation(training);
        }
        void on_end(Training& training) override {
            if constexpr (requires { get().on_end(training); }) get().on_end(training);
        }
        auto& get() {
            if constexpr (detail::IsReference<Callback>::value) {
                return held.get();
            } else {
                return held;
            }
        }

        Callback held;
    };

    std::unique_ptr<Base> held_;
};

}  // namespace untoward
