// SPDX-License-Identifier: MIT
#include "untoward/io/npy.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "io/folder.hpp"
#include "reference/npy.hpp"
#include "support/catch.hpp"

namespace io = untoward::io;
using Catch::Matchers::ContainsSubstring;
using untoward_test::Folder;

namespace {

template <class Scalar = float>
auto parse(const std::string& file) {
    return io::parse_npy<Scalar>(io::as_bytes(file), "x.npy");
}

/// A version 1 file with this header, exactly as given, and `data` bytes after it.
std::string file_of(const std::string& header, std::size_t data = 0) {
    std::string file("\x93NUMPY\x01\x00", 8);
    file += static_cast<char>(header.size() & 255U);
    file += static_cast<char>(header.size() >> 8);
    return file + header + std::string(data, '\0');
}

/// The table of tests/reference/npy.py: rows there are columns here.
template <class Scalar>
Eigen::Matrix<Scalar, 3, 2> table() {
    Eigen::Matrix<Scalar, 3, 2> expected;
    expected << Scalar(0.5), Scalar(1e10), Scalar(-1.25), Scalar(-0.0), Scalar(3), Scalar(0x1p-20);
    return expected;
}

Eigen::MatrixXf whole() {
    return (Eigen::MatrixXf(3, 2) << 1, 100, 2, 5, 3, 120).finished();
}

}  // namespace

TEST_CASE("NumPy's floats are read, in every order and version") {
    for (const std::string& file :
         {npy_reference::f4, npy_reference::f4_fortran, npy_reference::f4_big, npy_reference::f8,
          npy_reference::f8_fortran, npy_reference::f8_big_fortran, npy_reference::version_2,
          npy_reference::version_3}) {
        const Eigen::MatrixXf values = parse(file);
        REQUIRE(values.rows() == 3);
        REQUIRE(values == table<float>());
        REQUIRE(std::signbit(values(1, 1)));
        REQUIRE(parse<double>(file).cast<float>() == table<float>());
    }
    REQUIRE(parse<double>(npy_reference::f8) == table<double>());
    REQUIRE(parse<double>(npy_reference::f8_big_fortran) == table<double>());
}

TEST_CASE("half, integers and bools are read") {
    const Eigen::MatrixXf half = parse(npy_reference::f2);
    REQUIRE(half(0, 0) == 0.5f);
    REQUIRE(half(1, 0) == -1.25f);
    REQUIRE(half(0, 1) == 65504.0f);
    REQUIRE(std::isinf(half(1, 1)));
    for (const std::string& file :
         {npy_reference::i1, npy_reference::u1, npy_reference::u2, npy_reference::u4, npy_reference::u8}) {
        REQUIRE(parse(file) == whole());
    }
    for (const std::string& file : {npy_reference::i2_big, npy_reference::i4, npy_reference::i8}) {
        REQUIRE(parse(file) == -whole());
    }
    REQUIRE(parse(npy_reference::b1) == Eigen::RowVector3f(1, 0, 1));
}

TEST_CASE("one dimension is one feature") {
    const Eigen::MatrixXf labels = parse(npy_reference::labels);
    REQUIRE(labels == Eigen::RowVector4f(0, 1, 1, 0));
    const Eigen::MatrixXf special = parse(npy_reference::f4_special);
    REQUIRE(std::isnan(special(0, 0)));
    REQUIRE(special(0, 1) == std::numeric_limits<float>::infinity());
    REQUIRE(special(0, 2) == -std::numeric_limits<float>::infinity());
    REQUIRE(special(0, 3) == std::numeric_limits<float>::denorm_min());
    const Eigen::MatrixXf none = parse(npy_reference::no_rows);
    REQUIRE(none.rows() == 5);
    REQUIRE(none.cols() == 0);
}

TEST_CASE("what is written is what NumPy writes, byte for byte") {
    REQUIRE(io::npy_bytes(table<float>()) == npy_reference::f4);
    REQUIRE(io::npy_bytes(table<double>()) == npy_reference::f8);
    REQUIRE(io::npy_bytes(Eigen::Vector4i(0, 1, 1, 0)) == npy_reference::labels);
    REQUIRE(io::npy_bytes((-whole()).cast<std::int32_t>()) == npy_reference::i4);
    REQUIRE(io::npy_bytes(Eigen::MatrixXf(5, 0)) == npy_reference::no_rows);
    // NumPy -> here -> NumPy keeps every bit, also of what is not a number.
    const Eigen::RowVectorXf special = parse(npy_reference::f4_special);
    REQUIRE(io::npy_bytes(special) == npy_reference::f4_special);
    REQUIRE(io::npy_bytes(parse(npy_reference::f4_fortran)) == npy_reference::f4);
}

TEST_CASE("a written file is read") {
    const Folder folder;
    const std::string path = folder / "x.npy";
    const Eigen::MatrixXd values = Eigen::MatrixXd::Random(7, 1000);
    io::write_npy(path, values);
    REQUIRE(io::read_npy<double>(path) == values);
    REQUIRE(io::read_npy(path) == values.cast<float>());
    io::write_npy(path, values.topRows(2).transpose());
    REQUIRE(io::read_npy<double>(path) == values.topRows(2).transpose());
    REQUIRE_THROWS_WITH(io::read_npy(folder / "none.npy"), ContainsSubstring("none.npy: cannot be opened"));
    REQUIRE_THROWS_WITH(io::write_npy("/dev/full", values), ContainsSubstring("/dev/full"));
}

TEST_CASE("a double beyond float is infinite") {
    const std::string file = io::npy_bytes(Eigen::Vector3d(1e300, -1e300, 1e30));
    const Eigen::MatrixXf values = parse(file);
    REQUIRE(values(0, 0) == std::numeric_limits<float>::infinity());
    REQUIRE(values(0, 1) == -std::numeric_limits<float>::infinity());
    REQUIRE(values(0, 2) == 1e30f);
}

TEST_CASE("other arrays are refused, and the message says what they are") {
    REQUIRE_THROWS_WITH(parse(npy_reference::scalar),
                        ContainsSubstring("x.npy: ") && ContainsSubstring("single number"));
    REQUIRE_THROWS_WITH(parse(npy_reference::volume), ContainsSubstring("more than two dimensions"));
    REQUIRE_THROWS_WITH(parse(npy_reference::complex), ContainsSubstring("'<c8'"));
    REQUIRE_THROWS_WITH(parse(npy_reference::text), ContainsSubstring("'<U1'"));
    REQUIRE_THROWS_WITH(parse(npy_reference::records), ContainsSubstring("records"));
    REQUIRE_THROWS_WITH(parse(npy_reference::no_columns), ContainsSubstring("(5, 0)"));
}

TEST_CASE("headers in unusual forms are read") {
    REQUIRE(parse(file_of("{\"shape\":(2,),\"fortran_order\":True,\"descr\":\"<f4\"}", 8)).cols() == 2);
    REQUIRE(parse(file_of("  { 'descr' : '<f4' ,\t'fortran_order' : False , 'shape' : ( 1 , 2 , ) , }\n", 8))
                .rows() == 2);
}

TEST_CASE("malformed files are refused, and the message says what is wrong") {
    struct Case {
        std::string file;
        std::string message;
    };
    const auto with = [](const std::string& descr, const std::string& shape, std::size_t data = 8) {
        return file_of("{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + "}", data);
    };
    const std::string good = npy_reference::f4;
    std::string version = good;
    version[6] = 4;
    std::string minor = good;
    minor[7] = 1;
    std::string long_header = good;
    long_header[9] = '\x7F';
    const Case cases[] = {
        {"", "is not an NPY file"},
        {"\x93NUMPX\x01", "is not an NPY file"},
        {"f0,f1\n1,2\n", "is not an NPY file"},
        {good.substr(0, 7), "is truncated"},
        {good.substr(0, 9), "is truncated"},
        {npy_reference::version_2.substr(0, 11), "is truncated"},
        {version, "version 4.0"},
        {minor, "version 1.1"},
        {long_header, "its header does not fit"},
        {file_of(""), "expected '{'"},
        {file_of("{"), "expected a string"},
        {file_of("{'descr"), "expected a string"},
        {file_of("{}"), "needs 'descr', 'fortran_order' and 'shape'"},
        {file_of("{'descr': '<f4', 'fortran_order': False}"), "needs 'descr'"},
        {file_of("{'descr': '<f4', 'descr': '<f4'}"), "unexpected key 'descr'"},
        {file_of("{'name': 1}"), "unexpected key 'name'"},
        {file_of("{'fortran_order': false}"), "must be True or False"},
        {file_of("{'shape': (2,) 'descr': '<f4'}"), "expected '}'"},
        {with("'<f4'", "(2,)") + "x", "but 9 bytes"},
        {with("'<f4'", "(2,)").substr(0, 70), "truncated"},
        {with("'<f4'", "(2)"), "needs a comma"},
        {with("'<f4'", "2"), "expected '('"},
        {with("'<f4'", "(-2,)"), "whole numbers"},
        {with("'<f4'", "(2.0,)"), "needs a comma"},
        {with("'<f4'", "(,)"), "whole numbers"},
        {with("'<f4'", "(1, 2"), "expected ')'"},
        {with("'<f4'", "(99999999999999999999,)"), "too large"},
        // Products that wrap around to 8 bytes.
        {with("'<f4'", "(4611686018427387906, 1)"), "but 8 bytes"},
        {with("'|u1'", "(4294967296, 4294967296)"), "but 8 bytes"},
        {with("'<f4'", "(2305843009213693954, 4)"), "but 8 bytes"},
        {with("'<f4'", "(0, 9000000000)", 0), "holds nothing"},
        {with("'<f4'", "(9000000000, 0)", 0), "holds nothing"},
        {with("'f4'", "(2,)"), "type 'f4'"},
        {with("'=f4'", "(2,)"), "type '=f4'"},
        {with("'|f4'", "(2,)"), "type '|f4'"},
        {with("'<f1'", "(8,)"), "type '<f1'"},
        {with("'<i3'", "(2,)"), "type '<i3'"},
        {with("'<i0'", "(2,)"), "type '<i0'"},
        {with("'|O8'", "(1,)"), "type '|O8'"},
        {with("'<M8'", "(1,)"), "type '<M8'"},
        {with("'|b2'", "(4,)"), "type '|b2'"},
        {with("''", "(4,)"), "type ''"},
        {file_of("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", 8), "after the closing '}'"},
    };
    for (const Case& one : cases) {
        INFO(one.file);
        REQUIRE_THROWS_WITH(parse(one.file), ContainsSubstring("x.npy: ") && ContainsSubstring(one.message));
    }
}

TEST_CASE("every truncation is refused") {
    for (const std::string& file : {npy_reference::f4, npy_reference::version_3, npy_reference::f8_fortran}) {
        for (std::size_t size = 0; size < file.size(); ++size) {
            INFO(size);
            REQUIRE_THROWS_AS(parse(file.substr(0, size)), untoward::Error);
        }
        REQUIRE_THROWS_AS(parse(file + '\0'), untoward::Error);
    }
}
