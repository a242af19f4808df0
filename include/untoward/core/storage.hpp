// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "../config.hpp"

namespace untoward UNTOWARD_SETTING {

/// Alignment in bytes of everything the library allocates: a cache line (and a full vector register) where
/// there is an operating system, eight bytes on a microcontroller. Kernels accept any alignment; this one
/// makes them fast and makes equal computations take equal paths.
#if defined(__unix__) || defined(__APPLE__) || defined(_WIN32)
inline constexpr std::size_t storage_alignment = 64;
#else
inline constexpr std::size_t storage_alignment = 8;
#endif

/// `bytes` rounded up to the storage alignment.
constexpr std::size_t align_up(std::size_t bytes) {
    return (bytes + storage_alignment - 1) / storage_alignment * storage_alignment;
}

/// A flat, aligned, owning array of trivial values; copies are deep. All trainable numbers of a model are
/// one of these, seen through Eigen::Map.
template <class T>
class Buffer {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    Buffer() = default;

    /// n values, all zero.
    explicit Buffer(Index n) : data_(allocate(n)), size_(n) {
        if (n > 0) std::memset(static_cast<void*>(data_), 0, bytes(n));
    }
    Buffer(const Buffer& other) : data_(allocate(other.size_)), size_(other.size_) {
        if (size_ > 0) std::memcpy(data_, other.data_, bytes(size_));
    }
    Buffer(Buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Buffer& operator=(Buffer other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Buffer() { ::operator delete (data_, std::align_val_t{storage_alignment}); }

    [[nodiscard]] T* data() { return data_; }
    [[nodiscard]] const T* data() const { return data_; }
    [[nodiscard]] Index size() const { return size_; }
    [[nodiscard]] T& operator[](Index i) { return data_[i]; }
    [[nodiscard]] const T& operator[](Index i) const { return data_[i]; }
    [[nodiscard]] T* begin() { return data_; }
    [[nodiscard]] T* end() { return data_ + size_; }
    [[nodiscard]] const T* begin() const { return data_; }
    [[nodiscard]] const T* end() const { return data_ + size_; }

    /// The values as an Eigen array.
    [[nodiscard]] auto array() { return Eigen::Map<Eigen::Array<T, Dynamic, 1>>(data_, size_); }
    [[nodiscard]] auto array() const { return Eigen::Map<const Eigen::Array<T, Dynamic, 1>>(data_, size_); }

private:
    static std::size_t bytes(Index n) { return static_cast<std::size_t>(n) * sizeof(T); }
    static T* allocate(Index n) {
        UNTOWARD_ASSERT(n >= 0, "untoward: a buffer's size is not negative");
        if (n == 0) return nullptr;
        return static_cast<T*>(::operator new (align_up(bytes(n)), std::align_val_t{storage_alignment}));
    }

    T* data_ = nullptr;
    Index size_ = 0;
};

}  // namespace untoward
