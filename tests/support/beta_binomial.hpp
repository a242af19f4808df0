// SPDX-License-Identifier: MIT
#pragma once

// The distribution of a conformal threshold's false alarms: among m normal rows, with n calibration rows and
// the threshold at rank k, BetaBinomial(m; n + 1 - k, k) when scores do not tie. Tested in tests/thresholds/.

#include <cmath>

#include "untoward/thresholds/conformal.hpp"

namespace untoward_test {

struct BetaBinomial {
    double m, a, b;

    /// P(X = i) = C(m, i) B(i + a, m - i + b) / B(a, b).
    double pmf(double i) const {
        const auto log_beta = [](double x, double y) {
            return std::lgamma(x) + std::lgamma(y) - std::lgamma(x + y);
        };
        const double log_choose = std::lgamma(m + 1) - std::lgamma(i + 1) - std::lgamma(m - i + 1);
        return std::exp(log_choose + log_beta(i + a, m - i + b) - log_beta(a, b));
    }

    /// P(X <= i).
    double cdf(double i) const {
        double sum = 0;
        for (double j = 0; j <= i; ++j) sum += pmf(j);
        return sum;
    }
};

struct Counts {
    untoward::Index low, high;
};

/// The central interval of false alarms among `m` normal rows after calibration on `n` at `rate`: fewer than
/// `low`, and more than `high`, have probability (1 - coverage) / 2 at most each. {0, 0} when n is too small.
inline Counts false_alarm_interval(untoward::Index m, untoward::Index n, double rate,
                                   double coverage = 0.999) {
    using untoward::Index;
    const Index rank = untoward::conformal_rank(n, rate);
    if (rank > n) return {0, 0};
    const BetaBinomial alarms{static_cast<double>(m), static_cast<double>(n + 1 - rank),
                              static_cast<double>(rank)};
    const double tail = (1 - coverage) / 2;
    Counts interval{0, m};
    double sum = 0;
    for (Index i = 0; i < m && (sum += alarms.pmf(static_cast<double>(i))) <= tail; ++i) interval.low = i + 1;
    sum = 0;
    for (Index i = m; i > 0 && (sum += alarms.pmf(static_cast<double>(i))) <= tail; --i)
        interval.high = i - 1;
    return interval;
}

}  // namespace untoward_test
