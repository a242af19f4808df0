// SPDX-License-Identifier: MIT
// Sums over columns: see autodiff/rules/affine.hpp. core/kernels.hpp includes this file once for each instruction set,
// and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward::detail::UNTOWARD_KERNEL_SET {

template <Index Rows, bool Rectify, class S>
UNTOWARD_INLINE void sum_some_rows(const ColumnSums<S>& c, Index row) {
    S sum[Rows] = {};
    S* d = c.d + row;
    const S* y = c.y + (Rectify ? row : 0);
    for (Index j = 0; j < c.columns; ++j, d += c.d_stride, y += c.y_stride) {
        S value[Rows];
        for (Index l = 0; l < Rows; ++l) {
            value[l] = Rectify ? (y[l] > 0 ? d[l] : 0) : d[l];
            sum[l] += value[l];
        }
        if (Rectify) __builtin_memcpy(d, value, sizeof value);
    }
    if (c.sum == nullptr) return;
    for (Index l = 0; l < Rows; ++l) sum[l] = c.add ? c.sum[row + l] + sum[l] : sum[l];
    __builtin_memcpy(c.sum + row, sum, sizeof sum);
}

// sum = the sum of the columns of d, or += it; before, d = 0 where y is not positive if `Rectify`.
template <class S, bool Rectify>
void sum_columns(const ColumnSums<S>& c) {
    Index row = 0;
    // Several chains of sums at a time: one waits for itself.
    for (; row + 4 * lanes <= c.rows; row += 4 * lanes) sum_some_rows<4 * lanes, Rectify>(c, row);
    for (; row + lanes <= c.rows; row += lanes) sum_some_rows<lanes, Rectify>(c, row);
    for (; row < c.rows; ++row) sum_some_rows<1, Rectify>(c, row);
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
