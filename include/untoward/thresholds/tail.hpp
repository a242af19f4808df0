// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "conformal.hpp"

namespace untoward UNTOWARD_SETTING {

/// A conformal threshold (thresholds/conformal.hpp) from the largest calibration scores alone: of n scores it needs
/// the floor((n + 1) rate) largest. So it can be calibrated where there is no room for n of them, one score at a time,
/// in a fixed array of `Capacity`; n may go on growing. On a device no floating-point number is computed to do so.
///
///     ConformalTail<float, 64> threshold(0.01);
///     for (...) threshold.add(detector.score(normal));
///     if (threshold.is_calibrated() && threshold.is_anomaly(score)) ...
///
/// Threshold and decision are those of `Conformal` on the same scores. So are p-values of scores above the smallest
/// that is kept; of other scores it is only known that they are not among the largest, and their p-value is 1. When
/// more than `Capacity` scores would be needed (`is_exact()` is false) the threshold is the smallest kept one: higher,
/// so that the promise holds, with fewer alarms than it allows.
template <std::floating_point S, Index Capacity>
///
/// Threads: any number may ask one that nobody adds to or resets.
class ConformalTail {
    static_assert(Capacity >= 1);

public:
    using Scalar = S;

    /// Nothing calibrated yet; a rate in (0, 1), another is refused.
    constexpr explicit ConformalTail(double false_alarm_rate)
        : false_alarm_rate_(false_alarm_rate), step_(fixed_point(false_alarm_rate)), credit_(step_) {
        detail::require_false_alarm_rate(false_alarm_rate);
    }
    /// What a calibration on `rows` scores has left: its largest, in descending order.
    constexpr ConformalTail(double false_alarm_rate, Index rows, const std::array<S, Capacity>& largest)
        : ConformalTail(false_alarm_rate) {
        largest_ = largest;
        for (; rows_ < rows; ++rows_) take_step();
        kept_ = rows < Capacity ? rows : Capacity;
    }

    /// One more calibration score. NaN counts as the most anomalous. Time: Capacity.
    constexpr void add(S score) {
        if (score != score) score = std::numeric_limits<S>::infinity();
        Index place = kept_ < Capacity ? kept_++ : Capacity;
        for (; place > 0 && largest_[at(place - 1)] < score; --place) {
            if (place < Capacity) largest_[at(place)] = largest_[at(place - 1)];
        }
        if (place < Capacity) largest_[at(place)] = score;
        ++rows_;
        take_step();
    }
    /// Forgets every score, not the rate.
    constexpr void reset() {
        credit_ = step_;
        needed_ = rows_ = kept_ = 0;
    }

    /// The floor((n + 1) rate)-th largest score; +infinity when there are too few rows.
    constexpr S threshold() const {
        if (needed_ == 0) return std::numeric_limits<S>::infinity();
        return largest_[at((needed_ < Capacity ? needed_ : Capacity) - 1)];
    }
    /// Whether the score is above the threshold, NaN or +infinity.
    constexpr bool is_anomaly(S score) const { return exceeds(score, threshold()); }
    /// (1 + #{i : S_i >= score}) / (n + 1) where `score` is above the smallest kept one, or all are kept; else 1.
    constexpr S p_value(S score) const {
        Index as_high = 0;
        while (as_high < kept_ && largest_[at(as_high)] >= score) ++as_high;
        const bool is_known = as_high < kept_ || kept_ == rows_;
        return is_known ? static_cast<S>(1 + as_high) / static_cast<S>(rows_ + 1) : S(1);
    }

    constexpr Index calibration_rows() const { return rows_; }
    constexpr Index rows_needed() const { return conformal_rows_needed(false_alarm_rate_); }
    constexpr bool is_calibrated() const { return needed_ > 0; }
    /// Whether the array has room for what the rate needs of so many rows.
    constexpr bool is_exact() const { return needed_ <= Capacity; }
    constexpr double false_alarm_rate() const { return false_alarm_rate_; }
    constexpr double attainable_false_alarm_rate() const { return 1 / (static_cast<double>(rows_) + 1); }
    /// The largest scores, in descending order.
    constexpr const std::array<S, Capacity>& largest() const { return largest_; }

private:
    static constexpr std::size_t at(Index i) { return static_cast<std::size_t>(i); }
    // In units of 2^-64, so that floor((n + 1) rate) is counted up by carries.
    static constexpr std::uint64_t fixed_point(double rate) {
        const double scaled = detail::upper_end(rate) * 0x1p64;
        return scaled < 0x1p64 ? static_cast<std::uint64_t>(scaled) : ~std::uint64_t{0};
    }
    constexpr void take_step() {
        credit_ += step_;
        if (credit_ < step_) ++needed_;
    }

    double false_alarm_rate_;
    std::uint64_t step_;
    std::uint64_t credit_;  // the fraction of (n + 1) rate
    Index needed_ = 0;      // its whole part
    Index rows_ = 0;
    Index kept_ = 0;
    std::array<S, Capacity> largest_{};
};

}  // namespace untoward
