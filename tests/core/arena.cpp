// SPDX-License-Identifier: MIT
// Memory of a pass: where it lies, how much, and what nobody may touch.
#include "untoward/core/arena.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "support/catch.hpp"

using namespace untoward;

TEST_CASE("Arena: what it gives is aligned, and its peak is what was in use at once") {
    Buffer<std::byte> memory(4096);
    Arena arena(memory);
    const float* const first = arena.allocate<float>(3);
    const std::size_t mark = arena.used();
    const double* const second = arena.allocate<double>(9);
    for (const void* place : {static_cast<const void*>(first), static_cast<const void*>(second)})
        REQUIRE(reinterpret_cast<std::uintptr_t>(place) % storage_alignment == 0);
    REQUIRE(arena.contains(second, mark));
    REQUIRE_FALSE(arena.contains(first, mark));
    const std::size_t peak = arena.used();
    arena.rewind(mark);
    REQUIRE(arena.used() == mark);
    REQUIRE(arena.peak() == peak);
    REQUIRE(arena.allocate<double>(1) == second);
}

TEST_CASE(
    "Arena: what is kept is moved to where it began, column after column, when the rest is given back") {
    constexpr Index rows = 3, columns = 4;
    const Index stride = GENERATE(3, 5);  // with room between columns, and without
    Buffer<std::byte> memory(4096);
    Arena arena(memory);
    static_cast<void>(arena.allocate<double>(1));
    const std::size_t mark = arena.used();
    const double* const first = arena.allocate<double>(7);
    double* const numbers = arena.allocate<double>(stride * columns);
    for (Index k = 0; k < stride * columns; ++k) numbers[k] = static_cast<double>(k);
    const std::size_t peak = arena.peak();
    const double* const kept = arena.rewind_but(mark, numbers, rows, columns, stride);
    REQUIRE(kept == first);
    for (Index j = 0; j < columns; ++j) {
        for (Index i = 0; i < rows; ++i) REQUIRE(kept[j * rows + i] == static_cast<double>(j * stride + i));
    }
    REQUIRE(arena.used() == mark + align_up(rows * columns * sizeof(double)));
    REQUIRE(arena.peak() == peak);
}

TEST_CASE("Arena: a request is refused when there is no room for it") {
    Buffer<std::byte> memory(256);
    Arena arena(memory);
    static_cast<void>(arena.allocate<float>(33));
    REQUIRE_THROWS_WITH(arena.allocate<float>(17),
                        Catch::Matchers::ContainsSubstring("the arena is too small"));
}

#if UNTOWARD_GUARDS_ARENAS

namespace {

/// Whether a process that reads there is stopped.
bool is_stopped_by(const volatile float* place) {
    const pid_t child = fork();
    if (child == 0) {
        static_cast<void>(std::freopen("/dev/null", "w", stderr));
        static_cast<void>(*place);
        _exit(0);
    }
    REQUIRE(child > 0);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

TEST_CASE("Arena: under AddressSanitizer, who touches what is not allocated is stopped") {
    Buffer<std::byte> memory(4096);
    float* last = nullptr;
    {
        Arena arena(memory);
        float* const values = arena.allocate<float>(6);
        for (int i = 0; i < 6; ++i) values[i] = 1;
        const std::size_t mark = arena.used();
        last = arena.allocate<float>(2);
        last[1] = 2;
        REQUIRE_FALSE(is_stopped_by(last + 1));
        CHECK(is_stopped_by(values + 6));  // between two allocations
        CHECK(is_stopped_by(last + 2));    // before it is allocated
        arena.rewind(mark);
        CHECK(is_stopped_by(last));  // after the rewind
        REQUIRE(arena.allocate<float>(2) == last);
        REQUIRE_FALSE(is_stopped_by(last));
    }
    REQUIRE_FALSE(is_stopped_by(last));  // the memory is its owner's again
}

#endif
