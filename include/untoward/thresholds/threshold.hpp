// SPDX-License-Identifier: MIT
#pragma once

// From a score to a decision. A threshold policy is options only (`Conformal{.false_alarm_rate = 0.01f}`);
// `calibrate(scores)` fits it to the scores of normal rows that nothing else was fitted to, and what comes
// back decides. Deciding needs no heap, no exceptions and no more than comparisons, so firmware includes it.
//
// A policy of your own is a struct with one member function; the fitted half may be the library's. This one,
// with quantile.hpp included, flags scores more than `width` robust standard deviations above the median:
//
//     struct MedianDeviation {
//         double width = 3.5;
//
//         template <class Derived>
//         auto calibrate(const Eigen::DenseBase<Derived>& scores) const {
//             using Scalar = typename Derived::Scalar;
//             auto sorted = untoward::sorted_scores(scores);
//             const Scalar median = untoward::quantile_of_sorted(sorted, 0.5);
//             auto deviations = untoward::sorted_scores((sorted.array() - median).abs());
//             const Scalar spread = Scalar(1.4826) * untoward::quantile_of_sorted(deviations, 0.5);
//             return untoward::PlainThreshold<Scalar>(median + static_cast<Scalar>(width) * spread,
//                                                     scores.size(), 1);
//         }
//     };

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include "../config.hpp"
#include "../core/options.hpp"

namespace untoward UNTOWARD_SETTING {

/// A calibrated threshold, for scores of type `Scalar` (higher = more anomalous).
///
/// Threads: nothing of it changes; any number may ask the same one, and `calibrate` by the same policy.
///
/// | member                           | meaning                                                          |
/// |----------------------------------|------------------------------------------------------------------|
/// | `threshold()`                    | scores above it are anomalous; +infinity with too few rows       |
/// | `is_anomaly(score)`              | `score > threshold()`; NaN and +infinity are always anomalous    |
/// | `calibration_rows()`             | how many scores it was calibrated on                             |
/// | `rows_needed()`                  | the fewest with which it can do what its options ask             |
/// | `is_calibrated()`                | `calibration_rows() >= rows_needed()`                            |
/// | `attainable_false_alarm_rate()`  | the smallest rate these rows could promise; 1 if none            |
///
/// A threshold that can give a p-value has `p_value(score)` besides: see HasPValue. One that cannot has no
/// such member, and that is how the code above knows at compile time.
template <class T>
concept FittedThreshold = std::floating_point<typename T::Scalar> &&
    requires(const T& fitted, typename T::Scalar score) {
    { fitted.threshold() } -> std::same_as<typename T::Scalar>;
    { fitted.is_anomaly(score) } -> std::same_as<bool>;
    { fitted.calibration_rows() } -> std::same_as<Index>;
    { fitted.rows_needed() } -> std::same_as<Index>;
    { fitted.is_calibrated() } -> std::same_as<bool>;
    { fitted.attainable_false_alarm_rate() } -> std::same_as<double>;
};

/// A calibrated threshold that says how unusual a score is: `p_value(score)` in (0, 1], small = unusual; the
/// smallest it can give for NaN.
template <class T>
concept HasPValue = FittedThreshold<T> && requires(const T& fitted, typename T::Scalar score) {
    { fitted.p_value(score) } -> std::same_as<typename T::Scalar>;
};

/// Options that `calibrate(scores)` turns into a FittedThreshold; `scores` is any Eigen vector, of any
/// length.
template <class T>
concept ThresholdPolicy = requires(const T& policy, const Eigen::VectorXf& scores) {
    { policy.calibrate(scores) } -> FittedThreshold;
};

/// The one comparison: anomalous above the threshold, and when the score is NaN or +infinity.
template <std::floating_point Scalar>
constexpr bool exceeds(Scalar score, Scalar threshold) {
    return !(score <= threshold) || score == std::numeric_limits<Scalar>::infinity();
}

/// A vector like `Derived`, as a column that owns its numbers: on the heap only when the length is unbounded.
template <class Derived>
using OwnedScores = Eigen::Matrix<typename Derived::Scalar, Derived::SizeAtCompileTime, 1, Eigen::ColMajor,
                                  Derived::MaxSizeAtCompileTime, 1>;

/// A sorted copy, ascending. NaN becomes +infinity: a row that the model could not score counts as the most
/// anomalous, which makes a threshold higher, never lower.
template <class Derived>
OwnedScores<Derived> sorted_scores(const Eigen::DenseBase<Derived>& scores) {
    EIGEN_STATIC_ASSERT_VECTOR_ONLY(Derived)
    using Scalar = typename Derived::Scalar;
    OwnedScores<Derived> sorted = scores.derived().matrix();
    for (Scalar& score : sorted) {
        if (std::isnan(score)) score = std::numeric_limits<Scalar>::infinity();
    }
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

/// Whether stored scores are what `sorted_scores` makes: ascending, without NaN. For loaders to ask.
template <class Derived>
bool is_sorted_scores(const Eigen::DenseBase<Derived>& scores) {
    for (Index i = 0; i < scores.size(); ++i) {
        if (std::isnan(scores.derived()[i])) return false;
        if (i > 0 && scores.derived()[i] < scores.derived()[i - 1]) return false;
    }
    return true;
}

/// A threshold that is one number and gives no p-value: what Fixed and Quantile calibrate to.
template <std::floating_point Scalar_>
class PlainThreshold {
public:
    using Scalar = Scalar_;

    /// `threshold` decides once there are `rows_needed` rows; +infinity until then. It must not be NaN.
    constexpr PlainThreshold(Scalar threshold, Index calibration_rows, Index rows_needed)
        : threshold_(calibration_rows >= rows_needed ? threshold : std::numeric_limits<Scalar>::infinity()),
          calibration_rows_(calibration_rows), rows_needed_(rows_needed) {
        if (!(threshold == threshold)) [[unlikely]]
            detail::refuse({"a threshold is NaN, expected a number"});
    }

    constexpr Scalar threshold() const { return threshold_; }
    constexpr bool is_anomaly(Scalar score) const { return exceeds(score, threshold_); }
    constexpr Index calibration_rows() const { return calibration_rows_; }
    constexpr Index rows_needed() const { return rows_needed_; }
    constexpr bool is_calibrated() const { return calibration_rows_ >= rows_needed_; }
    constexpr double attainable_false_alarm_rate() const { return 1.0; }

private:
    Scalar threshold_;
    Index calibration_rows_;
    Index rows_needed_;
};

/// No threshold: nothing is anomalous but what has no finite score. For the members of an ensemble.
struct NoThreshold {
    static constexpr const char* name = "no-threshold";

    template <class Derived>
    auto calibrate(const Eigen::DenseBase<Derived>&) const {
        using Scalar = typename Derived::Scalar;
        return PlainThreshold<Scalar>(std::numeric_limits<Scalar>::infinity(), 0, 0);
    }
};

namespace detail {

template <class Policy, bool HasCalibrate>
constexpr void require_calibrate() {
    static_assert(HasCalibrate,
                  "untoward: a threshold has calibrate(scores) const, which returns a FittedThreshold: "
                  "Conformal{.false_alarm_rate = 0.01} does, and Fixed{.value = 3} for a number");
}
template <class Policy, class Scores>
auto calibrate(const Policy& policy, const Scores& scores) {
    constexpr bool has = requires {
        { policy.calibrate(scores) } -> FittedThreshold;
    };
    require_calibrate<Policy, has>();
    if constexpr (has) {
        require_options(policy);
        return policy.calibrate(scores);
    } else {
        return PlainThreshold<typename Scores::Scalar>(0, 0, 1);
    }
}

}  // namespace detail

}  // namespace untoward
