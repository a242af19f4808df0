// SPDX-License-Identifier: MIT
#pragma once

// How a table becomes a matrix of features: learned from the training table, a part of the model ever after.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../config.hpp"
#include "../core/error.hpp"
#include "checksum.hpp"
#include "column_coding.hpp"
#include "json.hpp"
#include "safetensors.hpp"
#include "table.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// Which columns of the training table are learned.
struct CodingOptions {
    std::vector<std::string> columns{};  ///< only these; empty: all
    std::vector<std::string> ignore{};   ///< not these
    std::string label{};                 ///< nor this one; empty: there is none
};

/// Turns tables into matrices `features x n`.
///
///     const Table train = read_table("train.csv");
///     const TableCoding coding = TableCoding::learn(train, {.ignore = {"id"}});
///     const Eigen::MatrixXf x = coding.matrix(train);
///     const Eigen::MatrixXf y = coding.matrix(read_table("new.csv", coding.text_columns()));
///
/// Threads: nothing is changed once it is learned or loaded; any number may use one at once.
class TableCoding {
public:
    /// A text column may have this many levels, and a different text in no more than a fifth of the rows.
    static constexpr std::size_t most_levels = 256;

    TableCoding() = default;

    /// Learns from all rows of a table.
    static TableCoding learn(const Table& table, const CodingOptions& options = {}) {
        std::vector<Index> rows(static_cast<std::size_t>(table.rows()));
        std::iota(rows.begin(), rows.end(), Index{0});
        return learn(table, options, rows);
    }

    /// Learns from some rows of a table (those not set aside for calibration). A column is text when one of
    /// its cells in these rows is neither a number nor missing; a column of numbers gets a logarithm where
    /// that is the better scale. Throws Error for unknown names in the options (it lists what there is), when
    /// no column is left, for columns without any value, and for text columns with too many levels (it names
    /// the columns to ignore).
    static TableCoding learn(const Table& table, const CodingOptions& options, std::span<const Index> rows) {
        if (rows.empty()) fail(table.name(), ": has no rows to learn from");
        std::vector<ColumnCoding> codings;
        std::string problems;
        std::string ignore;
        int refused = 0;
        const auto refuse = [&](const std::string& name, const std::string& reason) {
            constexpr int shown = 5;
            if (refused < shown) {
                problems += (refused == 0 ? "column " : "; column ") + in_quotes(name) + reason;
            }
            if (refused == shown) problems += "; and so on";
            ignore += (refused == 0 ? "" : ",") + name;
            ++refused;
        };
        for (const Column* const column : chosen(table, options)) {
            if (is_empty(*column, rows)) {
                refuse(column->name, " has no value in any row");
                continue;
            }
            ColumnCoding& coding = codings.emplace_back(detail::learn_column(*column, rows));
            const std::size_t count = coding.levels.size();
            if (count > 1 && 5 * count > rows.size()) {
                refuse(column->name, " has " + std::to_string(count) + " different texts in " +
                                         std::to_string(rows.size()) +
                                         " rows, too many to learn which are usual (at most a fifth)" +
                                         stray_text(table, *column, rows));
            } else if (count > most_levels) {
                refuse(column->name,
                       " has " + std::to_string(count) +
                           " different texts, and each would be a feature of its own (at most " +
                           std::to_string(most_levels) + ")" + stray_text(table, *column, rows));
            }
        }
        if (refused > 0) {
            fail(table.name(), ": ", problems, ": leave ", refused == 1 ? "it" : "them",
                 " out with --ignore ", in_shell(ignore));
        }
        if (codings.empty()) fail(table.name(), ": no column is left to learn from");
        detail::require_columns(table.name(), static_cast<Index>(codings.size()));
        return TableCoding(std::move(codings));
    }

    const std::vector<ColumnCoding>& columns() const { return columns_; }
    Index features() const { return static_cast<Index>(column_of_.size()); }

    /// The name of a feature for people: "amount", "country=DE", "country=(unseen)".
    std::string feature_name(Index feature) const {
        const Index column = column_of(feature);
        return of(column).feature_name(feature - first_feature(column));
    }

    /// All of them. They are put together anew: a model keeps the name of a column once, not once per level.
    std::vector<std::string> feature_names() const {
        std::vector<std::string> names;
        for (Index i = 0; i < features(); ++i) names.push_back(feature_name(i));
        return names;
    }

    /// The column that a feature belongs to, as a place in `columns()`.
    Index column_of(Index feature) const { return column_of_[static_cast<std::size_t>(feature)]; }

    /// The first feature of a column; it has `columns()[column].features()` of them.
    Index first_feature(Index column) const { return first_feature_[static_cast<std::size_t>(column)]; }

    /// A coded value in the unit of its column.
    double original(Index feature, float coded) const { return of(column_of(feature)).original(coded); }

    /// What coded features (a column of the feature matrix, or what a model expected there) say about a
    /// column of the table, for people: a number in its unit or a text, "(unseen)" for a text that training
    /// never saw, "" for nothing.
    template <class Derived>
    std::string decoded_text(Index column, const Eigen::DenseBase<Derived>& coded) const {
        return of(column).decoded_text(coded.derived().segment(first_feature(column), of(column).features()));
    }

    /// What the table itself says there: the exact number, and the text even when training never saw it.
    std::string observed_text(Index column, const Table& table, Index row) const {
        return table.column(of(column).name).text(row);
    }

    /// The columns that must be read as text: the second argument of read_table().
    std::vector<std::string> text_columns() const {
        std::vector<std::string> names;
        for (const ColumnCoding& column : columns_) {
            if (column.kind == ColumnKind::Text) names.push_back(column.name);
        }
        return names;
    }

    /// The features of a table, `features() x n`, NaN where a cell is missing; infinities stay. Columns are
    /// matched by name in any order, others are ignored. Throws Error for a missing column (with the file's
    /// name) and for text in a column of numbers (with file, line, column and the text).
    Eigen::MatrixXf matrix(const Table& table) const {
        std::vector<std::string> missing;
        for (const ColumnCoding& column : columns_) {
            if (table.find(column.name) == nullptr) missing.push_back(column.name);
        }
        if (!missing.empty()) {
            fail(table.name(), ": has no column ", name_list(missing), " (the model was learned with ",
                 missing.size() == 1 ? "it" : "them", "), only ", name_list(table.names()));
        }
        Eigen::MatrixXf result(features(), table.rows());
        if (table.rows() == 0) return result;  // a block of nothing would be an offset from a null pointer
        for (Index i = 0; i < static_cast<Index>(columns_.size()); ++i) {
            detail::code_column(of(i), table, table.column(of(i).name),
                                result.block(first_feature(i), 0, of(i).features(), table.rows()));
        }
        return result;
    }

    /// The coding as JSON: {"version":1,"columns":[{"name":"a","kind":"number"},{"name":"b","kind":"log1p"},
    /// {"name":"c","kind":"text","levels":["x","y"]}]}; a number far from zero has "offset":"5523417.5" besides. Names
    /// and levels are UTF-8 (a CSV file is).
    std::string to_json() const {
        std::string json = R"({"version":1,"columns":[)";
        for (const ColumnCoding& column : columns_) {
            if (&column != &columns_.front()) json += ',';
            json += R"({"name":)";
            append_json_string(json, column.name);
            json += R"(,"kind":")";
            json += kind_names[static_cast<std::size_t>(column.kind)];
            json += '"';
            if (column.offset != 0) json += R"(,"offset":")" + format_shortest(column.offset) + '"';
            if (column.kind == ColumnKind::Text) {
                for (std::size_t i = 0; i < column.levels.size(); ++i) {
                    json += i == 0 ? R"(,"levels":[)" : ",";
                    append_json_string(json, column.levels[i]);
                }
                json += ']';
            }
            json += '}';
        }
        return json + "]}";
    }

    /// Reads what to_json() wrote: its keys, in its order, and nothing else. `name` is for messages.
    /// Throws Error for anything that learn() could not have made.
    static TableCoding from_json(std::string_view text, const std::string& name) {
        JsonCursor json(text, name + ": column coding");
        json.expect('{');
        json.expect_key("version");
        if (const std::uint64_t version = json.integer(); version != 1)
            json.error("version is " + std::to_string(version) +
                       ", expected 1: another version of untoward wrote it");
        json.expect(',');
        json.expect_key("columns");
        json.expect('[');
        std::vector<ColumnCoding> columns;
        std::set<std::string> names;
        do {
            columns.push_back(read_column(json));
            const std::string& column = columns.back().name;
            if (!names.insert(column).second) json.error("duplicate column " + in_quotes(column));
            if (static_cast<Index>(columns.size()) > most_columns) json.error("too many columns");
        } while (json.accept(','));
        json.expect(']');
        json.expect('}');
        if (json.position() != text.size()) json.error("text after the closing '}'");
        return TableCoding(std::move(columns));
    }

    /// Adds the coding to a model file, as the tensor "table_coding" of the bytes of its JSON: unlike
    /// metadata it may be large. The metadata "table_coding.checksum" is theirs.
    void save(SafeTensorsWriter& writer) const {
        const std::string json = to_json();
        writer.add("table_coding", Dtype::U8, {static_cast<Index>(json.size())}, as_bytes(json));
        writer.metadata("table_coding.checksum", checksum_of(json));
    }

    /// Throws Error where the file has none or a damaged one, or has a detector (detector_file.hpp) of another number of
    /// features beside it.
    static TableCoding load(const SafeTensors& file) {
        const auto bytes = file.tensor<std::uint8_t>("table_coding");
        const std::string_view json(reinterpret_cast<const char*>(bytes.data()),
                                    static_cast<std::size_t>(bytes.size()));
        TableCoding coding = from_json(json, file.name());
        if (const std::string found = checksum_of(json); file.metadata("table_coding.checksum") != found)
            fail(file.name(), ": column coding: it has the checksum ", found, ", and ",
                 in_quotes(file.metadata("table_coding.checksum")),
                 " was written beside it: the file is damaged");
        for (const char* const centre : {"scaler.centre", "member.0.scaler.centre"}) {
            if (!file.contains(centre) || file.info(centre).shape == std::vector<Index>{coding.features()})
                continue;
            fail(file.name(), ": its columns make ", coding.features(), " features, and ", in_quotes(centre),
                 " of the detector beside them has shape ", detail::shape_text(file.info(centre).shape));
        }
        return coding;
    }

private:
    // In the order of the enumerators.
    static constexpr std::string_view kind_names[] = {"number", "log1p", "text"};

    static std::string checksum_of(std::string_view json) {
        detail::Checksum checksum;
        checksum.add("table_coding", json);
        return checksum.text();
    }

    explicit TableCoding(std::vector<ColumnCoding> columns) : columns_(std::move(columns)) {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            first_feature_.push_back(features());
            column_of_.insert(column_of_.end(), static_cast<std::size_t>(columns_[i].features()),
                              static_cast<Index>(i));
        }
    }

    const ColumnCoding& of(Index column) const { return columns_[static_cast<std::size_t>(column)]; }

    static bool is_empty(const Column& column, std::span<const Index> rows) {
        const detail::NumberCells cells(column);
        return std::all_of(rows.begin(), rows.end(),
                           [&cells](Index row) { return cells[row].kind == CellKind::Missing; });
    }

    /// For the message about a column that is text because of a few cells among numbers: where the first one
    /// is, and what it says. "" for other columns.
    static std::string stray_text(const Table& table, const Column& column, std::span<const Index> rows) {
        const detail::NumberCells cells(column);
        Index first = table.rows();
        std::size_t numbers = 0;
        for (const Index row : rows) {
            if (cells[row].kind == CellKind::Text) first = (std::min)(first, row);
            if (cells[row].kind == CellKind::Number) ++numbers;
        }
        if (2 * numbers < rows.size() || first == table.rows()) return "";
        return " (most of its cells are numbers, but not " + in_quotes(column.text(first)) + " in " +
               table.place(first) + ")";
    }

    /// The columns to learn, in the order of the table.
    static std::vector<const Column*> chosen(const Table& table, const CodingOptions& options) {
        std::set<std::string> only(options.columns.begin(), options.columns.end());
        std::set<std::string> without(options.ignore.begin(), options.ignore.end());
        for (const std::string& name : options.columns) table.column(name);
        for (const std::string& name : options.ignore) table.column(name);
        if (!options.label.empty()) without.insert(table.column(options.label).name);
        std::vector<const Column*> result;
        for (const Column& column : table.columns()) {
            const bool is_in = only.empty() || only.contains(column.name);
            if (is_in && !without.contains(column.name)) result.push_back(&column);
        }
        return result;
    }

    /// An argument as it can be typed.
    static std::string in_shell(const std::string& names) {
        const bool is_plain = std::all_of(names.begin(), names.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   std::string_view("_-.,").find(c) != std::string_view::npos;
        });
        return is_plain ? names : in_quotes(names, names.size());
    }

    static ColumnCoding read_column(JsonCursor& json) {
        ColumnCoding column;
        json.expect('{');
        json.expect_key("name");
        column.name = json.string();
        if (column.name.empty()) json.error("a column without a name");
        json.expect(',');
        json.expect_key("kind");
        const std::string kind = json.string();
        const auto* const found = std::find(std::begin(kind_names), std::end(kind_names), kind);
        if (found == std::end(kind_names)) json.error("unknown kind " + in_quotes(kind));
        column.kind = static_cast<ColumnKind>(found - std::begin(kind_names));
        if (column.kind == ColumnKind::Number && json.accept(',')) {  // only what is far from zero has one
            json.expect_key("offset");
            const std::string offset = json.string();
            if (!parse_number(offset, column.offset) || !std::isfinite(column.offset) || column.offset == 0 ||
                static_cast<double>(static_cast<float>(column.offset)) != column.offset)
                json.error("an offset that no float holds");
        }
        if (column.kind == ColumnKind::Text) {
            json.expect(',');
            json.expect_key("levels");
            json.expect('[');
            do {
                column.levels.push_back(json.string());
                if (column.levels.size() > most_levels) json.error("more than 256 levels");
            } while (json.accept(','));
            json.expect(']');
            // Sorted and different, or looking a text up would fail; none of them means "missing".
            const auto out_of_order = std::adjacent_find(column.levels.begin(), column.levels.end(),
                                                         [](const auto& a, const auto& b) { return a >= b; });
            if (out_of_order != column.levels.end()) json.error("levels that are not in order");
            if (std::any_of(column.levels.begin(), column.levels.end(),
                            [](const auto& l) { return is_missing(l); })) {
                json.error("an empty level");
            }
        }
        json.expect('}');
        return column;
    }

    std::vector<ColumnCoding> columns_;
    std::vector<Index> column_of_;      // per feature
    std::vector<Index> first_feature_;  // per column
};

}  // namespace untoward::io
