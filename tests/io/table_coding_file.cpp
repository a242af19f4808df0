// SPDX-License-Identifier: MIT
#include "untoward/io/table_coding.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "io/rewritten.hpp"
#include "support/catch.hpp"

namespace io = untoward::io;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using untoward_test::Folder;

TEST_CASE("the coding is saved and loaded") {
    const Folder folder;
    std::string text = "amount,\"na\"\"me, x\",count\n";
    for (int i = 0; i < 99; ++i)
        text += std::to_string(i) + (i % 2 == 0 ? ",\"D\\E\"\"\n\"," : ",\xC3\xA4,") + "3\n";
    const io::Table table = io::parse_csv_table(text + "1,\xC3\xA4,4000\n", "t.csv");
    const auto coding = io::TableCoding::learn(table);
    REQUIRE(coding.to_json() ==
            R"({"version":1,"columns":[{"name":"amount","kind":"number"},{"name":"na\"me, x","kind":"text",)"
            "\"levels\":[\"D\\\\E\\\"\\u000a\",\"\xC3\xA4\"]},{\"name\":\"count\",\"kind\":\"log1p\"}]}");
    io::SafeTensorsWriter writer;
    coding.save(writer);
    writer.save(folder / "m.safetensors");
    const auto loaded = io::TableCoding::load(io::SafeTensors::load(folder / "m.safetensors"));
    REQUIRE(loaded.to_json() == coding.to_json());
    REQUIRE(loaded.feature_names() == coding.feature_names());
    REQUIRE((loaded.matrix(table).array() == coding.matrix(table).array()).all());
    REQUIRE_THROWS_WITH(io::TableCoding::load(io::SafeTensors(io::SafeTensorsWriter().bytes(), "m.st")),
                        "m.st: has no tensor 'table_coding'");
}

TEST_CASE("a coding that was changed, or is not of the detector beside it, is refused") {
    const io::TableCoding coding = io::TableCoding::from_json(
        R"({"version":1,"columns":[{"name":"a","kind":"number"},{"name":"c","kind":"text","levels":["DE","FR"]}]})",
        "c");
    const auto saved = [&coding](const std::string& beside, untoward::Index features) {
        io::SafeTensorsWriter writer;
        coding.save(writer);
        const Eigen::VectorXf centre = Eigen::VectorXf::Zero(features);
        writer.add(beside, {features}, centre);
        return writer.bytes();
    };
    const auto load = [](std::string bytes) {
        return io::TableCoding::load(io::SafeTensors(std::move(bytes), "m.st"));
    };
    const std::string bytes = saved("scaler.centre", 4);
    REQUIRE_NOTHROW(load(bytes));
    REQUIRE_THROWS_WITH(
        load(saved("scaler.centre", 3)),
        "m.st: its columns make 4 features, and 'scaler.centre' of the detector beside them has shape "
        "[3]");
    REQUIRE_THROWS_WITH(load(saved("member.0.scaler.centre", 5)),
                        ContainsSubstring("4 features") && ContainsSubstring("[5]"));
    // A level of another name is a valid coding, by which what was usual is unseen.
    std::string changed = bytes;
    changed.replace(changed.find("\"DE\""), 4, "\"DK\"");
    const std::string written = io::SafeTensors(bytes, "m.st").metadata("table_coding.checksum");
    REQUIRE_THROWS_WITH(load(changed), ContainsSubstring("m.st: column coding: it has the checksum ") &&
                                           ContainsSubstring("'" + written + "' was written beside it"));
    REQUIRE_THROWS_WITH(
        load(untoward_test::with_metadata(bytes, "table_coding.checksum", "0123456789abcdef")),
        ContainsSubstring("it has the checksum " + written + ", and '0123456789abcdef'"));
}

TEST_CASE("a malformed coding is refused, and the message says what is wrong") {
    const auto columns = [](const std::string& text) { return R"({"version":1,"columns":[)" + text + "]}"; };
    const auto levels = [&columns](const std::string& text) {
        return columns(R"({"name":"c","kind":"text","levels":[)" + text + "]}");
    };
    const std::string a = R"({"name":"a","kind":"number"})";
    std::string many = "\"a000\"";
    for (int i = 1; i <= 256; ++i) {
        const std::string digits = std::to_string(i);
        many += ",\"a" + std::string(3 - digits.size(), '0') + digits + "\"";
    }
    struct Case {
        std::string json;
        std::string message;
    };
    const Case cases[] = {
        {"", "expected '{'"},
        {"{}", "expected a string"},
        {R"({"columns":[]})", "found the key 'columns', expected 'version'"},
        {R"({"version":2,"columns":[]})", "version is 2, expected 1: another version of untoward wrote it"},
        {R"({"version":1})", "expected ','"},
        {columns(""), "expected '{'"},
        {columns(a + "," + a), "duplicate column 'a'"},
        {columns(a + ","), "expected '{'"},
        {columns(a) + " ", "text after the closing '}'"},
        {columns(R"({"name":"","kind":"number"})"), "without a name"},
        {columns(R"({"name":"a"})"), "expected ','"},
        {columns(R"({"name":"a","kind":"Number"})"), "unknown kind 'Number'"},
        {columns(R"({"name":"a","kind":"number","levels":["x"]})"),
         "found the key 'levels', expected 'offset'"},
        {columns(R"({"name":"a","kind":"text"})"), "expected ','"},
        {columns("{\"name\":\"\xFF\",\"kind\":\"number\"}"), "not valid UTF-8"},
        {levels(""), "expected a string"},
        {levels(R"("")"), "an empty level"},
        {levels(R"("NaN")"), "an empty level"},
        {levels(R"("b","a")"), "not in order"},
        {levels(R"("a","a")"), "not in order"},
        {levels(many), "more than 256 levels"},
    };
    for (const Case& one : cases) {
        INFO(one.json);
        REQUIRE_THROWS_WITH(io::TableCoding::from_json(one.json, "m.st"),
                            StartsWith("m.st: column coding: ") && ContainsSubstring(one.message));
    }
    const std::string good =
        R"({"version":1,"columns":[{"name":"a","kind":"number"},{"name":"b","kind":"log1p"},)"
        R"({"name":"c","kind":"text","levels":["DE","FR"]}]})";
    for (std::size_t size = 0; size < good.size(); ++size) {
        REQUIRE_THROWS_AS(io::TableCoding::from_json(good.substr(0, size), "m.st"), untoward::Error);
    }
    REQUIRE(io::TableCoding::from_json(good, "m.st").to_json() == good);
}
