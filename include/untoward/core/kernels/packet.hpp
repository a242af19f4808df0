// SPDX-License-Identifier: MIT
// Vectors of floats in one instruction set. core/kernels.hpp includes this file once for each, within a region of
// that set's instructions; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

#if UNTOWARD_KERNEL_BYTES == 64
inline constexpr Index width = 16;
typedef float Packet __attribute__((vector_size(64)));
typedef float Unaligned __attribute__((vector_size(64), aligned(4), may_alias));
typedef std::int32_t Integers __attribute__((vector_size(64)));
using Mask = unsigned short;

// The first n lanes.
UNTOWARD_INLINE Mask first_lanes(Index n) {
    return static_cast<Mask>(n >= width ? 0xffffU : (1U << n) - 1U);
}
UNTOWARD_INLINE Packet load(const float* from, Mask mask) {
    return __builtin_ia32_loadups512_mask(from, Packet{}, mask);
}
UNTOWARD_INLINE void store(float* to, Packet x, Mask mask) {
    __builtin_ia32_storeups512_mask(to, x, mask);
}
#else
inline constexpr Index width = 8;
typedef float Packet __attribute__((vector_size(32)));
typedef float Unaligned __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::int32_t Integers __attribute__((vector_size(32)));
using Mask = Integers;

UNTOWARD_INLINE Mask first_lanes(Index n) {
    const auto count = static_cast<std::int32_t>(n < width ? n : width);
    return Integers{0, 1, 2, 3, 4, 5, 6, 7} < (Integers{} + count);
}
UNTOWARD_INLINE Packet load(const float* from, Mask mask) {
    return __builtin_ia32_maskloadps256(reinterpret_cast<const Packet*>(from), mask);
}
UNTOWARD_INLINE void store(float* to, Packet x, Mask mask) {
    __builtin_ia32_maskstoreps256(reinterpret_cast<Packet*>(to), mask, x);
}
#endif

UNTOWARD_INLINE Packet load(const float* from) {
    return *reinterpret_cast<const Unaligned*>(from);
}
UNTOWARD_INLINE void store(float* to, Packet x) {
    *reinterpret_cast<Unaligned*>(to) = x;
}
UNTOWARD_INLINE Packet all(float x) {
    return x - Packet{};
}

// Codes of packed weights, as numbers.
typedef std::uint16_t Halves __attribute__((vector_size(width * 2)));
typedef std::uint16_t HalvesAnywhere __attribute__((vector_size(width * 2), aligned(2), may_alias));
typedef std::int8_t Bytes __attribute__((vector_size(width)));
typedef std::int8_t BytesAnywhere __attribute__((vector_size(width), aligned(1), may_alias));
typedef short Shorts __attribute__((vector_size(width * 2)));
typedef char Characters __attribute__((vector_size(width)));
UNTOWARD_INLINE Packet numbers_of(Halves codes) {
#if defined(__clang__)
    return reinterpret_cast<Packet>(__builtin_convertvector(codes, Integers) << 16);
#elif UNTOWARD_KERNEL_BYTES == 64
    const auto words = __builtin_ia32_pmovzxwd512_mask(reinterpret_cast<Shorts>(codes), Integers{}, -1);
    return reinterpret_cast<Packet>(reinterpret_cast<Integers>(words) << 16);
#else
    const auto words = __builtin_ia32_pmovzxwd256(reinterpret_cast<Shorts>(codes));
    return reinterpret_cast<Packet>(reinterpret_cast<Integers>(words) << 16);
#endif
}
UNTOWARD_INLINE Packet numbers_of(Bytes codes) {
#if defined(__clang__)
    return __builtin_convertvector(__builtin_convertvector(codes, Integers), Packet);
#elif UNTOWARD_KERNEL_BYTES == 64
    return __builtin_convertvector(
        __builtin_ia32_pmovsxbd512_mask(reinterpret_cast<Characters>(codes), Integers{}, -1), Packet);
#else
    typedef long long Pair __attribute__((vector_size(16)));
    typedef char Sixteen __attribute__((vector_size(16)));
    const Sixteen sixteen = reinterpret_cast<Sixteen>(Pair{__builtin_bit_cast(long long, codes), 0});
    return __builtin_convertvector(__builtin_ia32_pmovsxbd256(sixteen), Packet);
#endif
}
UNTOWARD_INLINE Packet load(const BFloat16* from) {
    return numbers_of(*reinterpret_cast<const HalvesAnywhere*>(from));
}
UNTOWARD_INLINE Packet load(const std::int8_t* from) {
    return numbers_of(*reinterpret_cast<const BytesAnywhere*>(from));
}

// The last numbers of a row, at most a packet, after so many packets: the other lanes are zero.
#if UNTOWARD_KERNEL_BYTES == 64
class LastOfRow {
public:
    UNTOWARD_INLINE LastOfRow(Index count, Index) : mask_(first_lanes(count)) {}

    UNTOWARD_INLINE Packet of(const float* from) const { return load(from, mask_); }
    UNTOWARD_INLINE Packet of(const BFloat16* from) const {
        const auto* const at = reinterpret_cast<const FromShorts*>(from);
        return numbers_of(reinterpret_cast<Halves>(__builtin_ia32_loaddquhi256_mask(at, Shorts{}, mask_)));
    }
    UNTOWARD_INLINE Packet of(const std::int8_t* from) const {
        const auto* const at = reinterpret_cast<const FromCharacters*>(from);
        return numbers_of(reinterpret_cast<Bytes>(__builtin_ia32_loaddquqi128_mask(at, Characters{}, mask_)));
    }

private:
#if defined(__clang__)
    using FromShorts = Shorts;
    using FromCharacters = Characters;
#else
    using FromShorts = short;
    using FromCharacters = char;
#endif

    Mask mask_;
};
#else
class LastOfRow {
public:
    UNTOWARD_INLINE LastOfRow(Index count, Index packets_before)
        : mask_(first_lanes(count)), count_(count), is_all_(packets_before == 0) {}

    UNTOWARD_INLINE Packet of(const float* from) const { return load(from, mask_); }
    // Codes cannot be loaded so: with those before them, if there are any, which then go.
    template <class Code>
    UNTOWARD_INLINE Packet of(const Code* from) const {
        if (is_all_) {
            Packet x{};
            for (Index l = 0; l < count_; ++l) x[l] = static_cast<float>(from[l]);
            return x;
        }
        const Integers lane = Integers{0, 1, 2, 3, 4, 5, 6, 7} + static_cast<std::int32_t>(width - count_);
        const auto moved = __builtin_ia32_permvarsf256(load(from + count_ - width), lane);
        return reinterpret_cast<Packet>(reinterpret_cast<Integers>(moved) & mask_);
    }

private:
    Mask mask_;
    Index count_;
    bool is_all_;
};
#endif

// a where it is greater than b, else b: also where either is not a number.
UNTOWARD_INLINE Packet greater(Packet a, Packet b) {
#if UNTOWARD_KERNEL_BYTES == 64 && defined(__clang__)
    return __builtin_ia32_maxps512(a, b, 4);
#elif UNTOWARD_KERNEL_BYTES == 64
    return __builtin_ia32_maxps512_mask(a, b, Packet{}, -1, 4);
#else
    return __builtin_ia32_maxps256(a, b);
#endif
}

// One of four floats, for what is done crosswise.
typedef float Four __attribute__((vector_size(16)));
typedef float UnalignedFour __attribute__((vector_size(16), aligned(4), may_alias));
UNTOWARD_INLINE Four load_four(const float* from) {
    return *reinterpret_cast<const UnalignedFour*>(from);
}
UNTOWARD_INLINE void store_four(float* to, Four x) {
    *reinterpret_cast<UnalignedFour*>(to) = x;
}

typedef float UnalignedEight __attribute__((vector_size(32), aligned(4), may_alias));
UNTOWARD_INLINE auto load_eight(const float* from) {
    return *reinterpret_cast<const UnalignedEight*>(from);
}
UNTOWARD_INLINE void store_eight(float* to, UnalignedEight x) {
    *reinterpret_cast<UnalignedEight*>(to) = x;
}

// Four floats from each of these rows of a matrix, one after another.
UNTOWARD_INLINE Packet load_fours(const float* const (&from)[width / 4], Index at) {
    const Four a = load_four(from[0] + at);
    const Four b = load_four(from[1] + at);
#if UNTOWARD_KERNEL_BYTES == 64
    const Four c = load_four(from[2] + at);
    const Four d = load_four(from[3] + at);
#if defined(__clang__)
    const auto low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
    const auto high = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    // Inserted from memory a row needs no shuffle; g++ shuffles.
    Packet x = __builtin_ia32_ps512_ps(a);
    x = __builtin_ia32_insertf32x4_mask(x, b, 1, x, -1);
    x = __builtin_ia32_insertf32x4_mask(x, c, 2, x, -1);
    return __builtin_ia32_insertf32x4_mask(x, d, 3, x, -1);
#endif
#else
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
#endif
}

// In every group of four lanes: a0 b0 a1 b1, and a2 b2 a3 b3; then pairs of lanes in the same way.
#if UNTOWARD_KERNEL_BYTES == 64
UNTOWARD_INLINE Packet low_lanes(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
}
UNTOWARD_INLINE Packet high_lanes(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}
UNTOWARD_INLINE Packet low_pairs(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
}
UNTOWARD_INLINE Packet high_pairs(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}
#else
UNTOWARD_INLINE Packet low_lanes(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
}
UNTOWARD_INLINE Packet high_lanes(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
}
UNTOWARD_INLINE Packet low_pairs(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
}
UNTOWARD_INLINE Packet high_pairs(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
}
#endif

// The first half: lanes 0, 2, 4, ..., or 1, 3, 5, ... And the first halves of a and b, as a0 b0 a1 b1 ...
#if UNTOWARD_KERNEL_BYTES == 64
UNTOWARD_INLINE Packet even_lanes(Packet x) {
    return __builtin_shufflevector(x, Packet{}, 0, 2, 4, 6, 8, 10, 12, 14, 16, 16, 16, 16, 16, 16, 16, 16);
}
UNTOWARD_INLINE Packet odd_lanes(Packet x) {
    return __builtin_shufflevector(x, Packet{}, 1, 3, 5, 7, 9, 11, 13, 15, 16, 16, 16, 16, 16, 16, 16, 16);
}
UNTOWARD_INLINE Packet in_turns(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
#else
UNTOWARD_INLINE Packet even_lanes(Packet x) {
    return __builtin_shufflevector(x, Packet{}, 0, 2, 4, 6, 8, 8, 8, 8);
}
UNTOWARD_INLINE Packet odd_lanes(Packet x) {
    return __builtin_shufflevector(x, Packet{}, 1, 3, 5, 7, 8, 8, 8, 8);
}
UNTOWARD_INLINE Packet in_turns(Packet a, Packet b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
#endif

// The four lanes that are the sums of every fourth lane.
UNTOWARD_INLINE Four fold(Packet x) {
#if UNTOWARD_KERNEL_BYTES == 64
    const auto half = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
                      __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    const auto half = x;
#endif
    return __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
}
UNTOWARD_INLINE float sum(Packet x) {
    const Four four = fold(x);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
