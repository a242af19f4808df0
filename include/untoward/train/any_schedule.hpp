// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "policy.hpp"
#include "schedule.hpp"

namespace untoward UNTOWARD_SETTING {

/// What gives a number for each step: schedule.hpp says more.
template <class T>
concept ScheduleLike = requires(const T& schedule, Index step) {
    { schedule(step, step) } -> std::convertible_to<double>;
};

/// Any schedule, chosen at run time: options.learning_rate = StepSchedule{.peak = 0.01}. Copies are deep. Throws Error
/// where options of the schedule make no sense.
class AnySchedule {
public:
    /// None: false, and not to be called.
    AnySchedule() = default;

    template <class Schedule>
    requires(!std::is_same_v<Schedule, AnySchedule> && std::is_class_v<Schedule>)
        AnySchedule(const Schedule& schedule)
        : held_(std::make_unique<Held<Schedule>>(schedule)) {
        require_options(schedule);
    }

    AnySchedule(const AnySchedule& other) : held_(other.held_ ? other.held_->clone() : nullptr) {}
    AnySchedule(AnySchedule&&) noexcept = default;
    AnySchedule& operator=(AnySchedule other) noexcept {
        std::swap(held_, other.held_);
        return *this;
    }
    ~AnySchedule() = default;

    [[nodiscard]] explicit operator bool() const { return held_ != nullptr; }

    /// The value at step `step` of `steps`, from 0.
    [[nodiscard]] double operator()(Index step, Index steps) const { return held_->value(step, steps); }
    /// Whether it has grown up (beta.hpp).
    [[nodiscard]] bool complete(Index step, Index steps) const { return held_->complete(step, steps); }
    /// Tells it a held-out loss.
    void observe(double loss) { held_->observe(loss); }
    /// Whether its peak is for the trainer to choose.
    [[nodiscard]] bool is_automatic() const { return held_ && held_->is_automatic(); }
    /// Returns whether it has one.
    bool set_peak(double peak) { return held_ && held_->set_peak(peak); }
    /// In C++: "StepSchedule{.peak = 0.01, ...}"; "none".
    [[nodiscard]] std::string text() const { return held_ ? held_->text() : "none"; }
    /// What it has learned, for checkpoints.
    void visit_state(const std::string& prefix, StateVisitor& visitor) {
        if (held_) held_->visit_state(prefix, visitor);
    }

private:
    struct Base {
        virtual ~Base() = default;
        [[nodiscard]] virtual std::unique_ptr<Base> clone() const = 0;
        [[nodiscard]] virtual double value(Index step, Index steps) const = 0;
        [[nodiscard]] virtual bool complete(Index step, Index steps) const = 0;
        virtual void observe(double loss) = 0;
        [[nodiscard]] virtual bool is_automatic() const = 0;
        virtual bool set_peak(double peak) = 0;
        [[nodiscard]] virtual std::string text() const = 0;
        virtual void visit_state(const std::string& prefix, StateVisitor& visitor) = 0;
    };

    template <class Schedule>
    struct Held final : Base {
        static constexpr bool observes = requires(Schedule & s) { s.observe(0.0); };
        static constexpr bool has_state = requires(Schedule & s) {
            Schedule::state(s, detail::IgnoreOption{});
        };

        explicit Held(const Schedule& schedule) : held(schedule) {
            static_assert(ScheduleLike<Schedule>,
                          "untoward: a schedule has operator()(step, steps) const, which returns a number");
            static_assert(!observes || has_state,
                          "untoward: a schedule that observes has state(self, visit)");
        }
        [[nodiscard]] std::unique_ptr<Base> clone() const override { return std::make_unique<Held>(held); }
        [[nodiscard]] double value([[maybe_unused]] Index step, [[maybe_unused]] Index steps) const override {
            if constexpr (ScheduleLike<Schedule>) {
                return held(step, steps);
            } else {
                return 0;
            }
        }
        [[nodiscard]] bool complete([[maybe_unused]] Index step,
                                    [[maybe_unused]] Index steps) const override {
            if constexpr (requires { held.complete(step, steps); }) {
                return held.complete(step, steps);
            } else {
                return true;
            }
        }
        void observe([[maybe_unused]] double loss) override {
            if constexpr (observes) held.observe(loss);
        }
        [[nodiscard]] bool is_automatic() const override {
            if constexpr (requires { held.peak == automatic; }) {
                return held.peak == automatic;
            } else {
                return false;
            }
        }
        bool set_peak([[maybe_unused]] double peak) override {
            if constexpr (requires { held.peak = peak; }) {
                held.peak = peak;
                return true;
            } else {
                return false;
            }
        }
        [[nodiscard]] std::string text() const override { return detail::training_policy_text(held); }
        void visit_state([[maybe_unused]] const std::string& prefix,
                         [[maybe_unused]] StateVisitor& visitor) override {
            if constexpr (has_state) {
                Schedule::state(held, [&](const char* name, auto& value) {
                    if constexpr (std::is_integral_v<std::remove_reference_t<decltype(value)>>) {
                        std::int64_t whole = value;
                        visitor.visit(prefix + "." + name, whole);
                        value = static_cast<std::remove_reference_t<decltype(value)>>(whole);
                    } else {
                        visitor.visit(prefix + "." + name, value);
                    }
                });
            }
        }

        Schedule held;
    };

    std::unique_ptr<Base> held_;
};

}  // namespace untoward
