// SPDX-License-Identifier: MIT
#pragma once

// A table with named columns, each of numbers or of text, from a CSV or an NPY file.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../config.hpp"
#include "../core/error.hpp"
#include "csv.hpp"
#include "file.hpp"
#include "npy.hpp"
#include "number.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// One column. Numbers are doubles, as files have them, NaN where one is missing. Text is a number per row that points into the
/// different texts of the column, so that a repeated text costs four bytes.
struct Column {
    static constexpr std::uint32_t missing = (std::numeric_limits<std::uint32_t>::max)();

    std::string name;
    bool is_text = false;
    std::vector<double> numbers;       ///< one per row, when !is_text
    std::vector<std::uint32_t> codes;  ///< one per row, when is_text: a place in `levels`, or `missing`
    std::vector<std::string> levels;   ///< the different texts in the order of their first row

    /// The cell as text, without spaces around it; a number in its shortest form; "" where it is missing.
    std::string text(Index row) const {
        const auto at = static_cast<std::size_t>(row);
        if (is_text) return codes[at] == missing ? std::string() : levels[codes[at]];
        const double value = numbers[at];
        if (std::isnan(value)) return {};
        // A file of floats has 0.1 as 0.100000001490116.
        const auto narrow = static_cast<float>(value);
        return static_cast<double>(narrow) == value ? format_shortest(narrow) : format_shortest(value);
    }
};

/// A table has at most this many columns: a column costs much more memory than one cell of a file.
inline constexpr Index most_columns = 65536;

/// At most twenty names for a message: `'a', 'b', 'c' and 7 more`.
inline std::string name_list(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 20;
    std::string text;
    for (std::size_t i = 0; i < (std::min)(names.size(), shown); ++i)
        text += (i == 0 ? "" : ", ") + in_quotes(names[i]);
    return names.size() > shown ? text + " and " + std::to_string(names.size() - shown) + " more" : text;
}

/// Columns of one length with different names.
class Table {
public:
    /// `name` is for messages. `lines` are the lines of a text file where the rows begin; empty when it was
    /// none. Throws Error for columns of another length or of one name.
    Table(std::string name, std::vector<Column> columns, Index rows, std::vector<std::size_t> lines = {})
        : name_(std::move(name)), columns_(std::move(columns)), rows_(rows), lines_(std::move(lines)) {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const Column& column = columns_[i];
            const std::size_t size = column.is_text ? column.codes.size() : column.numbers.size();
            if (size != static_cast<std::size_t>(rows_)) {
                fail(name_, ": column ", in_quotes(column.name), " has ", size, " rows, expected ", rows_);
            }
            if (!places_.emplace(column.name, i).second) {
                fail(name_, ": two columns are named ", in_quotes(column.name));
            }
        }
    }

    const std::string& name() const { return name_; }
    Index rows() const { return rows_; }
    const std::vector<Column>& columns() const { return columns_; }

    /// The column of this name, or a null pointer.
    const Column* find(const std::string& name) const {
        const auto found = places_.find(name);
        return found == places_.end() ? nullptr : &columns_[found->second];
    }

    /// The column of this name. Throws Error that lists what there is.
    const Column& column(const std::string& name) const {
        const Column* const found = find(name);
        if (found == nullptr) fail(name_, ": has no column ", in_quotes(name), ", only ", name_list(names()));
        return *found;
    }

    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const Column& one : columns_) all.push_back(one.name);
        return all;
    }

    /// Where a row is, for messages: "train.csv, line 7" or "train.npy, row 6" (rows count from 1).
    std::string place(Index row) const {
        return lines_.empty() ? name_ + ", row " + std::to_string(row + 1)
                              : name_ + ", line " + std::to_string(lines_[static_cast<std::size_t>(row)]);
    }

private:
    std::string name_;
    std::vector<Column> columns_;
    Index rows_;
    std::vector<std::size_t> lines_;
    std::map<std::string, std::size_t, std::less<>> places_;
};

namespace detail {

inline void require_columns(const std::string& name, Index columns) {
    if (columns > most_columns) {
        fail(name, ": has ", columns, " columns, at most ", most_columns, " can be used (rows are samples)");
    }
}

/// The first line of a file without a header would be taken for names. Whole numbers can be names (a program
/// that numbers its columns), 0.25 cannot; and a file with another separator would be one strange column.
inline void require_names(const CsvReader& reader, char separator) {
    const std::string& first = reader.header().front();
    if (const std::size_t other = first.find_first_of(",;\t");
        reader.header().size() == 1 && other != first.npos) {
        fail(reader.name(), ": the first line is not separated by ", in_quotes({&separator, 1}), " but has ",
             in_quotes({&first[other], 1}));
    }
    double value = 0;
    bool all_whole = true;
    for (const std::string& name : reader.header()) {
        if (!parse_number(name, value)) return;
        all_whole = all_whole && name.find_first_not_of("0123456789") == std::string::npos;
    }
    if (!all_whole) fail(reader.name(), ": the first line holds numbers, expected the names of the columns");
}

/// Collects the cells of a text column.
class TextColumn {
public:
    void add(std::string_view cell) {
        if (is_missing(cell)) {
            codes_.push_back(Column::missing);
            return;
        }
        cell = trimmed(cell);
        auto found = places_.find(cell);
        if (found == places_.end()) {
            const std::size_t code = levels_.size();
            found = places_.emplace(levels_.emplace_back(cell), code).first;
        }
        codes_.push_back(static_cast<std::uint32_t>(found->second));
    }

    void move_into(Column& column) {
        column.codes = std::move(codes_);
        column.levels.assign(std::make_move_iterator(levels_.begin()),
                             std::make_move_iterator(levels_.end()));
    }

private:
    std::vector<std::uint32_t> codes_;
    std::deque<std::string> levels_;  // a deque does not move what the map points to
    std::unordered_map<std::string_view, std::size_t> places_;
};

}  // namespace detail

/// Reads a table from CSV text. A column is text when at least one of its cells is neither a number nor
/// missing (see number.hpp), or when `text_columns` names it: identifiers keep their leading zeros, and a
/// column that a model knows as text is read as text even where all of its cells look like numbers. `name` is
/// for messages. Throws Error.
inline Table parse_csv_table(std::string_view text, const std::string& name,
                             const std::vector<std::string>& text_columns = {}, char separator = ',') {
    CsvReader reader(text, name, separator);
    detail::require_columns(name, static_cast<Index>(reader.header().size()));
    detail::require_names(reader, separator);
    const std::set<std::string> known_text(text_columns.begin(), text_columns.end());
    std::vector<Column> columns;
    for (const std::string& title : reader.header()) {
        Column& column = columns.emplace_back();
        column.name = title;
        column.is_text = known_text.contains(title);
    }
    // First pass: numbers, and which columns are text. Only then are texts collected, from the first row on.
    std::vector<std::size_t> lines;
    while (reader.next()) {
        lines.push_back(reader.line());
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i].is_text) continue;
            const Cell cell = parse_cell(reader.cells()[i]);
            columns[i].numbers.push_back(cell.value);
            if (cell.kind == CellKind::Text) {
                columns[i].is_text = true;
                columns[i].numbers = {};
            }
        }
    }
    std::vector<std::pair<std::size_t, detail::TextColumn>> texts;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].is_text) texts.emplace_back(i, detail::TextColumn());
    }
    reader.rewind();
    while (!texts.empty() && reader.next()) {
        for (auto& [place, cells] : texts) cells.add(reader.cells()[place]);
    }
    for (auto& [place, cells] : texts) cells.move_into(columns[place]);
    const auto rows = static_cast<Index>(lines.size());
    return Table(name, std::move(columns), rows, std::move(lines));
}

/// Reads a table from the bytes of an NPY file; its columns are named f0, f1, ... Throws Error.
inline Table parse_npy_table(std::span<const std::byte> file, const std::string& name) {
    detail::require_columns(name, parse_npy_header(file, name).columns);
    const Eigen::MatrixXd matrix = parse_npy<double>(file, name);
    std::vector<Column> columns(static_cast<std::size_t>(matrix.rows()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        columns[i].name = "f" + std::to_string(i);
        columns[i].numbers.reserve(static_cast<std::size_t>(matrix.cols()));
        for (Index row = 0; row < matrix.cols(); ++row) {
            columns[i].numbers.push_back(matrix(static_cast<Index>(i), row));
        }
    }
    return Table(name, std::move(columns), matrix.cols());
}

/// Reads a .npy file, or a CSV file under any other name; "-" is standard input, where the first bytes tell.
/// Throws Error with file and line.
inline Table read_table(const std::string& path, const std::vector<std::string>& text_columns = {},
                        char separator = ',') {
    const std::string bytes = read_file(path);
    const bool is_npy = path.ends_with(".npy") || bytes.starts_with("\x93NUMPY");
    return is_npy ? parse_npy_table(as_bytes(bytes), input_name(path))
                  : parse_csv_table(bytes, input_name(path), text_columns, separator);
}

}  // namespace untoward::io
