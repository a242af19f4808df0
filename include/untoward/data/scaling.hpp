// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "../core/elementwise.hpp"
#include "../core/refuse.hpp"

namespace untoward {

/// What a scaler learned, and all that scoring needs of it: (x - centre) / scale, feature by feature.
/// `Vector` is an Eigen vector, or a map of one in flash.
template <class Vector>
struct Scaling {
    using Scalar = typename Vector::Scalar;

    /// Scaled values beyond this are clipped to it, so that 1e30 gives a large, finite score.
    static constexpr Scalar limit = 1000;

    Vector centre;
    Vector scale;     ///< positive
    Vector fill;      ///< the training median, taken in place of a missing value
    Vector constant;  ///< 1 where the feature had one value only in training, else 0

    [[nodiscard]] Index features() const { return centre.size(); }
    /// One value to scaled units. NaN is missing: the training median takes its place.
    [[nodiscard]] Scalar apply(Index feature, Scalar value) const {
        if (std::isnan(value)) value = fill[feature];
        const Scalar scaled = (value - centre[feature]) / scale[feature];
        return scaled > limit ? limit : (scaled < -limit ? -limit : scaled);
    }
    /// Every value of a batch; `to` may be `from`.
    template <class Sample, class From>
    void apply(const Tensor<Scalar, Sample>& to, const Tensor<const Scalar, From>& from) const {
#if UNTOWARD_HOSTED
        detail::require_samples(from.rows(), from.batch(), features(), "the scaling");
        detail::require_samples(to.rows(), to.batch(), features(), "the scaling");
        detail::require_as_many(to.batch(), "places", from.batch(), "samples");
#endif
        const auto one = [](auto value, auto median, auto middle, auto width) {
            const auto present = value != value ? median : value;
            const auto scaled = (present - middle) / width;
            return scaled > limit ? limit : (scaled < -limit ? -limit : scaled);
        };
        const auto learned = [](const Vector& v) {
            return Tensor<const Scalar, Vec<>>(v.data(), Vec<>(v.size()), 1);
        };
        assign(to, one, from, learned(fill), learned(centre), learned(scale));
    }
    /// A scaled value back to the data's unit.
    [[nodiscard]] Scalar invert(Index feature, Scalar scaled) const {
        return scaled * scale[feature] + centre[feature];
    }
};

}  // namespace untoward
