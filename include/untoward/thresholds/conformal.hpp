// SPDX-License-Identifier: MIT
#pragma once

// Split conformal prediction: a threshold whose false-alarm rate is right for any model and any distribution.
//
// n rows that nothing was fitted to are scored: S_(1) <= ... <= S_(n). If a new normal row is exchangeable
// with them, each of the n + 1 ranks of its score is equally likely, so with
//
//     k = ceil((n + 1) (1 - alpha)),    threshold = S_(k)  (+infinity when k > n)
//     p(s) = (1 + #{i : S_i >= s}) / (n + 1)
//
// P(score > threshold) <= alpha and P(p <= t) <= t for every t; s > threshold exactly when p(s) <= alpha.
// (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005; Laxhammar and Falkman 2010 for
// anomalies.)
//
// What is promised is an average over calibration sets as well as over new rows. With one calibration set,
// the false alarms among m normal rows whose scores do not tie follow BetaBinomial(m; n + 1 - k, k), of mean
// m (n + 1 - k) / (n + 1) <= m alpha: with n = 999 and alpha = 1%, one calibration set in twenty has a rate
// above 1.5%. Ties only lower the rate. Nothing is promised when the rows are not exchangeable: overlapping
// windows of one signal that were split at random (train/split.hpp splits them in time), a process that drifts,
// calibration rows that the model was also fitted to; nor about how many anomalies are caught.

#include <algorithm>
#include <limits>
#include <utility>

#include "threshold.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

/// A rate that is exactly a float was rounded when it was written, 0.01f to a little less than 1/100, and
/// only known to that precision. It is taken at the upper end, so that 99 rows do for 0.01f as they do for
/// 0.01.
constexpr double upper_end(double rate) {
    const bool is_float = static_cast<double>(static_cast<float>(rate)) == rate;
    return rate * (1 + (is_float ? 0x1p-24 : 0x1p-52) + 0x1p-52);
}

/// A rate of 0 is never kept, one of 1 always.
inline constexpr OptionRange false_alarm_rates{0, 1, true};

constexpr void require_false_alarm_rate(double rate) {
    OptionCheck{"conformal"}("false_alarm_rate", rate, false_alarm_rates);
}

}  // namespace detail

/// The fewest calibration rows that can promise a false-alarm rate: ceil(1 / rate) - 1. At 1% that is 99.
/// A rate that no number of rows can promise (not above 0, or NaN) gives the largest Index.
constexpr Index conformal_rows_needed(double rate) {
    if (rate >= 1) return 0;
    const double rows = rate > 0 ? 1 / detail::upper_end(rate) : std::numeric_limits<double>::infinity();
    constexpr Index most = (std::numeric_limits<Index>::max)();
    if (!(rows < static_cast<double>(most))) return most;
    const auto whole = static_cast<Index>(rows);
    return static_cast<double>(whole) < rows ? whole : whole - 1;
}

/// k = ceil((n + 1)(1 - rate)), the rank of the threshold among n calibration scores counted from 1; n + 1
/// when there are too few of them.
constexpr Index conformal_rank(Index n, double rate) {
    if (n < conformal_rows_needed(rate)) return n + 1;
    if (rate >= 1) return (std::min)(n, Index{1});
    // Counted from above, floor((n + 1) rate), since 1 - rate would be rounded once more.
    const double above = (static_cast<double>(n) + 1) * detail::upper_end(rate);
    return n + 1 - std::clamp(static_cast<Index>(above), Index{1}, (std::max)(n, Index{1}));
}

/// How many of n rows to set aside for calibration: what the rate needs, but between a fifth and two fifths
/// of the rows, max(n / 5, min(ceil(1 / rate) - 1, 2 n / 5)), each rounded down. So at least three fifths of
/// the rows are left to learn from, and of one or two rows none is set aside.
constexpr Index calibration_size(Index n, double rate) {
    const Index two_fifths = n / 5 * 2 + n % 5 * 2 / 5;
    return (std::max)(n / 5, (std::min)(conformal_rows_needed(rate), two_fifths));
}

/// How many of n rows a threshold policy wants to itself: what its member `rows_for_calibration(n)` says; else
/// `calibration_size` of its false-alarm rate, or of 1 - level; else a fifth.
template <class Policy>
constexpr Index rows_for_calibration(const Policy& policy, Index n) {
    if constexpr (requires { policy.rows_for_calibration(n); }) {
        return policy.rows_for_calibration(n);
    } else if constexpr (requires { policy.false_alarm_rate; }) {
        return calibration_size(n, policy.false_alarm_rate);
    } else if constexpr (requires { policy.level; }) {
        return calibration_size(n, 1 - policy.level);
    } else {
        return n / 5;
    }
}

/// A calibrated conformal threshold: the sorted calibration scores and the rate. `Vector` is an Eigen vector:
/// one that owns its numbers, one of fixed size, or a Map of numbers in a file's buffer or in flash.
template <class Vector>
class ConformalThreshold {
public:
    using Scalar = typename Vector::Scalar;

    /// From stored state: scores for which `is_sorted_scores` holds, and the rate, in (0, 1): another is refused.
    ConformalThreshold(Vector sorted, double false_alarm_rate)
        : scores_(std::move(sorted)), false_alarm_rate_(false_alarm_rate) {
        detail::require_false_alarm_rate(false_alarm_rate);
        UNTOWARD_ASSERT(is_sorted_scores(scores_), "calibration scores must be sorted and without NaN");
        const Index rank = conformal_rank(scores_.size(), false_alarm_rate);
        const bool attained = rank >= 1 && rank <= scores_.size();
        threshold_ = attained ? scores_[rank - 1] : std::numeric_limits<Scalar>::infinity();
    }

    /// S_(k); +infinity when there are too few rows.
    Scalar threshold() const { return threshold_; }

    /// Whether the score is above the threshold, NaN or +infinity.
    bool is_anomaly(Scalar score) const { return exceeds(score, threshold_); }

    /// (1 + #{i : S_i >= score}) / (n + 1); 1 / (n + 1) for NaN. Time: log n.
    Scalar p_value(Scalar score) const {
        const auto first = std::lower_bound(scores_.begin(), scores_.end(), score);
        const Index as_high = std::isnan(score) ? 0 : static_cast<Index>(scores_.end() - first);
        return static_cast<Scalar>(1 + as_high) / static_cast<Scalar>(scores_.size() + 1);
    }

    /// The rate that was asked for; it holds when `is_calibrated()`.
    double false_alarm_rate() const { return false_alarm_rate_; }
    Index calibration_rows() const { return scores_.size(); }
    Index rows_needed() const { return conformal_rows_needed(false_alarm_rate_); }
    bool is_calibrated() const { return calibration_rows() >= rows_needed(); }

    /// 1 / (n + 1): the smallest rate that n rows can promise, and the smallest p-value.
    double attainable_false_alarm_rate() const { return 1 / (static_cast<double>(scores_.size()) + 1); }

    /// The same calibration at another rate: nothing has to be scored again.
    ConformalThreshold with_false_alarm_rate(double rate) const { return {scores_, rate}; }

    /// The calibration scores, ascending: with the rate, all there is to store.
    const Vector& scores() const { return scores_; }

private:
    Vector scores_;
    double false_alarm_rate_;
    Scalar threshold_;
};

/// The threshold that normal rows exceed with probability `false_alarm_rate` at most; see the top of this
/// file for what that means and when it holds. With fewer than ceil(1 / rate) - 1 calibration rows (99 at 1%)
/// the promise is impossible: the threshold is +infinity and `is_calibrated()` is false.
struct Conformal {
    double false_alarm_rate = 0.01;  ///< in (0, 1)

    static constexpr const char* name = "conformal";
    static constexpr void options(auto& self, auto&& visit) {
        visit("false_alarm_rate", self.false_alarm_rate, detail::false_alarm_rates);
    }

    template <class Derived>
    ConformalThreshold<OwnedScores<Derived>> calibrate(const Eigen::DenseBase<Derived>& scores) const {
        require_options(*this);
        return {sorted_scores(scores), false_alarm_rate};
    }
};

}  // namespace untoward
