// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <limits>

#include "instruction_set.hpp"

#if UNTOWARD_HOSTED
#include <cstdio>
#endif

// A compiler that nobody here has seen, or new options of one, may translate a kernel wrongly: g++ 12 did so at -O3. So
// each kernel is compared with plain loops over made-up numbers, once in a process and for each instruction set, before
// it is used for the first time. One that disagrees is not used; the plain loops are, which are slow and right. That is
// said: once on standard error, or to a handler of your own, and in `FitReport`.
//
//     untoward::set_kernel_fault_handler([](const untoward::KernelFault& fault) { log(fault.kernel, fault.set); });
//
// A check takes some microseconds. UNTOWARD_NO_SELF_CHECK leaves them all out; with UNTOWARD_PLAIN, and so on firmware,
// there are no kernels and no checks. Where kernels and plain loops are the same instructions (the baseline of a processor
// without vectors) there is nothing to find.

#if defined(UNTOWARD_PLAIN) || defined(UNTOWARD_NO_SELF_CHECK)
#define UNTOWARD_SELF_CHECK 0
#else
#define UNTOWARD_SELF_CHECK 1
#endif

namespace untoward UNTOWARD_SETTING {

/// A kernel that was compiled wrongly.
struct KernelFault {
    const char* kernel;  ///< its name in core/kernels/, and its number type
    InstructionSet set;  ///< that it was compiled for
};

/// What is told of a fault, once for each faulty kernel. It may be called by any thread that computes, and must not
/// throw.
using KernelFaultHandler = void (*)(const KernelFault&);

namespace detail {

// One line for the first of them.
inline void print_kernel_fault(const KernelFault& fault) {
#if UNTOWARD_HOSTED
    static std::atomic<bool> is_said{false};
    if (is_said.exchange(true)) return;
    constexpr const char* sets[] = {"the baseline instruction set", "AVX2", "AVX-512"};
    std::fprintf(
        stderr,
        "untoward: the kernel %s, compiled for %s, does not agree with plain loops: this compiler, or its "
        "options, translated it wrongly (" __VERSION__
        "). Plain loops take its place: right, but slow. "
        "Another optimisation level may help; please report it.\n",
        fault.kernel, sets[static_cast<int>(fault.set)]);
#else
    static_cast<void>(fault);
#endif
}

inline std::atomic<KernelFaultHandler> kernel_fault_handler{&print_kernel_fault};
inline std::atomic<Index> kernel_faults{0};

}  // namespace detail

/// Replaces what is told of a fault; null for nobody. Returns what was told until now. Threads: any, at any time.
inline KernelFaultHandler set_kernel_fault_handler(KernelFaultHandler handler) {
    return detail::kernel_fault_handler.exchange(handler);
}

/// How many kernels were found faulty in this process, each once for each instruction set that it was used in.
inline Index faulty_kernels() {
    return detail::kernel_faults.load();
}

namespace detail {

/// The functions that one kernel became, one for each instruction set, and what is known of them. `Kernel` is a pointer
/// to a function; null where a set has none.
template <class Kernel>
struct KernelTable {
    // What is known of a kernel.
    static constexpr unsigned char agreed = 1;
    static constexpr unsigned char disagreed = 2;

    Kernel kernels[kernel_sets];
    Kernel plain;  ///< the same by plain loops; null where the caller has another way
    /// Whether a kernel does what plain loops do; of one that takes a function of numbers, for that function.
    bool (*agrees)(Kernel kernel, Kernel plain, const void* function);
    const char* name;
    mutable std::atomic<unsigned char> known[kernel_sets] = {};  ///< of each set

    /// The kernel of the set in use, or the plain one. Threads: any.
    [[nodiscard]] UNTOWARD_INLINE Kernel in_use([[maybe_unused]] const void* function = nullptr) const {
        const int set = kernel_sets == 1 ? 0 : static_cast<int>(instruction_set());
#if UNTOWARD_SELF_CHECK
        if (known[set].load(std::memory_order_relaxed) != agreed) [[unlikely]]
            return examine(set, function);
#endif
        return kernels[set];
    }

private:
    [[nodiscard]] UNTOWARD_NO_INLINE Kernel examine(int set, const void* function) const {
        const unsigned char before = known[set].load(std::memory_order_relaxed);
        if (before == disagreed) return plain;
        if (kernels[set] == nullptr || agrees(kernels[set], plain, function)) {
            known[set].store(agreed, std::memory_order_relaxed);
            return kernels[set];
        }
        // Threads that find the same fault at the same time tell of it once.
        if (known[set].exchange(disagreed, std::memory_order_relaxed) != disagreed) {
            kernel_faults.fetch_add(1);
            if (const KernelFaultHandler handler = kernel_fault_handler.load())
                handler({name, static_cast<InstructionSet>(set)});
        }
        return plain;
    }
};

// Numbers to compare kernels with: of both signs, between a quarter and two in size.
class CheckNumbers {
public:
    template <class S>
    void fill(S* to, Index n) {
        for (Index i = 0; i < n; ++i) {
            state_ = state_ * 1664525u + 1013904223u;
            const auto size = static_cast<S>(state_ >> 8) * S(0x1p-24) * S(1.75) + S(0.25);
            to[i] = (state_ >> 7 & 1) != 0 ? size : -size;
        }
    }

private:
    unsigned state_ = 1;
};

// What numbers are compared with: their largest, or a thousandth.
template <class S>
S check_scale(const S* x, Index n) {
    S largest = S(1e-3);
    for (Index i = 0; i < n; ++i) {
        const S size = x[i] < 0 ? -x[i] : x[i];
        if (size > largest && size <= (std::numeric_limits<S>::max)()) largest = size;
    }
    return largest;
}

// Whether they are the same up to rounding, and far more than rounding: what is translated wrongly is wrong by as much as
// the numbers themselves. What is not finite by plain loops is not compared.
template <class S>
bool same_numbers(const S* by_kernel, const S* by_plain, Index n) {
    const S largest = check_scale(by_plain, n);
    for (Index i = 0; i < n; ++i) {
        const S difference = by_kernel[i] - by_plain[i];
        const bool is_finite = by_plain[i] - by_plain[i] == 0;
        if (is_finite && !(difference <= largest * S(1e-3) && -difference <= largest * S(1e-3))) return false;
    }
    return true;
}

}  // namespace detail

}  // namespace untoward
