// SPDX-License-Identifier: MIT
// Arrays that end, or begin, where a page begins that nobody may touch: a program that reads or writes beyond one is
// killed, whatever instruction does it and whatever the program was compiled with.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "untoward/core/random.hpp"

enum class Edge { begin, end };

/// n normal numbers.
class Guarded {
public:
    Guarded(untoward::Index n, std::uint64_t site, Edge edge) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(float);
        const std::size_t within = (bytes + page - 1) / page * page;
        bytes_ = within + 2 * page;
        memory_ = mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(memory_ != MAP_FAILED);
        char* const first = static_cast<char*>(memory_) + page;
        REQUIRE(mprotect(first, within, PROT_READ | PROT_WRITE) == 0);
        data_ = reinterpret_cast<float*>(edge == Edge::begin ? first : first + within - bytes);
        untoward::fill_normal(data_, n, untoward::NoiseKey{.seed = 1, .site = site});
    }
    ~Guarded() { munmap(memory_, bytes_); }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

    [[nodiscard]] float* data() const { return data_; }

private:
    void* memory_;
    std::size_t bytes_;
    float* data_;
};
