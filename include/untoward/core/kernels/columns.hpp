// SPDX-License-Identifier: MIT
// Sums over columns: see autodiff/rules/affine.hpp. core/kernels.hpp includes this file once for each instruction set,
// and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

// Of Chains * Lanes rows.
template <int Chains, Index Lanes, bool Rectify, class S>
UNTOWARD_INLINE void sum_some_rows(const ColumnSums<S>& c, Index row) {
    using Sums = Vector<S, Lanes>;
    Sums sum[Chains] = {};
    const Index columns = c.columns;
    const Index d_stride = c.d_stride;
    const Index y_stride = Rectify ? c.y_stride : 0;  // y may be null
    S* d = c.d + row;
    const S* y = c.y + (Rectify ? row : 0);
    for (Index j = 0; j < columns; ++j, d += d_stride, y += y_stride) {
#pragma GCC unroll 4
        for (int k = 0; k < Chains; ++k) {
            Sums value = load_vector<S, Lanes>(d + k * Lanes);
            if (Rectify) {
                value = load_vector<S, Lanes>(y + k * Lanes) > Sums{} ? value : Sums{};
                store_vector<S, Lanes>(d + k * Lanes, value);
            }
            sum[k] += value;
        }
    }
    if (c.sum == nullptr) return;
    const Addend<S> addend(c.add, c.sum + row);
#pragma GCC unroll 4
    for (int k = 0; k < Chains; ++k)
        store_vector<S, Lanes>(c.sum + row + k * Lanes, load_vector<S, Lanes>(addend.at(k * Lanes)) + sum[k]);
}

// Of the last rows, too few for whole lanes: one by one, or all in one masked vector.
template <bool Rectify, class S>
UNTOWARD_INLINE void sum_last_rows(const ColumnSums<S>& c, Index row) {
    for (; row < c.rows; ++row) sum_some_rows<1, 1, Rectify>(c, row);
}
#ifdef UNTOWARD_KERNEL_TILES
template <bool Rectify>
UNTOWARD_INLINE void sum_last_rows(const ColumnSums<float>& c, Index row) {
    constexpr int chains = 4;
    const Mask rows = first_lanes(c.rows - row);
    Packet sum[chains] = {};
    float* d = c.d + row;
    const float* y = c.y + (Rectify ? row : 0);
    const Index y_stride = Rectify ? c.y_stride : 0;
    const auto add_column = [&](Packet& to) {
        Packet value = load(d, rows);
        if (Rectify) {
            value = load(y, rows) > Packet{} ? value : Packet{};
            store(d, value, rows);
        }
        to += value;
        d += c.d_stride;
        y += y_stride;
    };
    Index j = 0;
    for (; j + chains <= c.columns; j += chains) {
#pragma GCC unroll 4
        for (int k = 0; k < chains; ++k) add_column(sum[k]);
    }
    for (; j < c.columns; ++j) add_column(sum[0]);
    if (c.sum == nullptr) return;
    sum[0] = (sum[0] + sum[2]) + (sum[1] + sum[3]);
    const Addend<float> addend(c.add, c.sum + row);
    store(c.sum + row, load(addend.at(0), rows) + sum[0], rows);
}
#endif

// sum = the sum of the columns of d, or += it; before, d = 0 where y is not positive if `Rectify`.
template <class S, bool Rectify>
void sum_columns(const ColumnSums<S>& c) {
    if (c.columns == 0) {  // then d may be null
        for (Index i = 0; i < c.rows && c.sum != nullptr && !c.add; ++i) c.sum[i] = 0;
        return;
    }
    Index row = 0;
#ifndef UNTOWARD_PLAIN
    // Several chains of sums at a time: one waits for itself.
    for (; row + 4 * lanes<S> <= c.rows; row += 4 * lanes<S>) sum_some_rows<4, lanes<S>, Rectify>(c, row);
    for (; row + 2 * lanes<S> <= c.rows; row += 2 * lanes<S>) sum_some_rows<2, lanes<S>, Rectify>(c, row);
#endif
    for (; row + lanes<S> <= c.rows; row += lanes<S>) sum_some_rows<1, lanes<S>, Rectify>(c, row);
    if constexpr (lanes<S> != 1) {
        if (row < c.rows) sum_last_rows<Rectify>(c, row);
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
