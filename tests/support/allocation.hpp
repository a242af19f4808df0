// SPDX-License-Identifier: MIT
#pragma once

// Counts every allocation of the program: operator new, and malloc itself, which is what Eigen calls. Include
// it in the one source file of a test program.
//
//     AllocationCount count;
//     work();
//     REQUIRE(count.since() == 0);

#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "untoward/config.hpp"  // brings every declaration of malloc's family before the definitions below

#if defined(__SANITIZE_ADDRESS__)
#define UNTOWARD_TEST_COUNTS_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNTOWARD_TEST_COUNTS_MALLOC 0
#endif
#endif
#if !defined(UNTOWARD_TEST_COUNTS_MALLOC) && defined(__GLIBC__)
#define UNTOWARD_TEST_COUNTS_MALLOC 1
#endif

inline std::atomic<long> allocations_so_far{0};

#if UNTOWARD_TEST_COUNTS_MALLOC

// In glibc a program may define malloc itself; operator new and posix_memalign's users all end here.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n) noexcept {
    ++allocations_so_far;
    return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t size) noexcept {
    ++allocations_so_far;
    return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t n) noexcept {
    ++allocations_so_far;
    return __libc_realloc(p, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n) noexcept {
    ++allocations_so_far;
    return __libc_memalign(alignment, n);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t n) noexcept {
    ++allocations_so_far;
    *p = __libc_memalign(alignment, n);
    return *p == nullptr ? 12 : 0;
}
}

#endif

/// Under AddressSanitizer malloc is not ours, and nothing is counted: `counts` says which.
class AllocationCount {
public:
    static constexpr bool counts = UNTOWARD_TEST_COUNTS_MALLOC != 0;
    [[nodiscard]] long since() const { return allocations_so_far - start_; }

private:
    long start_ = allocations_so_far;
};
