// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <iterator>
#include <type_traits>

#include "kernels.hpp"

// How each kind of kernel is compared with plain loops: the `agrees` of its KernelTable. Sizes leave lanes empty, fill them
// and go beyond; what is there before is as large as what is added to it, so that a lost number shows.

namespace untoward UNTOWARD_SETTING::detail {

// Rows that kernels are tried with, for up to sixteen lanes.
inline constexpr Index check_rows[] = {1, 5, 16, 39};
inline constexpr Index check_columns = 3;
inline constexpr Index check_room = (39 + 2) * check_columns;

template <class S>
using ApplyKernel = void (*)(const void*, const ElementwiseColumns<S>&);
template <class S>
using ChangeKernel = void (*)(const void*, const ChangedColumns<S>&);
template <class S>
using TotalKernel = S (*)(const void*, const S* const*, Index);

// `in` and `strides` have room for `count` of them, `numbers` for check_room each.
template <class S>
bool apply_agrees(ApplyKernel<S> kernel, ApplyKernel<S> plain, const void* function, Index count, S* numbers,
                  const S** in, Index* strides) {
    CheckNumbers fill;
    fill.fill(numbers, count * check_room);
    for (const Index rows : check_rows) {
        // Every other operand has one column for all.
        for (Index k = 0; k < count; ++k) {
            in[k] = numbers + k * check_room;
            strides[k] = k % 2 == 0 ? rows + 1 : 0;
        }
        for (int form = 0; form < 4; ++form) {
            S found[check_room] = {};
            S expected[check_room] = {};
            const bool add = (form & 1) != 0;
            const Index out_stride = (form & 2) != 0 ? rows + 2 : 0;
            if (add) {
                plain(function, {rows, check_columns, expected, out_stride, in, strides, false});
                const S scale = check_scale(expected, check_room);
                fill.fill(found, check_room);
                for (Index i = 0; i < check_room; ++i) found[i] = expected[i] = scale * found[i];
            }
            kernel(function, {rows, check_columns, found, out_stride, in, strides, add});
            plain(function, {rows, check_columns, expected, out_stride, in, strides, add});
            if (!same_numbers(found, expected, check_room)) return false;
        }
    }
    return true;
}

// `numbers` has room for 2 x check_room for each of `count` arrays, `arrays` for 2 x count.
template <class S>
bool change_agrees(ChangeKernel<S> kernel, ChangeKernel<S> plain, const void* function, Index count,
                   S* numbers, S** arrays, Index* strides) {
    for (const Index rows : check_rows) {
        CheckNumbers().fill(numbers, count * check_room);
        S* const expected = numbers + count * check_room;
        std::copy_n(numbers, count * check_room, expected);
        for (Index k = 0; k < count; ++k) {
            arrays[k] = numbers + k * check_room;
            arrays[count + k] = expected + k * check_room;
            strides[k] = rows + 2;
        }
        kernel(function, {rows, check_columns, arrays, strides});
        plain(function, {rows, check_columns, arrays + count, strides});
        for (Index k = 0; k < count; ++k) {
            if (!same_numbers(arrays[k], arrays[count + k], check_room)) return false;
        }
    }
    return true;
}

template <class S>
bool total_agrees(TotalKernel<S> kernel, TotalKernel<S> plain, const void* function, Index count, S* numbers,
                  const S** in) {
    CheckNumbers().fill(numbers, count * check_room);
    for (Index k = 0; k < count; ++k) in[k] = numbers + k * check_room;
    for (const Index n : {Index{1}, Index{7}, Index{16}, Index{39}, check_room}) {
        const S found = kernel(function, in, n);
        const S expected = plain(function, in, n);
        if (!same_numbers(&found, &expected, 1)) return false;
    }
    return true;
}

// The same for so many operands.
template <class S, std::size_t Count>
bool apply_agrees(ApplyKernel<S> kernel, ApplyKernel<S> plain, const void* function) {
    S numbers[Count * check_room];
    const S* in[Count];
    Index strides[Count];
    return apply_agrees<S>(kernel, plain, function, static_cast<Index>(Count), numbers, in, strides);
}
template <class S, std::size_t Count>
bool change_agrees(ChangeKernel<S> kernel, ChangeKernel<S> plain, const void* function) {
    S numbers[2 * Count * check_room];
    S* arrays[2 * Count];
    Index strides[Count];
    return change_agrees<S>(kernel, plain, function, static_cast<Index>(Count), numbers, arrays, strides);
}
template <class S, std::size_t Count>
bool total_agrees(TotalKernel<S> kernel, TotalKernel<S> plain, const void* function) {
    S numbers[Count * check_room];
    const S* in[Count];
    return total_agrees<S>(kernel, plain, function, static_cast<Index>(Count), numbers, in);
}

template <class S>
bool sum_columns_agrees(void (*kernel)(const ColumnSums<S>&), void (*plain)(const ColumnSums<S>&),
                        const void*) {
    for (const Index rows : {Index{1}, Index{5}, Index{16}, Index{39}, Index{77}}) {
        for (const bool add : {false, true}) {
            constexpr Index columns = 6;
            constexpr Index most = (77 + 1) * columns;
            S d[2][most];
            S y[most];
            S sum[2][77];
            CheckNumbers fill;
            fill.fill(d[0], most);
            fill.fill(y, most);
            fill.fill(sum[0], 77);
            std::copy_n(d[0], most, d[1]);
            std::copy_n(sum[0], 77, sum[1]);
            kernel({d[0], rows + 1, y, rows, rows, columns, sum[0], add});
            plain({d[1], rows + 1, y, rows, rows, columns, sum[1], add});
            if (!same_numbers(d[0], d[1], most) || !same_numbers(sum[0], sum[1], 77)) return false;
        }
    }
    return true;
}

template <class S>
bool adam_agrees(void (*kernel)(const AdamVectors<S>&), void (*plain)(const AdamVectors<S>&), const void*) {
    constexpr Index most = 39;
    for (const Index n : check_rows) {
        S numbers[2][4][most];
        CheckNumbers().fill(numbers[0][0], 4 * most);
        for (S& second : numbers[0][2]) second *= second;
        std::copy_n(numbers[0][0], 4 * most, numbers[1][0]);
        for (const int by_plain : {0, 1}) {
            auto& x = numbers[by_plain];
            const AdamVectors<S> vectors{n,       x[0],      x[3],    x[1],      x[2],      S(0.9),
                                         S(0.99), S(0.0625), S(1.25), S(0.0078), S(0.96875)};
            by_plain != 0 ? plain(vectors) : kernel(vectors);
        }
        for (int k = 0; k < 3; ++k) {
            if (!same_numbers(numbers[0][k], numbers[1][k], most)) return false;
        }
    }
    return true;
}

template <class S>
bool noise_agrees(void (*kernel)(const NoiseColumns<S>&), void (*plain)(const NoiseColumns<S>&),
                  const void*) {
    constexpr Index columns = 5;
    constexpr Index most = 26 * columns;
    const std::uint32_t samples[columns] = {7, 3, 100000, 0, 9};
    for (const Index rows : {Index{1}, Index{6}, Index{24}}) {
        S found[most] = {};
        S expected[most] = {};
        kernel({found, rows, columns, rows + 2, {12345u, 678u}, 3, 1, samples});
        plain({expected, rows, columns, rows + 2, {12345u, 678u}, 3, 1, samples});
        if (!same_numbers(found, expected, most)) return false;
        kernel({found, rows, columns, rows, {12345u, 678u}, 3, 1, nullptr});
        plain({expected, rows, columns, rows, {12345u, 678u}, 3, 1, nullptr});
        if (!same_numbers(found, expected, most)) return false;
    }
    return true;
}

inline bool stream_blocks_agree(void (*kernel)(const StreamBlocks&), void (*plain)(const StreamBlocks&),
                                const void*) {
    std::uint32_t found[4 * StreamBlocks::count] = {};
    std::uint32_t expected[4 * StreamBlocks::count] = {};
    const std::uint64_t first = (std::uint64_t{1} << 32) - 3;
    kernel({found, first, {12345u, 678u}, 3});
    plain({expected, first, {12345u, 678u}, 3});
    return std::equal(std::begin(found), std::end(found), std::begin(expected));
}

template <class Code>
void fill_codes(Code* codes, Index n) {
    for (Index i = 0; i < n; ++i) {
        const auto number = static_cast<float>(i * 37 % 101 - 50);
        if constexpr (std::is_same_v<Code, BFloat16>) {
            codes[i] = BFloat16::from(number);
        } else {
            codes[i] = static_cast<Code>(number);
        }
    }
}

template <class S, class Code>
bool unpack_agrees(void (*kernel)(const UnpackedRows<S, Code>&), void (*plain)(const UnpackedRows<S, Code>&),
                   const void*) {
    constexpr Index rows = 3;
    constexpr Index stride = 41;
    Code codes[rows * stride];
    fill_codes(codes, rows * stride);
    const BFloat16 scales[rows] = {BFloat16::from(0.5f), BFloat16::from(2), BFloat16::from(1.5f)};
    for (const Index columns : check_rows) {
        S found[rows * stride] = {};
        S expected[rows * stride] = {};
        kernel({rows, columns, codes, stride, scales, found});
        plain({rows, columns, codes, stride, scales, expected});
        if (!same_numbers(found, expected, rows * stride)) return false;
    }
    return true;
}

// Sizes for every way that kernels/tile.hpp and few_rows.hpp know.
inline bool multiply_agrees(void (*kernel)(const TileProduct&), void (*)(const TileProduct&), const void*) {
    struct Extents {
        Index rows, columns, depth;
    };
    constexpr Extents all[] = {{1, 1, 1},   {3, 5, 2},    {5, 13, 9},  {8, 20, 17}, {7, 40, 18},
                               {16, 8, 20}, {33, 11, 18}, {37, 70, 5}, {48, 7, 40}};
    constexpr Index most = 4096;
    float a[most];
    float b[most];
    float bias[64];
    float found[most];
    float expected[most];
    CheckNumbers fill;
    fill.fill(a, most);
    fill.fill(b, most);
    fill.fill(bias, 64);
    for (const Extents& e : all) {
        // Crosswise columns at a stride of 256 are packed; where there is no room for them they lie closer.
        const Index wide = 256 * (e.depth - 1) + e.columns <= most ? 256 : e.columns;
        for (int form = 0; form < 16; ++form) {
            TileProduct t{.rows = e.rows, .columns = e.columns, .depth = e.depth, .a = a};
            t.a_is_row_major = (form & 1) != 0;
            t.a_stride = t.a_is_row_major ? e.depth : e.rows;
            t.b = b;
            t.b_step = (form & 2) != 0 ? wide : 1;
            t.b_column = (form & 2) != 0 ? 1 : e.depth;
            t.c_stride = e.rows + 1;
            t.add = (form & 4) != 0;
            t.bias = (form & 8) != 0 ? bias : nullptr;
            t.rectify = (form & 8) != 0;
            const Index size = t.c_stride * e.columns;
            fill.fill(found, size);
            for (Index i = 0; i < size; ++i) found[i] *= 4;
            std::copy_n(found, size, expected);
            t.c = found;
            kernel(t);
            t.c = expected;
            plain::multiply(t);
            if (!same_numbers(found, expected, size)) return false;
        }
    }
    return true;
}

template <class Number>
bool rows_times_agrees(void (*kernel)(const RowsTimes<Number>&), void (*)(const RowsTimes<Number>&),
                       const void*) {
    constexpr Index most_rows = 37;
    constexpr Index most_depth = 130;
    Number weight[most_rows * most_depth];
    BFloat16 scales[most_rows];
    float x[most_depth];
    float bias[most_rows];
    CheckNumbers fill;
    if constexpr (std::is_same_v<Number, float>) {
        fill.fill(weight, most_rows * most_depth);
    } else {
        fill_codes(weight, most_rows * most_depth);
    }
    fill.fill(x, most_depth);
    fill.fill(bias, most_rows);
    for (Index i = 0; i < most_rows; ++i) scales[i] = BFloat16::from(0.25f * static_cast<float>(1 + i % 5));
    for (const Index rows : {Index{1}, Index{16}, most_rows}) {
        for (const Index depth : {Index{1}, Index{16}, Index{31}, Index{50}, Index{128}, most_depth}) {
            for (int form = 0; form < 4; ++form) {
                float found[most_rows] = {};
                float expected[most_rows] = {};
                RowsTimes<Number> p{rows,
                                    depth,
                                    weight,
                                    std::is_same_v<Number, float> ? nullptr : scales,
                                    x,
                                    found,
                                    false,
                                    (form & 1) != 0 ? bias : nullptr,
                                    (form & 2) != 0};
                p.add = (form & 2) != 0;
                if (p.add) {
                    fill.fill(found, most_rows);
                    for (float& y : found) y *= 8;
                }
                std::copy_n(found, most_rows, expected);
                kernel(p);
                p.y = expected;
                plain::rows_times(p);
                if (!same_numbers(found, expected, most_rows)) return false;
            }
        }
    }
    return true;
}

}  // namespace untoward::detail
