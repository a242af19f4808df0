// SPDX-License-Identifier: MIT
#pragma once

// The little JSON (RFC 8259) that the library reads and writes. Reading is strict: UTF-8 is checked, lone
// surrogates, control characters, leading zeros and trailing commas are refused, and the caller says what it
// expects next, so nothing is built, nested or skipped on a stranger's word.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "../core/error.hpp"
#include "../setting.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// Walks through a JSON text. Each member takes what it is asked for or throws an Error that begins with
/// `where` and names the byte. The text must outlive the cursor.
class JsonCursor {
public:
    JsonCursor(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

    /// Takes `token` (one of `{ } [ ] : ,`) if it is next.
    bool accept(char token) {
        skip_space();
        if (position_ == text_.size() || text_[position_] != token) return false;
        ++position_;
        return true;
    }

    void expect(char token) {
        if (!accept(token)) error("expected " + in_quotes({&token, 1}));
    }

    /// `"name":`
    void expect_key(std::string_view name) {
        const std::string found = string();
        if (found != name) error("found the key " + in_quotes(found) + ", expected " + in_quotes(name));
        expect(':');
    }

    /// A string; its value is valid UTF-8.
    std::string string() {
        skip_space();
        if (position_ == text_.size() || text_[position_] != '"') error("expected a string");
        ++position_;
        std::string value;
        for (;;) {
            const std::size_t start = position_;
            while (position_ < text_.size() && is_plain(text_[position_])) ++position_;
            const std::string_view run = text_.substr(start, position_ - start);
            if (const std::size_t bad = invalid_utf8(run); bad != std::string_view::npos) {
                position_ = start + bad;
                error("a string is not valid UTF-8");
            }
            value.append(run);
            if (position_ == text_.size()) error("a string has no end");
            const char next = text_[position_++];
            if (next == '"') return value;
            if (next != '\\') error("a control character in a string");
            append_escape(value);
        }
    }

    /// A whole number: digits only, no sign, no leading zero, at most 2^64 - 1.
    std::uint64_t integer() {
        skip_space();
        std::uint64_t value = 0;
        std::size_t count = 0;
        for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9';
             ++position_, ++count) {
            if (count == 1 && value == 0) error("a number with a leading zero");
            const auto digit = static_cast<std::uint64_t>(text_[position_] - '0');
            if (value > (UINT64_MAX - digit) / 10) error("a number over 2^64 - 1");
            value = 10 * value + digit;
        }
        if (count == 0) error("expected a whole number");
        if (position_ < text_.size() &&
            std::string_view(".eE").find(text_[position_]) != std::string_view::npos) {
            error("a number that is not whole");
        }
        return value;
    }

    /// How many bytes have been taken.
    std::size_t position() const { return position_; }

    [[noreturn]] void error(std::string_view what) const {
        fail(where_, ": ", what, " (at byte ", position_, ")");
    }

private:
    static bool is_plain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; }

    void skip_space() {
        while (position_ < text_.size() &&
               std::string_view(" \t\n\r").find(text_[position_]) != std::string_view::npos) {
            ++position_;
        }
    }

    void append_escape(std::string& value) {
        constexpr std::string_view names = "\"\\/bfnrt";
        constexpr std::string_view characters = "\"\\/\b\f\n\r\t";
        if (position_ == text_.size()) error("a string has no end");
        const char name = text_[position_++];
        if (name == 'u') {
            append_utf8(value, code_point());
            return;
        }
        const std::size_t which = names.find(name);
        if (which == std::string_view::npos) error("an unknown escape in a string");
        value += characters[which];
    }

    std::uint32_t hex4() {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = position_ < text_.size() ? text_[position_] : '"';
            const std::uint32_t digit = c >= '0' && c <= '9'   ? static_cast<std::uint32_t>(c - '0')
                                        : c >= 'a' && c <= 'f' ? static_cast<std::uint32_t>(c - 'a' + 10)
                                        : c >= 'A' && c <= 'F' ? static_cast<std::uint32_t>(c - 'A' + 10)
                                                               : 16U;
            if (digit == 16) error("\\u needs four hexadecimal digits");
            value = 16 * value + digit;
            ++position_;
        }
        return value;
    }

    std::uint32_t code_point() {
        const std::uint32_t first = hex4();
        if (first < 0xD800 || first > 0xDFFF) return first;
        if (first > 0xDBFF || text_.substr(position_, 2) != "\\u") {
            error("half of a surrogate pair in a string");
        }
        position_ += 2;
        const std::uint32_t second = hex4();
        if (second < 0xDC00 || second > 0xDFFF) error("half of a surrogate pair in a string");
        return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    }

    static void append_utf8(std::string& value, std::uint32_t code) {
        const auto continuation = [&value, code](unsigned shift) {
            value += static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
        };
        if (code < 0x80) {
            value += static_cast<char>(code);
        } else if (code < 0x800) {
            value += static_cast<char>(0xC0U | (code >> 6));
            continuation(0);
        } else if (code < 0x10000) {
            value += static_cast<char>(0xE0U | (code >> 12));
            continuation(6);
            continuation(0);
        } else {
            value += static_cast<char>(0xF0U | (code >> 18));
            continuation(12);
            continuation(6);
            continuation(0);
        }
    }

    std::string_view text_;
    std::string where_;
    std::size_t position_ = 0;
};

/// Appends `value` to `json` as a JSON string. Requires valid UTF-8, which callers check.
inline void append_json_string(std::string& json, std::string_view value) {
    constexpr std::string_view digits = "0123456789abcdef";
    json += '"';
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            json += '\\';
            json += c;
        } else if (byte < 0x20) {
            json += "\\u00";
            json += digits[byte >> 4];
            json += digits[byte & 15U];
        } else {
            json += c;
        }
    }
    json += '"';
}

}  // namespace untoward::io
