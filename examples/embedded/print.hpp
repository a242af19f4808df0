// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "platform.hpp"

// Numbers without printf: it would be larger than everything else together.
inline void print_hex(std::uint32_t value) {
    char text[10] = {};
    for (int i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    text[8] = ' ';
    platform::print(text);
}
inline void print_number(std::uint32_t value) {
    char text[12] = {};
    char* end = text + 11;
    char* begin = end;
    do {
        *--begin = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value > 0);
    platform::print(begin);
}
inline void say(const char* name, std::uint32_t value) {
    platform::print(name);
    platform::print(" ");
    print_number(value);
    platform::print("\n");
}

inline std::uint32_t bits(float value) {
    return __builtin_bit_cast(std::uint32_t, value);
}
