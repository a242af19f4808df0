// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "../config.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

constexpr std::uint64_t fnv1a(const char* text, std::size_t n, std::uint64_t hash = 0xcbf29ce484222325u) {
    for (std::size_t i = 0; i < n; ++i) {
        hash = (hash ^ static_cast<unsigned char>(text[i])) * 0x100000001b3u;
    }
    return hash;
}

}  // namespace detail

/// The name of a parameter or child inside its layer: a literal, or a number for the children of a chain.
/// The hash of a literal is computed by the compiler, so a name costs nothing where only its hash is used.
class Name {
public:
    template <std::size_t N>
    consteval Name(const char (&text)[N]) : text_(text), hash_(detail::fnv1a(text, N - 1)) {}

    /// The name that `i` in decimal digits spells.
    static constexpr Name index(Index i) {
        char digits[20] = {};
        std::size_t n = write_digits(i, digits);
        return Name(i, detail::fnv1a(digits, n));
    }

    [[nodiscard]] constexpr std::uint64_t hash() const { return hash_; }

    /// Writes the name to `out` (at most `capacity` characters, no terminator) and returns its length.
    constexpr std::size_t write(char* out, std::size_t capacity) const {
        char digits[20] = {};
        const char* from = text_;
        std::size_t n = 0;
        if (text_ == nullptr) {
            n = write_digits(index_, digits);
            from = digits;
        } else {
            while (text_[n] != '\0') ++n;
        }
        n = n < capacity ? n : capacity;
        for (std::size_t i = 0; i < n; ++i) out[i] = from[i];
        return n;
    }

private:
    constexpr Name(Index i, std::uint64_t hash) : index_(i), hash_(hash) {}

    static constexpr std::size_t write_digits(Index i, char* out) {
        UNTOWARD_ASSERT(i >= 0, "untoward: a child's number is not negative");
        char reversed[20] = {};
        std::size_t n = 0;
        do {
            reversed[n++] = static_cast<char>('0' + i % 10);
            i /= 10;
        } while (i > 0);
        for (std::size_t j = 0; j < n; ++j) out[j] = reversed[n - 1 - j];
        return n;
    }

    const char* text_ = nullptr;
    Index index_ = 0;
    std::uint64_t hash_ = 0;
};

}  // namespace untoward
