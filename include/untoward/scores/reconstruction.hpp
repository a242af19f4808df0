// SPDX-License-Identifier: MIT
#pragma once

#include "../core/options.hpp"
#include "score.hpp"

namespace untoward UNTOWARD_SETTING {

/// How the differences of a reconstruction become one number.
enum class Norm {
    squared,  ///< sum of squares
    l1,       ///< sum of absolute values
    l2,       ///< root of the sum of squares
};
constexpr OptionValues<3> option_values(Norm) {
    return {"Norm", {"squared", "l1", "l2"}};
}

/// ||x - x_hat|| in scaled units, x_hat decoded from the posterior's mean: deterministic. With the L2 norm a
/// feature's share is its square over the norm, so that the shares add up to it.
struct ReconstructionError {
    Norm norm = Norm::squared;

    static constexpr const char* name = "reconstruction-error";
    static constexpr void options(auto& self, auto&& visit) { visit("norm", self.norm); }

    [[nodiscard]] constexpr Needs needs() const { return {.reconstruction = true}; }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        const auto& x = evidence.x;
        const auto& y = evidence.reconstruction();
        if (norm == Norm::squared) {
            add_reduced(
                sheet.features, true, [weight](auto a, auto b) { return weight * ((a - b) * (a - b)); }, x,
                y);
        } else if (norm == Norm::l1) {
            add_reduced(
                sheet.features, true, [weight](auto a, auto b) { return weight * (a > b ? a - b : b - a); },
                x, y);
        } else {
            for (Index j = 0; j < x.batch(); ++j) {
                const auto error = x.column(j) - y.column(j);
                const S length = std::sqrt(detail::sum_of_elements(error.square()));
                if (length > 0) sheet.features.column(j) += (weight / length) * error.square();
            }
        }
    }
};

}  // namespace untoward
