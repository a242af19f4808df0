// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>

#include "../thresholds/conformal.hpp"
#include "../thresholds/fixed.hpp"
#include "../thresholds/quantile.hpp"
#include "registry.hpp"

namespace untoward UNTOWARD_SETTING {

template <class S>
class AnyThreshold;

/// What any threshold policy was calibrated to: the decision, and the policy and scores that made it, which is
/// all there is to store.
template <class S = float>
class AnyFittedThreshold {
public:
    using Scalar = S;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;

    [[nodiscard]] S threshold() const { return held_->threshold(); }
    [[nodiscard]] bool is_anomaly(S score) const { return held_->is_anomaly(score); }
    [[nodiscard]] Index calibration_rows() const { return held_->calibration_rows(); }
    [[nodiscard]] Index rows_needed() const { return held_->rows_needed(); }
    [[nodiscard]] bool is_calibrated() const { return calibration_rows() >= rows_needed(); }
    [[nodiscard]] double attainable_false_alarm_rate() const { return held_->attainable_false_alarm_rate(); }
    /// NaN where the policy has no p-values.
    [[nodiscard]] S p_value(S score) const { return held_->p_value(score); }
    /// The rate that is promised where the policy promises one.
    [[nodiscard]] std::optional<double> false_alarm_rate() const { return held_->false_alarm_rate(); }

    /// The policy and the scores that it was calibrated to, ascending.
    [[nodiscard]] const AnyThreshold<S>& policy() const { return *policy_; }
    [[nodiscard]] const Vector& scores() const { return scores_; }

private:
    friend class AnyThreshold<S>;

    struct Interface {
        virtual ~Interface() = default;
        [[nodiscard]] virtual S threshold() const = 0;
        [[nodiscard]] virtual bool is_anomaly(S score) const = 0;
        [[nodiscard]] virtual Index calibration_rows() const = 0;
        [[nodiscard]] virtual Index rows_needed() const = 0;
        [[nodiscard]] virtual double attainable_false_alarm_rate() const = 0;
        [[nodiscard]] virtual S p_value(S score) const = 0;
        [[nodiscard]] virtual std::optional<double> false_alarm_rate() const = 0;
    };
    template <FittedThreshold Fitted>
    struct Held final : Interface {
        explicit Held(const Fitted& f) : fitted(f) {}
        [[nodiscard]] S threshold() const override { return fitted.threshold(); }
        [[nodiscard]] bool is_anomaly(S score) const override { return fitted.is_anomaly(score); }
        [[nodiscard]] Index calibration_rows() const override { return fitted.calibration_rows(); }
        [[nodiscard]] Index rows_needed() const override { return fitted.rows_needed(); }
        [[nodiscard]] double attainable_false_alarm_rate() const override {
            return fitted.attainable_false_alarm_rate();
        }
        [[nodiscard]] S p_value(S score) const override {
            if constexpr (HasPValue<Fitted>) {
                return fitted.p_value(score);
            } else {
                static_cast<void>(score);
                return std::numeric_limits<S>::quiet_NaN();
            }
        }
        [[nodiscard]] std::optional<double> false_alarm_rate() const override {
            if constexpr (requires { fitted.false_alarm_rate(); }) return fitted.false_alarm_rate();
            return std::nullopt;
        }
        Fitted fitted;
    };

    AnyFittedThreshold(std::shared_ptr<const Interface> held, std::shared_ptr<const AnyThreshold<S>> policy,
                       Vector scores)
        : held_(std::move(held)), policy_(std::move(policy)), scores_(std::move(scores)) {}

    std::shared_ptr<const Interface> held_;
    std::shared_ptr<const AnyThreshold<S>> policy_;
    Vector scores_;
};

/// Any threshold policy, chosen at run time, for scores of type S.
template <class S = float>
class AnyThreshold {
public:
    using Vector = Eigen::Matrix<S, Dynamic, 1>;

    template <class Policy>
    requires(!std::same_as<Policy, AnyThreshold>) AnyThreshold(const Policy& policy)
        : held_(std::make_shared<Held<Policy>>(policy)) {
        require_options(policy);
    }

    template <class Derived>
    [[nodiscard]] AnyFittedThreshold<S> calibrate(const Eigen::DenseBase<Derived>& scores) const {
        Vector sorted = sorted_scores(scores);
        auto fitted = held_->calibrate(sorted);
        return {std::move(fitted), std::make_shared<AnyThreshold>(*this), std::move(sorted)};
    }
    /// How many of n rows it wants for itself.
    [[nodiscard]] Index rows_for_calibration(Index n) const { return held_->rows_for_calibration(n); }
    /// C++ text, which `threshold_registry` reads back.
    [[nodiscard]] std::string text() const { return held_->text(); }

private:
    using Fitted = typename AnyFittedThreshold<S>::Interface;
    struct Interface {
        virtual ~Interface() = default;
        [[nodiscard]] virtual std::shared_ptr<const Fitted> calibrate(const Vector& scores) const = 0;
        [[nodiscard]] virtual Index rows_for_calibration(Index n) const = 0;
        [[nodiscard]] virtual std::string text() const = 0;
    };
    template <class Policy>
    struct Held final : Interface {
        explicit Held(const Policy& p) : policy(p) {}
        [[nodiscard]] std::shared_ptr<const Fitted> calibrate(const Vector& scores) const override {
            auto fitted = policy.calibrate(scores);
            return std::make_shared<typename AnyFittedThreshold<S>::template Held<decltype(fitted)>>(fitted);
        }
        [[nodiscard]] Index rows_for_calibration(Index n) const override {
            return untoward::rows_for_calibration(policy, n);
        }
        [[nodiscard]] std::string text() const override { return io::policy_text(policy); }
        Policy policy;
    };

    std::shared_ptr<const Interface> held_;
};

/// The threshold policies that are known by name: the library's, and those that a program adds.
template <class S = float>
Registry<AnyThreshold<S>>& threshold_registry() {
    static Registry<AnyThreshold<S>> registry = [] {
        Registry<AnyThreshold<S>> all("threshold");
        all.template add<Conformal>();
        all.template add<Quantile>();
        all.template add<Fixed>();
        return all;
    }();
    return registry;
}

}  // namespace untoward
