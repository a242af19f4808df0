// SPDX-License-Identifier: MIT
#pragma once

// Numbers in text, the same in every locale.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "../setting.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// What a cell of a table is when it is read as a number.
enum class CellKind { Number, Missing, Text };

struct Cell {
    CellKind kind;
    double value;  ///< NaN unless it is a number
};

namespace detail {

inline bool equal_ignoring_case(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

/// The value of a well-formed decimal number that no double can hold: zero or infinity, by its first digit.
inline double beyond_range(std::string_view number) {
    const bool negative = number.front() == '-';
    const std::size_t e = (std::min)(number.find_first_of("eE"), number.size());
    const std::string_view digits = number.substr(0, e);
    const std::size_t point = (std::min)(digits.find('.'), digits.size());
    const std::size_t first = (std::min)(digits.find_first_of("123456789"), digits.size());
    bool small = first > point;  // 0.000...1, or with an exponent whatever that says
    if (e < number.size()) small = number[e + 1] == '-';
    const double value = small ? 0.0 : std::numeric_limits<double>::infinity();
    return negative ? -value : value;
}

}  // namespace detail

/// Reads decimal notation ("1", "-.5", "+2.5e-3"), "inf", "infinity" and "nan" in any case; spaces and tabs
/// around it do not count. What is too large for a double is infinite, what is too small is zero. False when
/// the text is anything else.
inline bool parse_number(std::string_view text, double& value) {
    text = trimmed(text);
    if (!text.empty() && text.front() == '+') {
        text.remove_prefix(1);
        if (!text.empty() && text.front() == '-') return false;
    }
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec == std::errc::invalid_argument || result.ptr != end) return false;
    if (result.ec == std::errc::result_out_of_range) value = detail::beyond_range(text);
    return true;
}

/// True for what means "no value" in every column: nothing, or "nan" in any case; spaces around do not count.
inline bool is_missing(std::string_view text) {
    text = trimmed(text);
    return text.empty() || detail::equal_ignoring_case(text, "nan");
}

/// Reads a cell as a number. Missing are, in any case, an empty cell, nan, NA, N/A, #N/A, <NA>, null and
/// none. (In a column of text only the empty cell and nan are: "NA" may be Namibia.) What a double cannot hold
/// is infinite or zero.
inline Cell parse_cell(std::string_view text) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    double value = 0;
    if (parse_number(text, value)) {
        return std::isnan(value) ? Cell{CellKind::Missing, nan} : Cell{CellKind::Number, value};
    }
    text = trimmed(text);
    if (text.empty()) return {CellKind::Missing, nan};
    for (const std::string_view word : {"na", "n/a", "#n/a", "<na>", "null", "none"}) {
        if (detail::equal_ignoring_case(text, word)) return {CellKind::Missing, nan};
    }
    return {CellKind::Text, nan};
}

/// At most `digits` significant digits, as short as "%g"; 9 bring every float back exactly.
inline std::string format_number(double value, int digits = 9) {
    char buffer[64];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general,
                                      std::clamp(digits, 1, 17));
    return {buffer, result.ptr};
}

/// The shortest text that brings this float (or double) back: 0.1, not 0.100000001.
template <std::floating_point T>
std::string format_shortest(T value) {
    char buffer[32];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, result.ptr};
}

}  // namespace untoward::io
