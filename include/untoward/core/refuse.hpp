// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>

#include "../config.hpp"

// A public function checks what it is given in every build, with NDEBUG too: UNTOWARD_ASSERT is for what the library
// owes itself, `refuse` is for what a caller got wrong and no type could rule out. A hosted program gets an Error, which
// it can catch; compiled without exceptions it prints the same line and stops; a device traps, as on an assertion.
// Only the comparison stands where the caller is: what makes the message is out of the way.

#if UNTOWARD_HOSTED && defined(__cpp_exceptions)
#include "error.hpp"
#elif UNTOWARD_HOSTED
#include <cstdio>
#include <cstdlib>
#endif

namespace untoward UNTOWARD_SETTING::detail {

/// One part of a message: a text or a number.
struct MessagePart {
    const char* text = nullptr;
    Index number = 0;

    constexpr MessagePart(const char* t) : text(t) {}
    constexpr MessagePart(Index n) : number(n) {}
};

/// Ends the call: refuse({"the samples have ", 3, " features, the detector expects ", 6}).
[[noreturn]] UNTOWARD_NO_INLINE inline void refuse(std::initializer_list<MessagePart> parts) {
#if UNTOWARD_HOSTED && defined(__cpp_exceptions)
    std::string message;
    for (const MessagePart& part : parts)
        message += part.text != nullptr ? part.text : std::to_string(part.number);
    throw Error(message);
#elif UNTOWARD_HOSTED
    std::fputs("untoward: ", stderr);
    for (const MessagePart& part : parts) {
        if (part.text != nullptr) {
            std::fputs(part.text, stderr);
        } else {
            std::fprintf(stderr, "%lld", static_cast<long long>(part.number));
        }
    }
    std::fputc('\n', stderr);
    std::abort();
#else
    static_cast<void>(parts);
    __builtin_trap();
#endif
}

// Out of line, so that only a comparison stands at the caller's.
[[noreturn]] UNTOWARD_NO_INLINE inline void refuse_samples(Index features, Index samples, Index expected,
                                                           const char* whose) {
    if (samples == expected) {
        refuse({"the samples are ", features, " x ", samples, ", ", whose, " expects ", expected,
                " features (every sample is a column: features x n): was it transposed?"});
    }
    refuse({"the samples have ", features, " features, ", whose, " expects ", expected,
            " (every sample is a column: features x n)"});
}
[[noreturn]] UNTOWARD_NO_INLINE inline void refuse_sample(Index rows, Index columns, Index expected,
                                                          const char* whose) {
    if (rows == expected) {
        refuse({"these are ", columns, " samples (", rows, " x ", columns, "), ", whose,
                " judges one here: score() takes many"});
    }
    refuse({"a sample has ", rows * columns, " values, ", whose, " expects ", expected});
}

// On a device sizes are in types, and these are assertions.

/// Samples, features x n, of another number of features than a detector, a model or a scaler has. `whose` says which.
UNTOWARD_INLINE void require_features(Index features, Index samples, Index expected,
                                      const char* whose = "the detector") {
#if UNTOWARD_HOSTED
    if (features != expected) [[unlikely]]
        refuse_samples(features, samples, expected, whose);
#else
    UNTOWARD_ASSERT(features == expected, "untoward: a sample has another number of features");
    static_cast<void>(features + samples + expected);
    static_cast<void>(whose);
#endif
}
/// What is not one sample of so many values: a column, or a row.
UNTOWARD_INLINE void require_sample(Index rows, Index columns, Index expected,
                                    const char* whose = "the detector") {
    const bool is_one = columns == 1 ? rows == expected : rows == 1 && columns == expected;
#if UNTOWARD_HOSTED
    if (!is_one) [[unlikely]]
        refuse_sample(rows, columns, expected, whose);
#else
    UNTOWARD_ASSERT(is_one, "untoward: a sample has another number of features");
    static_cast<void>(is_one);
    static_cast<void>(whose);
#endif
}
/// Two lengths that must be the same, of what these name: "labels", "scores".
UNTOWARD_INLINE void require_as_many(const char* what, Index found, const char* others, Index expected) {
    if (found != expected) [[unlikely]]
        refuse({"there are ", found, " ", what, " for ", expected, " ", others});
}

}  // namespace untoward::detail
