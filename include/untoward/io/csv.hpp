// SPDX-License-Identifier: MIT
#pragma once

// Comma-separated text with a header line. Source: RFC 4180; on top of it: lines may end in LF alone, a UTF-8
// byte order mark is skipped, and the text must be UTF-8.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../setting.hpp"
#include "file.hpp"
#include "number.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// Reads records one after another without copying the text, which must outlive the reader.
///
///     CsvReader reader(text, "train.csv");
///     while (reader.next()) use(reader.cells());
///
/// Every record has as many cells as the header. Column names are unique and not empty; spaces around them do
/// not count. Blank lines are skipped, but in a table of one column a blank line that is followed by another
/// row is an empty cell. Throws Error with file and line for anything else: a ragged row, a quote inside an
/// unquoted cell, text after a closing quote, a quote without end, a lone carriage return, a NUL, invalid
/// UTF-8. Lines are physical lines, counted from 1: a quoted line break counts.
class CsvReader {
public:
    /// Reads the header line. `name` is for messages.
    CsvReader(std::string_view text, std::string name, char separator = ',')
        : text_(text), name_(std::move(name)), separator_(separator) {
        constexpr std::string_view mark = "\xEF\xBB\xBF";
        if (text_.substr(0, mark.size()) == mark) text_.remove_prefix(mark.size());
        check_text();
        content_end_ = text_.find_last_not_of("\r\n") + 1;
        skip_blank_lines();
        if (position_ == text_.size()) {
            fail(name_, ": is empty, expected a line with the names of the columns");
        }
        read_record();
        for (const std::string_view cell : cells_) header_.emplace_back(trimmed(cell));
        check_header();
        begin_ = position_;
        begin_line_ = next_line_;
    }

    const std::string& name() const { return name_; }
    const std::vector<std::string>& header() const { return header_; }

    /// Reads the next record; false at the end.
    bool next() {
        if (header_.size() > 1 || position_ >= content_end_) skip_blank_lines();
        if (position_ == text_.size()) return false;
        read_record();
        if (cells_.size() != header_.size()) {
            error(line_, std::to_string(cells_.size()) + (cells_.size() == 1 ? " cell" : " cells") +
                             ", expected " + std::to_string(header_.size()));
        }
        return true;
    }

    /// The cells of this record, unquoted; valid until the next one.
    const std::vector<std::string_view>& cells() const { return cells_; }

    /// The line where this record begins.
    std::size_t line() const { return line_; }

    /// Goes back to the first record after the header.
    void rewind() {
        position_ = begin_;
        next_line_ = begin_line_;
    }

private:
    void check_text() const {
        const std::size_t bad = (std::min)(text_.find('\0'), invalid_utf8(text_));
        if (bad == std::string_view::npos) return;
        const auto line = std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(bad), '\n');
        error(static_cast<std::size_t>(line) + 1, "is not UTF-8 text");
    }

    void check_header() const {
        std::unordered_map<std::string_view, std::size_t> places;
        for (std::size_t i = 0; i < header_.size(); ++i) {
            if (header_[i].empty()) error(line_, "column " + std::to_string(i + 1) + " has no name");
            const auto [at, is_new] = places.try_emplace(header_[i], i);
            if (!is_new) {
                error(line_, "columns " + std::to_string(at->second + 1) + " and " + std::to_string(i + 1) +
                                 " are both named " + in_quotes(header_[i]));
            }
        }
    }

    void skip_blank_lines() {
        while (position_ < text_.size() && (text_[position_] == '\n' || text_[position_] == '\r')) end_line();
    }

    void read_record() {
        cells_.clear();
        unescaped_.clear();
        line_ = next_line_;
        for (;;) {
            const bool is_quoted = position_ < text_.size() && text_[position_] == '"';
            cells_.push_back(is_quoted ? quoted_cell() : plain_cell());
            if (position_ == text_.size()) return;
            if (text_[position_] != separator_) break;
            ++position_;
        }
        end_line();
    }

    /// Takes LF or CR LF (or CR at the very end).
    void end_line() {
        if (text_[position_] == '\r') {
            ++position_;
            if (position_ < text_.size() && text_[position_] != '\n') {
                error(next_line_, "a carriage return without a line feed");
            }
        }
        if (position_ < text_.size()) ++position_;
        ++next_line_;
    }

    std::string_view plain_cell() {
        const std::size_t start = position_;
        for (; position_ < text_.size(); ++position_) {
            const char c = text_[position_];
            if (c == separator_ || c == '\n' || c == '\r') break;
            if (c == '"') error(next_line_, "a quote inside a cell that does not begin with one");
        }
        return text_.substr(start, position_ - start);
    }

    std::string_view quoted_cell() {
        const std::size_t opened = next_line_;
        const std::size_t start = ++position_;
        std::string* unescaped = nullptr;
        std::size_t from = start;
        for (;; ++position_) {
            if (position_ == text_.size()) error(opened, "a quoted cell has no closing quote");
            if (text_[position_] == '\n') ++next_line_;
            if (text_[position_] != '"') continue;
            const bool doubled = position_ + 1 < text_.size() && text_[position_ + 1] == '"';
            if (!doubled) break;
            // Two quotes stand for one: the cell must be put together.
            if (unescaped == nullptr) unescaped = &unescaped_.emplace_back();
            unescaped->append(text_, from, position_ + 1 - from);
            from = position_ + 2;
            ++position_;
        }
        const std::size_t end = position_++;
        if (position_ < text_.size()) {
            const char c = text_[position_];
            if (c != separator_ && c != '\n' && c != '\r') error(next_line_, "text after a closing quote");
        }
        if (unescaped == nullptr) return text_.substr(start, end - start);
        unescaped->append(text_, from, end - from);
        return *unescaped;
    }

    [[noreturn]] void error(std::size_t line, const std::string& what) const {
        fail(name_, ", line ", line, ": ", what);
    }

    std::string_view text_;
    std::string name_;
    char separator_;
    std::vector<std::string> header_;
    std::vector<std::string_view> cells_;
    std::deque<std::string> unescaped_;  // a deque does not move what it holds
    std::size_t content_end_ = 0;        // only line ends follow
    std::size_t position_ = 0;
    std::size_t line_ = 1;
    std::size_t next_line_ = 1;
    std::size_t begin_ = 0;
    std::size_t begin_line_ = 1;
};

/// Writes records to a file: cells that need quotes get them, numbers have 9 significant digits, lines end
/// in LF.
///
///     AtomicFile file("scores.csv");
///     CsvWriter csv(file);
///     csv.cell("row").cell("score").end_row();
///     csv.cell(1).cell(2.5f).end_row();
///     file.commit();
class CsvWriter {
public:
    explicit CsvWriter(AtomicFile& file, char separator = ',') : file_(file), separator_(separator) {}

    CsvWriter& cell(std::string_view text) {
        begin_cell();
        const char special[] = {separator_, '"', '\r', '\n'};
        const bool has_quote = text.find_first_of({special, sizeof special}) != std::string_view::npos;
        if (!has_quote && trimmed(text).size() == text.size()) {
            line_ += text;
            return *this;
        }
        line_ += '"';
        for (const char c : text) {
            if (c == '"') line_ += '"';
            line_ += c;
        }
        line_ += '"';
        return *this;
    }

    CsvWriter& cell(double number) {
        begin_cell();
        line_ += format_number(number);
        return *this;
    }

    template <std::integral Whole>
    CsvWriter& cell(Whole number) {
        begin_cell();
        line_ += std::to_string(number);
        return *this;
    }

    void end_row() {
        // A lone empty cell would be a blank line.
        if (line_.empty()) line_ = "\"\"";
        line_ += '\n';
        file_.write(line_);
        line_.clear();
        is_first_ = true;
    }

private:
    void begin_cell() {
        if (!std::exchange(is_first_, false)) line_ += separator_;
    }

    AtomicFile& file_;
    char separator_;
    std::string line_;
    bool is_first_ = true;
};

}  // namespace untoward::io
