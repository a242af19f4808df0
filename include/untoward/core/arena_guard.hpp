// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "../setting.hpp"

// Under AddressSanitizer nothing of an arena may be touched but what is allocated: neither before it is, nor after a
// rewind, nor the room between two allocations. Elsewhere an ArenaGuard is empty and does nothing.

#if defined(__SANITIZE_ADDRESS__)
#define UNTOWARD_GUARDS_ARENAS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNTOWARD_GUARDS_ARENAS 1
#endif
#endif
#ifndef UNTOWARD_GUARDS_ARENAS
#define UNTOWARD_GUARDS_ARENAS 0
#endif

#if UNTOWARD_GUARDS_ARENAS

extern "C" void __asan_poison_memory_region(const volatile void* memory, std::size_t size);
extern "C" void __asan_unpoison_memory_region(const volatile void* memory, std::size_t size);

namespace untoward UNTOWARD_SETTING::detail {

/// As long as it lives, only what is permitted of this memory may be touched.
class ArenaGuard {
public:
    ArenaGuard() = default;
    ArenaGuard(const ArenaGuard&) = default;
    ArenaGuard& operator=(const ArenaGuard&) = default;
    ~ArenaGuard() { permit(memory_, size_); }

    void guard(const void* memory, std::size_t size) {
        memory_ = memory;
        size_ = size;
        forbid(memory, size);
    }
    static void permit(const void* memory, std::size_t size) { __asan_unpoison_memory_region(memory, size); }
    static void forbid(const void* memory, std::size_t size) { __asan_poison_memory_region(memory, size); }

private:
    const void* memory_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace untoward::detail

#else

namespace untoward UNTOWARD_SETTING::detail {

struct ArenaGuard {
    constexpr void guard(const void*, std::size_t) {}
    static constexpr void permit(const void*, std::size_t) {}
    static constexpr void forbid(const void*, std::size_t) {}
};

}  // namespace untoward::detail

#endif
