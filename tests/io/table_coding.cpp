// SPDX-License-Identifier: MIT
#include "untoward/io/table_coding.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace io = untoward::io;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using io::ColumnKind;
using untoward::Index;
using Names = std::vector<std::string>;

namespace {

io::Table csv(const std::string& text, const Names& text_columns = {}) {
    return io::parse_csv_table(text, "t.csv", text_columns);
}

/// Ten rows: an amount, a country (one missing), a label.
const std::string payments =
    "amount,country,label\n"
    "1,DE,0\n2,FR,0\n3,DE,0\n,DE,0\n5,,0\n6,FR,0\n7,DE,1\n8,DE,0\n9,DE,0\n10,FR,0\n";

io::TableCoding payments_coding() {
    return io::TableCoding::learn(csv(payments), {.columns = {}, .ignore = {}, .label = "label"});
}

io::CodingOptions ignoring(const Names& names) {
    return {{}, names, ""};
}
io::CodingOptions only(const Names& names) {
    return {names, {}, ""};
}

bool is_column(const Eigen::MatrixXf& x, Index column, const std::vector<float>& expected) {
    return std::vector<float>(x.col(column).begin(), x.col(column).end()) == expected;
}

bool all_nan(const Eigen::MatrixXf& values) {
    return values.array().isNaN().all();
}

}  // namespace

TEST_CASE("numbers and texts become features") {
    const io::TableCoding coding = payments_coding();
    REQUIRE(coding.features() == 4);
    REQUIRE(coding.feature_names() == Names{"amount", "country=DE", "country=FR", "country=(unseen)"});
    REQUIRE(coding.column_of(0) == 0);
    for (Index feature = 1; feature < 4; ++feature) REQUIRE(coding.column_of(feature) == 1);
    REQUIRE(coding.first_feature(1) == 1);
    REQUIRE(coding.text_columns() == Names{"country"});
    const Eigen::MatrixXf x = coding.matrix(csv(payments));
    REQUIRE(x.rows() == 4);
    REQUIRE(x.cols() == 10);
    REQUIRE(is_column(x, 0, {1, 1, 0, 0}));
    REQUIRE(is_column(x, 1, {2, 0, 1, 0}));
    // A missing cell is missing in every feature of its column, and only there.
    REQUIRE(std::isnan(x(0, 3)));
    REQUIRE(x(1, 3) == 1.0f);
    REQUIRE(x(0, 4) == 5.0f);
    REQUIRE(all_nan(x.col(4).tail(3)));
}

TEST_CASE("later tables are matched by name") {
    const io::TableCoding coding = payments_coding();
    const Eigen::MatrixXf x = coding.matrix(csv("extra,country,amount\nx,FR,4\ny,XX,5\nz,,inf\n"));
    REQUIRE(x.cols() == 3);
    REQUIRE(is_column(x, 0, {4, 0, 1, 0}));
    REQUIRE(is_column(x, 1, {5, 0, 0, 1}));
    REQUIRE(std::isinf(x(0, 2)));
    REQUIRE(all_nan(x.col(2).tail(3)));
    REQUIRE(coding.matrix(csv("amount,country\n")).cols() == 0);
    REQUIRE_THROWS_WITH(coding.matrix(csv("country,x\nDE,1\n")),
                        "t.csv: has no column 'amount' (the model was learned with it), only 'country', 'x'");
    REQUIRE_THROWS_WITH(coding.matrix(csv("x\n1\n")),
                        StartsWith("t.csv: has no column 'amount', 'country' (the"));
    REQUIRE_THROWS_WITH(coding.matrix(csv("amount,country\n1,\"a\nb\"\n\n2,DE\nten,DE\n")),
                        "t.csv, line 6, column 'amount': 'ten' is text, expected a number");
}

TEST_CASE("a column that is asked for as text can still be a column of numbers") {
    const io::TableCoding coding = payments_coding();
    const Eigen::MatrixXf x = coding.matrix(csv("amount,country\n007,DE\nNA,DE\n,DE\n", {"amount"}));
    REQUIRE(x(0, 0) == 7.0f);
    REQUIRE(std::isnan(x(0, 1)));
    REQUIRE(std::isnan(x(0, 2)));
    REQUIRE_THROWS_WITH(coding.matrix(csv("amount,country\n7,DE\nx,DE\n", {"amount"})),
                        StartsWith("t.csv, line 3"));
    const auto again = io::TableCoding::learn(csv(payments, {"amount"}), ignoring({"label"}));
    REQUIRE(again.columns().at(0).kind == ColumnKind::Number);
}

TEST_CASE("texts that look like numbers keep their form when read as text") {
    std::string text = "code,x\n";
    for (int i = 0; i < 30; ++i) text += i % 3 == 0 ? "007,1\n" : i % 3 == 1 ? "1.0,2\n" : "A1,3\n";
    const auto coding = io::TableCoding::learn(csv(text));
    REQUIRE(coding.feature_names() == Names{"code=007", "code=1.0", "code=A1", "code=(unseen)", "x"});
    const std::string later = "code,x\n007,1\n1.0,2\n";
    const Eigen::MatrixXf x = coding.matrix(csv(later, coding.text_columns()));
    REQUIRE(x(0, 0) == 1.0f);
    REQUIRE(x(1, 1) == 1.0f);
    // Read as numbers they have lost it, and are unseen.
    REQUIRE(coding.matrix(csv(later))(3, 0) == 1.0f);
    const auto small = io::TableCoding::learn(csv("c\n1\n1\n1\n1\n1\n1\nx\nx\nx\nx\n"));
    REQUIRE(is_column(small.matrix(csv("c\n1\n\n2\n")), 0, {1, 0, 0}));
}

TEST_CASE("a text is compared by its bytes, without spaces around it") {
    const auto coding = io::TableCoding::learn(
        csv("c\n a\na \na\nB\nB\nB\n\xC3\xA4\n\xC3\xA4\n\xC3\xA4\na\na\na\nB\nB\nB\n"));
    REQUIRE(coding.columns().at(0).levels == Names{"B", "a", "\xC3\xA4"});
    REQUIRE(is_column(coding.matrix(csv("c\nb\n")), 0, {0, 0, 0, 1}));
}

TEST_CASE("columns are chosen by name") {
    const io::Table table = csv("a,b,c,d\n1,2,3,0\n4,5,6,1\n");
    const auto names = [&table](const io::CodingOptions& options) {
        return io::TableCoding::learn(table, options).feature_names();
    };
    REQUIRE(names({}) == Names{"a", "b", "c", "d"});
    REQUIRE(names(ignoring({"b", "d"})) == Names{"a", "c"});
    REQUIRE(names(only({"c", "a"})) == Names{"a", "c"});
    REQUIRE(names({{"a", "b", "d"}, {"b"}, "d"}) == Names{"a"});
    REQUIRE(names({{}, {}, "d"}) == Names{"a", "b", "c"});
    const std::string there = ", only 'a', 'b', 'c', 'd'";
    REQUIRE_THROWS_WITH(names(ignoring({"x"})), "t.csv: has no column 'x'" + there);
    REQUIRE_THROWS_WITH(names(only({"a", "y"})), "t.csv: has no column 'y'" + there);
    REQUIRE_THROWS_WITH(names({{}, {}, "z"}), "t.csv: has no column 'z'" + there);
    REQUIRE_THROWS_WITH(names({{"d"}, {}, "d"}), "t.csv: no column is left to learn from");
    REQUIRE_THROWS_WITH(io::TableCoding::learn(csv("a,b\n")), "t.csv: has no rows to learn from");
}

TEST_CASE("what cannot be learned is named, with the remedy") {
    std::string many = "city,x\n";
    for (int i = 0; i < 3000; ++i) many += "c" + std::to_string(i % 257) + ",1\n";
    REQUIRE_THROWS_WITH(
        io::TableCoding::learn(csv(many)),
        "t.csv: column 'city' has 257 different texts, and each would be a feature of its own "
        "(at most 256): leave it out with --ignore city");
    std::string most = "city\n";
    for (int i = 0; i < 3000; ++i) most += "c" + std::to_string(i % 256) + "\n";
    REQUIRE(io::TableCoding::learn(csv(most)).features() == 257);
    REQUIRE_THROWS_WITH(
        io::TableCoding::learn(csv("id,x\na,1\nb,2\nc,3\na,4\na,5\na,6\na,7\na,8\na,9\na,10\n")),
        "t.csv: column 'id' has 3 different texts in 10 rows, too many to learn which are usual "
        "(at most a fifth): leave it out with --ignore id");
    REQUIRE(io::TableCoding::learn(csv("id\na\nb\na\na\na\na\na\na\na\na\n")).features() == 3);
    REQUIRE(io::TableCoding::learn(csv("id\na\na\n")).features() == 2);  // constant text is fine
    REQUIRE_THROWS_WITH(
        io::TableCoding::learn(csv("a b,c,d\nx,,1\ny,NA,2\n")),
        "t.csv: column 'a b' has 2 different texts in 2 rows, too many to learn which are usual (at "
        "most a fifth); column 'c' has no value in any row: leave them out with --ignore 'a b,c'");
    REQUIRE(io::TableCoding::learn(csv("a b,c,d\nx,,1\ny,NA,2\n"), ignoring({"a b", "c"})).features() == 1);
    REQUIRE_THROWS_WITH(io::TableCoding::learn(csv("a,b,c,d,e,f,g\n,,,,,,\n")),
                        ContainsSubstring("'e' has no value in any row; and so on: leave") &&
                            ContainsSubstring("--ignore a,b,c,d,e,f,g"));
}

TEST_CASE("only the given rows are learned from") {
    const std::string text =
        "c,n,t\nA,1,1\nA,2,2\nB,3,3\nA,4,4\nB,5,5\nA,6,6\nB,7,7\nA,8,8\nA,9,9\nB,10,10\n";
    const std::vector<Index> rows{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const auto clean = io::TableCoding::learn(csv(text), {}, rows);
    const auto corrupt = io::TableCoding::learn(csv(text + "C,1e9,word\nD,-5,\n,,\n"), {}, rows);
    REQUIRE(corrupt.to_json() == clean.to_json());
    REQUIRE(corrupt.columns().at(2).kind == ColumnKind::Number);
    REQUIRE_THROWS_WITH(corrupt.matrix(csv(text + "C,1e9,word\n")),
                        "t.csv, line 12, column 't': 'word' is text, expected a number");
}

TEST_CASE("a model of a csv file scores a npy file") {
    const auto coding = io::TableCoding::learn(csv("f0,f1\n1,2\n3,4\n"));
    const std::string npy = io::npy_bytes((Eigen::Matrix<float, 3, 2>() << 5, 6, 7, 8, 9, 10).finished());
    const Eigen::MatrixXf x = coding.matrix(io::parse_npy_table(io::as_bytes(npy), "x.npy"));
    REQUIRE(is_column(x, 0, {5, 7}));
    REQUIRE(is_column(x, 1, {6, 8}));
    const std::string one = io::npy_bytes(Eigen::Vector2f(1, 2));
    REQUIRE_THROWS_WITH(coding.matrix(io::parse_npy_table(io::as_bytes(one), "x.npy")),
                        StartsWith("x.npy: has no column 'f1'"));
}
