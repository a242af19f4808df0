// SPDX-License-Identifier: MIT
#pragma once

// Sine and cosine as core/math.hpp has its functions. Angles are counted in turns, which are reduced exactly.

#include <numbers>

#include "math.hpp"

namespace untoward UNTOWARD_SETTING::math {

namespace detail {

/// (-1)^(k + 1) / (2 k + 2 + Odd)!: the series of sine (Odd = 1) and cosine (Odd = 0) after their first term, in the
/// square of an angle up to pi / 4. Enough terms that what is cut off is small beside the rounding; core/philox.hpp
/// has them too.
template <class S, int Odd>
inline constexpr auto circular_series = [] {
    constexpr int terms = (std::numeric_limits<S>::digits <= 24 ? 5 : 8) - Odd;
    Series<S, terms> series{};
    double factorial = 1;
    for (int k = 0; k < terms; ++k) {
        const int n = 2 * k + 2 + Odd;
        factorial *= -1.0 * n * (n - 1);
        series.c[k] = static_cast<S>(1.0 / factorial);
    }
    return series;
}();

}  // namespace detail

/// cos(2 pi w) and sin(2 pi w).
template <std::floating_point S>
struct Turn {
    S cos;
    S sin;
};
/// For |w| up to a million. Largest error 1.9 ulp, near the zeros too; never beyond 1.
template <std::floating_point S>
UNTOWARD_INLINE Turn<S> turn(S w) {
    using detail::bits;
    using detail::horner;
    using detail::number;
    using Bits = detail::Bits<S>;
    // 4 w = quarter + rest, |rest| <= 1/2: exact.
    constexpr S round = static_cast<S>(Bits{3} << (detail::Format<S>::mantissa_bits - 1));
    const S shifted = S(4) * w + round;
    const S rest = S(4) * w - (shifted - round);
    const Bits quarter = bits(shifted);
    const S angle = rest * static_cast<S>(std::numbers::pi / 2);
    const S z = angle * angle;
    const Bits across = bits(angle + angle * (z * horner(detail::circular_series<S, 1>, z)));
    const Bits along = bits(S(1) + z * horner(detail::circular_series<S, 0>, z));
    // Odd quarters swap the two.
    const Bits swap = (across ^ along) & (Bits{0} - (quarter & 1));
    constexpr int to_sign = std::numeric_limits<Bits>::digits - 2;
    return {number<S>(along ^ swap ^ (((quarter + 1) & 2) << to_sign)),
            number<S>(across ^ swap ^ ((quarter & 2) << to_sign))};
}

}  // namespace untoward::math
