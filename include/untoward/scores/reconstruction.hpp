// SPDX-License-Identifier: MIT
#pragma once

#include "../core/options.hpp"
#include "score.hpp"

namespace untoward {

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
    using IsScore = void;
    Norm norm = Norm::squared;

    static constexpr const char* name = "reconstruction-error";
    static constexpr void options(auto& self, auto&& visit) { visit("norm", self.norm); }

    [[nodiscard]] constexpr Needs needs() const { return {.reconstruction = true}; }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        for (Index j = 0; j < evidence.x.batch(); ++j) {
            const auto error = evidence.x.column(j) - evidence.reconstruction.column(j);
            auto share = sheet.features.column(j);
            if (norm == Norm::l1) {
                share += weight * error.abs();
            } else if (norm == Norm::squared) {
                share += weight * error.square();
            } else {
                const S length = error.matrix().norm();
                if (length > 0) share += (weight / length) * error.square();
            }
        }
    }
};

}  // namespace untoward
