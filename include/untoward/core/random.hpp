// SPDX-License-Identifier: MIT
#pragma once

// Random numbers that depend on what they are for, not on when they were asked for.
//
// Philox4x32-10 turns (counter, key) into 128 random bits with no state between calls. The library keys every
// noise value by (seed, site, epoch, sample, element), so the same seed gives the same noise in any order of
// work, any batch and any number of threads; and the integer part is the same bits everywhere.
//
// Normals are Box-Muller over series of this header instead of the C library's log, sin and cos, which differ
// between C libraries. The compiler may not contract a * b + c into one rounding here, so the bits do not
// depend on compiler, optimisation level or -march either. (Two exceptions: clang ignores the pragma below
// when told -ffp-contract=fast, and x87 arithmetic rounds in its own way.)

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <type_traits>

#include "../config.hpp"

namespace untoward {

/// The finaliser of splitmix64 (Steele, Lea and Flood 2014; Stafford's variant 13): a bijection of 64 bits in
/// which every input bit flips about half of the output bits.
constexpr std::uint64_t mix64(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// Philox4x32-10: 128 random bits for each (counter, key). Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011; equal to the known answers published with Random123.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
    auto [c0, c1, c2, c3] = counter;
    auto [k0, k1] = key;
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{0xD2511F53u} * c0;
        const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * c2;
        c0 = static_cast<std::uint32_t>(b >> 32) ^ c1 ^ k0;
        c1 = static_cast<std::uint32_t>(b);
        c2 = static_cast<std::uint32_t>(a >> 32) ^ c3 ^ k1;
        c3 = static_cast<std::uint32_t>(a);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {c0, c1, c2, c3};
}

/// What one array of noise is for. Two different keys give independent noise.
struct NoiseKey {
    std::uint64_t seed = 0;    ///< the user's seed, any value
    std::uint64_t site = 0;    ///< where in the model: a hash of the path and a call counter
    std::uint32_t epoch = 0;   ///< when: the pass over the data, or the number of the draw
    std::uint32_t sample = 0;  ///< for whom: the sample's id in its data set; 0 in scoring
};

namespace detail {

// The last word of a counter keeps the two users of one (seed, site) apart.
inline constexpr std::uint32_t noise_domain = 0;
inline constexpr std::uint32_t stream_domain = 1;

/// Philox has a key of 64 bits; this folds 128 into it. For one seed, different sites never collide.
constexpr std::array<std::uint32_t, 2> philox_key(std::uint64_t seed, std::uint64_t site) {
    const std::uint64_t key = mix64(mix64(seed + 0x9e3779b97f4a7c15u) + site);
    return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

/// Random bits to (0, 1): centres of equal cells, 2^32 of them in double and 2^23 in float, which holds no
/// more of them exactly below 1.
template <class S>
constexpr S uniform_from(std::uint32_t word) {
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
    static constexpr int log_terms = 5, sin_terms = 4, cos_terms = 5;
};

template <>
struct NormalSeries<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa_bits = 52;
    static constexpr Bits one = 0x3ff0000000000000u;
    static constexpr Bits root_half = 0x3fe6a09e667f3bcdu;
    static constexpr int log_terms = 10, sin_terms = 7, cos_terms = 8;
};

/// 1 / (2 i + 3): 2 atanh(s) = 2 s + 2 s^3 (1/3 + s^2/5 + s^4/7 + ...).
template <class S>
struct AtanhCoefficients {
    S c[NormalSeries<S>::log_terms];
    constexpr AtanhCoefficients() : c{} {
        for (int i = 0; i < NormalSeries<S>::log_terms; ++i) c[i] = S(1) / static_cast<S>(2 * i + 3);
    }
};

/// (-1)^(i+1) / (2 i + 2 + Odd)!: the series of sine (Odd = 1) and cosine (Odd = 0) after their first term.
template <class S, int Terms, int Odd>
struct SincosCoefficients {
    S c[Terms];
    constexpr SincosCoefficients() : c{} {
        double factorial = 1;
        for (int i = 0; i < Terms; ++i) {
            const int n = 2 * i + 2 + Odd;
            factorial *= -1.0 * n * (n - 1);
            c[i] = static_cast<S>(1.0 / factorial);
        }
    }
};

// From here to the end of normals_from nothing may be contracted. What these functions call must be written
// here too: gcc does not inline across a change of options.
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

/// Box-Muller on pairs of words: `out[2 p], out[2 p + 1]` are two independent normals made of `words[2 p]`
/// (radius) and `words[2 p + 1]` (angle). Float and double give the same numbers up to rounding. Largest
/// relative error against the exact transform of the same bits, over 25 million pairs with all the corners:
/// 3.5e-7 in float, 5.2e-16 in double.
template <class S, int Pairs>
void normals_from(const std::uint32_t* words, S* out) {
#if defined(__clang__)
#pragma clang fp contract(off)
#endif
    using Series = NormalSeries<S>;
    using Bits = typename Series::Bits;
    constexpr AtanhCoefficients<S> log_series;
    constexpr SincosCoefficients<S, Series::sin_terms, 1> sin_series;
    constexpr SincosCoefficients<S, Series::cos_terms, 0> cos_series;
    constexpr S ln2 = static_cast<S>(std::numbers::ln2);
    constexpr int sign_shift = std::numeric_limits<Bits>::digits - 2;
    constexpr S radians = static_cast<S>(2 * std::numbers::pi * 0x1p-32);

    S radius[Pairs];
    for (int p = 0; p < Pairs; ++p) {
        // u = (word + 1/2) / 2^32 = 2^exponent (1 + f), with 1 + f in [sqrt(1/2), sqrt(2)).
        const std::uint32_t word = words[2 * p];
        const S x = static_cast<S>(word) + S(0.5);
        const Bits bits = __builtin_bit_cast(Bits, x) + (Series::one - Series::root_half);
        const Bits mantissa = (bits & ((Bits{1} << Series::mantissa_bits) - 1)) + Series::root_half;
        const Bits biased = bits >> Series::mantissa_bits;
        const int exponent =
            static_cast<int>(biased) - static_cast<int>(Series::one >> Series::mantissa_bits) - 32;
        // Near 1 the rounding of u would be all there is of log(u); its distance to 1 is known exactly.
        const S below_one = (static_cast<S>(~word) + S(0.5)) * S(-0x1p-32);
        const S f = word >= 0xb504f334u ? below_one : __builtin_bit_cast(S, mantissa) - S(1);
        const S s = f / (S(2) + f);
        const S z = s * s;
        const S tail = horner<0>(log_series.c, z);
        const S log_u = static_cast<S>(exponent) * ln2 + (s + s) * (S(1) + z * tail);
        radius[p] = S(-2) * log_u;
    }
    for (int p = 0; p < Pairs; ++p) {
        if constexpr (std::is_same_v<S, float>) {
            radius[p] = __builtin_sqrtf(radius[p]);
        } else {
            radius[p] = __builtin_sqrt(radius[p]);
        }
    }
    for (int p = 0; p < Pairs; ++p) {
        // 2 pi (word + 1/2) / 2^32 = quadrant pi/2 + angle, with angle in (-pi/4, pi/4): exact in integers.
        const std::uint32_t word = words[2 * p + 1];
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
        out[2 * p] = radius[p] * __builtin_bit_cast(S, along ^ swap ^ sign_along);
        out[2 * p + 1] = radius[p] * __builtin_bit_cast(S, across ^ swap ^ sign_across);
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

struct UniformTransform {
    template <class S, int N>
    void operator()(const std::uint32_t (&words)[N], S* out) const {
        for (int i = 0; i < N; ++i) out[i] = uniform_from<S>(words[i]);
    }
};

struct NormalTransform {
    template <class S, int N>
    void operator()(const std::uint32_t (&words)[N], S* out) const {
        normals_from<S, N / 2>(words, out);
    }
};

/// The words of blocks `block`, `block + 1`, ... of a key.
template <int N>
void noise_words(std::uint32_t (&words)[N], Index block, const NoiseKey& key,
                 std::array<std::uint32_t, 2> philox) {
    for (int b = 0; b < N / 4; ++b) {
        const auto number = static_cast<std::uint32_t>(block + b);
        const auto bits = philox4x32({number, key.sample, key.epoch, noise_domain}, philox);
        for (int i = 0; i < 4; ++i) words[4 * b + i] = bits[static_cast<std::size_t>(i)];
    }
}

template <class S, class Transform>
void fill_noise(S* out, Index n, const NoiseKey& key, Transform transform) {
    static_assert(std::is_same_v<S, float> || std::is_same_v<S, double>, "noise is float or double");
    UNTOWARD_ASSERT(n >= 0 && n / 4 <= Index{0x3fffffff}, "one key holds at most 2^32 values");
    const auto philox = philox_key(key.seed, key.site);
    Index done = 0;
    for (; done + 16 <= n; done += 16) {
        std::uint32_t words[16];  // four blocks at a time, for the sake of vector instructions
        noise_words(words, done / 4, key, philox);
        transform(words, out + done);
    }
    for (; done < n; done += 4) {
        std::uint32_t words[4];
        S values[4];
        noise_words(words, done / 4, key, philox);
        transform(words, values);
        for (Index i = done; i < n && i < done + 4; ++i) out[i] = values[i - done];
    }
}

}  // namespace detail

/// `out[0..n)`: independent uniforms on the open interval (0, 1). Element i depends on the key and i alone.
template <class S>
void fill_uniform(S* out, Index n, const NoiseKey& key) {
    detail::fill_noise(out, n, key, detail::UniformTransform{});
}

/// `out[0..n)`: independent standard normals. Element i depends on the key and i alone, never on n. Each has
/// 32 random bits for its radius, so none exceeds 6.77 in size.
template <class S>
void fill_normal(S* out, Index n, const NoiseKey& key) {
    detail::fill_noise(out, n, key, detail::NormalTransform{});
}

/// Random numbers one after another, for the places with a natural order: a shuffle, a generated data set.
/// It never meets the noise of a NoiseKey with the same seed and site.
class RandomStream {
public:
    explicit constexpr RandomStream(std::uint64_t seed, std::uint64_t site = 0, std::uint32_t epoch = 0)
        : key_(detail::philox_key(seed, site)), epoch_(epoch) {}

    /// 32 random bits.
    constexpr std::uint32_t bits() {
        const auto place = static_cast<std::size_t>(drawn_ % 4);
        if (place == 0) {
            const std::uint64_t number = drawn_ / 4;
            block_ = philox4x32({static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32),
                                 epoch_, detail::stream_domain},
                                key_);
        }
        ++drawn_;
        return block_[place];
    }

    /// A number in the open interval (0, 1).
    template <class S = float>
    constexpr S uniform() {
        return detail::uniform_from<S>(bits());
    }

    /// A standard normal. It takes a pair of words and leaves the pair's second normal; `fill_normal` does
    /// not.
    template <class S = float>
    S normal() {
        const std::uint32_t words[2] = {bits(), bits()};
        S pair[2];
        detail::normals_from<S, 1>(words, pair);
        return pair[0];
    }

    /// One of 0, 1, ..., n - 1, each equally likely (no bias from a remainder). n >= 1.
    constexpr Index below(Index n) {
        UNTOWARD_ASSERT(n >= 1, "below(n) needs n >= 1");
        const auto largest = static_cast<std::uint64_t>(n - 1);
        const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(largest | 1);
        while (true) {
            std::uint64_t candidate = bits();
            if (mask >> 32 != 0) candidate |= std::uint64_t{bits()} << 32;
            candidate &= mask;
            if (candidate <= largest) return static_cast<Index>(candidate);
        }
    }

private:
    std::array<std::uint32_t, 2> key_;
    std::array<std::uint32_t, 4> block_{};
    std::uint64_t drawn_ = 0;
    std::uint32_t epoch_;
};

/// Writes a random order of 0, 1, ..., size - 1, each order equally likely (Fisher and Yates).
constexpr void permutation(std::uint64_t seed, std::uint64_t site, std::span<Index> out,
                           std::uint32_t epoch = 0) {
    RandomStream stream(seed, site, epoch);
    for (std::size_t i = 0; i < out.size(); ++i) {
        // Inside out: place i takes what lies at a random place up to i, and i goes there.
        const auto j = static_cast<std::size_t>(stream.below(static_cast<Index>(i) + 1));
        out[i] = out[j];
        out[j] = static_cast<Index>(i);
    }
}

}  // namespace untoward
