// SPDX-License-Identifier: MIT
#pragma once

#include "../config.hpp"

// On x86-64 the work of a host is done by kernels that are compiled for several instruction sets, whatever flags
// the program is compiled with, and chosen when it runs. Everywhere else, and where UNTOWARD_NO_DISPATCH is
// defined, it is Eigen's, with the instructions that the compiler was told to use.
#if defined(__x86_64__) && defined(__GNUC__) && defined(__unix__) && !defined(UNTOWARD_NO_DISPATCH)
#define UNTOWARD_DISPATCH 1
#include <atomic>
#else
#define UNTOWARD_DISPATCH 0
#endif

namespace untoward UNTOWARD_SETTING {

/// Sets of instructions that single-precision work can be done with; each includes those before it.
enum class InstructionSet {
    baseline,  ///< those that the compiler was told to use
    avx2,      ///< AVX2 and FMA: eight floats at a time
    avx512,    ///< AVX-512 F, DQ, BW and VL: sixteen floats at a time
};

namespace detail {

/// How many sets kernels are compiled for.
inline constexpr int kernel_sets = UNTOWARD_DISPATCH ? 3 : 1;

}  // namespace detail

/// The largest set that this processor has.
inline InstructionSet available_instruction_set() {
#if UNTOWARD_DISPATCH
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return InstructionSet::baseline;
    const bool all = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return all ? InstructionSet::avx512 : InstructionSet::avx2;
#else
    return InstructionSet::baseline;
#endif
}

#if UNTOWARD_DISPATCH
namespace detail {

// The set that was chosen; -1 until somebody asks.
inline std::atomic<int> chosen_instruction_set{-1};

}  // namespace detail
#endif

/// The set in use: the largest available one, or what `use_instruction_set` asked for. Threads: from any.
inline InstructionSet instruction_set() {
#if UNTOWARD_DISPATCH
    const int chosen = detail::chosen_instruction_set.load(std::memory_order_relaxed);
    if (chosen >= 0) return static_cast<InstructionSet>(chosen);
    const InstructionSet best = available_instruction_set();
    // Unless `use_instruction_set` came between: what was asked for stays.
    int found = -1;
    const bool is_first = detail::chosen_instruction_set.compare_exchange_strong(
        found, static_cast<int>(best), std::memory_order_relaxed);
    return is_first ? best : static_cast<InstructionSet>(found);
#else
    return InstructionSet::baseline;
#endif
}

/// Uses no more than `set` from now on, in the whole program: the numbers of a model then have the same bits on every
/// processor that has it. Returns what is in use, which is less where the processor has less.
///
/// Threads: from any, but before others compute: what they are in the middle of may be done partly by one set and partly
/// by the other, and would have the bits of neither.
inline InstructionSet use_instruction_set(InstructionSet set) {
#if UNTOWARD_DISPATCH
    const InstructionSet best = available_instruction_set();
    const InstructionSet used = set < best ? set : best;
    detail::chosen_instruction_set.store(static_cast<int>(used), std::memory_order_relaxed);
    return used;
#else
    static_cast<void>(set);
    return InstructionSet::baseline;
#endif
}

}  // namespace untoward
