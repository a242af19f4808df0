// SPDX-License-Identifier: MIT
#pragma once

#include "../config.hpp"

namespace untoward UNTOWARD_SETTING {

/// The last `Length` readings of a stream of `Channels` values each, in place: what a model of a `Vec<Channels * Length>`
/// or a `Seq<Channels, Length>` looks at. Every `Hop` readings there is a window to score.
///
///     SlidingWindow<float, 1, 16, 8> window;
///     if (window.push(&reading)) {
///         float sample[16];
///         window.copy_to(sample);
///         ...
///     }
///
/// Threads: a window belongs to one stream, which one thread at a time may push to.
template <class S, Index Channels, Index Length, Index Hop = Length>
class SlidingWindow {
    static_assert(Channels >= 1 && Length >= 1 && Hop >= 1, "untoward: a window has readings");

public:
    static constexpr Index size = Channels * Length;

    /// Takes one reading of `Channels` values. Whether a window is due: the first when it is full, then every `Hop`.
    constexpr bool push(const S* reading) {
        for (Index c = 0; c < Channels; ++c) values_[place_ * Channels + c] = reading[c];
        place_ = place_ + 1 == Length ? 0 : place_ + 1;
        if (--until_due_ > 0) return false;
        until_due_ = Hop;
        return true;
    }
    constexpr bool push(S reading) requires(Channels == 1) { return push(&reading); }

    /// Writes the window, the oldest reading first, the channels of one reading side by side.
    constexpr void copy_to(S* out) const {
        Index from = place_ * Channels;
        for (Index i = 0; i < size; ++i) {
            out[i] = values_[from];
            from = from + 1 == size ? 0 : from + 1;
        }
    }

    /// Forgets every reading.
    constexpr void reset() { *this = SlidingWindow(); }

private:
    S values_[size] = {};
    Index place_ = 0;  // of the next reading, which is that of the oldest
    Index until_due_ = Length;
};

}  // namespace untoward
