// SPDX-License-Identifier: MIT
#pragma once

// Small helpers for text that comes from strangers: UTF-8 validation, trimming, and quoting for messages.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "../setting.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// The position of the first byte that is not well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no
/// surrogates, nothing above U+10FFFF), or npos when all of the text is.
inline std::size_t invalid_utf8(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        // Nearly all text is ASCII: eight characters at once.
        for (std::uint64_t eight = 0; text.size() - i >= 8; i += 8) {
            std::memcpy(&eight, text.data() + i, 8);
            if ((eight & 0x8080808080808080U) != 0) break;
        }
        if (i == text.size()) break;
        const unsigned lead = byte(i);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
        if (length == 0 || text.size() - i < length) return i;
        // Only the second byte has a range that depends on the first.
        const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (byte(i + 1) < low || byte(i + 1) > high) return i;
        for (std::size_t k = 2; k < length; ++k) {
            if ((byte(i + k) & 0xC0U) != 0x80) return i;
        }
        i += length;
    }
    return std::string_view::npos;
}

inline bool is_utf8(std::string_view text) {
    return invalid_utf8(text) == std::string_view::npos;
}

/// The text without spaces and tabs at its ends.
inline std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

/// The text in single quotes for a message: one line, at most `limit` bytes of it, and nothing that a
/// terminal would act on (a name in a stranger's file may hold escape sequences).
inline std::string in_quotes(std::string_view text, std::size_t limit = 80) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "'";
    std::size_t end = text.size() <= limit ? text.size() : limit;
    // Do not cut a character in two.
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    const bool utf8 = is_utf8(text.substr(0, end));
    for (std::size_t i = 0; i < end; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        // C1 control characters are C2 80 .. C2 9F in UTF-8.
        const bool control =
            byte < 0x20 || byte == 0x7F || (!utf8 && byte >= 0x80) ||
            (byte == 0xC2 && i + 1 < end && static_cast<unsigned char>(text[i + 1]) < 0xA0) ||
            (byte >= 0x80 && byte < 0xA0 && i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xC2);
        if (control) {
            result += "\\x";
            result += digits[byte >> 4];
            result += digits[byte & 15U];
        } else {
            result += text[i];
        }
    }
    result += end < text.size() ? "...'" : "'";
    return result;
}

}  // namespace untoward::io
