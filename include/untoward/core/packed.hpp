// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "shape.hpp"

namespace untoward UNTOWARD_SETTING {

/// The upper half of a float: its sign, its exponent and seven bits after the point.
struct BFloat16 {
    std::uint16_t bits;

    /// The nearest one; of two as near the even one. A NaN stays one.
    static constexpr BFloat16 from(float value) {
        const auto all = __builtin_bit_cast(std::uint32_t, value);
        if (value != value) return {static_cast<std::uint16_t>(all >> 16 | 0x40u)};
        return {static_cast<std::uint16_t>((all + 0x7fffu + (all >> 16 & 1u)) >> 16)};
    }
    template <class S>
    [[nodiscard]] constexpr explicit operator S() const {
        return static_cast<S>(__builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16));
    }
};

/// The rows of a matrix of weights in fewer bits: codes of `std::int8_t` with a scale for each row, or `BFloat16` with
/// none. What is computed with them are numbers of type S.
template <class S, class Code>
struct PackedRows {
    const Code* codes;
    const BFloat16* scales;  ///< one a row, or null
};

/// A parameter that is such a matrix: what a `Tensor` of one is to products.
template <class S, class Code, class Sample>
class PackedTensor {
    static_assert(Sample::rank == 2, "untoward: only matrices of weights are packed");

public:
    using Scalar = S;
    using SampleShape = Sample;

    constexpr PackedTensor(const PackedRows<S, Code>& rows, const Sample& shape)
        : rows_(rows), shape_(shape) {}

    [[nodiscard]] constexpr const Sample& shape() const { return shape_; }
    [[nodiscard]] static constexpr Index batch() { return 1; }
    [[nodiscard]] constexpr const PackedRows<S, Code>& data() const { return rows_; }
    [[nodiscard]] constexpr const PackedTensor& erased() const { return *this; }

private:
    PackedRows<S, Code> rows_;
    [[no_unique_address]] Sample shape_;
};

/// Where a tensor lies among packed weights.
struct PackedPlace {
    Index begin;  ///< of its codes, or of its numbers among the others
    Index scale;  ///< of its first row
};

}  // namespace untoward
