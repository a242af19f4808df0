// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <untoward/io/table_coding.hpp>
#include <untoward/io/text.hpp>

// What several commands ask of a table.

namespace program {

/// A column of labels: 0 is normal, any other number an anomaly. Throws Error where there is no number.
inline Eigen::VectorXi read_label_column(const untoward::io::Table& table, const std::string& name) {
    const untoward::io::Column& column = table.column(name);
    Eigen::VectorXi labels(table.rows());
    for (untoward::Index i = 0; i < table.rows(); ++i) {
        const untoward::io::Cell cell = untoward::io::parse_cell(column.text(i));
        if (cell.kind != untoward::io::CellKind::Number) {
            untoward::fail(table.place(i), ", column ", untoward::io::in_quotes(name), ": ",
                           untoward::io::in_quotes(column.text(i)),
                           " is no label; expected 0 (normal) or 1 (anomaly)");
        }
        labels(i) = cell.value == 0 ? 0 : 1;
    }
    return labels;
}

/// Throws Error that says where, when one of these rows of x, the features of the table, has an infinite
/// value.
inline void require_finite(const untoward::io::Table& table, const untoward::io::TableCoding& coding,
                           const Eigen::MatrixXf& x, const std::vector<untoward::Index>& rows) {
    for (const untoward::Index row : rows) {
        for (untoward::Index i = 0; i < x.rows(); ++i) {
            if (!std::isinf(x(i, row))) continue;
            const std::string& column = coding.columns()[static_cast<std::size_t>(coding.column_of(i))].name;
            untoward::fail(table.place(row), ", column ", untoward::io::in_quotes(column),
                           ": an infinite value; normal rows to learn from are finite, or empty where a "
                           "value is missing");
        }
    }
}

/// Every row of a table of normal rows, as features x rows. Throws Error that says where, when there is none or a value
/// is infinite.
inline Eigen::MatrixXf read_normal_rows(const std::string& file, const untoward::io::TableCoding& coding) {
    const untoward::io::Table table = untoward::io::read_table(file, coding.text_columns());
    if (table.rows() == 0) untoward::fail(table.name(), ": no rows to calibrate on");
    const Eigen::MatrixXf x = coding.matrix(table);
    std::vector<untoward::Index> rows(static_cast<std::size_t>(table.rows()));
    std::iota(rows.begin(), rows.end(), untoward::Index{0});
    require_finite(table, coding, x, rows);
    return x;
}

/// The columns that options name, each a list with commas. A name may itself have commas: of several readings
/// the longest name counts. Throws Error that lists what there is.
inline std::vector<std::string> split_names(const untoward::io::Table& table,
                                            const std::vector<std::string>& lists) {
    std::size_t longest = 0;
    for (const untoward::io::Column& column : table.columns())
        longest = std::max(longest, column.name.size());
    std::vector<std::string> names;
    for (const std::string& list : lists) {
        for (std::size_t begin = 0; begin <= list.size();) {
            const auto name = [&list, begin](std::size_t end) {
                return std::string(untoward::io::trimmed(std::string_view(list).substr(begin, end - begin)));
            };
            const auto next_comma = [&list](std::size_t from) {
                return std::min(list.find(',', from), list.size());
            };
            std::size_t end = next_comma(begin);
            for (std::size_t further = end; further < list.size() && name(further).size() <= longest;) {
                further = next_comma(further + 1);
                if (table.find(name(further)) != nullptr) end = further;
            }
            names.push_back(table.column(name(end)).name);
            begin = end + 1;
        }
    }
    return names;
}

}  // namespace program
