// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/gather.hpp"
#include "../autodiff/rules/layout.hpp"
#include "initialisers.hpp"

namespace untoward UNTOWARD_SETTING {

/// A vector of its own for each of Entries categories: `Vec<T>` of whole numbers in [0, Entries), or
/// `Seq<1, T>`, to `Seq<Units, T>`. PyTorch's Embedding. Parameter `weight` (Entries, Units), standard normal
/// at first. Indices are rounded; one out of range is an assertion, and without assertions the nearest entry;
/// a missing one (NaN) gives NaN.
///
///     Embedding<12, 4>{}                             // 12 categories, 4 numbers each
///     Embedding<>{.entries = Vec<>(categories), .units = Vec<>(4)}
template <Index Entries = Dynamic, Index Units = Dynamic>
struct Embedding {
    [[no_unique_address]] Vec<Entries> entries{};
    [[no_unique_address]] Vec<Units> units{};

    static constexpr const char* name = "embedding";
    static constexpr void options(auto& self, auto&& visit) {
        visit("entries", self.entries);
        visit("units", self.units);
    }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        using Sample = typename X::SampleShape;
        const auto table = scope.parameter("weight", Shape<Units, Entries>(units.size(), entries.size()),
                                           NormalInitial{}, Attributes{.decay = false});
        if constexpr (Sample::rank == 1) {
            const auto indices = reshape(scope, x, Shape<1, Sample::static_size>(1, x.shape().size()));
            return gather(scope, table, indices);
        } else {
            constexpr Index C = Sample::template static_extent<0>;
            detail::require_same_extent<Embedding, 1, C>(1, x.shape().channels());
            if constexpr (C == Dynamic || C == 1) {
                return gather(scope, table, x);
            } else {
                return x;
            }
        }
    }
};

}  // namespace untoward
