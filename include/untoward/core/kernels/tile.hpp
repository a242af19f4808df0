// SPDX-License-Identifier: MIT
// Matrix products in one instruction set: see core/kernels.hpp. Empty on its own.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

#if UNTOWARD_KERNEL_BYTES == 64
inline constexpr Index tile_columns = 8;  // 16 sums of 32 registers
#else
inline constexpr Index tile_columns = 6;  // 12 sums of 16 registers
#endif
// One row of tiles, and where its parts lie. Neighbours of a TileProduct are none here: compilers copy those in pairs, and
// a processor that is to load two numbers at once which were just stored one by one waits until they are in the cache.
struct TilePart {
    const float* a;
    Index a_step;
    const float* b;
    Index b_step;
    Index b_tile;  // from the columns of one tile to those of the next
    Index b_column;
    float* c;
    Index c_stride;
    Index rows;
    Index depth;
    const float* bias;
    bool add;
    bool rectify;
};

inline constexpr Index tile_rows = 2 * width;
inline constexpr Index panel_depth = 256;  // a packed panel stays in the first cache
inline constexpr Index panel_columns = 8 * tile_columns;

// A row of tiles of c: the sums of one tile stay in registers while a column of a, as vectors, meets an element of
// every column of b.
template <int Vectors, int Columns, bool Whole>
void tile(const TilePart& p, const float* b, float* c, Index columns) {
    Packet sum[Columns][Vectors];
    Index offset[Columns];
    const Mask last = first_lanes(p.rows - (Vectors - 1) * width);
    Packet start[Vectors];
#pragma GCC unroll 8
    for (int i = 0; i < Vectors; ++i) {
        start[i] = Packet{};
        if (p.bias != nullptr)
            start[i] = Whole || i + 1 < Vectors ? load(p.bias + i * width) : load(p.bias + i * width, last);
    }
#pragma GCC unroll 8
    for (int j = 0; j < Columns; ++j) {
        // What is beyond the last column computes that one again, and is not stored.
        offset[j] = (j < columns ? j : columns - 1) * p.b_column;
#pragma GCC unroll 8
        for (int i = 0; i < Vectors; ++i) sum[j][i] = start[i];
    }
    const float* a = p.a;
    const Index depth = p.depth;
    const Index a_step = p.a_step;
    const Index b_step = p.b_step;
#pragma GCC unroll 2
    for (Index k = 0; k < depth; ++k) {
        Packet left[Vectors];
#pragma GCC unroll 8
        for (int i = 0; i < Vectors; ++i)
            left[i] = Whole || i + 1 < Vectors ? load(a + i * width) : load(a + i * width, last);
#pragma GCC unroll 8
        for (int j = 0; j < Columns; ++j) {
            const float right = b[offset[j]];
#pragma GCC unroll 8
            for (int i = 0; i < Vectors; ++i) sum[j][i] += left[i] * right;
        }
        a += a_step;
        b += b_step;
    }
    // A packet that is stored could be any of these, for all the compiler knows.
    const bool rectify = p.rectify;
    const Index c_stride = p.c_stride;
    if (p.add) {
        const float* from = c;
#pragma GCC unroll 8
        for (int j = 0; j < Columns; ++j) {
            if (j >= columns) break;
#pragma GCC unroll 8
            for (int i = 0; i < Vectors; ++i)
                sum[j][i] += Whole || i + 1 < Vectors ? load(from + i * width) : load(from + i * width, last);
            from += c_stride;
        }
    }
    if (rectify) {
#pragma GCC unroll 8
        for (int j = 0; j < Columns; ++j) {
#pragma GCC unroll 8
            for (int i = 0; i < Vectors; ++i) sum[j][i] = greater(Packet{}, sum[j][i]);
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < Columns; ++j) {
        if (j >= columns) break;
#pragma GCC unroll 8
        for (int i = 0; i < Vectors; ++i) {
            if (Whole || i + 1 < Vectors)
                store(c + i * width, sum[j][i]);
            else
                store(c + i * width, sum[j][i], last);
        }
        c += c_stride;
    }
}

// The panel of a of up to `tile_rows` rows, turned: to[k * tile_rows + i] = a(i, k), where a's rows are packed.
inline void turn_panel(const float* a, Index stride, Index rows, Index depth, float* to) {
    const Index third = 3 * stride;
    Index i = 0;
    for (; i + width <= rows; i += width) {
        const float* const from = a + i * stride;
        const float* fourth[width / 4];
#pragma GCC unroll 4
        for (Index r = 0; r < width / 4; ++r) fourth[r] = from + 4 * r * stride;
        Index k = 0;
        for (; k + 4 <= depth; k += 4) {
            // Rows r, r + 4, r + 8, ... of four columns in x[r]; four steps crosswise put one column in each.
            const Packet x0 = load_fours(fourth, 0);
            const Packet x1 = load_fours(fourth, stride);
            const Packet x2 = load_fours(fourth, 2 * stride);
            const Packet x3 = load_fours(fourth, third);
#pragma GCC unroll 4
            for (Index r = 0; r < width / 4; ++r) fourth[r] += 4;
            const Packet y0 = low_lanes(x0, x1);
            const Packet y1 = high_lanes(x0, x1);
            const Packet y2 = low_lanes(x2, x3);
            const Packet y3 = high_lanes(x2, x3);
            float* const column = to + k * tile_rows + i;
            store(column, low_pairs(y0, y2));
            store(column + tile_rows, high_pairs(y0, y2));
            store(column + 2 * tile_rows, low_pairs(y1, y3));
            store(column + 3 * tile_rows, high_pairs(y1, y3));
        }
        for (; k < depth; ++k) {
            for (Index r = 0; r < width; ++r) to[k * tile_rows + i + r] = from[r * stride + k];
        }
    }
    for (; i < rows; ++i) {
        for (Index k = 0; k < depth; ++k) to[k * tile_rows + i] = a[i * stride + k];
    }
}

// The panel of a as it is, packed.
inline void copy_panel(const float* a, Index stride, Index rows, Index depth, float* to) {
    const Mask first = first_lanes(rows);
    const Mask second = first_lanes(rows > width ? rows - width : 0);
    for (Index k = 0; k < depth; ++k, a += stride, to += tile_rows) {
        store(to, load(a, first));
        if (rows > width) store(to + width, load(a + width, second));
    }
}

template <int Vectors, bool Whole>
void tiles(const TilePart& p, Index columns) {
    Index j = 0;
    const float* b = p.b;
    float* c = p.c;
    for (; j + tile_columns <= columns; j += tile_columns) {
        tile<Vectors, tile_columns, Whole>(p, b, c, tile_columns);
        b += p.b_tile;
        c += tile_columns * p.c_stride;
    }
    const Index left = columns - j;
    if (left > 4) {
        tile<Vectors, tile_columns, Whole>(p, b, c, left);
    } else if (left > 1) {
        tile<Vectors, 4, Whole>(p, b, c, left);
    } else if (left > 0) {
        tile<Vectors, 1, Whole>(p, b, c, left);
    }
}

// One tile of columns of b that lie crosswise. What is beyond them where there are eight goes along, to be overwritten.
UNTOWARD_INLINE void copy_some_columns(const float* b, Index columns, Index there, float* to) {
    if (columns == tile_columns && there >= 8) {
        store_eight(to, load_eight(b));
    } else {
        for (Index r = 0; r < columns; ++r) to[r] = b[r];
    }
}

// Columns of b that lie crosswise at a large stride, tile by tile; two tiles at a time, since lines of b that far apart
// soon push each other out of the first cache. `to` has room for eight numbers more.
inline void copy_columns(const float* b, Index step, Index columns, Index depth, float* to) {
    for (Index j = 0; j < columns; j += 2 * tile_columns, to += 2 * tile_columns * depth) {
        const Index left = columns - j;
        const Index first = left < tile_columns ? left : tile_columns;
        const Index second = left - first < tile_columns ? left - first : tile_columns;
        const float* from = b + j;
        for (Index k = 0; k < depth; ++k, from += step) {
            // The last of the first tile must not reach into the second.
            copy_some_columns(from, first, k + 1 < depth ? left : 0, to + k * tile_columns);
            copy_some_columns(from + first, second, left - first, to + (depth + k) * tile_columns);
        }
    }
}

inline void multiply_by_tiles(const TileProduct& t) {
    alignas(64) float a_panel[panel_depth * tile_rows];
    alignas(64) float b_panel[panel_depth * panel_columns + 8];
    const bool pack_b = t.b_column == 1 && t.b_step >= 256 && t.rows > tile_rows && t.depth > 16;
    // Columns at such strides share few places of the first cache.
    const bool pack_a =
        t.a_is_row_major || (t.a_stride % 128 == 0 && t.a_stride >= 256 && t.columns > 4 * tile_columns);
    Index most = t.depth;
    if (t.depth > panel_depth && (pack_a || pack_b)) {
        const Index panels = (t.depth + panel_depth - 1) / panel_depth;
        most = (t.depth + panels - 1) / panels;
    }
    const Index chunk = pack_b ? panel_depth * panel_columns / most / tile_columns * tile_columns : t.columns;
    for (Index j = 0; j < t.columns; j += chunk) {
        const Index columns = t.columns - j < chunk ? t.columns - j : chunk;
        Index k = 0;
        do {
            TilePart p{};
            p.depth = t.depth - k < most ? t.depth - k : most;
            p.b = t.b + k * t.b_step + j * t.b_column;
            p.b_step = t.b_step;
            p.b_column = t.b_column;
            p.b_tile = tile_columns * t.b_column;
            if (pack_b) {
                copy_columns(p.b, t.b_step, columns, p.depth, b_panel);
                p.b = b_panel;
                p.b_step = tile_columns;
                p.b_tile = tile_columns * p.depth;
            }
            p.c_stride = t.c_stride;
            p.add = t.add || k > 0;
            p.rectify = t.rectify && k + p.depth >= t.depth;
            for (Index i = 0; i < t.rows; i += tile_rows) {
                p.rows = t.rows - i < tile_rows ? t.rows - i : tile_rows;
                p.c = t.c + i + j * t.c_stride;
                p.bias = t.bias != nullptr && k == 0 ? t.bias + i : nullptr;
                if (pack_a) {
                    if (t.a_is_row_major)
                        turn_panel(t.a + i * t.a_stride + k, t.a_stride, p.rows, p.depth, a_panel);
                    else
                        copy_panel(t.a + i + k * t.a_stride, t.a_stride, p.rows, p.depth, a_panel);
                    p.a = a_panel;
                    p.a_step = tile_rows;
                } else {
                    p.a = t.a + i + k * t.a_stride;
                    p.a_step = t.a_stride;
                }
                if (p.rows == tile_rows) {
                    tiles<2, true>(p, columns);
                } else if (p.rows > width) {
                    tiles<2, false>(p, columns);
                } else {
                    tiles<1, false>(p, columns);
                }
            }
            k += p.depth;
        } while (k < t.depth);
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
