// SPDX-License-Identifier: MIT
#include "untoward/io/number.hpp"

#include <clocale>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "support/catch.hpp"

namespace io = untoward::io;
using io::CellKind;

namespace {

double number(const std::string& text) {
    double value = 0;
    INFO(text);
    REQUIRE(io::parse_number(text, value));
    return value;
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("numbers in the usual notations") {
    REQUIRE(number("1") == 1);
    REQUIRE(number("-1.5") == -1.5);
    REQUIRE(number("+2.5e-3") == 2.5e-3);
    REQUIRE(number(" \t7 ") == 7);
    REQUIRE(number(".5") == 0.5);
    REQUIRE(number("5.") == 5);
    REQUIRE(number("1E5") == 1e5);
    REQUIRE(number("1e+05") == 1e5);
    REQUIRE(number("007") == 7);
    REQUIRE(std::signbit(number("-0")));
    for (const char* text : {"inf", "Inf", "INF", "+inf", "infinity", "Infinity"})
        REQUIRE(number(text) == infinity);
    REQUIRE(number("-inf") == -infinity);
    REQUIRE(std::isnan(number("nan")));
    REQUIRE(std::isnan(number("-NaN")));
    for (const char* text : {"",
                             " ",
                             "+",
                             "-",
                             ".",
                             "e5",
                             "1e",
                             "1,5",
                             "1 2",
                             "0x10",
                             "1f",
                             "+-1",
                             "++1",
                             "--1",
                             "1.2.3",
                             "infinit",
                             "a",
                             "12a",
                             "1'000",
                             "\xE2\x88\x92"
                             "1"}) {
        double value = 0;
        INFO(text);
        REQUIRE_FALSE(io::parse_number(text, value));
    }
}

TEST_CASE("numbers beyond a double are infinite or zero") {
    REQUIRE(number("1e400") == infinity);
    REQUIRE(number("-1e400") == -infinity);
    REQUIRE(number("1e99999999999999999999") == infinity);
    REQUIRE(number("1e-400") == 0);
    REQUIRE(std::signbit(number("-1e-400")));
    REQUIRE(number("1e-99999999999999999999") == 0);
    REQUIRE(number("1" + std::string(400, '0')) == infinity);
    REQUIRE(number("1" + std::string(400, '0') + ".5") == infinity);
    REQUIRE(number("0." + std::string(400, '0') + "1") == 0);
    REQUIRE(number("0e999999") == 0);
    REQUIRE(number("4.9406564584124654e-324") == std::numeric_limits<double>::denorm_min());
    REQUIRE(number("2.2250738585072011e-308") == 2.2250738585072011e-308);
}

TEST_CASE("a cell is a number, missing or text") {
    REQUIRE(io::parse_cell("1e30").value == 1e30);
    REQUIRE(io::parse_cell("1e309").value == infinity);
    REQUIRE(io::parse_cell("inf").kind == CellKind::Number);
    REQUIRE(io::parse_cell("1e-400").value == 0);
    for (const char* text : {"", "  ", "nan", "NaN", "NAN", "-nan", "NA", "na", " n/a", "N/A", "#N/A", "<NA>",
                             "null", "NULL", "None"}) {
        INFO(text);
        REQUIRE(io::parse_cell(text).kind == CellKind::Missing);
        REQUIRE(std::isnan(io::parse_cell(text).value));
    }
    for (const char* text : {"x", "tcp", "1,5", "nab", "nonesuch", "-", "?"}) {
        INFO(text);
        REQUIRE(io::parse_cell(text).kind == CellKind::Text);
    }
    REQUIRE(io::is_missing(""));
    REQUIRE(io::is_missing(" NaN "));
    REQUIRE_FALSE(io::is_missing("NA"));
}

TEST_CASE("nine digits bring every float back") {
    REQUIRE(io::format_number(0.1f) == "0.100000001");
    REQUIRE(io::format_number(1) == "1");
    REQUIRE(io::format_number(-2.5) == "-2.5");
    REQUIRE(io::format_number(1e30f) == "1.00000002e+30");
    REQUIRE(io::format_number(0.1, 3) == "0.1");
    REQUIRE(io::format_number(infinity) == "inf");
    REQUIRE(io::format_number(std::numeric_limits<double>::quiet_NaN()) == "nan");
    REQUIRE(io::format_number(-std::numeric_limits<double>::max(), 99).size() < 30);
    std::mt19937 random(1);
    for (int i = 0; i < 100000; ++i) {
        const auto bits = static_cast<std::uint32_t>(random());
        float value = 0;
        std::memcpy(&value, &bits, 4);
        if (std::isfinite(value))
            REQUIRE(static_cast<float>(io::parse_cell(io::format_number(value)).value) == value);
    }
}

TEST_CASE("the locale does not matter") {
    // Where the machine has a locale with a decimal comma; otherwise this shows nothing and harms nothing.
    std::setlocale(LC_ALL, "de_DE.UTF-8");
    REQUIRE(number("1.5") == 1.5);
    REQUIRE(io::format_number(1.5) == "1.5");
    std::setlocale(LC_ALL, "C");
}
