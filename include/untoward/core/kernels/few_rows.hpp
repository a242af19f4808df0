// SPDX-License-Identifier: MIT
// Matrix products in one instruction set whose result has so few rows that they would leave half of a tile empty, and the
// choice between all of them: see core/kernels.hpp. Empty on its own.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

// Two neighbours of a column, for all pairs of lanes: as bits, since a processor with doubles might change a NaN.
UNTOWARD_INLINE Packet all_pairs(const float* from) {
    typedef long long Whole __attribute__((vector_size(sizeof(Packet))));
    typedef long long Pair __attribute__((aligned(4), may_alias));
    return reinterpret_cast<Packet>(Whole{} + *reinterpret_cast<const Pair*>(from));
}

// Few rows of a leave half of the lanes of a tile empty. Here a packet holds two columns of it, lane by lane in turns, and
// meets two elements of every column of b.
inline constexpr Index most_paired_rows = width / 2;
template <int Columns>
void paired_tile(const TilePart& p, const float* b, float* c, Index columns) {
    Packet sum[Columns];
    Index offset[Columns];
#pragma GCC unroll 16
    for (int j = 0; j < Columns; ++j) {
        offset[j] = (j < columns ? j : columns - 1) * p.b_column;
        sum[j] = Packet{};
    }
    const float* a = p.a;
    const Index pairs = p.depth / 2;
    for (Index k = 0; k < pairs; ++k) {
        const Packet left = load(a);
#pragma GCC unroll 16
        for (int j = 0; j < Columns; ++j) sum[j] += left * all_pairs(b + offset[j]);
        a += width;
        b += 2;
    }
    if (p.depth % 2 != 0) {
        const Packet left = load(a);
#pragma GCC unroll 16
        for (int j = 0; j < Columns; ++j) {
            const float pair[2] = {b[offset[j]], 0};
            sum[j] += left * all_pairs(pair);
        }
    }
    const Mask rows = first_lanes(p.rows);
    const Packet start = load(Addend<float>(p.bias != nullptr, p.bias).at(0), rows);
    const Packet least = all(p.rectify ? 0.0f : -std::numeric_limits<float>::infinity());
    const Addend<float> addend(p.add, c);
    const Index c_stride = p.c_stride;
#pragma GCC unroll 16
    for (int j = 0; j < Columns; ++j) {
        if (j >= columns) break;
        const Packet result =
            even_lanes(sum[j]) + odd_lanes(sum[j]) + start + load(addend.at(j * c_stride), rows);
        store(c, greater(least, result), rows);
        c += c_stride;
    }
}

// to[k * width + 2 i + s] = a(i, 2 k + s), zero where a ends; a's rows are packed, or its columns are.
inline void pair_panel(const TileProduct& t, Index begin, Index depth, float* to) {
    typedef long long Pair __attribute__((aligned(4), may_alias));
    const Index pairs = depth / 2;
    const float* const a = t.a + begin * (t.a_is_row_major ? 1 : t.a_stride);
    const Mask rows = first_lanes(t.rows);
    if (t.a_is_row_major) {
        for (Index k = 0; k < pairs; ++k) store(to + k * width, Packet{});
        for (Index i = 0; i < t.rows; ++i) {
            const float* const from = a + i * t.a_stride;
            for (Index k = 0; k < pairs; ++k)
                *reinterpret_cast<Pair*>(to + k * width + 2 * i) =
                    *reinterpret_cast<const Pair*>(from + 2 * k);
        }
    } else {
        for (Index k = 0; k < pairs; ++k) {
            const float* const from = a + 2 * k * t.a_stride;
            store(to + k * width, in_turns(load(from, rows), load(from + t.a_stride, rows)));
        }
    }
    if (depth % 2 != 0) {
        float* const last = to + pairs * width;
        store(last, Packet{});
        const Index row = t.a_is_row_major ? t.a_stride : 1;
        const float* const from = a + (depth - 1) * (t.a_is_row_major ? 1 : t.a_stride);
        for (Index i = 0; i < t.rows; ++i) last[2 * i] = from[i * row];
    }
}

inline void multiply_few_rows(const TileProduct& t) {
    constexpr int paired_columns = 12;
    constexpr Index most = 512;
    alignas(64) float panel[(most + 1) / 2 * width];
    for (Index k = 0; k < t.depth; k += most) {
        TilePart p{};
        p.depth = t.depth - k < most ? t.depth - k : most;
        p.a = panel;
        p.b_column = t.b_column;
        p.c_stride = t.c_stride;
        p.rows = t.rows;
        p.bias = k == 0 ? t.bias : nullptr;
        p.add = t.add || k > 0;
        p.rectify = t.rectify && k + p.depth >= t.depth;
        pair_panel(t, k, p.depth, panel);
        Index j = 0;
        for (; j < t.columns; j += paired_columns) {
            const Index columns = t.columns - j;
            const float* const b = t.b + k + j * t.b_column;
            float* const c = t.c + j * t.c_stride;
            if (columns > 4)
                paired_tile<paired_columns>(p, b, c, columns < paired_columns ? columns : paired_columns);
            else
                paired_tile<4>(p, b, c, columns);
        }
    }
}

// c, or what is added to it, from its transpose, whose columns lie at this stride.
inline void turn_into(const TileProduct& t, Index begin, Index columns, const float* turned, Index stride) {
    for (Index j = 0; j < columns; j += 4) {
        float* const c = t.c + (begin + j) * t.c_stride;
        const Addend<float> addend(t.add, c);
        const float* const from = turned + j;
        Index i = 0;
        for (; i + 4 <= t.rows && j + 4 <= columns; i += 4) {
            const Four x0 = load_four(from + i * stride);
            const Four x1 = load_four(from + (i + 1) * stride);
            const Four x2 = load_four(from + (i + 2) * stride);
            const Four x3 = load_four(from + (i + 3) * stride);
            const Four y0 = __builtin_shufflevector(x0, x1, 0, 4, 1, 5);
            const Four y1 = __builtin_shufflevector(x0, x1, 2, 6, 3, 7);
            const Four y2 = __builtin_shufflevector(x2, x3, 0, 4, 1, 5);
            const Four y3 = __builtin_shufflevector(x2, x3, 2, 6, 3, 7);
            const Four column[4] = {
                __builtin_shufflevector(y0, y2, 0, 1, 4, 5), __builtin_shufflevector(y0, y2, 2, 3, 6, 7),
                __builtin_shufflevector(y1, y3, 0, 1, 4, 5), __builtin_shufflevector(y1, y3, 2, 3, 6, 7)};
#pragma GCC unroll 4
            for (Index r = 0; r < 4; ++r) {
                const Index at = i + r * t.c_stride;
                store_four(c + at, load_four(addend.at(at)) + column[r]);
            }
        }
        for (; i < t.rows; ++i) {
            for (Index r = 0; r < 4 && j + r < columns; ++r) {
                float& to = c[i + r * t.c_stride];
                to = t.add ? to + from[i * stride + r] : from[i * stride + r];
            }
        }
    }
}

// Few rows, and columns of b that lie crosswise, as a gradient of a weight has them: the transpose, with those columns in
// the lanes.
inline constexpr Index most_turned_rows = 8;
inline void multiply_transposed(const TileProduct& t) {
    constexpr Index part = 64;
    alignas(64) float turned[part * most_turned_rows];
    TileProduct s{.columns = t.rows,
                  .depth = t.depth,
                  .a_stride = t.b_step,
                  .b = t.a,
                  .b_step = t.a_stride,
                  .c = turned,
                  .c_stride = part};
    for (Index j = 0; j < t.columns; j += part) {
        s.rows = t.columns - j < part ? t.columns - j : part;
        s.a = t.b + j;
        multiply_by_tiles(s);
        turn_into(t, j, s.rows, turned, part);
    }
}

inline void multiply(const TileProduct& t) {
    constexpr Index enough = 16;
    if (t.rows <= most_paired_rows && t.b_step == 1 && t.depth >= 8) return multiply_few_rows(t);
    if (t.rows <= most_turned_rows && t.b_column == 1 && !t.a_is_row_major && t.columns >= enough &&
        t.depth >= enough && t.bias == nullptr && !t.rectify)
        return multiply_transposed(t);
    multiply_by_tiles(t);
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
