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

namespace untoward::detail {

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
    for (const MessagePart& part : parts) message += part.text != nullptr ? part.text : std::to_string(part.number);
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

/// Samples of another number of features than a detector, a model or a scaler has. `whose` says which: "the detector".
UNTOWARD_INLINE void require_features(Index found, Index expected, const char* whose = "the detector") {
    if (found != expected) [[unlikely]] {
        refuse({"the samples have ", found, " features, ", whose, " expects ", expected,
                " (every sample is a column: features x n)"});
    }
}

[[noreturn]] UNTOWARD_NO_INLINE inline void refuse_samples(Index rows, Index columns, Index expected,
                                                           const char* whose) {
    const bool turned = columns == expected;
    refuse({"the samples are ", rows, " x ", columns, " and have ", rows, " features, ", whose, " expects ", expected,
            " (every sample is a column: features x n)", turned ? ": was it transposed?" : ""});
}
[[noreturn]] UNTOWARD_NO_INLINE inline void refuse_sample(Index rows, Index columns, Index expected) {
    refuse({"one sample is ", rows, " x ", columns, ", the detector expects ", expected, " features, ", expected,
            " x 1 (every sample is a column; a row of 1 x ", expected, " is taken as one, many samples go to score())"});
}

/// A matrix whose columns are samples of `expected` features, however many.
UNTOWARD_INLINE constexpr void require_samples(Index rows, Index columns, Index expected,
                                               const char* whose = "the detector") {
    if (rows != expected) [[unlikely]]
        refuse_samples(rows, columns, expected, whose);
}
/// One sample of `expected` features: a column, or a row, which can be nothing else.
UNTOWARD_INLINE constexpr void require_sample(Index rows, Index columns, Index expected) {
    if (!(rows == expected && columns == 1) && !(rows == 1 && columns == expected)) [[unlikely]]
        refuse_sample(rows, columns, expected);
}
/// Two lists that go together, one entry for one.
UNTOWARD_INLINE constexpr void require_as_many(Index found, const char* what, Index expected, const char* as) {
    if (found != expected) [[unlikely]]
        refuse({"there are ", found, " ", what, " and ", expected, " ", as, ", expected as many"});
}

}  // namespace untoward::detail
