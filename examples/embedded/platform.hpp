// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

// What the program asks of the machine it runs on: cortex_m.cpp or hosted.cpp.
namespace platform {

/// Writes a text to whoever is listening.
void print(const char* text);

/// Instructions so far, where the emulator counts one a nanosecond; else 0.
std::uint32_t instructions();

/// The most stack that was used since the last call; else 0.
std::uint32_t stack_used();

}  // namespace platform
