// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kind.hpp"
#include "scaling.hpp"

// Scaler policies: options only; `fit` looks at training rows once and gives a `Scaling`. A policy of your
// own is a struct with
//
//     template <class Derived>
//     auto fit(const Eigen::DenseBase<Derived>& rows) const;    // features x n -> Scaling
//     static constexpr bool keeps(DataKind kind);               // whether numbers of this kind are still of it
//                                                               // when scaled; where it is not said: any only
//
// Missing values (NaN) are passed over; a feature without any value gets centre 0 and scale 1. A feature that
// is constant has no scale of its own: it is floored to min(1, |value|), or 1 where the value is 0, so that a
// constant that moves by one, or by its own size, is one scaled unit away; `Scaling::constant` reports it. So it does
// of a feature whose values lie within four neighbouring numbers of the type they are given in: that is rounding, or
// something that this type cannot show, like a northing of 5,523,417.5 m in float, which knows half metres there.

namespace untoward UNTOWARD_SETTING {

namespace detail {

// The present values of one feature, sorted.
template <class Row>
std::vector<double> sorted_present(const Row& row) {
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(row.size()));
    for (Index i = 0; i < row.size(); ++i) {
        if (!std::isnan(row(i))) values.push_back(static_cast<double>(row(i)));
    }
    std::sort(values.begin(), values.end());
    return values;
}

// By linear interpolation between order statistics, as NumPy's default.
inline double quantile(const std::vector<double>& sorted, double level) {
    if (sorted.empty()) return 0;
    const double place = level * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = (std::min)(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

struct Moments {
    double mean = 0;
    double deviation = 0;  // population standard deviation
};

inline Moments moments(const std::vector<double>& values) {
    if (values.empty()) return {};
    Moments m;
    const auto n = static_cast<double>(values.size());
    for (const double v : values) m.mean += v / n;
    // In units of the largest difference: squares of values beyond 1e154 or below 1e-154 are no numbers.
    double largest = 0;
    for (const double v : values) largest = (std::max)(largest, std::abs(v - m.mean));
    if (largest == 0) return m;
    double squares = 0;
    for (const double v : values) squares += (v - m.mean) / largest * ((v - m.mean) / largest);
    m.deviation = largest * std::sqrt(squares / n);
    return m;
}

// Whether from low to high are more than four steps between neighbouring numbers of type S.
template <class S>
bool spans_steps(double low, double high) {
    constexpr S infinity = std::numeric_limits<S>::infinity();
    const auto largest = static_cast<S>((std::max)(std::abs(low), std::abs(high)));
    if (largest == infinity) return true;
    const double step = static_cast<double>(largest) - static_cast<double>(std::nextafter(largest, S(0)));
    return high - low > 4 * step;
}

// Fits feature by feature; centre_and_scale(sorted values, moments) gives {centre, scale}.
template <class Derived, class CentreAndScale>
auto fit_scaling(const Eigen::DenseBase<Derived>& rows, const CentreAndScale& centre_and_scale) {
    using S = typename Derived::Scalar;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;
    const Index features = rows.rows();
    Scaling<Vector> scaling{Vector(features), Vector(features), Vector(features), Vector(features)};
    for (Index i = 0; i < features; ++i) {
        const std::vector<double> sorted = sorted_present(rows.row(i));
        const Moments m = moments(sorted);
        auto [centre, scale] = centre_and_scale(sorted, m);
        const double median = quantile(sorted, 0.5);
        const bool is_one = sorted.empty() || !(sorted.front() < sorted.back());
        const bool varies = !is_one && spans_steps<S>(sorted.front(), sorted.back());
        if (!varies) {
            centre = median;
            scale = median == 0 ? 1 : (std::min)(1.0, std::abs(median));
        }
        scaling.centre(i) = static_cast<S>(centre);
        // Positive, normal and finite, also where the values are not.
        scale = (std::min)(scale, static_cast<double>((std::numeric_limits<S>::max)()));
        scaling.scale(i) = (std::max)(static_cast<S>(scale), (std::numeric_limits<S>::min)());
        using Result = Scaling<Vector>;
        scaling.constant(i) = varies ? Result::varied : is_one ? Result::one_value : Result::too_coarse;
        scaling.fill(i) = static_cast<S>(median);
    }
    return scaling;
}

}  // namespace detail

/// Mean and standard deviation of each feature.
struct StandardScaler {
    static constexpr const char* name = "standard-scaler";

    template <class Derived>
    auto fit(const Eigen::DenseBase<Derived>& rows) const {
        return detail::fit_scaling(
            rows, [](const auto&, const detail::Moments& m) { return std::pair(m.mean, m.deviation); });
    }
};

/// Median and interquartile range / 1.349 of each feature: the standard deviation where the data is normal,
/// and unmoved by a few wild values. Where the range is 0 (more than half of the values are equal) the
/// standard deviation takes its place.
struct RobustScaler {
    static constexpr const char* name = "robust-scaler";

    template <class Derived>
    auto fit(const Eigen::DenseBase<Derived>& rows) const {
        return detail::fit_scaling(rows, [](const auto& sorted, const detail::Moments& m) {
            const double range = detail::quantile(sorted, 0.75) - detail::quantile(sorted, 0.25);
            return std::pair(detail::quantile(sorted, 0.5), range > 0 ? range / 1.349 : m.deviation);
        });
    }
};

/// Smallest and largest value of each feature to 0 and 1, for likelihoods of values in [0, 1]: what lies
/// outside of the training range is scaled beyond them. One wild value in training squeezes all others.
struct UnitScaler {
    static constexpr const char* name = "unit-scaler";
    static constexpr bool keeps(DataKind kind) { return kind == DataKind::any || kind == DataKind::unit; }

    template <class Derived>
    auto fit(const Eigen::DenseBase<Derived>& rows) const {
        return detail::fit_scaling(rows, [](const auto& sorted, const detail::Moments&) {
            return sorted.empty() ? std::pair(0.0, 1.0)
                                  : std::pair(sorted.front(), sorted.back() - sorted.front());
        });
    }
};

/// Every feature as it is: for data in units of its own, like one-hot channels and counts. Missing values take
/// the median all the same, values beyond 1,000 are clipped, and constants are reported.
struct IdentityScaler {
    static constexpr const char* name = "identity-scaler";
    static constexpr bool keeps(DataKind) { return true; }

    template <class Derived>
    auto fit(const Eigen::DenseBase<Derived>& rows) const {
        auto scaling = detail::fit_scaling(
            rows, [](const auto&, const detail::Moments&) { return std::pair(0.0, 1.0); });
        // A constant is no exception.
        scaling.centre.setZero();
        scaling.scale.setOnes();
        return scaling;
    }
};

namespace detail {

template <class Scaler, bool HasFit>
constexpr void require_fit() {
    static_assert(HasFit, "untoward: a scaler has fit(rows) const, which returns a Scaling");
}
template <class Scaler, class Rows>
auto fit_scaler(const Scaler& scaler, const Rows& rows) {
    constexpr bool has = requires {
        scaler.fit(rows).constant;
    };
    require_fit<Scaler, has>();
    if constexpr (has) {
        return scaler.fit(rows);
    } else {
        return IdentityScaler{}.fit(rows);
    }
}

}  // namespace detail

}  // namespace untoward
