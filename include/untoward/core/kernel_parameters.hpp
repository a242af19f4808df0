// SPDX-License-Identifier: MIT
#pragma once

// What the kernels of core/kernels/ are given, and the plain loops beside them.

#include <array>
#include <cstdint>

#include "packed.hpp"

namespace untoward UNTOWARD_SETTING {

/// c = a b + bias, or c += a b, for column-major c; negative results become zero where `rectify`.
struct TileProduct {
    Index rows = 0;
    Index columns = 0;
    Index depth = 0;
    const float* a =
        nullptr;  ///< a(i, k) is a[i + k * a_stride], or a[i * a_stride + k] where `a_is_row_major`
    Index a_stride = 0;
    bool a_is_row_major = false;
    const float* b = nullptr;  ///< b(k, j) is b[k * b_step + j * b_column]
    Index b_step = 1;
    Index b_column = 1;
    float* c = nullptr;  ///< c(i, j) is c[i + j * c_stride]
    Index c_stride = 0;
    bool add = false;
    const float* bias = nullptr;  ///< one number for every row, or null
    bool rectify = false;
};

/// The same for one column, of a row-major a and packed vectors: y = a x + bias, or y += a x + bias. y is apart from
/// all others. The numbers of a may be codes; then a row's sum is multiplied by its scale, if there are scales.
template <class Number>
struct RowsTimes {
    Index rows;
    Index depth;
    const Number* a;
    const BFloat16* scales;
    const float* x;
    float* y;
    bool add;
    const float* bias;
    bool rectify;
};

/// Rows of packed weights, to become numbers.
template <class S, class Code>
struct UnpackedRows {
    Index rows;
    Index columns;
    const Code* codes;
    Index stride;
    const BFloat16* scales;  ///< one a row, or null
    S* to;                   ///< packed
};

/// Columns for a function of numbers to go over, all of them `rows` long.
template <class S>
struct ElementwiseColumns {
    Index rows;
    Index columns;
    S* out;
    Index out_stride;  ///< 0: all columns are added up
    const S* const* in;
    const Index* in_stride;  ///< 0: every column meets the same numbers
    bool add;                ///< to what is in `out`
};

/// Columns of several matrices for a function to change.
template <class S>
struct ChangedColumns {
    Index rows;
    Index columns;
    S* const* arrays;
    const Index* stride;  ///< 0: every column is the same one
};

/// The gradient d of a layer's output y, to be summed up over the batch.
template <class S>
struct ColumnSums {
    S* d;
    Index d_stride;
    const S* y;
    Index y_stride;
    Index rows;
    Index columns;
    S* sum;  ///< or null
    bool add;
};

/// Columns to fill with noise: `rows` numbers each, of the key and of a sample's id.
template <class S>
struct NoiseColumns {
    S* out;
    Index rows;
    Index columns;
    Index stride;
    std::array<std::uint32_t, 2> key;
    std::uint32_t epoch;
    std::uint32_t sample;          ///< of every column
    const std::uint32_t* samples;  ///< one of each, or null
};

/// Blocks of a stream of random words: four words each, one after another.
struct StreamBlocks {
    static constexpr Index count = 16;
    std::uint32_t* to;
    std::uint64_t first;  ///< the number of the first block
    std::array<std::uint32_t, 2> key;
    std::uint32_t epoch;
};

/// Adam's vectors, and the numbers of one step.
template <class S>
struct AdamVectors {
    Index size;
    S* parameters;
    const S* gradient;
    S* first;   ///< moment
    S* second;  ///< moment
    S beta1, beta2;
    S rate;         ///< over what corrects the first moment
    S root_factor;  ///< corrects the root of the second
    S epsilon;
    S keep;  ///< what decay leaves of a parameter
};

}  // namespace untoward
