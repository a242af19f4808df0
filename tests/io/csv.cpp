// SPDX-License-Identifier: MIT
#include "untoward/io/csv.hpp"

#include <string>
#include <vector>

#include "io/folder.hpp"
#include "support/catch.hpp"

namespace io = untoward::io;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using untoward_test::Folder;
using Rows = std::vector<std::vector<std::string>>;

namespace {

struct Content {
    std::vector<std::string> header;
    Rows rows;
    std::vector<std::size_t> lines;
};

Content read(const std::string& text, char separator = ',') {
    io::CsvReader reader(text, "t.csv", separator);
    Content content{reader.header(), {}, {}};
    while (reader.next()) {
        content.rows.emplace_back(reader.cells().begin(), reader.cells().end());
        content.lines.push_back(reader.line());
    }
    // A second reading is the same.
    reader.rewind();
    std::size_t row = 0;
    for (; reader.next(); ++row) {
        REQUIRE(std::vector<std::string>(reader.cells().begin(), reader.cells().end()) ==
                content.rows.at(row));
        REQUIRE(reader.line() == content.lines.at(row));
    }
    REQUIRE(row == content.rows.size());
    return content;
}

}  // namespace

TEST_CASE("plain rows, with every line end") {
    const Rows expected{{"1", "2"}, {"3", "4"}};
    for (const char* text : {"a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r\n1,2\r\n3,4",
                             "a,b\r\n1,2\n3,4\r",
                             "\xEF\xBB\xBF"
                             "a,b\n1,2\n3,4\n",
                             "\n\na,b\n\n1,2\n\r\n\n3,4\n\n\n"}) {
        INFO(text);
        const Content content = read(text);
        REQUIRE(content.header == std::vector<std::string>{"a", "b"});
        REQUIRE(content.rows == expected);
    }
}

TEST_CASE("quoted cells") {
    REQUIRE(read("a,b\n\"x,y\",\"\"\n").rows == Rows{{"x,y", ""}});
    REQUIRE(read("a,b\n\"say \"\"hi\"\"\",\"\"\"\"\n").rows == Rows{{"say \"hi\"", "\""}});
    REQUIRE(read("a,b\n\"one\r\ntwo\n\",2\n").rows == Rows{{"one\r\ntwo\n", "2"}});
    REQUIRE(read("\"a,b\",\"c\"\"d\"\n1,2\n").header == std::vector<std::string>{"a,b", "c\"d"});
    REQUIRE(read("a\n\"x\"").rows == Rows{{"x"}});
    REQUIRE(read("a\n\"x\"\r\n").rows == Rows{{"x"}});
    // Many cells to put together, long and short.
    std::string text = "a,b,c\n";
    const std::string many(100, 'x');
    for (int i = 0; i < 100; ++i) text += "\"\"\"\",\"" + many + "\"\"\",\"y\"\"z\"\n";
    const std::string quoted = many + '"';
    const std::vector<std::string> expected{"\"", quoted, "y\"z"};
    for (const auto& row : read(text).rows) REQUIRE(row == expected);
}

TEST_CASE("empty cells stay, and spaces belong to cells but not to names") {
    REQUIRE(read("a,b,c\n,,\n1,,3\n,2,").rows == Rows{{"", "", ""}, {"1", "", "3"}, {"", "2", ""}});
    const Content content = read(" a ,\tb\n 1 , x y \n");
    REQUIRE(content.header == std::vector<std::string>{"a", "b"});
    REQUIRE(content.rows == Rows{{" 1 ", " x y "}});
}

TEST_CASE("in a table of one column a blank line inside is an empty cell") {
    REQUIRE(read("a\n1\n\n3\n").rows == Rows{{"1"}, {""}, {"3"}});
    REQUIRE(read("a\r\n\r\n3\r\n\r\n\r\n").rows == Rows{{""}, {"3"}});
    REQUIRE(read("a\n1\n\n\n").rows == Rows{{"1"}});
    REQUIRE(read("a\n1\n\"\"\n\n").rows == Rows{{"1"}, {""}});
    // Long runs of blank lines cost no more than others.
    REQUIRE(read("a\n" + std::string(300000, '\n') + "1").rows.size() == 300001);
}

TEST_CASE("only a header is no rows") {
    for (const char* text : {"a,b", "a,b\n", "a,b\r\n\r\n", "a\n\n\n"}) REQUIRE(read(text).rows.empty());
}

TEST_CASE("the separator can be another") {
    REQUIRE(read("a;b\n1,5;\"2;3\"\n", ';').rows == Rows{{"1,5", "2;3"}});
    REQUIRE(read("a\tb\n1\t\n", '\t').rows == Rows{{"1", ""}});
}

TEST_CASE("lines are physical lines") {
    const Content content = read("a,b\n\n1,\"x\n\ny\"\n2,z\r\n\r\n3,\"\r\n\"\r\n4,5");
    REQUIRE(content.lines == std::vector<std::size_t>{3, 6, 8, 10});
}

TEST_CASE("bad input is an error with file and line") {
    struct Case {
        std::string text;
        std::string message;
    };
    const Case cases[] = {
        {"", "t.csv: is empty, expected a line with the names of the columns"},
        {"\n\r\n\n", "t.csv: is empty"},
        {"\xEF\xBB\xBF", "t.csv: is empty"},
        {"a,b\n1,2\n3\n", "t.csv, line 3: 1 cell, expected 2"},
        {"a,b\n1,2,3\n", "t.csv, line 2: 3 cells, expected 2"},
        {"a,b\n\"1\n\n\",2\n1,2,3", "t.csv, line 5: 3 cells, expected 2"},
        {"a,b\n1,2\n ", "t.csv, line 3: 1 cell, expected 2"},
        {"a,,c\n", "t.csv, line 1: column 2 has no name"},
        {"a,b,\n", "t.csv, line 1: column 3 has no name"},
        {"\"\"\n", "t.csv, line 1: column 1 has no name"},
        {"\na, ,c\n", "t.csv, line 2: column 2 has no name"},
        {"a,b, a\n", "t.csv, line 1: columns 1 and 3 are both named 'a'"},
        {"a\n\"x\n", "t.csv, line 2: a quoted cell has no closing quote"},
        {"a\n1\n\"x\n\n\"\"\n", "t.csv, line 3: a quoted cell has no closing quote"},
        {"a\n\"x\n\"y\n", "t.csv, line 3: text after a closing quote"},
        {"a\nx\"y\"\n", "t.csv, line 2: a quote inside a cell"},
        {"a\n \"y\"\n", "t.csv, line 2: a quote inside a cell"},
        {"a,b\r1,2\r3,4\r", "t.csv, line 1: a carriage return without a line feed"},
        {"a,b\n1,2\r\r\n", "t.csv, line 2: a carriage return without a line feed"},
        {std::string("a,b\n1,\0\n", 8), "t.csv, line 2: is not UTF-8 text"},
        {"a,b\n1,2\n1,M\xFCnchen\n", "t.csv, line 3: is not UTF-8 text"},
        {std::string("\xFF\xFE"
                     "a\0,\0b\0\n\0",
                     10),
         "t.csv, line 1: is not UTF-8 text"},
    };
    for (const Case& one : cases) {
        INFO(one.text);
        REQUIRE_THROWS_WITH(read(one.text), StartsWith(one.message));
    }
}

TEST_CASE("every truncation reads or says why") {
    const std::string text =
        "\xEF\xBB\xBF"
        "a,\"b\"\"\n\",c\r\n1,\"x\ny\",\r\n,\"\",\"\"\"\"\n3,\xC3\xA4,5";
    for (std::size_t size = 0; size <= text.size(); ++size) {
        try {
            for (const auto& row : read(text.substr(0, size)).rows) REQUIRE(!row.empty());
        } catch (const untoward::Error& error) {
            REQUIRE_THAT(error.what(), StartsWith("t.csv"));
        }
    }
}

TEST_CASE("what is written is read") {
    const Folder folder;
    const std::string path = folder / "out.csv";
    const Rows rows{{"plain", "a,b", "c\"d"}, {"", " x", "y\t"}, {"one\ntwo", "\r", "\xC3\xA4;"}};
    {
        io::AtomicFile file(path);
        io::CsvWriter csv(file);
        csv.cell("x").cell("y").cell("z").end_row();
        for (const auto& row : rows) {
            for (const std::string& cell : row) csv.cell(cell);
            csv.end_row();
        }
        file.commit();
    }
    REQUIRE(read(io::read_file(path)).rows == rows);
    {
        io::AtomicFile file(path);
        io::CsvWriter csv(file, ';');
        csv.cell("only").end_row();
        csv.cell("").end_row();
        csv.cell(0.1f).end_row();
        csv.cell("a;b").cell("a,b").end_row();
        csv.cell(-7).cell(std::size_t{18446744073709551615U}).cell(1.0 / 3).end_row();
        file.commit();
    }
    REQUIRE(io::read_file(path) ==
            "only\n\"\"\n0.100000001\n\"a;b\";a,b\n-7;18446744073709551615;0.333333333\n");
    io::AtomicFile full("/dev/full");
    io::CsvWriter csv(full);
    csv.cell("x").end_row();
    REQUIRE_THROWS_WITH(full.commit(), ContainsSubstring("/dev/full: cannot be written"));
}
