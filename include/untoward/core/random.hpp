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

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "kernels.hpp"
#include "philox.hpp"

namespace untoward UNTOWARD_SETTING {

/// What one array of noise is for. Two different keys give independent noise.
struct NoiseKey {
    std::uint64_t seed = 0;    ///< the user's seed, any value
    std::uint64_t site = 0;    ///< where in the model: a hash of the path and a call counter
    std::uint32_t epoch = 0;   ///< when: the pass over the data, or the number of the draw
    std::uint32_t sample = 0;  ///< for whom: the sample's id in its data set; 0 in scoring
};

namespace detail {

template <class S, bool Normal>
void fill_noise(S* out, Index rows, Index columns, Index stride, const NoiseKey& key,
                const std::uint32_t* samples) {
    static_assert(std::is_same_v<S, float> || std::is_same_v<S, double>, "noise is float or double");
    UNTOWARD_ASSERT(rows >= 0 && rows / 4 <= Index{0x3fffffff}, "one key holds at most 2^32 values");
    const NoiseColumns<S> c{out,       rows,       columns, stride, philox_key(key.seed, key.site),
                            key.epoch, key.sample, samples};
    run_noise<S, Normal>(c);
}

}  // namespace detail

/// `out[0..n)`: independent uniforms on the open interval (0, 1). Element i depends on the key and i alone.
template <class S>
void fill_uniform(S* out, Index n, const NoiseKey& key) {
    detail::fill_noise<S, false>(out, n, 1, n, key, nullptr);
}

/// `out[0..n)`: independent standard normals. Element i depends on the key and i alone, never on n. Each has
/// 32 random bits for its radius, so none exceeds 6.77 in size.
template <class S>
void fill_normal(S* out, Index n, const NoiseKey& key) {
    detail::fill_noise<S, true>(out, n, 1, n, key, nullptr);
}

/// The same for columns at a stride: column j is what the key with sample `samples[j]` gives.
template <class S>
void fill_uniform(S* out, Index rows, Index stride, const NoiseKey& key,
                  std::span<const std::uint32_t> samples) {
    detail::fill_noise<S, false>(out, rows, static_cast<Index>(samples.size()), stride, key, samples.data());
}
template <class S>
void fill_normal(S* out, Index rows, Index stride, const NoiseKey& key,
                 std::span<const std::uint32_t> samples) {
    detail::fill_noise<S, true>(out, rows, static_cast<Index>(samples.size()), stride, key, samples.data());
}

/// Random numbers one after another, for the places with a natural order: a shuffle, a generated data set.
/// It never meets the noise of a NoiseKey with the same seed and site.
class RandomStream {
public:
    explicit constexpr RandomStream(std::uint64_t seed, std::uint64_t site = 0, std::uint32_t epoch = 0)
        : key_(detail::philox_key(seed, site)), epoch_(epoch) {}

    /// 32 random bits.
    constexpr std::uint32_t bits() {
        const auto place = static_cast<std::size_t>(drawn_ % words_.size());
        if (place == 0) draw(drawn_ / 4);
        ++drawn_;
        return words_[place];
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
        detail::normal_pair(words, pair);
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
    // Many at a time are drawn in vectors.
    static constexpr Index blocks = detail::small_code ? 1 : StreamBlocks::count;

    constexpr void draw(std::uint64_t block) {
        if constexpr (!detail::small_code) {
            if (!std::is_constant_evaluated()) {
                detail::run_stream_blocks({words_.data(), block, key_, epoch_});
                return;
            }
        }
        for (std::size_t i = 0; i < words_.size(); i += 4, ++block) {
            const auto words =
                philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                            epoch_, detail::stream_domain},
                           key_);
            std::copy(words.begin(), words.end(), words_.begin() + i);
        }
    }

    std::array<std::uint32_t, 2> key_;
    std::array<std::uint32_t, 4 * blocks> words_{};
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
