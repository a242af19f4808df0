// SPDX-License-Identifier: MIT
#pragma once

// The program `untoward`, run as its users run it, and the tables that its tests give it.

#include <sys/wait.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "support/data.hpp"

namespace untoward_test {

struct Outcome {
    int code = -1;    ///< what it exited with, or 128 + the signal that killed it
    std::string out;  ///< its standard output
    std::string err;  ///< its standard error
};

inline void write_text(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// How a run differs from one in a plain shell.
struct RunOptions {
    std::string input = "/dev/null";  ///< the file at its standard input
    std::string before{};             ///< shell commands first: "ulimit -f 4"
    std::string output{};             ///< where its standard output goes, if it is not looked at
};

/// Runs the program with these arguments.
inline Outcome run(const std::vector<std::string>& arguments, const RunOptions& options = {}) {
    const Folder folder;
    const auto quoted = [](const std::string& text) {
        std::string result = "'";
        for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return result + "'";
    };
    std::string command = options.before.empty() ? "" : options.before + "; ";
    command += "exec " + quoted(path_from("UNTOWARD_PROGRAM").string());
    for (const std::string& argument : arguments) command += " " + quoted(argument);
    command += " <" + quoted(options.input) + " >" +
               quoted(options.output.empty() ? folder / "out" : options.output) + " 2>" +
               quoted(folder / "err");
    const int status = std::system(command.c_str());
    Outcome outcome;
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.out = read_text(folder / "out");
    outcome.err = read_text(folder / "err");
    return outcome;
}

/// Runs it and requires that all went well.
inline Outcome run_well(const std::vector<std::string>& arguments, const RunOptions& options = {}) {
    Outcome outcome = run(arguments, options);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return outcome;
}

/// Runs it and requires that it refuses: exit code 2, nothing on standard output, and an error of one line
/// that holds all of these texts.
inline void require_refusal(const std::vector<std::string>& arguments,
                            std::initializer_list<std::string> texts, const RunOptions& options = {}) {
    using Catch::Matchers::ContainsSubstring;
    const Outcome outcome = run(arguments, options);
    std::string command;
    for (const std::string& argument : arguments) command += argument + " ";
    INFO(command);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.rfind("untoward: ", 0) == 0);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    for (const std::string& text : texts) CHECK_THAT(outcome.err, ContainsSubstring(text));
}

using Cells = std::vector<std::vector<std::string>>;

/// The cells of a CSV that has no quotes.
inline Cells cells_of(const std::string& csv) {
    Cells rows;
    std::istringstream lines(csv);
    for (std::string line; std::getline(lines, line);) {
        std::vector<std::string>& row = rows.emplace_back();
        std::istringstream cells(line + ',');
        for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
    }
    return rows;
}

/// One flat JSON object of numbers and nulls; a null is NaN. Fails the test where it is anything else.
inline std::map<std::string, double> figures_of(const std::string& json) {
    std::map<std::string, double> figures;
    INFO(json);
    std::istringstream in(json);
    const auto expect = [&](char expected) {
        char c = 0;
        in >> c;
        REQUIRE(c == expected);
    };
    expect('{');
    for (;;) {
        expect('"');
        std::string key;
        std::getline(in, key, '"');
        expect(':');
        in >> std::ws;
        double value = std::nan("");
        if (in.peek() == 'n') {
            std::string word(4, ' ');
            in.read(word.data(), 4);
            REQUIRE(word == "null");
        } else {
            in >> value;
        }
        REQUIRE(in);
        REQUIRE(figures.emplace(key, value).second);
        if ((in >> std::ws).peek() != ',') break;
        expect(',');
    }
    expect('}');
    in >> std::ws;
    REQUIRE(in.eof());
    return figures;
}

/// Numbers that are the same on every machine; enough for test data.
class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : state_(2 * seed + 1) {}
    double uniform() {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<double>(state_ >> 11) * 0x1p-53;
    }
    double normal() {
        double sum = -6;
        for (int i = 0; i < 12; ++i) sum += uniform();
        return sum;
    }

private:
    std::uint64_t state_;
};

/// A table of `rows` rows that depend on each other: a, b near 2 a, c of three texts.
inline std::string small_csv(int rows, std::uint64_t seed = 1) {
    Numbers numbers(seed);
    std::ostringstream csv;
    csv << "a,b,c\n";
    for (int i = 0; i < rows; ++i) {
        const double a = numbers.normal();
        csv << a << ',' << 2 * a + 0.1 * numbers.normal() << ','
            << "xyz"[static_cast<int>(3 * numbers.uniform())] << '\n';
    }
    return csv.str();
}

/// The same without the text.
inline std::string numeric_csv(int rows, int columns = 2, std::uint64_t seed = 1) {
    Numbers numbers(seed);
    std::ostringstream csv;
    for (int j = 0; j < columns; ++j) csv << (j == 0 ? "" : ",") << 'n' << j;
    csv << '\n';
    for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < columns; ++j) csv << (j == 0 ? "" : ",") << numbers.normal();
        csv << '\n';
    }
    return csv.str();
}

}  // namespace untoward_test
