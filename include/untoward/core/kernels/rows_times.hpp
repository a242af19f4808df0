// SPDX-License-Identifier: MIT
// A matrix times a vector in one instruction set: see core/kernels.hpp. Empty on its own.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

UNTOWARD_INLINE Packet sums_of_four(Packet a, Packet b, Packet c, Packet d) {
    const Packet ab = low_lanes(a, b) + high_lanes(a, b);
    const Packet cd = low_lanes(c, d) + high_lanes(c, d);
    return low_pairs(ab, cd) + high_pairs(ab, cd);
}
// The sums of the lanes of as many packets as a packet has lanes, in order.
UNTOWARD_INLINE Packet sums(const Packet* x) {
    const Packet a = sums_of_four(x[0], x[1], x[2], x[3]);
    const Packet b = sums_of_four(x[4], x[5], x[6], x[7]);
#if UNTOWARD_KERNEL_BYTES == 64
    const Packet c = sums_of_four(x[8], x[9], x[10], x[11]);
    const Packet d = sums_of_four(x[12], x[13], x[14], x[15]);
    const Packet ab =
        __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
        __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    const Packet cd =
        __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
        __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    return __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
           __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
#else
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
#endif
}

// A row of W times x, lane by lane.
template <class Number>
UNTOWARD_INLINE Packet row_times(const Number* w, const float* x, Index depth) {
    Packet even{};
    Packet odd{};
    Index k = 0;
    for (; k + 2 * width <= depth; k += 2 * width) {
        even += load(w + k) * load(x + k);
        odd += load(w + k + width) * load(x + k + width);
    }
    if (k + width <= depth) {
        even += load(w + k) * load(x + k);
        k += width;
    }
    if (k < depth) {
        const LastOfRow last(depth - k, k / width);
        odd += last.of(w + k) * last.of(x + k);
    }
    return even + odd;
}

// As many rows of W times x as a packet has lanes, one after another, for an x of this many packets, of which the last may
// not be full.
template <int Packets, class Number>
UNTOWARD_INLINE void rows_times_short(const Number* w, Index stride, const float* x, Index depth,
                                      Packet* total) {
    constexpr Index full = (Packets - 1) * width;
    const LastOfRow last(depth - full, Packets - 1);
    Packet of_x[Packets];
#pragma GCC unroll 8
    for (int k = 0; k < Packets; ++k)
        of_x[k] = k + 1 < Packets ? load(x + k * width) : last.of(x + k * width);
#pragma GCC unroll 16
    for (int r = 0; r < width; ++r, w += stride) {
        Packet sum = last.of(w + full) * of_x[Packets - 1];
#pragma GCC unroll 8
        for (int k = 0; k + 1 < Packets; ++k) sum += load(w + k * width) * of_x[k];
        total[r] = sum;
        // Weights that come from the second cache come faster in the order in which they lie there.
        __asm__ volatile("" ::: "memory");
    }
}
// The same for any x: one row after another, or several at once.
template <int Together, class Number>
UNTOWARD_INLINE void rows_times_long(const Number* w, Index stride, const float* x, Index depth,
                                     Packet* total) {
    if constexpr (Together == 1) {
#pragma GCC unroll 16
        for (int r = 0; r < width; ++r) total[r] = row_times(w + r * stride, x, depth);
        return;
    }
    const LastOfRow last(depth % width, depth / width);
    for (int begin = 0; begin < width; begin += Together, w += Together * stride) {
        Packet sum[Together] = {};
        Index k = 0;
        for (; k + width <= depth; k += width) {
            const Packet of_x = load(x + k);
#pragma GCC unroll 8
            for (int r = 0; r < Together; ++r) sum[r] += load(w + r * stride + k) * of_x;
        }
        if (k < depth) {
            const Packet of_x = last.of(x + k);
#pragma GCC unroll 8
            for (int r = 0; r < Together; ++r) sum[r] += last.of(w + r * stride + k) * of_x;
        }
#pragma GCC unroll 8
        for (int r = 0; r < Together; ++r) total[begin + r] = sum[r];
    }
}

// Scales of rows that have none.
struct OnesOfLanes {
    BFloat16 values[width];

    constexpr OnesOfLanes() : values{} {
        for (BFloat16& value : values) value = BFloat16::from(1);
    }
};
inline constexpr OnesOfLanes ones_of_lanes{};

// y = W x for one x, in as many rows of W at a time as a packet has lanes.
template <class Number, class Rows>
UNTOWARD_INLINE void rows_times_by(const RowsTimes<Number>& p, const Rows& rows) {
    const Addend<float> addend(p.add, p.y);
    const Addend<float> bias(p.bias != nullptr, p.bias);
    const Packet least = all(p.rectify ? 0.0f : -std::numeric_limits<float>::infinity());
    const BFloat16* const scales = p.scales != nullptr ? p.scales : ones_of_lanes.values;
    const Index scales_step = p.scales != nullptr ? 1 : 0;
    for (Index i = 0; i < p.rows; i += width) {
        // What does not fill a packet is computed with the rows before it once more, or one by one where there are none or
        // they would be added twice.
        const bool fills = i + width <= p.rows;
        if (!fills && (p.add || p.rows < width)) {
            for (Index r = i; r < p.rows; ++r) {
                float value = sum(row_times(p.a + r * p.depth, p.x, p.depth));
                if (p.scales != nullptr) value *= static_cast<float>(p.scales[r]);
                if (p.add) value += p.y[r];
                if (p.bias != nullptr) value += p.bias[r];
                p.y[r] = p.rectify && value < 0 ? 0 : value;
            }
            return;
        }
        const Index begin = fills ? i : p.rows - width;
        Packet total[width];
        rows(p.a + begin * p.depth, p.depth, p.x, p.depth, total);
        Packet y = sums(total);
        if constexpr (!std::is_same_v<Number, float>) y *= load(scales + begin * scales_step);
        y = y + load(addend.at(begin)) + load(bias.at(begin));
        store(p.y + begin, greater(least, y));
    }
}
template <class Number>
void rows_times(const RowsTimes<Number>& p) {
    const auto by = [&](auto rows) { rows_times_by(p, rows); };
#if UNTOWARD_KERNEL_BYTES == 64  // and 32 registers
    constexpr Index many = 256;
    const Index packets = (p.depth + width - 1) / width;
    if (packets == 1) return by([](auto... x) { rows_times_short<1>(x...); });
    if (packets == 2) return by([](auto... x) { rows_times_short<2>(x...); });
    if (packets == 4) return by([](auto... x) { rows_times_short<4>(x...); });
    if (packets == 8) return by([](auto... x) { rows_times_short<8>(x...); });
    if (p.depth < many) return by([](auto... x) { rows_times_long<1>(x...); });
    by([](auto... x) { rows_times_long<8>(x...); });
#else
    by([](auto... x) { rows_times_long<width>(x...); });
#endif
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
