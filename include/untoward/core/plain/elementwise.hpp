// SPDX-License-Identifier: MIT
#pragma once

#include "../tensor.hpp"

namespace untoward UNTOWARD_SETTING::plain {

/// y = function(x...), or y += where `add`, element by element and broadcast, summed over the extents in which y has
/// one: what core/elementwise.hpp does with UNTOWARD_PLAIN. One loop, compiled for the extents at hand; no room of its
/// own.
template <class S, class Sample, class Function, class... X>
UNTOWARD_INLINE void evaluate(const Tensor<S, Sample>& y, bool add, const Function& function, const X&... x) {
    Index rows = y.rows();
    Index batch = y.batch();
    ((rows = rows == 1 ? x.rows() : rows), ...);
    ((batch = batch == 1 ? x.batch() : batch), ...);
    UNTOWARD_ASSERT(
        ((x.rows() == rows || x.rows() == 1) && ...) && ((x.batch() == batch || x.batch() == 1) && ...),
        "untoward: extents neither equal nor one");
    const bool sums_rows = y.rows() != rows;
    const bool sums_batch = y.batch() != batch;
    if (!add && (rows == 0 || batch == 0)) {
        for (Index j = 0; j < y.batch(); ++j) {
            for (Index i = 0; i < y.rows(); ++i) y(i, j) = S(0);
        }
    }
    for (Index j = 0; j < batch; ++j) {
        for (Index i = 0; i < rows; ++i) {
            const S value = static_cast<S>(function(x(x.rows() == 1 ? 0 : i, x.batch() == 1 ? 0 : j)...));
            S& to = y(sums_rows ? 0 : i, sums_batch ? 0 : j);
            const bool more = add || (sums_rows && i > 0) || (sums_batch && j > 0);
            to = more ? to + value : value;
        }
    }
}

}  // namespace untoward::plain
