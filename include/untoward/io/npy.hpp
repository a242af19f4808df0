// SPDX-License-Identifier: MIT
#pragma once

// NumPy's NPY file format, versions 1 to 3, for tables: one or two dimensions of plain numbers.
// Source: numpy/lib/format.py ("Format Version 1.0" to "3.0").
//
//   6 bytes   "\x93NUMPY"
//   2 bytes   the version, major and minor
//   2 bytes   (version 1) or 4 bytes (2 and 3): n, the size of the header, little-endian
//   n bytes   a Python literal, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, spaces, and "\n"
//   the rest  the numbers
//
// Files hold samples as rows; here every sample is a column, so an array of shape (n, features) is a matrix
// features x n and an array of shape (n,) is 1 x n.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../config.hpp"
#include "../core/error.hpp"
#include "file.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// What the header of an NPY file says, all of it checked against the size of the file.
struct NpyHeader {
    char kind = 'f';            ///< 'f' float, 'i' signed, 'u' unsigned, 'b' bool
    std::size_t item_size = 4;  ///< bytes per number
    bool big_endian = false;
    bool fortran_order = false;  ///< the first index runs fastest
    Index rows = 0;              ///< samples
    Index columns = 1;           ///< features
    std::size_t data_begin = 0;  ///< where the numbers begin in the file
};

namespace detail {

/// Reads the Python literal in the header of one NPY file.
class NpyParser {
public:
    NpyParser(std::span<const std::byte> file, const std::string& name) : file_(file), name_(name) {}

    NpyHeader parse() {
        read_preamble();
        bool descr = false;
        bool order = false;
        bool shape = false;
        expect('{');
        while (!accept('}')) {
            const std::string_view key = string();
            expect(':');
            if (key == "descr" && !std::exchange(descr, true)) {
                read_descr();
            } else if (key == "fortran_order" && !std::exchange(order, true)) {
                read_order();
            } else if (key == "shape" && !std::exchange(shape, true)) {
                read_shape();
            } else {
                error("unexpected key " + in_quotes(key));
            }
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        if (!descr || !order || !shape) error("needs 'descr', 'fortran_order' and 'shape'");
        skip_space();
        if (!text_.empty()) error("text after the closing '}'");
        check_size();
        return header_;
    }

private:
    void read_preamble() {
        constexpr std::string_view magic = "\x93NUMPY";
        const std::string_view all(reinterpret_cast<const char*>(file_.data()), file_.size());
        if (all.substr(0, magic.size()) != magic) fail(name_, ": is not an NPY file");
        if (all.size() < 10) fail(name_, ": is truncated");
        const int major = all[6];
        const int minor = all[7];
        if (major < 1 || major > 3 || minor != 0) {
            fail(name_, ": has NPY version ", major, ".", minor, ", expected 1.0, 2.0 or 3.0");
        }
        const std::size_t length_size = major == 1 ? 2 : 4;
        header_.data_begin = 8 + length_size;
        std::size_t length = 0;
        if (all.size() >= header_.data_begin) {
            for (std::size_t i = 0; i < length_size; ++i) {
                length |= std::to_integer<std::size_t>(file_[8 + i]) << (8 * i);
            }
        }
        if (all.size() < header_.data_begin || length > all.size() - header_.data_begin) {
            fail(name_, ": is truncated: its header does not fit in ", all.size(), " bytes");
        }
        text_ = all.substr(header_.data_begin, length);
        header_.data_begin += length;
    }

    void read_descr() {
        if (accept('[')) error("holds records of several fields, expected plain numbers");
        const std::string_view descr = string();
        const bool form = descr.size() == 3 &&
                          std::string_view("<>|").find(descr[0]) != std::string_view::npos &&
                          descr[2] >= '1' && descr[2] <= '8';
        header_.kind = form ? descr[1] : '?';
        header_.item_size = form ? static_cast<std::size_t>(descr[2] - '0') : 0;
        header_.big_endian = form && descr[0] == '>';
        const std::size_t size = header_.item_size;
        const bool known = header_.kind == 'f'                          ? size == 2 || size == 4 || size == 8
                           : header_.kind == 'b'                        ? size == 1
                           : header_.kind == 'i' || header_.kind == 'u' ? std::has_single_bit(size)
                                                                        : false;
        if (!known || (descr[0] == '|' && size > 1)) {
            error("holds numbers of type " + in_quotes(descr) +
                  ", expected floats, integers or bools such as '<f4'");
        }
    }

    void read_order() {
        skip_space();
        for (const bool value : {true, false}) {
            const std::string_view word = value ? "True" : "False";
            if (text_.substr(0, word.size()) == word) {
                text_.remove_prefix(word.size());
                header_.fortran_order = value;
                return;
            }
        }
        error("'fortran_order' must be True or False");
    }

    void read_shape() {
        std::vector<Index> shape;
        expect('(');
        while (!accept(')')) {
            shape.push_back(integer());
            if (shape.size() > 2) error("has more than two dimensions, expected rows of features");
            if (accept(',')) continue;
            if (shape.size() == 1) error("a tuple of one number needs a comma");
            expect(')');
            break;
        }
        if (shape.empty()) error("holds a single number, expected rows of features");
        header_.rows = shape[0];
        header_.columns = shape.size() == 2 ? shape[1] : 1;
    }

    Index integer() {
        skip_space();
        Index value = 0;
        std::size_t count = 0;
        while (count < text_.size() && text_[count] >= '0' && text_[count] <= '9') {
            const Index digit = text_[count] - '0';
            if (value > (INT64_MAX - digit) / 10) error("has a shape that is too large");
            value = 10 * value + digit;
            ++count;
        }
        if (count == 0) error("the shape must be a tuple of whole numbers");
        text_.remove_prefix(count);
        return value;
    }

    std::string_view string() {
        skip_space();
        const char quote = text_.empty() ? '\0' : text_.front();
        const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, 1) : std::string_view::npos;
        if (end == std::string_view::npos) error("expected a string");
        const std::string_view value = text_.substr(1, end - 1);
        text_.remove_prefix(end + 1);
        return value;
    }

    bool accept(char token) {
        skip_space();
        if (text_.empty() || text_.front() != token) return false;
        text_.remove_prefix(1);
        return true;
    }

    void expect(char token) {
        if (!accept(token)) error("expected " + in_quotes({&token, 1}));
    }

    void skip_space() {
        const std::size_t count = text_.find_first_not_of(" \t\n\r");
        text_.remove_prefix(count == std::string_view::npos ? text_.size() : count);
    }

    /// The numbers must fill the rest of the file exactly. An empty array promises no more features than a
    /// reasonable table has: nothing in the file would back a larger number.
    void check_size() const {
        constexpr Index most_columns_of_nothing = 65536;
        const auto rows = static_cast<std::size_t>(header_.rows);
        const auto columns = static_cast<std::size_t>(header_.columns);
        const std::size_t size = file_.size() - header_.data_begin;
        const std::size_t fit = size / header_.item_size;
        if (header_.columns == 0 || (header_.rows == 0 && header_.columns > most_columns_of_nothing)) {
            error("has the shape (" + std::to_string(rows) + ", " + std::to_string(columns) +
                  ") and holds nothing");
        }
        if (rows > fit / columns || rows * columns * header_.item_size != size) {
            error("has the shape (" + std::to_string(rows) + ", " + std::to_string(columns) + ") of " +
                  std::to_string(header_.item_size) + "-byte numbers, but " + std::to_string(size) +
                  " bytes of them (truncated?)");
        }
    }

    [[noreturn]] void error(const std::string& what) const { fail(name_, ": NPY header: ", what); }

    std::span<const std::byte> file_;
    const std::string& name_;
    std::string_view text_;  // what is left of the header
    NpyHeader header_;
};

template <class From>
From npy_value(const std::byte* at, bool swap) {
    std::byte bytes[sizeof(From)];
    std::memcpy(bytes, at, sizeof(From));
    if (swap) std::reverse(bytes, bytes + sizeof(From));
    From value;
    std::memcpy(&value, bytes, sizeof(From));
    return value;
}

/// Fills features x n from numbers of type From. In C order samples follow one another, as columns do here.
template <class From, class Scalar>
void npy_fill(const NpyHeader& header, const std::byte* data,
              Eigen::Matrix<Scalar, Dynamic, Dynamic>& matrix) {
    const bool swap = header.big_endian != (std::endian::native == std::endian::big);
    if constexpr (std::is_same_v<From, Scalar>) {
        if (!swap && !header.fortran_order) {
            if (matrix.size() > 0) {
                std::memcpy(matrix.data(), data, sizeof(From) * static_cast<std::size_t>(matrix.size()));
            }
            return;
        }
    }
    const Index feature_step = header.fortran_order ? header.rows : 1;
    const Index sample_step = header.fortran_order ? 1 : header.columns;
    for (Index sample = 0; sample < matrix.cols(); ++sample) {
        for (Index feature = 0; feature < matrix.rows(); ++feature) {
            const Index place = feature * feature_step + sample * sample_step;
            const From value = npy_value<From>(data + static_cast<std::size_t>(place) * sizeof(From), swap);
            matrix(feature, sample) = static_cast<Scalar>(value);
        }
    }
}

}  // namespace detail

/// Checks a whole file and says what is in it. `name` is for messages. Throws Error.
inline NpyHeader parse_npy_header(std::span<const std::byte> file, const std::string& name) {
    return detail::NpyParser(file, name).parse();
}

/// The numbers of an NPY file as features x n; Scalar is float or double. Doubles beyond the range of float
/// become infinite, integers are rounded to what Scalar can hold. Throws Error when the file is not valid or
/// not a table of numbers.
template <class Scalar = float>
Eigen::Matrix<Scalar, Dynamic, Dynamic> parse_npy(std::span<const std::byte> file, const std::string& name) {
    static_assert(std::is_floating_point_v<Scalar>);
    const NpyHeader header = parse_npy_header(file, name);
    const std::byte* const data = file.data() + header.data_begin;
    Eigen::Matrix<Scalar, Dynamic, Dynamic> matrix(header.columns, header.rows);
    const auto fill = [&]<class From>(From) { detail::npy_fill<From>(header, data, matrix); };
    if (header.kind == 'f') {
        header.item_size == 2 ? fill(Eigen::half{}) : header.item_size == 4 ? fill(float{}) : fill(double{});
    } else if (header.kind == 'i') {
        header.item_size == 1   ? fill(std::int8_t{})
        : header.item_size == 2 ? fill(std::int16_t{})
        : header.item_size == 4 ? fill(std::int32_t{})
                                : fill(std::int64_t{});
    } else {
        // A bool is one byte, 0 or 1.
        header.item_size == 1   ? fill(std::uint8_t{})
        : header.item_size == 2 ? fill(std::uint16_t{})
        : header.item_size == 4 ? fill(std::uint32_t{})
                                : fill(std::uint64_t{});
    }
    return matrix;
}

/// Reads a file, or standard input when `path` is "-". Throws Error.
template <class Scalar = float>
Eigen::Matrix<Scalar, Dynamic, Dynamic> read_npy(const std::string& path) {
    return parse_npy<Scalar>(as_bytes(read_file(path)), input_name(path));
}

/// The bytes of an NPY file (version 1, C order) as NumPy writes them. A matrix features x n becomes an array
/// of shape (n, features); an Eigen vector becomes an array of shape (n,). Scalars: float, double,
/// std::int32_t.
template <class Derived>
std::string npy_bytes(const Eigen::MatrixBase<Derived>& matrix) {
    using Scalar = typename Derived::Scalar;
    static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double> ||
                  std::is_same_v<Scalar, std::int32_t>);
    static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");
    const Eigen::Matrix<Scalar, Dynamic, Dynamic> values = matrix;
    std::string header = "{'descr': '<";
    header += std::is_integral_v<Scalar> ? 'i' : 'f';
    header += std::to_string(sizeof(Scalar)) + "', 'fortran_order': False, 'shape': (";
    header += Derived::IsVectorAtCompileTime
                  ? std::to_string(values.size()) + ",), }"
                  : std::to_string(values.cols()) + ", " + std::to_string(values.rows()) + "), }";
    // The numbers begin at a multiple of 64 bytes; 10 come before the header, a line end closes it.
    header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
    header += '\n';
    std::string file("\x93NUMPY\x01\x00", 8);
    file += static_cast<char>(header.size() & 255U);
    file += static_cast<char>(header.size() >> 8);
    file += header;
    const auto* const data = reinterpret_cast<const char*>(values.data());
    file.append(data, data + sizeof(Scalar) * static_cast<std::size_t>(values.size()));
    return file;
}

/// Writes a file whole or not at all. Throws Error.
template <class Derived>
void write_npy(const std::string& path, const Eigen::MatrixBase<Derived>& matrix) {
    write_file(path, npy_bytes(matrix));
}

}  // namespace untoward::io
