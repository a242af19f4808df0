// SPDX-License-Identifier: MIT
// The platform of a host with an operating system.
#include <cstdio>

#include "platform.hpp"

namespace platform {

void print(const char* text) {
    std::fputs(text, stdout);
}
std::uint32_t instructions() {
    return 0;
}
std::uint32_t stack_used() {
    return 0;
}

}  // namespace platform
