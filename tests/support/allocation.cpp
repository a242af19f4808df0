// SPDX-License-Identifier: MIT
#include "allocation.hpp"

#include <cstddef>
#include <cstdlib>

namespace allocation {

std::atomic<long> so_far{0};

}  // namespace allocation

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNTOWARD_TEST_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define UNTOWARD_TEST_ADDRESS_SANITIZER
#endif

#if defined(UNTOWARD_TEST_ADDRESS_SANITIZER)

// malloc is the sanitizer's, which says when it is called.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));

const bool allocation::is_counted =
    __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) { ++allocation::so_far; },
                                              [](const volatile void*) {}) != 0;

#elif defined(__GLIBC__)

const bool allocation::is_counted = true;

// In glibc a program may define malloc itself; operator new and posix_memalign's users all end here.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n) noexcept {
    ++allocation::so_far;
    return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t size) noexcept {
    ++allocation::so_far;
    return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t n) noexcept {
    ++allocation::so_far;
    return __libc_realloc(p, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n) noexcept {
    ++allocation::so_far;
    return __libc_memalign(alignment, n);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t n) noexcept {
    ++allocation::so_far;
    *p = __libc_memalign(alignment, n);
    return *p == nullptr ? 12 : 0;
}
}

#else

const bool allocation::is_counted = false;

#endif
