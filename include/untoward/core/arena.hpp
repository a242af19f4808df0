// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>

#include "arena_guard.hpp"
#include "refuse.hpp"
#include "storage.hpp"

namespace untoward UNTOWARD_SETTING {

/// Memory that only grows until it is rewound: everything that one pass over a batch computes lives in one.
/// It does not own its memory: on firmware that is a static or stack array whose size `count()` gives, on a
/// host a `Buffer<std::byte>`. Running out is refused on a host, in every build, and an assertion on a device; it never
/// falls back to the heap. Under AddressSanitizer what is not allocated is poisoned.
///
/// Threads: one each.
class Arena {
public:
    Arena() = default;
    /// `memory` is aligned to `storage_alignment` (the arena skips to the first aligned byte otherwise).
    Arena(std::byte* memory, std::size_t size) : begin_(memory), size_(size) {
        const auto address = reinterpret_cast<std::uintptr_t>(memory);
        const std::size_t skip = align_up(static_cast<std::size_t>(address % storage_alignment)) -
                                 static_cast<std::size_t>(address % storage_alignment);
        begin_ += skip < size ? skip : size;
        size_ -= skip < size ? skip : size;
        guard_.guard(begin_, size_);
    }
    explicit Arena(Buffer<std::byte>& memory)
        : Arena(memory.data(), static_cast<std::size_t>(memory.size())) {}

    /// Uninitialised room for n values, aligned to `storage_alignment`.
    template <class T>
    [[nodiscard]] T* allocate(Index n) {
        static_assert(alignof(T) <= storage_alignment);
        const std::size_t bytes = align_up(static_cast<std::size_t>(n) * sizeof(T));
        require_room(bytes);
        T* const memory = reinterpret_cast<T*>(begin_ + used_);
        guard_.permit(memory, static_cast<std::size_t>(n) * sizeof(T));
        used_ += bytes;
        if (used_ > peak_) peak_ = used_;
        return memory;
    }

    [[nodiscard]] std::size_t used() const { return used_; }
    [[nodiscard]] std::size_t peak() const { return peak_; }
    [[nodiscard]] std::size_t capacity() const { return size_; }
    /// Whether `data` lies in what was allocated since used() was `mark`.
    [[nodiscard]] bool contains(const void* data, std::size_t mark = 0) const {
        const std::less<const void*> before;  // a total order, also over pointers to different objects
        return !before(data, begin_ + mark) && before(data, begin_ + used_);
    }

    /// Gives back everything allocated since used() was `mark`.
    void rewind(std::size_t mark = 0) {
        UNTOWARD_ASSERT(mark <= used_, "untoward: an arena rewinds backwards only");
        guard_.forbid(begin_ + mark, used_ - mark);
        used_ = mark;
    }
    /// The same, but for these numbers, rows x columns with `stride` between columns, which were allocated since: they are
    /// moved to where that began, and lie there one column after another.
    template <class T>
    T* rewind_but(std::size_t mark, const T* numbers, Index rows, Index columns, Index stride) {
        // They may be moved over what lies between two allocations.
        guard_.permit(begin_ + mark, used_ - mark);
        T* const kept = reinterpret_cast<T*>(begin_ + mark);
        const auto bytes = [](Index n) { return static_cast<std::size_t>(n) * sizeof(T); };
        if (stride == rows || columns == 1) {
            if (kept != numbers) std::memmove(kept, numbers, bytes(rows * columns));
        } else {
            for (Index j = 0; j < columns; ++j)
                std::memmove(kept + j * rows, numbers + j * stride, bytes(rows));
        }
        rewind(mark);
        return allocate<T>(rows * columns);
    }

private:
    [[noreturn]] UNTOWARD_NO_INLINE void refuse_to_allocate(std::size_t bytes) const {
        detail::refuse({"the arena is too small for this model and batch: ", static_cast<Index>(bytes),
                        " bytes are asked for, and ", static_cast<Index>(size_ - used_), " of ",
                        static_cast<Index>(size_), " are left"});
    }

    std::byte* begin_ = nullptr;
    std::size_t size_ = 0;
    std::size_t used_ = 0;
    std::size_t peak_ = 0;
    [[no_unique_address]] detail::ArenaGuard guard_;

    void require_room([[maybe_unused]] std::size_t bytes) const {
#ifdef UNTOWARD_PLAIN
        UNTOWARD_ASSERT(bytes <= size_ - used_, "untoward: the arena is too small for this model and batch");
#else
        if (bytes > size_ - used_) refuse_to_allocate(bytes);
#endif
    }
};

namespace detail {

/// Gives back at its end what was allocated meanwhile, also where a call was refused.
class ArenaScope {
public:
    explicit ArenaScope(Arena& arena) : arena_(arena), mark_(arena.used()) {}
    ~ArenaScope() { arena_.rewind(mark_); }
    ArenaScope(const ArenaScope&) = delete;
    ArenaScope& operator=(const ArenaScope&) = delete;

private:
    Arena& arena_;
    std::size_t mark_;
};

/// Whether a layer's result is to be moved to where the layer's memory began, so that the rest of what it has `taken` can be
/// given back. One sample may be all that a small device has room for; of a batch, moving costs 2% of scoring, and is
/// done where it gives back far more than it moves.
constexpr bool is_worth_moving(std::size_t taken, Index numbers, std::size_t size, Index batch) {
    constexpr std::size_t far_more = 5;
    return batch <= 1 || taken > far_more * align_up(static_cast<std::size_t>(numbers) * size);
}

}  // namespace detail

}  // namespace untoward
