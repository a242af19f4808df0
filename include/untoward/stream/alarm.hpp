// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "../core/refuse.hpp"

namespace untoward UNTOWARD_SETTING {

/// An alarm when `k` of the last `n` verdicts were anomalous (n up to 64), which one wild reading does not raise. It is
/// on until at most `release` of the last n are.
///
/// Other numbers than that are refused, in every build.
///
/// Where verdicts are independent, with a false-alarm rate a each, a window raises it with probability
/// sum_{i >= k} C(n, i) a^i (1 - a)^(n - i): 1.1e-4 for 3 of 10 at 1%. Overlapping windows are not independent.
///
///     KOfN alarm(3, 10);
///     if (alarm.push(verdict.is_anomaly)) ...                    // on
///
/// Threads: one at a time, as the stream's window.
class KOfN {
public:
    constexpr KOfN(Index k, Index n) : KOfN(k, n, k - 1) {}
    constexpr KOfN(Index k, Index n, Index release) : k_(k), n_(n), release_(release) {
        if (!(n >= 1 && n <= 64 && k >= 1 && k <= n && release >= 0 && release < k)) [[unlikely]]
            detail::refuse({"an alarm of ", k, " of ", n, " that ends at ", release,
                            ": expected k from 1 to n, n up to 64, and the end below k"});
    }

    /// Takes one verdict. Whether the alarm is on now.
    constexpr bool push(bool is_anomaly) {
        count_ += (is_anomaly ? 1 : 0) - static_cast<Index>(last_ >> (n_ - 1) & 1);
        last_ = last_ << 1 | (is_anomaly ? 1u : 0u);
        is_on_ = count_ >= k_ || (is_on_ && count_ > release_);
        return is_on_;
    }

    [[nodiscard]] constexpr bool is_on() const { return is_on_; }
    /// How many of the last n were anomalous.
    [[nodiscard]] constexpr Index count() const { return count_; }
    constexpr void reset() { *this = KOfN(k_, n_, release_); }

private:
    Index k_;
    Index n_;
    Index release_;
    std::uint64_t last_ = 0;
    Index count_ = 0;
    bool is_on_ = false;
};

}  // namespace untoward
