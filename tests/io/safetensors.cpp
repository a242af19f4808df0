// SPDX-License-Identifier: MIT
#include "untoward/io/safetensors.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "support/catch.hpp"

namespace io = untoward::io;
using Catch::Matchers::ContainsSubstring;
using untoward::Index;
using untoward_test::Folder;

namespace {

/// A file with this header, exactly as given, and `data` bytes after it.
std::string file_of(const std::string& header, std::size_t data = 0) {
    std::string file(8, '\0');
    const std::uint64_t size = header.size();
    std::memcpy(file.data(), &size, 8);
    return file + header + std::string(data, '\1');
}

/// {"a": <fields>} with 8 bytes of data.
std::string tensor_file(const std::string& fields, std::size_t data = 8) {
    return file_of("{\"a\":{" + fields + "}}", data);
}

io::SafeTensorsHeader parse(const std::string& file) {
    return io::parse_safetensors(io::as_bytes(file), "m.st");
}

const std::string good_fields = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";

io::SafeTensorsWriter example() {
    io::SafeTensorsWriter writer;
    writer.metadata("format", "untoward");
    writer.metadata("quote", "a \"b\" \\ \n \x01 \xC3\xA4 \xF0\x9F\x98\x80");
    writer.add("b.weight", {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
    writer.add("a.flag", {3}, std::vector<std::uint8_t>{1, 2, 255});
    writer.add("scalar", {}, std::vector<double>{0.25});
    writer.add("empty", {0, 4}, std::vector<std::int32_t>{});
    writer.add("a.bias", {2}, Eigen::Vector2f(7, 8));
    return writer;
}

}  // namespace

TEST_CASE("tensors and metadata come back") {
    const Folder folder;
    const std::string path = folder / "m.safetensors";
    example().save(path);
    const auto file = io::SafeTensors::load(path);
    REQUIRE(file.name() == path);
    REQUIRE(file.metadata().size() == 2);
    REQUIRE(file.metadata("format") == "untoward");
    REQUIRE(file.metadata("quote") == "a \"b\" \\ \n \x01 \xC3\xA4 \xF0\x9F\x98\x80");
    const Eigen::VectorXf weight = file.tensor<float>("b.weight", {2, 3});
    REQUIRE(weight.size() == 6);
    REQUIRE(weight(5) == 6.0f);
    REQUIRE(file.tensor<double>("scalar", {})(0) == 0.25);
    REQUIRE(file.tensor<std::int32_t>("empty", {0, 4}).size() == 0);
    REQUIRE(file.tensor<std::uint8_t>("a.flag")(2) == 255);
    REQUIRE(file.contains("a.bias"));
    REQUIRE_FALSE(file.contains("a.bia"));
    REQUIRE(file.info("b.weight").shape == std::vector<Index>{2, 3});
    REQUIRE(file.bytes("scalar").size() == 8);
}

TEST_CASE("every dtype with a C++ type comes back") {
    io::SafeTensorsWriter writer;
    const auto put = [&writer]<class T>(const std::string& name, std::vector<T> values) {
        writer.add(name, {static_cast<Index>(values.size())}, values);
    };
    put("u8", std::vector<std::uint8_t>{0, 255});
    put("i8", std::vector<std::int8_t>{-128, 127});
    put("u16", std::vector<std::uint16_t>{0, 65535});
    put("i16", std::vector<std::int16_t>{-32768, 32767});
    put("u32", std::vector<std::uint32_t>{0, 4294967295U});
    put("i32", std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min(), 1});
    put("u64", std::vector<std::uint64_t>{0, UINT64_MAX});
    put("i64", std::vector<std::int64_t>{INT64_MIN, 1});
    put("f64", std::vector<double>{-0.0, 1e300});
    put("f32",
        std::vector<float>{std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()});
    writer.add("bool", {2}, Eigen::Matrix<bool, 2, 1>(true, false));
    const std::string half("\x00\x3C", 2);
    writer.add("f16", io::Dtype::F16, {1}, io::as_bytes(half));
    writer.add("bf16", io::Dtype::BF16, {1}, io::as_bytes(half));
    const io::SafeTensors file(writer.bytes(), "m.st");
    REQUIRE(file.tensor<std::uint8_t>("u8")(1) == 255);
    REQUIRE(file.tensor<std::int8_t>("i8")(0) == -128);
    REQUIRE(file.tensor<std::uint16_t>("u16")(1) == 65535);
    REQUIRE(file.tensor<std::int16_t>("i16")(0) == -32768);
    REQUIRE(file.tensor<std::uint32_t>("u32")(1) == 4294967295U);
    REQUIRE(file.tensor<std::int32_t>("i32")(0) == std::numeric_limits<std::int32_t>::min());
    REQUIRE(file.tensor<std::uint64_t>("u64")(1) == UINT64_MAX);
    REQUIRE(file.tensor<std::int64_t>("i64")(0) == INT64_MIN);
    REQUIRE(std::signbit(file.tensor<double>("f64")(0)));
    REQUIRE(std::isnan(file.tensor<float>("f32")(1)));
    REQUIRE(file.tensor<bool>("bool", {2})(0));
    REQUIRE(file.bytes("f16").size() == 2);
    REQUIRE(io::dtype_name(file.info("bf16").dtype) == "BF16");
}

TEST_CASE("typed access says what it found and what it expected") {
    const io::SafeTensors file(example().bytes(), "m.st");
    REQUIRE_THROWS_WITH(file.tensor<double>("b.weight", {2, 3}),
                        ContainsSubstring("m.st: tensor 'b.weight' has dtype F32, expected F64"));
    REQUIRE_THROWS_WITH(file.tensor<float>("b.weight", {3, 2}),
                        ContainsSubstring("m.st: tensor 'b.weight' has shape [2, 3], expected [3, 2]"));
    REQUIRE_THROWS_WITH(file.tensor<float>("b.weight", {6}), ContainsSubstring("expected [6]"));
    REQUIRE_THROWS_WITH(file.tensor<float>("c", {}), ContainsSubstring("m.st: has no tensor 'c'"));
    REQUIRE_THROWS_WITH(file.metadata("version"), ContainsSubstring("m.st: has no metadata 'version'"));
    io::SafeTensorsWriter writer;
    writer.add("flag", io::Dtype::Bool, {1}, io::as_bytes("\2"));
    REQUIRE_THROWS_WITH(io::SafeTensors(writer.bytes(), "m.st").tensor<bool>("flag"),
                        ContainsSubstring("neither 0 nor 1"));
}

TEST_CASE("the bytes are those of the format") {
    io::SafeTensorsWriter writer;
    writer.add("w", {1}, std::vector<float>{1.0f});
    writer.add("a", {2}, std::vector<std::uint8_t>{7, 9});
    writer.metadata("k", "v");
    const std::string header =
        R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
        R"("a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})";
    const std::size_t padded = (header.size() + 7) / 8 * 8;
    const std::string expected = file_of(header + std::string(padded - header.size(), ' ')) +
                                 std::string("\x00\x00\x80\x3F\x07\x09", 6);
    REQUIRE(writer.bytes() == expected);
}

TEST_CASE("the same content gives the same bytes in any order") {
    struct Part {
        std::string name;
        io::Dtype dtype;
    };
    std::vector<Part> parts{{"a", io::Dtype::U8},
                            {"b", io::Dtype::F64},
                            {"c", io::Dtype::BF16},
                            {"d", io::Dtype::I64},
                            {"e", io::Dtype::F32}};
    const std::string zeros(8, '\0');
    std::string first;
    const auto by_name = [](const Part& x, const Part& y) { return x.name < y.name; };
    do {
        io::SafeTensorsWriter writer;
        for (const Part& part : parts) {
            writer.add(part.name, part.dtype, {1}, io::as_bytes(zeros).first(io::dtype_size(part.dtype)));
        }
        const std::string bytes = writer.bytes();
        if (first.empty()) first = bytes;
        REQUIRE(bytes == first);
    } while (std::next_permutation(parts.begin(), parts.end(), by_name));
    std::string order;
    for (const auto& info : parse(first).tensors) {
        order += info.name;
        REQUIRE(info.begin % io::dtype_size(info.dtype) == 0);
    }
    REQUIRE(order == "bdeca");
}

TEST_CASE("the writer refuses what a reader would") {
    io::SafeTensorsWriter writer;
    const std::vector<float> two{1, 2};
    writer.add("a", {2}, two);
    writer.metadata("k", "v");
    REQUIRE_THROWS_WITH(writer.add("a", {2}, two), ContainsSubstring("duplicate tensor 'a'"));
    REQUIRE_THROWS_WITH(writer.add("a", {1}, std::vector<double>{1}),
                        ContainsSubstring("duplicate tensor 'a'"));
    REQUIRE_THROWS_WITH(writer.add("b", {3}, two),
                        ContainsSubstring("'b' of shape [3] and dtype F32 was given 8"));
    REQUIRE_THROWS_WITH(writer.add("b", {-2}, two), ContainsSubstring("[-2]"));
    REQUIRE_THROWS_WITH(writer.add("__metadata__", {2}, two), ContainsSubstring("__metadata__"));
    REQUIRE_THROWS_WITH(writer.add("\xFF", {2}, two), ContainsSubstring("\\xff"));
    REQUIRE_THROWS_WITH(writer.metadata("k", "w"), ContainsSubstring("duplicate metadata key 'k'"));
    REQUIRE_THROWS_WITH(writer.metadata("l", "\x80"), ContainsSubstring("not UTF-8"));
    const Eigen::MatrixXf matrix = Eigen::MatrixXf::Zero(4, 4);
    REQUIRE_THROWS_WITH(writer.add("m", {2, 4}, matrix.topRows(2)), ContainsSubstring("not in one piece"));
    writer.add("m", {2, 4}, matrix.leftCols(2));
    io::SafeTensorsWriter large;
    large.metadata("k", std::string(1'000'000, 'x'));
    REQUIRE_THROWS_WITH(large.bytes(), ContainsSubstring("the limit is 1000000"));
    const std::string bytes = large.bytes(2'000'000);
    REQUIRE_THROWS_WITH(parse(bytes), ContainsSubstring("the limit is 1000000"));
    REQUIRE(io::SafeTensors(bytes, "m.st", 2'000'000).metadata("k").size() == 1'000'000);
}

TEST_CASE("valid files in unusual forms are read") {
    REQUIRE(parse(file_of("{}")).tensors.empty());
    REQUIRE(parse(file_of("{}      ")).tensors.empty());
    REQUIRE(parse(file_of(R"({"__metadata__":{}})")).metadata.empty());
    REQUIRE(parse(tensor_file(good_fields)).tensors.size() == 1);
    REQUIRE(parse(tensor_file(R"( "data_offsets" : [ 0 , 8 ] ,"shape":[1,2],	"dtype":"F32"
 )"))
                .tensors.size() == 1);
    const auto escaped =
        parse(file_of(R"({"\u00e4\ud83d\ude00\/\n":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"));
    REQUIRE(escaped.tensors.at(0).name == "\xC3\xA4\xF0\x9F\x98\x80/\n");
    // Listed out of order, and an empty tensor between two.
    const auto order = parse(file_of(R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]},)"
                                     R"("e":{"dtype":"U8","shape":[0],"data_offsets":[3,3]},)"
                                     R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})",
                                     5));
    REQUIRE(order.tensors.at(0).name == "a");
    REQUIRE(order.tensors.at(1).name == "e");
    REQUIRE(order.tensors.at(2).name == "b");
    // A header whose size is no multiple of 8 leaves tensors unaligned; they are copied out.
    const io::SafeTensors odd(tensor_file(good_fields), "m.st");
    REQUIRE(odd.tensor<float>("a", {2}).size() == 2);
}

TEST_CASE("malformed files are refused, and the message says what is wrong") {
    const std::string u8 = R"({"dtype":"U8","shape":[4],"data_offsets":)";
    struct Case {
        std::string file;
        std::string message;
    };
    std::string huge(16, '\xFF');
    const Case cases[] = {
        {"", "0 bytes, too few"},
        {"1234567", "7 bytes, too few"},
        {huge, "header of 18446744073709551615 bytes in a file of 16"},
        {file_of("{}").substr(0, 9), "header of 2 bytes in a file of 9"},
        {file_of(""), "does not begin with '{'"},
        {file_of(" {}"), "does not begin with '{'"},
        {file_of("[]"), "does not begin with '{'"},
        {file_of("{"), "expected a string"},
        {file_of("{}\n"), "only spaces may follow"},
        {file_of(std::string("{}\0", 3)), "only spaces may follow"},
        {file_of("{}{}"), "only spaces may follow"},
        {file_of("{\"a\":1}"), "expected '{'"},
        {file_of("{\"a\":{}}"), "expected a string"},
        {file_of("{\"a\"}"), "expected ':'"},
        {file_of("{\"a"), "a string has no end"},
        {file_of("{\"a\\"), "a string has no end"},
        {file_of("{\"\xFF\":{}}"), "not valid UTF-8"},
        {file_of("{\"\xC0\xAF\":{}}"), "not valid UTF-8"},          // overlong '/'
        {file_of("{\"\xED\xA0\x80\":{}}"), "not valid UTF-8"},      // a surrogate
        {file_of("{\"\xF4\x90\x80\x80\":{}}"), "not valid UTF-8"},  // above U+10FFFF
        {file_of("{\"\xE2\x82\":{}}"), "not valid UTF-8"},          // cut short
        {file_of("{\"a\nb\":{}}"), "a control character"},
        {file_of(R"({"\x":{}})"), "an unknown escape"},
        {file_of(R"({"\u12g4":{}})"), "four hexadecimal digits"},
        {file_of(R"({"\ud800":{}})"), "half of a surrogate pair"},
        {file_of(R"({"\ud800\u0041":{}})"), "half of a surrogate pair"},
        {file_of(R"({"\udc00":{}})"), "half of a surrogate pair"},
        {file_of(R"({"__metadata__":{"k":1}})"), "expected a string"},
        {file_of(R"({"__metadata__":{"k":"v","k":"w"}})"), "duplicate metadata key 'k'"},
        {file_of(R"({"__metadata__":{},"__metadata__":{}})"), "duplicate key '__metadata__'"},
        {file_of(R"({"__metadata__":{"k":"\xff"}})"), "an unknown escape"},
        {file_of("{\"__metadata__\":{\"k\":\"\xFF\"}}"), "not valid UTF-8"},
        {file_of(R"({"__metadata__":{},})"), "expected a string"},
        {tensor_file(R"("dtype":"F32","shape":[2])"), "'a' needs dtype, shape and data_offsets"},
        {tensor_file(R"("dtype":"F32","data_offsets":[0,8])"), "'a' needs dtype, shape and data_offsets"},
        {tensor_file(R"("shape":[2],"data_offsets":[0,8])"), "'a' needs dtype, shape and data_offsets"},
        {tensor_file(good_fields + R"(,"shape":[2])"), "duplicate field in tensor 'a'"},
        {tensor_file(good_fields + R"(,"extra":1)"), "unknown field 'extra' in tensor 'a'"},
        {tensor_file(R"("dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8])"), "unknown dtype 'F8_E4M3'"},
        {tensor_file(R"("dtype":"f32","shape":[2],"data_offsets":[0,8])"), "unknown dtype 'f32'"},
        {tensor_file(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), "expected a whole number"},
        {tensor_file(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), "not whole"},
        {tensor_file(R"("dtype":"F32","shape":[2e0],"data_offsets":[0,8])"), "not whole"},
        {tensor_file(R"("dtype":"F32","shape":[02],"data_offsets":[0,8])"), "leading zero"},
        {tensor_file(R"("dtype":"F32","shape":["2"],"data_offsets":[0,8])"), "expected a whole number"},
        {tensor_file(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), "expected '['"},
        {tensor_file(R"("dtype":"F32","shape":[2,],"data_offsets":[0,8])"), "expected a whole number"},
        {tensor_file(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8])"),
         "over 2^64 - 1"},
        {tensor_file(R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8])"),
         "extent that is too large"},
        // Products that wrap around to 8 bytes.
        {tensor_file(R"("dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8])"), "is too large"},
        {tensor_file(R"("dtype":"U8","shape":[4294967296,4294967296,8],"data_offsets":[0,8])"),
         "is too large"},
        {tensor_file(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), "'a' has 8 bytes, expected 12"},
        {tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "data_offsets [8, 0]"},
        {tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", 7),
         "the file holds 7 bytes of data"},
        {tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615])"),
         "the file holds 8"},
        {tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), "expected ','"},
        {tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"), "expected ']'"},
        {tensor_file(good_fields, 9), "1 bytes after the last tensor"},
        {file_of("{}", 3), "3 bytes after the last tensor"},
        {tensor_file(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), "'a' leaves a hole before it"},
        {file_of("{\"a\":" + u8 + "[0,4]},\"b\":" + u8 + "[5,9]}}", 9), "'b' leaves a hole before it"},
        {file_of("{\"a\":" + u8 + "[0,4]},\"b\":" + u8 + "[3,7]}}", 7), "'b' overlaps another"},
        {file_of("{\"a\":" + u8 + "[0,4]},\"b\":" + u8 + "[0,4]}}", 4), "'b' overlaps another"},
        {file_of("{\"a\":" + u8 + "[0,4]},\"a\":" + u8 + "[4,8]}}", 8), "duplicate tensor 'a'"},
        {file_of("{\"\\u0061\":" + u8 + "[0,4]},\"a\":" + u8 + "[4,8]}}", 8), "duplicate tensor 'a'"},
        {file_of("{\"a\":" + u8 + "[0,4]} \"b\":" + u8 + "[4,8]}}", 8), "expected '}'"},
    };
    for (const Case& one : cases) {
        INFO(one.file);
        REQUIRE_THROWS_WITH(parse(one.file), ContainsSubstring("m.st: ") && ContainsSubstring(one.message));
    }
}

TEST_CASE("every truncation and every longer file is refused") {
    const std::string file = example().bytes();
    for (std::size_t size = 0; size < file.size(); ++size) {
        INFO(size);
        REQUIRE_THROWS_AS(parse(file.substr(0, size)), untoward::Error);
    }
    REQUIRE_THROWS_AS(parse(file + '\0'), untoward::Error);
    REQUIRE_NOTHROW(parse(file));
}

TEST_CASE("a changed byte is refused or changes only what it says") {
    const std::string file = example().bytes();
    for (std::size_t at = 0; at < file.size(); ++at) {
        for (const char flip : {'\x01', '\x20', '\x7F'}) {
            std::string changed = file;
            changed[at] = static_cast<char>(changed[at] ^ flip);
            try {
                const io::SafeTensors read(changed, "m.st");
                for (const auto& info : read.tensors()) REQUIRE(read.bytes(info.name).size() <= file.size());
            } catch (const untoward::Error&) {
            }
        }
    }
}

TEST_CASE("names from strangers are printed without control characters") {
    const std::string file =
        file_of(R"({"\u001b[31m\u009b":{"dtype":"U8","shape":[1],"data_offsets":[0,0]}})");
    REQUIRE_THROWS_WITH(parse(file), ContainsSubstring(R"('\x1b[31m\xc2\x9b')"));
    REQUIRE(io::in_quotes(std::string(100, 'x')) == "'" + std::string(80, 'x') + "...'");
    REQUIRE(io::in_quotes(std::string(79, 'x') + "\xC3\xA4") == "'" + std::string(79, 'x') + "...'");
    REQUIRE(io::in_quotes("\xC3\xA4 \xFF") == R"('\xc3\xa4 \xff')");
    REQUIRE(io::in_quotes("\xC3\xA4") == "'\xC3\xA4'");
}
