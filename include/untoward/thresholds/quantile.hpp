// SPDX-License-Identifier: MIT
#pragma once

#include "threshold.hpp"

namespace untoward UNTOWARD_SETTING {

/// The quantile at `level` in [0, 1] of scores sorted ascending, interpolated linearly between the two
/// nearest: at place (n - 1) level, counted from 0. (Type 7 of Hyndman and Fan 1996; the default of NumPy and
/// R.) `sorted` has at least one element and no NaN; infinities are allowed.
template <class Derived>
typename Derived::Scalar quantile_of_sorted(const Eigen::DenseBase<Derived>& sorted, double level) {
    using Scalar = typename Derived::Scalar;
    if (sorted.size() == 0) [[unlikely]]
        detail::refuse({"a quantile of no scores was asked for, expected 1 or more"});
    detail::OptionCheck{"quantile"}("level", level, OptionRange{0, 1});
    const double place = static_cast<double>(sorted.size() - 1) * level;
    const Index below = static_cast<Index>(place);
    const Index above = (std::min)(below + 1, sorted.size() - 1);
    const auto weight = static_cast<Scalar>(place - static_cast<double>(below));
    const Scalar low = sorted.derived()[below];
    const Scalar high = sorted.derived()[above];
    // Infinities must not meet each other or a weight of 0: that would be NaN.
    if (weight == 0 || low == high || low == -std::numeric_limits<Scalar>::infinity()) return low;
    return low + weight * (high - low);
}

/// The empirical quantile of the calibration scores, by `quantile_of_sorted`.
///
/// It promises nothing. On few rows its false-alarm rate is above 1 - level: at level 0.95 it is 9.3% in
/// expectation with 20 rows and 5.9% with 100. Conformal is this threshold with the rank put right, and is
/// what to use unless another program's numbers must be met.
///
///     Recipe recipe{RobustScaler{}, Model{}, NegativeElbo{}, Quantile{.level = 0.99}};
struct Quantile {
    double level = 0.99;  ///< in [0, 1]

    static constexpr const char* name = "quantile";
    static constexpr void options(auto& self, auto&& visit) { visit("level", self.level, OptionRange{0, 1}); }

    template <class Derived>
    PlainThreshold<typename Derived::Scalar> calibrate(const Eigen::DenseBase<Derived>& scores) const {
        using Scalar = typename Derived::Scalar;
        require_options(*this);
        const Index rows = scores.size();
        if (rows == 0) return {std::numeric_limits<Scalar>::infinity(), 0, 1};
        return {quantile_of_sorted(sorted_scores(scores), level), rows, 1};
    }
};

}  // namespace untoward
