// SPDX-License-Identifier: MIT
#pragma once

// Fusion: scores of different units are made comparable one by one, and then added. `Slog` takes a score s to
//
//     slog(z) = sign(z) log(1 + |z|),    z = (s - median) / IQR
//
// with median and interquartile range of s over the rows that were held out, or over the training rows where
// none were. A sum of them is a fused score:
//
//     const auto fused = 0.5f * Slog{NegativeElbo{}} + 0.5f * Slog{NeighbourScore{}};
//
// The logarithm keeps one score that is wild about a sample from outvoting the others, and still keeps the
// order of wild samples, which p-values from few rows do not.

#include <cmath>

#include "in_unit.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

struct RobustUnit {
    template <class Vector>
    struct Fitted {
        using S = typename Vector::Scalar;
        Vector numbers{};  // median and IQR

        static constexpr void state(auto& self, auto&& visit) { visit.numbers("unit", self.numbers, 2); }
        [[nodiscard]] constexpr bool is_sound() const { return numbers[1] > 0; }
        void fit(const Vector& sorted) {
            const S range = interquartile_range(sorted);
            numbers.resize(2);
            numbers[0] = median(sorted);
            numbers[1] = range > 0 ? range : S(1);  // of a score that does not vary
        }
        UnitValue<S> operator()(S score) const {
            const S beyond = score - numbers[0];
            const S z = beyond / numbers[1];
            const S value = std::copysign(math::log1p(std::abs(z)), z);
            return {value, std::isfinite(z) && beyond != 0 ? value / beyond : 1 / numbers[1]};
        }
        S slope(S score) const { return 1 / (numbers[1] + std::abs(score - numbers[0])); }
    };
};

}  // namespace detail

/// slog((s - median) / IQR) of a score s.
template <Score Inner>
struct Slog {
    using Unit = detail::RobustUnit;
    static constexpr bool needs_variance = detail::needs_variance<Inner>();
    static constexpr DrawDetail draw_detail = detail::draw_detail<Inner>();
    [[no_unique_address]] Inner score;

    static constexpr const char* name = "slog";
    static constexpr void options(auto& self, auto&& visit) { visit("score", self.score); }

    [[nodiscard]] constexpr Needs needs() const { return score.needs(); }
};
template <class Inner>
Slog(const Inner&) -> Slog<Inner>;

}  // namespace untoward
