// SPDX-License-Identifier: MIT
// Any text is a table or an untoward::Error, and what a table says it holds can be coded. By hand:
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I include -isystem /usr/include/eigen3
//       tests/fuzz/csv.cc -o /tmp/fuzz_csv && /tmp/fuzz_csv -max_total_time=30
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "untoward/io/csv.hpp"
#include "untoward/io/table_coding.hpp"

namespace io = untoward::io;

namespace {

/// Writing the cells of a file and reading them again gives the same cells.
void check_round_trip(std::string_view text) {
    const auto quote = [](std::string_view cell) {
        std::string result = "\"";
        for (const char c : cell) result += c == '"' ? std::string("\"\"") : std::string(1, c);
        return result + '"';
    };
    io::CsvReader reader(text, "fuzz");
    std::string written;
    for (const std::string& name : reader.header()) written += (written.empty() ? "" : ",") + quote(name);
    std::vector<std::string> cells;
    while (reader.next()) {
        for (std::size_t i = 0; i < reader.cells().size(); ++i) {
            cells.emplace_back(reader.cells()[i]);
            written += (i == 0 ? "\r\n" : ",") + quote(cells.back());
        }
    }
    io::CsvReader again(written, "again");
    if (again.header() != reader.header()) std::abort();
    std::size_t at = 0;
    while (again.next()) {
        for (const std::string_view cell : again.cells()) {
            if (cell != cells.at(at++)) std::abort();
        }
    }
    if (at != cells.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    try {
        check_round_trip(text);
        const io::Table table = io::parse_csv_table(text, "fuzz");
        if (table.rows() == 0) return 0;
        const auto coding = io::TableCoding::learn(table);
        const Eigen::MatrixXf x = coding.matrix(table);
        const auto loaded = io::TableCoding::from_json(coding.to_json(), "again");
        const io::Table again = io::parse_csv_table(text, "again", loaded.text_columns());
        const Eigen::MatrixXf y = loaded.matrix(again);
        // Missing cells are NaN on both sides.
        if (((x.array() != y.array()) && !(x.array().isNaN() && y.array().isNaN())).any()) std::abort();
    } catch (const untoward::Error&) {
    }
    return 0;
}
