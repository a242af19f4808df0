// SPDX-License-Identifier: MIT
#pragma once

// Single-precision work in the instructions of the processor that runs it. The files in kernels/ say what is done,
// once, in terms of a vector of floats; this one compiles them for each instruction set of instruction_set.hpp and
// finds the function of the set in use.

#include <cmath>
#include <limits>

#include "instruction_set.hpp"
#include "kernel_parameters.hpp"
#include "math.hpp"
#include "packed.hpp"
#include "philox.hpp"
#include "self_check.hpp"

#if UNTOWARD_DISPATCH

#define UNTOWARD_KERNEL_SET avx512
#define UNTOWARD_KERNEL_BYTES 64
#define UNTOWARD_KERNEL_TILES
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,prefer-vector-width=512")
#endif
#include "kernels/all.hpp"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef UNTOWARD_KERNEL_SET
#undef UNTOWARD_KERNEL_BYTES

#define UNTOWARD_KERNEL_SET avx2
#define UNTOWARD_KERNEL_BYTES 32
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#include "kernels/all.hpp"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef UNTOWARD_KERNEL_SET
#undef UNTOWARD_KERNEL_BYTES
#undef UNTOWARD_KERNEL_TILES

#endif

#define UNTOWARD_KERNEL_SET baseline
#if defined(UNTOWARD_PLAIN)
#define UNTOWARD_KERNEL_BYTES 4  // of one number
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#define UNTOWARD_KERNEL_BYTES 64
#elif defined(__AVX__)
#define UNTOWARD_KERNEL_BYTES 32
#elif defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__)
#define UNTOWARD_KERNEL_BYTES 16
#else
#define UNTOWARD_KERNEL_BYTES 4  // of one number
#endif
#include "kernels/all.hpp"
#undef UNTOWARD_KERNEL_SET
#undef UNTOWARD_KERNEL_BYTES

#if UNTOWARD_SELF_CHECK
#include "plain/checks.hpp"
#endif

// What a KernelTable (self_check.hpp) is made of: a function template of kernels/ in every instruction set; what does the
// same by plain loops; what compares them; a name.
#if UNTOWARD_DISPATCH
#define UNTOWARD_KERNELS(...) \
    { &baseline::__VA_ARGS__, &avx2::__VA_ARGS__, &avx512::__VA_ARGS__ }
#else
#define UNTOWARD_KERNELS(...) \
    { &baseline::__VA_ARGS__ }
#endif
#if UNTOWARD_SELF_CHECK
#define UNTOWARD_CHECKED_BY(plain, agrees) plain, agrees
#else
#define UNTOWARD_CHECKED_BY(plain, agrees) nullptr, nullptr
#endif

namespace untoward UNTOWARD_SETTING::detail {

#ifdef UNTOWARD_PLAIN

// One kernel for each, which the compiler draws in.
template <class S, bool Rectify>
void run_sum_columns(const ColumnSums<S>& c) {
    baseline::sum_columns<S, Rectify>(c);
}
template <class S>
void run_adam(const AdamVectors<S>& a) {
    baseline::adam<S>(a);
}
template <class S, bool Normal>
void run_noise(const NoiseColumns<S>& c) {
    baseline::noise<S, Normal>(c);
}
inline void run_stream_blocks(const StreamBlocks& s) {
    baseline::stream_blocks(s);
}

#else

template <class S>
constexpr const char* name_of_number(const char* in_float, const char* in_double) {
    return sizeof(S) == sizeof(float) ? in_float : in_double;
}

template <class S, bool Rectify>
inline constinit KernelTable<void (*)(const ColumnSums<S>&)> sum_columns_table{
    UNTOWARD_KERNELS(sum_columns<S, Rectify>),
    UNTOWARD_CHECKED_BY((&plain::sum_columns<S, Rectify>), &sum_columns_agrees<S>),
    name_of_number<S>("sum_columns in float", "sum_columns in double")};
/// sum = the sum of the columns of d, or += it; before, d = 0 where y is not positive if `Rectify`.
template <class S, bool Rectify>
void run_sum_columns(const ColumnSums<S>& c) {
    sum_columns_table<S, Rectify>.in_use()(c);
}

template <class S>
inline constinit KernelTable<void (*)(const AdamVectors<S>&)> adam_table{
    UNTOWARD_KERNELS(adam<S>), UNTOWARD_CHECKED_BY(&plain::adam<S>, &adam_agrees<S>),
    name_of_number<S>("adam in float", "adam in double")};
/// A step of Adam.
template <class S>
void run_adam(const AdamVectors<S>& a) {
    adam_table<S>.in_use()(a);
}

template <class S, bool Normal>
inline constinit KernelTable<void (*)(const NoiseColumns<S>&)> noise_table{
    UNTOWARD_KERNELS(noise<S, Normal>), UNTOWARD_CHECKED_BY((&plain::noise<S, Normal>), &noise_agrees<S>),
    name_of_number<S>("noise in float", "noise in double")};
/// Columns of noise.
template <class S, bool Normal>
void run_noise(const NoiseColumns<S>& c) {
    noise_table<S, Normal>.in_use()(c);
}

inline constinit KernelTable<void (*)(const StreamBlocks&)> stream_blocks_table{
    UNTOWARD_KERNELS(stream_blocks), UNTOWARD_CHECKED_BY(&plain::stream_blocks, &stream_blocks_agree),
    "stream_blocks"};
/// Blocks of a random stream.
inline void run_stream_blocks(const StreamBlocks& s) {
    stream_blocks_table.in_use()(s);
}

template <class S, class Code>
inline constinit KernelTable<void (*)(const UnpackedRows<S, Code>&)> unpack_table{
    UNTOWARD_KERNELS(unpack<S, Code>),
    UNTOWARD_CHECKED_BY((&plain::unpack<S, Code>), (&unpack_agrees<S, Code>)),
    name_of_number<S>("unpack in float", "unpack in double")};
/// Packed weights as numbers.
template <class S, class Code>
void run_unpack(const UnpackedRows<S, Code>& u) {
    unpack_table<S, Code>.in_use()(u);
}

#endif

}  // namespace untoward::detail

namespace untoward UNTOWARD_SETTING {

#if UNTOWARD_DISPATCH

namespace detail {

// Products of a faulty kernel, and of the baseline, are Eigen's.
inline constinit KernelTable<void (*)(const TileProduct&)> multiply_table{
    {nullptr, &avx2::multiply, &avx512::multiply},
    UNTOWARD_CHECKED_BY(nullptr, &multiply_agrees),
    "multiply"};
template <class Number>
inline constinit KernelTable<void (*)(const RowsTimes<Number>&)> rows_times_table{
    {nullptr, &avx2::rows_times<Number>, &avx512::rows_times<Number>},
    UNTOWARD_CHECKED_BY(nullptr, &rows_times_agrees<Number>),
    "rows_times"};

}  // namespace detail

/// The kernels of products in use, or null where products are Eigen's.
inline auto multiply_kernel() {
    return detail::multiply_table.in_use();
}
template <class Number>
auto rows_times_kernel() {
    return detail::rows_times_table<Number>.in_use();
}

#else

constexpr void (*multiply_kernel())(const TileProduct&) {
    return nullptr;
}
template <class Number>
constexpr void (*rows_times_kernel())(const RowsTimes<Number>&) {
    return nullptr;
}

#endif

}  // namespace untoward
