// SPDX-License-Identifier: MIT
#pragma once

// Hosted only: nothing that firmware includes may include this header.

#include <stdexcept>
#include <string>

#include "../setting.hpp"

namespace untoward UNTOWARD_SETTING {

/// What `train/`, `io/` and `dynamic/` throw. The message is one line for a person: what was wrong, where
/// (file, line, column, feature or layer), and what was expected.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Builds an Error from parts: `fail("train.csv, line ", 7, ": 3 cells, expected 5")`.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    std::string message;
    const auto append = [&message](const auto& part) {
        if constexpr (requires { message.append(part); }) {
            message.append(part);
        } else {
            message.append(std::to_string(part));
        }
    };
    (append(parts), ...);
    throw Error(message);
}

}  // namespace untoward
