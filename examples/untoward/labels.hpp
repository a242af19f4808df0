// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <untoward/io/table.hpp>

namespace program {

/// A column of labels: 0 is normal, any other number an anomaly. Throws Error where there is no number.
inline Eigen::VectorXi read_label_column(const untoward::io::Table& table, const std::string& name) {
    const untoward::io::Column& column = table.column(name);
    Eigen::VectorXi labels(table.rows());
    for (untoward::Index i = 0; i < table.rows(); ++i) {
        const auto cell = column.is_text ? untoward::io::parse_cell(column.text(i))
                                         : untoward::io::Cell{untoward::io::CellKind::Number, column.numbers[static_cast<std::size_t>(i)]};
        if (cell.kind != untoward::io::CellKind::Number || std::isnan(cell.value)) {
            untoward::fail(table.place(i), ", column ", untoward::io::in_quotes(name), ": ",
                           untoward::io::in_quotes(column.text(i)), " is no label; expected 0 (normal) or 1 (anomaly)");
        }
        labels(i) = cell.value == 0 ? 0 : 1;
    }
    return labels;
}

}  // namespace program
