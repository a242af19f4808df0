// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "../setting.hpp"

namespace untoward UNTOWARD_SETTING::io::detail {

inline std::string hex(std::uint64_t value) {
    char digits[17] = {};
    const auto end = std::to_chars(digits, digits + 16, value, 16).ptr;
    return std::string(static_cast<std::size_t>(16 - (end - digits)), '0') + std::string(digits, end);
}

// One number for all that a part of a file holds, in whatever order: damage that nothing else meets is found as well.
class Checksum {
public:
    template <class T>
    void add(std::string_view name, const T* values, std::size_t size) {
        std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a, 64 bits, of the name and the values
        const auto add_bytes = [&hash](std::span<const std::byte> bytes) {
            for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
        };
        add_bytes(std::as_bytes(std::span(name)));
        add_bytes(std::as_bytes(std::span(values, size)));
        sum_ += hash;
    }
    void add(std::string_view name, std::string_view text) { add(name, text.data(), text.size()); }
    [[nodiscard]] std::string text() const { return hex(sum_); }

private:
    std::uint64_t sum_ = 0;
};

}  // namespace untoward::io::detail
