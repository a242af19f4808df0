// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "../core/options.hpp"

namespace untoward UNTOWARD_SETTING {

/// How a series is cut into windows.
struct WindowOptions {
    Index length = 0;  ///< readings in a window
    Index hop = 1;     ///< readings from the start of one window to the start of the next

    static constexpr const char* name = "window-options";
    static constexpr void options(auto& self, auto&& visit) {
        visit("length", self.length, at_least(1));
        visit("hop", self.hop, at_least(1));
    }
};

/// The windows of a series as samples, one column each: channels * length x windows, the channels of one reading side
/// by side as in a `Seq<channels, length>`. Nothing is copied: it is an Eigen map of the series, which must outlive it,
/// and knows how far windows overlap, so that `fit` keeps those of calibration away from those of training.
template <class S>
class SeriesWindows : public Eigen::Map<const Eigen::Matrix<S, Dynamic, Dynamic>, 0, Eigen::OuterStride<>> {
public:
    using Map = Eigen::Map<const Eigen::Matrix<S, Dynamic, Dynamic>, 0, Eigen::OuterStride<>>;

    /// From `readings` readings of `channels` values each, one after another. Refuses a length or a hop below 1, and a
    /// series shorter than a window.
    SeriesWindows(const S* series, Index channels, Index readings, const WindowOptions& windows)
        : Map(map_of(series, channels, readings, windows)), length_(windows.length), hop_(windows.hop) {}

    [[nodiscard]] Index length() const { return length_; }
    [[nodiscard]] Index hop() const { return hop_; }
    /// How many windows must lie between two that share no reading: length / hop - 1, rounded up.
    [[nodiscard]] Index gap() const { return (length_ - 1) / hop_; }
    /// The most of `n` windows in a row that share no reading with each other: that many samples they are worth as far
    /// as overlap goes. A series that remembers more than a window is worth less.
    [[nodiscard]] Index without_overlap(Index n) const { return n < 1 ? 0 : (n - 1) / (gap() + 1) + 1; }

private:
    static Map map_of(const S* series, Index channels, Index readings, const WindowOptions& windows) {
        require_options(windows);
        if (channels < 1) detail::refuse({"a series has ", channels, " channels, expected 1 or more"});
        if (readings < windows.length)
            detail::refuse({"a series of ", readings, " readings has no window of ", windows.length});
        const Index count = (readings - windows.length) / windows.hop + 1;
        return Map(series, channels * windows.length, count,
                   Eigen::OuterStride<>(channels * (count > 1 ? windows.hop : windows.length)));
    }

    Index length_;
    Index hop_;
};

/// The windows of a series: channels x readings, or a vector of one channel's readings. Its readings lie one after
/// another in memory; others, like a row-major matrix of several channels, do not compile or are refused.
///
///     const auto windows = windows_of(series, {.length = 64, .hop = 16});
///     auto detector = fit(recipe, windows, {.seed = 7});
template <class Derived>
SeriesWindows<typename Derived::Scalar> windows_of(const Eigen::DenseBase<Derived>& series,
                                                   const WindowOptions& windows) {
    constexpr bool in_memory = (static_cast<unsigned>(Derived::Flags) & Eigen::DirectAccessBit) != 0;
    constexpr bool is_vector = Derived::IsVectorAtCompileTime != 0;
    static_assert(
        in_memory && (is_vector || Derived::IsRowMajor == 0),
        "untoward: a series is a matrix in memory, channels x readings in column-major order, or a vector");
    const Derived& values = series.derived();
    const Index channels = is_vector ? 1 : values.rows();
    const Index readings = is_vector ? values.size() : values.cols();
    const bool is_dense =
        values.innerStride() == 1 && (is_vector || readings < 2 || values.outerStride() == channels);
    if (!is_dense)
        detail::refuse({"the readings of a series lie apart in memory, expected one after another"});
    return {values.data(), channels, readings, windows};
}
/// Not of a series that is gone when the windows are looked at.
template <class Derived>
void windows_of(Eigen::PlainObjectBase<Derived>&& series, const WindowOptions& windows) = delete;

}  // namespace untoward
