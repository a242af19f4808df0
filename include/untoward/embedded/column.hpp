// SPDX-License-Identifier: MIT
#pragma once

#include "../core/math.hpp"

namespace untoward UNTOWARD_SETTING {

/// How a cell becomes features, on a device: `io::ColumnCoding` in flash.
enum class FlashCoding {
    number,       ///< one feature: the value
    less_offset,  ///< one feature: the value less `offset`, where the values lie far from zero
    log1p,        ///< one feature: sign(x) log(1 + |x|)
    text,  ///< one feature for each level and one for texts that training never met: 1 where the cell is it
};

/// One column of the table that a detector was fitted to.
struct FlashColumn {
    const char* name;
    FlashCoding coding;
    Index levels;                   ///< of a text
    const char* const* level_text;  ///< their texts, or null
    float offset = 0;

    [[nodiscard]] constexpr Index features() const { return coding == FlashCoding::text ? levels + 1 : 1; }

    /// The number that stands for a text in a row of cells: its level's, or that of texts never met.
    [[nodiscard]] constexpr Index level(const char* text) const {
        for (Index i = 0; i < levels; ++i) {
            const char* a = level_text[i];
            const char* b = text;
            while (*a != '\0' && *a == *b) ++a, ++b;
            if (*a == *b) return i;
        }
        return levels;
    }

    /// Writes the features of one cell: a number, or a level's; NaN where it is missing.
    template <class S>
    void code(S cell, S* to) const {
        if (coding == FlashCoding::number) {
            *to = cell;
        } else if (coding == FlashCoding::less_offset) {
            *to = cell - static_cast<S>(offset);
        } else if (coding == FlashCoding::log1p) {
            const S size = math::log1p(math::abs(cell));
            *to = cell < S(0) ? -size : size;
        } else {
            const bool is_level = cell >= S(0) && cell < static_cast<S>(levels);
            const Index is = is_level ? static_cast<Index>(cell) : levels;
            for (Index i = 0; i <= levels; ++i) to[i] = cell != cell ? cell : i == is ? S(1) : S(0);
        }
    }
};

}  // namespace untoward
