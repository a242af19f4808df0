// SPDX-License-Identifier: MIT
#pragma once

// How one column of a table becomes features, and back.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "../config.hpp"
#include "../core/error.hpp"
#include "number.hpp"
#include "table.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// sign(x) log(1 + |x|): the logarithm of a column of large counts or amounts. A value below 0, which
/// training never saw, stays a number. Infinities and NaN stay what they are.
inline float signed_log1p(float x) {
    return std::copysign(std::log1p(std::abs(x)), x);
}

/// The inverse of signed_log1p.
inline float signed_expm1(float y) {
    return std::copysign(std::expm1(std::abs(y)), y);
}

enum class ColumnKind {
    Number,  ///< one feature: the value, less an offset where it is far from zero
    Log1p,   ///< one feature: signed_log1p of the value
    Text,    ///< per level a feature that is 1 where the cell is that text, and one for unseen texts
};

/// The coding of one column. Missing cells are NaN in every feature of the column: filling in what is usual
/// and flagging it is the detector's part, for numbers and text alike.
struct ColumnCoding {
    std::string name;
    ColumnKind kind = ColumnKind::Number;
    std::vector<std::string> levels;  ///< Text only: sorted by their bytes, different, not empty
    /// Number only: what is taken from every value, in double. It is 0 unless the values lie so far from zero, for how
    /// much they vary, that a float would not tell them apart; a float holds it exactly.
    double offset = 0;

    /// How many features the column has.
    Index features() const { return kind == ColumnKind::Text ? static_cast<Index>(levels.size()) + 1 : 1; }

    /// The name of a feature for people: "amount", "country=DE", "country=(unseen)".
    std::string feature_name(Index feature) const {
        return kind == ColumnKind::Text ? name + "=" + level_name(feature) : name;
    }

    /// The coded value of a feature in the unit of the column. Features of text stay as they are.
    double original(float coded) const {
        return kind == ColumnKind::Log1p ? static_cast<double>(signed_expm1(coded))
                                         : static_cast<double>(coded) + offset;
    }
    /// A value as a feature; not of text.
    float coded(double value) const {
        return kind == ColumnKind::Log1p ? signed_log1p(static_cast<float>(value))
                                         : static_cast<float>(value - offset);
    }

    /// What coded features (all of this column) say, for people: a number in the column's unit, or the level
    /// with the largest value; "" when nothing is known. "(unseen)" is one where it has more than a half: what
    /// training never met is no guess where a model knows of no level. `coded` has `features()` values.
    template <class Derived>
    std::string decoded_text(const Eigen::DenseBase<Derived>& coded) const {
        if (kind != ColumnKind::Text) {
            const double value = original(coded(0));
            return std::isnan(value) ? std::string() : format_number(value, digits_of(value, coded(0)));
        }
        Index best = -1;
        for (Index i = 0; i < features(); ++i) {
            const bool stands = !std::isnan(coded(i)) && (i + 1 < features() || best < 0 || coded(i) > 0.5f);
            if (stands && (best < 0 || coded(i) > coded(best))) best = i;
        }
        return best < 0 ? std::string() : level_name(best);
    }

    /// The feature of a text: its level, or the last one when it is unseen.
    Index level(std::string_view text) const {
        const auto found = std::lower_bound(levels.begin(), levels.end(), text);
        return found != levels.end() && *found == text ? found - levels.begin()
                                                       : static_cast<Index>(levels.size());
    }

private:
    // Six: a logarithm and back costs the last ones. More where most of them are the offset's.
    int digits_of(double value, float coded) const {
        constexpr int digits = 6;
        const double part = std::abs(static_cast<double>(coded));
        if (offset == 0 || !std::isfinite(value) || part == 0 || part >= std::abs(value))
            return offset == 0 ? digits : 15;
        return (std::min)(15, digits + static_cast<int>(std::ceil(std::log10(std::abs(value) / part))));
    }
    std::string level_name(Index feature) const {
        const auto at = static_cast<std::size_t>(feature);
        return at < levels.size() ? levels[at] : "(unseen)";
    }
};

namespace detail {

/// The cells of a column as numbers, whatever the table took them for.
class NumberCells {
public:
    explicit NumberCells(const Column& column) : column_(column) {
        for (const std::string& level : column.levels) levels_.push_back(parse_cell(level));
    }

    Cell operator[](Index row) const {
        const auto at = static_cast<std::size_t>(row);
        if (!column_.is_text) {
            const double value = column_.numbers[at];
            return {std::isnan(value) ? CellKind::Missing : CellKind::Number, value};
        }
        const std::uint32_t code = column_.codes[at];
        return code == Column::missing ? Cell{CellKind::Missing, std::numeric_limits<double>::quiet_NaN()}
                                       : levels_[code];
    }

private:
    const Column& column_;
    std::vector<Cell> levels_;
};

/// True when the logarithm is the better scale: never below 0, somewhere above 20, skewness over 5. The
/// skewness is m3 / m2^(3/2) of the finite values.
inline bool wants_log1p(const std::vector<double>& values) {
    constexpr double least_maximum = 20.0;
    constexpr double least_skewness = 5.0;
    double sum = 0;
    double count = 0;
    double largest = 0;
    for (const double value : values) {
        if (value < 0) return false;
        if (!std::isfinite(value)) continue;
        sum += value;
        count += 1;
        largest = (std::max)(largest, value);
    }
    if (largest <= least_maximum) return false;
    const double mean = sum / count;
    double m2 = 0;
    double m3 = 0;
    for (const double value : values) {
        if (!std::isfinite(value)) continue;
        const double deviation = value - mean;
        m2 += deviation * deviation / count;
        m3 += deviation * deviation * deviation / count;
    }
    return m2 > 0 && m3 > least_skewness * m2 * std::sqrt(m2);
}

/// The offset of numbers: 0, or their median as a float where the middle half of them lies within a few thousand
/// neighbouring floats, or all of them do where that half is one value. Coordinates, time stamps and readings of large
/// counters are so; for the rest a float is enough.
inline double offset_of(std::vector<double> values) {
    values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); }),
                 values.end());
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const auto at = [&](std::size_t quarters) { return values[quarters * (values.size() - 1) / 4]; };
    const auto centre = static_cast<float>(at(2));
    const double spread = at(3) > at(1) ? at(3) - at(1) : values.back() - values.front();
    const double step = static_cast<double>(
        std::nextafter(std::abs(centre), std::numeric_limits<float>::infinity()) - std::abs(centre));
    constexpr double enough_steps = 4096;
    const bool is_far = std::isfinite(centre) && spread > 0 && spread < enough_steps * step;
    return is_far ? static_cast<double>(centre) : 0;
}

/// Learns the coding of a column from some rows of a table, at least one of which has a value.
template <class Rows>
ColumnCoding learn_column(const Column& column, const Rows& rows) {
    ColumnCoding coding;
    coding.name = column.name;
    const NumberCells cells(column);
    const auto is_text = [&cells](Index row) { return cells[row].kind == CellKind::Text; };
    if (std::any_of(rows.begin(), rows.end(), is_text)) {
        coding.kind = ColumnKind::Text;
        std::vector<bool> is_used(column.levels.size());
        for (const Index row : rows) {
            const std::uint32_t code = column.codes[static_cast<std::size_t>(row)];
            if (code != Column::missing) is_used[code] = true;
        }
        for (std::size_t i = 0; i < is_used.size(); ++i) {
            if (is_used[i]) coding.levels.push_back(column.levels[i]);
        }
        std::sort(coding.levels.begin(), coding.levels.end());
        return coding;
    }
    std::vector<double> values;
    for (const Index row : rows) values.push_back(cells[row].value);
    coding.offset = offset_of(values);
    if (coding.offset == 0 && wants_log1p(values)) coding.kind = ColumnKind::Log1p;
    return coding;
}

/// Codes a column of a table into its rows (`features() x n`) of the feature matrix.
/// Throws Error with file, line, column and text for text where training had numbers.
inline void code_column(const ColumnCoding& coding, const Table& table, const Column& column,
                        Eigen::Block<Eigen::MatrixXf> features) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    if (coding.kind != ColumnKind::Text) {
        const NumberCells cells(column);
        for (Index row = 0; row < table.rows(); ++row) {
            const Cell cell = cells[row];
            if (cell.kind == CellKind::Text) {
                fail(table.place(row), ", column ", in_quotes(column.name), ": ", in_quotes(column.text(row)),
                     " is text, expected a number");
            }
            features(0, row) = coding.coded(cell.value);
        }
        return;
    }
    std::vector<Index> places;  // of the table's levels among the coding's
    for (const std::string& level : column.levels) places.push_back(coding.level(level));
    features.setZero();
    for (Index row = 0; row < table.rows(); ++row) {
        const auto at = static_cast<std::size_t>(row);
        const bool is_missing =
            column.is_text ? column.codes[at] == Column::missing : std::isnan(column.numbers[at]);
        if (is_missing) {
            for (Index level = 0; level < features.rows(); ++level) features(level, row) = nan;
        } else {
            features(column.is_text ? places[column.codes[at]] : coding.level(column.text(row)), row) = 1.0f;
        }
    }
}

}  // namespace detail

}  // namespace untoward::io
