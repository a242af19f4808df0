// SPDX-License-Identifier: MIT
#include "untoward/io/table.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "support/catch.hpp"

namespace io = untoward::io;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using untoward_test::Folder;

TEST_CASE("columns are numbers or text") {
    const io::Table table = io::parse_csv_table(
        "amount,country,note,mixed,empty\n"
        "1.5,DE,,7,\n"
        " 2 , FR ,nan,\"x, y\",NA\n"
        ",DE,,8,nan\n"
        "NA,\"\",3,,\n"
        "-inf,NaN,,NA,\n",
        "t.csv");
    REQUIRE(table.rows() == 5);
    REQUIRE(table.names() == std::vector<std::string>{"amount", "country", "note", "mixed", "empty"});
    const io::Column& amount = table.column("amount");
    REQUIRE_FALSE(amount.is_text);
    REQUIRE(amount.numbers[0] == 1.5f);
    REQUIRE(amount.numbers[1] == 2.0f);
    REQUIRE(std::isnan(amount.numbers[2]));
    REQUIRE(std::isnan(amount.numbers[3]));
    REQUIRE(amount.numbers[4] == -std::numeric_limits<float>::infinity());
    REQUIRE(amount.text(0) == "1.5");
    REQUIRE(amount.text(2).empty());
    const io::Column& country = table.column("country");
    REQUIRE(country.is_text);
    REQUIRE(country.levels == std::vector<std::string>{"DE", "FR"});
    REQUIRE(country.codes == std::vector<std::uint32_t>{0, 1, 0, io::Column::missing, io::Column::missing});
    REQUIRE(country.text(1) == "FR");
    REQUIRE(country.text(3).empty());
    REQUIRE_FALSE(table.column("note").is_text);
    // In a column of text, NA is a text like others, and what looks like a number is the text as it stands.
    REQUIRE(table.column("mixed").levels == std::vector<std::string>{"7", "x, y", "8", "NA"});
    REQUIRE_FALSE(table.column("empty").is_text);
    REQUIRE(table.find("none") == nullptr);
    REQUIRE_THROWS_WITH(table.column("none"),
                        "t.csv: has no column 'none', only 'amount', 'country', 'note', 'mixed', 'empty'");
}

TEST_CASE("a column can be asked for as text") {
    const io::Table table =
        io::parse_csv_table("id,x\n007,1\n20231231235959123,2\n", "t.csv", {"id", "not there"});
    REQUIRE(table.column("id").is_text);
    REQUIRE(table.column("id").text(0) == "007");
    REQUIRE(table.column("id").text(1) == "20231231235959123");
    REQUIRE_FALSE(table.column("x").is_text);
}

TEST_CASE("a column that turns out to be text late has its first texts too") {
    std::string text = "a,b\n";
    for (int i = 0; i < 1000; ++i) text += std::to_string(i % 3) + ".0," + std::to_string(i) + "\n";
    const io::Table table = io::parse_csv_table(text + "x,1\n", "t.csv");
    REQUIRE(table.column("a").levels == std::vector<std::string>{"0.0", "1.0", "2.0", "x"});
    REQUIRE(table.column("a").codes.size() == 1001);
    REQUIRE(table.column("b").numbers.size() == 1001);
}

TEST_CASE("places of rows are those of the file") {
    const io::Table table = io::parse_csv_table("a,b\n1,\"x\ny\"\n\n2,z\n", "t.csv");
    REQUIRE(table.place(0) == "t.csv, line 2");
    REQUIRE(table.place(1) == "t.csv, line 5");
}

TEST_CASE("a header only has columns and no rows") {
    const io::Table table = io::parse_csv_table("a,b\n", "t.csv");
    REQUIRE(table.rows() == 0);
    REQUIRE(table.columns().size() == 2);
    const std::string npy = io::npy_bytes(Eigen::MatrixXf(3, 0));
    REQUIRE(io::parse_npy_table(io::as_bytes(npy), "t.npy").rows() == 0);
    REQUIRE(io::parse_npy_table(io::as_bytes(npy), "t.npy").columns().size() == 3);
}

TEST_CASE("a file without a header is noticed") {
    REQUIRE_THROWS_WITH(io::parse_csv_table("0.25,7\n0.5,8\n", "t.csv"),
                        "t.csv: the first line holds numbers, expected the names of the columns");
    REQUIRE_THROWS_AS(io::parse_csv_table("1,-2\n3,4\n", "t.csv"), untoward::Error);
    // Columns may be numbered.
    REQUIRE(io::parse_csv_table("0,1,2\n3,4,5\n", "t.csv").rows() == 1);
    REQUIRE(io::parse_csv_table("0.25,x\n3,4\n", "t.csv").rows() == 1);
}

TEST_CASE("a file with another separator is noticed") {
    REQUIRE_THROWS_WITH(io::parse_csv_table("a;b\n1;2\n", "t.csv"),
                        "t.csv: the first line is not separated by ',' but has ';'");
    REQUIRE_THROWS_WITH(io::parse_csv_table("a\tb\n1\t2\n", "t.csv"), ContainsSubstring("but has '\\x09'"));
    REQUIRE_THROWS_WITH(io::parse_csv_table("a,b\n1,2\n", "t.csv", {}, ';'),
                        ContainsSubstring("but has ','"));
    REQUIRE(io::parse_csv_table("a;b\n1;2\n", "t.csv", {}, ';').columns().size() == 2);
}

TEST_CASE("files of both kinds are read") {
    const Folder folder;
    io::write_file(folder / "t.csv", "f0,f1\n1,2\n3,4\n");
    io::write_npy(folder / "t.npy", (Eigen::Matrix2f() << 1, 3, 2, 4).finished());
    const io::Table csv = io::read_table(folder / "t.csv");
    const io::Table npy = io::read_table(folder / "t.npy");
    REQUIRE(csv.names() == npy.names());
    for (const char* name : {"f0", "f1"}) REQUIRE(csv.column(name).numbers == npy.column(name).numbers);
    REQUIRE(npy.place(1) == (folder / "t.npy") + ", row 2");
    // The first bytes tell, whatever the name; but a .npy file must be one.
    io::write_npy(folder / "data", Eigen::Matrix2f(Eigen::Matrix2f::Zero()));
    REQUIRE(io::read_table(folder / "data").rows() == 2);
    io::write_file(folder / "wrong.npy", "a,b\n1,2\n");
    REQUIRE_THROWS_WITH(io::read_table(folder / "wrong.npy"), ContainsSubstring("is not an NPY file"));
    io::write_file(folder / "s.csv", "a;b\n1,5;2\n");
    REQUIRE(io::read_table(folder / "s.csv", {}, ';').column("a").is_text);
}

TEST_CASE("bad files name the file") {
    const Folder folder;
    io::write_file(folder / "empty.csv", "");
    io::write_file(folder / "ragged.csv", "a,b\n1,2\n3\n");
    REQUIRE_THROWS_WITH(io::read_table(folder / "empty.csv"), ContainsSubstring("empty.csv: is empty"));
    REQUIRE_THROWS_WITH(io::read_table(folder / "ragged.csv"),
                        ContainsSubstring("ragged.csv, line 3: 1 cell, expected 2"));
    REQUIRE_THROWS_WITH(io::read_table(folder / "none.csv"), ContainsSubstring("none.csv: cannot be opened"));
    REQUIRE_THROWS_WITH(io::read_table(folder.path().string()), ContainsSubstring("is a directory"));
}

TEST_CASE("a table has a bounded number of columns") {
    const std::string npy = io::npy_bytes(Eigen::MatrixXf(Eigen::MatrixXf::Zero(65537, 1)));
    REQUIRE_THROWS_WITH(io::parse_npy_table(io::as_bytes(npy), "t.npy"),
                        "t.npy: has 65537 columns, at most 65536 can be used (rows are samples)");
    std::string header = "a";
    for (int i = 0; i < 65536; ++i) header += "," + std::to_string(i);
    REQUIRE_THROWS_WITH(io::parse_csv_table(header, "t.csv"), StartsWith("t.csv: has 65537 columns"));
}

TEST_CASE("a table must hang together") {
    io::Column a;
    a.name = "a";
    a.numbers = {1, 2};
    REQUIRE(io::Table("t", {a}, 2).place(0) == "t, row 1");
    REQUIRE_THROWS_WITH(io::Table("t", {a}, 3), "t: column 'a' has 2 rows, expected 3");
    REQUIRE_THROWS_WITH(io::Table("t", {a, a}, 2), "t: two columns are named 'a'");
}

TEST_CASE("long lists of names are cut") {
    std::vector<std::string> names(25, "x");
    REQUIRE_THAT(io::name_list(names), StartsWith("'x', 'x'") && Catch::Matchers::EndsWith("'x' and 5 more"));
}
