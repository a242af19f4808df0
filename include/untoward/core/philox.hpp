// SPDX-License-Identifier: MIT
#pragma once

// From a counter to uniform and normal numbers: the arithmetic under core/random.hpp, one number at a time and
// without a branch, so that loops over it become vector instructions.

#include <array>
#include <cstdint>
#include <limits>
#include <numbers>

#include "math_circular.hpp"

namespace untoward UNTOWARD_SETTING {

/// The finaliser of splitmix64 (Steele, Lea and Flood 2014; Stafford's variant 13): a bijection of 64 bits in
/// which every input bit flips about half of the output bits.
constexpr std::uint64_t mix64(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

namespace detail {

// The last word of a counter keeps the two users of one (seed, site) apart.
inline constexpr std::uint32_t noise_domain = 0;
inline constexpr std::uint32_t stream_domain = 1;

// What a round multiplies with.
inline constexpr std::uint32_t philox_factor_0 = 0xD2511F53u;
inline constexpr std::uint32_t philox_factor_1 = 0xCD9E8D57u;
// What a round adds to the key.
inline constexpr std::uint32_t philox_step_0 = 0x9E3779B9u;
inline constexpr std::uint32_t philox_step_1 = 0xBB67AE85u;

/// One of the ten rounds.
UNTOWARD_INLINE constexpr void philox_round(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2,
                                            std::uint32_t& c3, std::uint32_t k0, std::uint32_t k1) {
    const std::uint64_t a = std::uint64_t{philox_factor_0} * c0;
    const std::uint64_t b = std::uint64_t{philox_factor_1} * c2;
    c0 = static_cast<std::uint32_t>(b >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(b);
    c2 = static_cast<std::uint32_t>(a >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(a);
}

}  // namespace detail

/// Philox4x32-10: 128 random bits for each (counter, key). Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011; equal to the known answers published with Random123.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
    auto [c0, c1, c2, c3] = counter;
    auto [k0, k1] = key;
    for (int round = 0; round < 10; ++round) {
        detail::philox_round(c0, c1, c2, c3, k0, k1);
        k0 += detail::philox_step_0;
        k1 += detail::philox_step_1;
    }
    return {c0, c1, c2, c3};
}

namespace detail {

/// Philox has a key of 64 bits; this folds 128 into it. For one seed, different sites never collide.
constexpr std::array<std::uint32_t, 2> philox_key(std::uint64_t seed, std::uint64_t site) {
    const std::uint64_t key = mix64(mix64(seed + 0x9e3779b97f4a7c15u) + site);
    return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

/// Random bits to (0, 1): centres of equal cells, 2^32 of them in double and 2^23 in float, which holds no
/// more of them exactly below 1.
template <class S>
UNTOWARD_INLINE constexpr S uniform_from(std::uint32_t word) {
    if constexpr (std::numeric_limits<S>::digits < 33) {
        return (static_cast<S>(word >> 9) + S(0.5)) * S(0x1p-23);
    } else {
        return (static_cast<S>(word) + S(0.5)) * S(0x1p-32);
    }
}

template <class S>
struct NormalSeries;

// Enough terms that what is cut off is small beside the rounding.
template <>
struct NormalSeries<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa_bits = 23;
    static constexpr Bits one = 0x3f800000u;
    static constexpr Bits root_half = 0x3f3504f3u;
    static constexpr int log_terms = 5;
};

template <>
struct NormalSeries<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa_bits = 52;
    static constexpr Bits one = 0x3ff0000000000000u;
    static constexpr Bits root_half = 0x3fe6a09e667f3bcdu;
    static constexpr int log_terms = 10;
};

/// 1 / (2 i + 3): 2 atanh(s) = 2 s + 2 s^3 (1/3 + s^2/5 + s^4/7 + ...).
template <class S>
struct AtanhCoefficients {
    S c[NormalSeries<S>::log_terms];
    constexpr AtanhCoefficients() : c{} {
        for (int i = 0; i < NormalSeries<S>::log_terms; ++i) c[i] = S(1) / static_cast<S>(2 * i + 3);
    }
};

// From here to the end of normal_pair nothing may be contracted. What these functions call must be written
// here too: gcc does not inline across a change of options. (core/kernels/noise.hpp has the same options.)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off", "no-math-errno")
#endif

/// c[First] + z (c[First + 1] + z (...)), without a loop that would stand in the way of vectorising its
/// caller.
template <int First, class S, int Terms>
UNTOWARD_INLINE S horner(const S (&c)[Terms], S z) {
#if defined(__clang__)
#pragma clang fp contract(off)
#endif
    if constexpr (First + 1 == Terms) {
        return c[First];
    } else {
        return c[First] + z * horner<First + 1>(c, z);
    }
}

/// -2 log(u) of u = (word + 1/2) / 2^32: the square of Box and Muller's radius.
template <class S>
UNTOWARD_INLINE S squared_radius(std::uint32_t word) {
#if defined(__clang__)
#pragma clang fp contract(off)
#endif
    using Series = NormalSeries<S>;
    using Bits = typename Series::Bits;
    constexpr AtanhCoefficients<S> log_series;
    constexpr S ln2 = static_cast<S>(std::numbers::ln2);
    // u = 2^exponent (1 + f), with 1 + f in [sqrt(1/2), sqrt(2)).
    const S x = static_cast<S>(word) + S(0.5);
    const Bits bits = __builtin_bit_cast(Bits, x) + (Series::one - Series::root_half);
    const Bits mantissa = (bits & ((Bits{1} << Series::mantissa_bits) - 1)) + Series::root_half;
    const Bits biased = bits >> Series::mantissa_bits;
    const int exponent =
        static_cast<int>(biased) - static_cast<int>(Series::one >> Series::mantissa_bits) - 32;
    // Near 1 the rounding of u would be all there is of log(u); its distance to 1 is known exactly.
    const S below_one = (static_cast<S>(~word) + S(0.5)) * S(-0x1p-32);
    const S above = __builtin_bit_cast(S, mantissa) - S(1);
    // Chosen in bits: compilers make a branch of ?: here, and one number at a time.
    const Bits near_one = Bits{0} - static_cast<Bits>(word >= 0xb504f334u);
    const S f = __builtin_bit_cast(
        S, (__builtin_bit_cast(Bits, below_one) & near_one) | (__builtin_bit_cast(Bits, above) & ~near_one));
    const S s = f / (S(2) + f);
    const S z = s * s;
    const S tail = horner<0>(log_series.c, z);
    const S log_u = static_cast<S>(exponent) * ln2 + (s + s) * (S(1) + z * tail);
    return S(-2) * log_u;
}

/// radius cos(angle) and radius sin(angle) of the angle 2 pi (word + 1/2) / 2^32.
template <class S>
UNTOWARD_INLINE void turn(S radius, std::uint32_t word, S& first, S& second) {
#if defined(__clang__)
#pragma clang fp contract(off)
#endif
    using Series = NormalSeries<S>;
    using Bits = typename Series::Bits;
    constexpr auto sin_series = math::detail::circular_series<S, 1>;
    constexpr auto cos_series = math::detail::circular_series<S, 0>;
    constexpr int sign_shift = std::numeric_limits<Bits>::digits - 2;
    constexpr S radians = static_cast<S>(2 * std::numbers::pi * 0x1p-32);
    // quadrant pi/2 + angle, with angle in (-pi/4, pi/4): exact in integers.
    const std::uint32_t quadrant = (word + (1u << 29)) >> 30;
    const std::int32_t rest = static_cast<std::int32_t>(word - (quadrant << 30));
    const S angle = (static_cast<S>(rest) + S(0.5)) * radians;
    const S z = angle * angle;
    const S sine = angle + angle * (z * horner<0>(sin_series.c, z));
    const S cosine = S(1) + z * horner<0>(cos_series.c, z);
    // Swap the two in odd quadrants and set the signs, in bits: a branch would be wrong half of the time.
    const Bits across = __builtin_bit_cast(Bits, sine);
    const Bits along = __builtin_bit_cast(Bits, cosine);
    const Bits swap = (across ^ along) & (Bits{0} - (quadrant & 1u));
    const Bits sign_along = static_cast<Bits>((quadrant + 1) & 2u) << sign_shift;
    const Bits sign_across = static_cast<Bits>(quadrant & 2u) << sign_shift;
    first = radius * __builtin_bit_cast(S, along ^ swap ^ sign_along);
    second = radius * __builtin_bit_cast(S, across ^ swap ^ sign_across);
}

/// Two independent normals of two words by Box and Muller's transform, the first for the radius and the second for
/// the angle. Float and double give the same numbers up to rounding. Largest relative error against the exact
/// transform of the same bits, over 25 million pairs with all the corners: 3.5e-7 in float, 5.2e-16 in double.
template <class S>
UNTOWARD_INLINE void normal_pair(const std::uint32_t* words, S* pair) {
    const S square = squared_radius<S>(words[0]);
    S radius;
    if constexpr (std::numeric_limits<S>::digits < 33) {
        radius = __builtin_sqrtf(square);
    } else {
        radius = __builtin_sqrt(square);
    }
    turn(radius, words[1], pair[0], pair[1]);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

}  // namespace detail

}  // namespace untoward
