// SPDX-License-Identifier: MIT
#pragma once

// The fitted score of scores/fitted.hpp's comment, by somebody else.

#include <type_traits>

#include "untoward/scores/fitted.hpp"

namespace elsewhere {

using untoward::Index;
struct RelativeError;

template <class Vector>
struct FittedRelativeError;

struct RelativeError {
    float floor = 0.01f;
    template <class Vector>
    using Fitted = FittedRelativeError<Vector>;

    constexpr untoward::Needs needs() const { return {.reconstruction = true}; }
    auto fit(const auto& rows) const;
};

template <class Vector>
struct FittedRelativeError {
    RelativeError policy{};
    Index features = 0;
    Vector mean{};

    constexpr untoward::Needs needs() const { return {.reconstruction = true}; }
    static constexpr void state(auto& self, auto&& visit) {
        visit.size("features", self.features);
        visit.numbers("mean", self.mean, self.features);
    }
    constexpr bool fits(Index of_model, Index) const { return features == of_model; }
    void add_to(auto& sheet, const auto& evidence, auto weight) const {
        for (Index j = 0; j < evidence.x.batch(); ++j)
            sheet.features.column(j) +=
                weight * (evidence.x.column(j) - evidence.reconstruction().column(j)).square() /
                (mean.array() + policy.floor);
    }
};

auto RelativeError::fit(const auto& rows) const {
    FittedRelativeError<typename std::remove_cvref_t<decltype(rows)>::Vector> fitted{*this};
    fitted.features = rows.features();
    fitted.mean.setZero(fitted.features);
    rows.for_each(untoward::FitRows::training, needs(), [&](const auto& evidence) {
        for (Index j = 0; j < evidence.x.batch(); ++j)
            fitted.mean.array() += (evidence.x.column(j) - evidence.reconstruction().column(j)).square();
    });
    fitted.mean /= static_cast<float>(rows.count(untoward::FitRows::training));
    return fitted;
}

}  // namespace elsewhere
