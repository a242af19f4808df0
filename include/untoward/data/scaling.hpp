// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <type_traits>

#include "../core/elementwise.hpp"
#include "../core/refuse.hpp"

namespace untoward UNTOWARD_SETTING {

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
    Vector constant;  ///< `varied`, `one_value` or `too_coarse` in training

    /// What `constant` says of a feature.
    static constexpr Scalar varied = 0;
    static constexpr Scalar one_value = 1;
    static constexpr Scalar too_coarse =
        2;  ///< all values lie within a few neighbouring numbers of their type

    [[nodiscard]] Index features() const { return centre.size(); }
    /// One value to scaled units. NaN is missing: the training median takes its place.
    [[nodiscard]] Scalar apply(Index feature, Scalar value) const {
        if (std::isnan(value)) value = fill[feature];
        const Scalar scaled = (value - centre[feature]) / scale[feature];
        return scaled > limit ? limit : (scaled < -limit ? -limit : scaled);
    }
    /// The same for a number that the scalar does not hold, such as a double in a detector of floats: centred as it was
    /// given, and rounded only then. What the scalar holds gives the bits that it gives as one.
    template <class Given>
    requires(!std::is_same_v<Given, Scalar>) [[nodiscard]] Scalar apply(Index feature, Given value) const {
        const auto rounded = static_cast<Scalar>(value);
        const auto exact = static_cast<double>(value);
        if (!(exact - exact == 0) || static_cast<double>(rounded) == exact) return apply(feature, rounded);
        const double scaled =
            (exact - static_cast<double>(centre[feature])) / static_cast<double>(scale[feature]);
        constexpr auto most = static_cast<double>(limit);
        return static_cast<Scalar>(scaled > most ? most : (scaled < -most ? -most : scaled));
    }
    /// Every value of a batch; `to` may be `from`.
    template <class Sample, class From>
    void apply(const Tensor<Scalar, Sample>& to, const Tensor<const Scalar, From>& from) const {
        detail::require_features(from.rows(), from.batch(), features(), "the scaling");
        detail::require_features(to.rows(), to.batch(), features(), "the scaling");
#if UNTOWARD_HOSTED
        detail::require_as_many("places", to.batch(), "samples", from.batch());
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
