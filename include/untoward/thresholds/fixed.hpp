// SPDX-License-Identifier: MIT
#pragma once

#include "threshold.hpp"

namespace untoward UNTOWARD_SETTING {

/// A threshold known beforehand, in the units of the score (nats, for a negative ELBO). Calibration rows do
/// not change it and none are needed; nothing is promised about false alarms.
///
///     Recipe recipe{RobustScaler{}, Model{}, NegativeElbo{}, Fixed{.value = 30}};
struct Fixed {
    double value = 0;

    static constexpr const char* name = "fixed";
    static constexpr void options(auto& self, auto&& visit) { visit("value", self.value); }

    template <class Derived>
    PlainThreshold<typename Derived::Scalar> calibrate(const Eigen::DenseBase<Derived>& scores) const {
        using Scalar = typename Derived::Scalar;
        require_options(*this);
        return {static_cast<Scalar>(value), scores.size(), 0};
    }
};

}  // namespace untoward
