// SPDX-License-Identifier: MIT
#include "untoward/io/table_coding.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "support/catch.hpp"

namespace io = untoward::io;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using io::ColumnKind;
using untoward::Index;
using untoward_test::Folder;
using Names = std::vector<std::string>;

namespace {

io::Table csv(const std::string& text, const Names& text_columns = {}) {
    return io::parse_csv_table(text, "t.csv", text_columns);
}

/// Ten rows: an amount, a country (one missing), a label.
const std::string payments =
    "amount,country,label\n"
    "1,DE,0\n2,FR,0\n3,DE,0\n,DE,0\n5,,0\n6,FR,0\n7,DE,1\n8,DE,0\n9,DE,0\n10,FR,0\n";

io::TableCoding payments_coding() { return io::TableCoding::learn(csv(payments), {.columns = {}, .ignore = {}, .label = "label"}); }

io::CodingOptions ignoring(const Names& names) { return {{}, names, ""}; }
io::CodingOptions only(const Names& names) { return {names, {}, ""}; }

bool all_nan(const Eigen::MatrixXf& values) { return values.array().isNaN().all(); }

/// A column "x" of these values and a row number.
std::string column_of(const std::vector<float>& values) {
    std::string text = "x,row\n";
    for (std::size_t i = 0; i < values.size(); ++i) {
        text += io::format_shortest(values[i]) + "," + std::to_string(i) + "\n";
    }
    return text;
}

ColumnKind kind_of(const std::vector<float>& values) {
    return io::TableCoding::learn(csv(column_of(values)), only({"x"})).columns().at(0).kind;
}

/// Ninety-nine times `low` and once `high`: skewness 9.8.
std::vector<float> skewed(float low, float high) {
    std::vector<float> values(99, low);
    values.push_back(high);
    return values;
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
    REQUIRE(x.col(0) == Eigen::Vector4f(1, 1, 0, 0));
    REQUIRE(x.col(1) == Eigen::Vector4f(2, 0, 1, 0));
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
    REQUIRE(x.col(0) == Eigen::Vector4f(4, 0, 1, 0));
    REQUIRE(x.col(1) == Eigen::Vector4f(5, 0, 0, 1));
    REQUIRE(std::isinf(x(0, 2)));
    REQUIRE(all_nan(x.col(2).tail(3)));
    REQUIRE(coding.matrix(csv("amount,country\n")).cols() == 0);
    REQUIRE_THROWS_WITH(coding.matrix(csv("country,x\nDE,1\n")),
                        "t.csv: has no column 'amount' (the model was learned with it), only 'country', 'x'");
    REQUIRE_THROWS_WITH(coding.matrix(csv("x\n1\n")), StartsWith("t.csv: has no column 'amount', 'country' (the"));
    REQUIRE_THROWS_WITH(coding.matrix(csv("amount,country\n1,\"a\nb\"\n\n2,DE\nten,DE\n")),
                        "t.csv, line 6, column 'amount': 'ten' is text, expected a number");
}

TEST_CASE("a column that is asked for as text can still be a column of numbers") {
    const io::TableCoding coding = payments_coding();
    const Eigen::MatrixXf x = coding.matrix(csv("amount,country\n007,DE\nNA,DE\n,DE\n", {"amount"}));
    REQUIRE(x(0, 0) == 7.0f);
    REQUIRE(std::isnan(x(0, 1)));
    REQUIRE(std::isnan(x(0, 2)));
    REQUIRE_THROWS_WITH(coding.matrix(csv("amount,country\n7,DE\nx,DE\n", {"amount"})), StartsWith("t.csv, line 3"));
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
    REQUIRE(coding.matrix(csv(later)).row(3) == Eigen::RowVector2f(1, 1));
    const auto small = io::TableCoding::learn(csv("c\n1\n1\n1\n1\n1\n1\nx\nx\nx\nx\n"));
    REQUIRE(small.matrix(csv("c\n1\n\n2\n")).col(0) == Eigen::Vector3f(1, 0, 0));
}

TEST_CASE("a text is compared by its bytes, without spaces around it") {
    const auto coding = io::TableCoding::learn(csv("c\n a\na \na\nB\nB\nB\n\xC3\xA4\n\xC3\xA4\n\xC3\xA4\na\na\na\nB\nB\nB\n"));
    REQUIRE(coding.columns().at(0).levels == Names{"B", "a", "\xC3\xA4"});
    REQUIRE(coding.matrix(csv("c\nb\n")).col(0) == Eigen::Vector4f(0, 0, 0, 1));
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
    REQUIRE_THROWS_WITH(io::TableCoding::learn(csv(many)),
                        "t.csv: column 'city' has 257 different texts, and each would be a feature of its own "
                        "(at most 256): leave it out with --ignore city");
    std::string most = "city\n";
    for (int i = 0; i < 3000; ++i) most += "c" + std::to_string(i % 256) + "\n";
    REQUIRE(io::TableCoding::learn(csv(most)).features() == 257);
    REQUIRE_THROWS_WITH(io::TableCoding::learn(csv("id,x\na,1\nb,2\nc,3\na,4\na,5\na,6\na,7\na,8\na,9\na,10\n")),
                        "t.csv: column 'id' has 3 different texts in 10 rows, too many to learn which are usual "
                        "(at most a fifth): leave it out with --ignore id");
    REQUIRE(io::TableCoding::learn(csv("id\na\nb\na\na\na\na\na\na\na\na\n")).features() == 3);
    REQUIRE(io::TableCoding::learn(csv("id\na\na\n")).features() == 2);  // constant text is fine
    REQUIRE_THROWS_WITH(io::TableCoding::learn(csv("a b,c,d\nx,,1\ny,NA,2\n")),
                        "t.csv: column 'a b' has 2 different texts in 2 rows, too many to learn which are usual (at "
                        "most a fifth); column 'c' has no value in any row: leave them out with --ignore 'a b,c'");
    REQUIRE(io::TableCoding::learn(csv("a b,c,d\nx,,1\ny,NA,2\n"), ignoring({"a b", "c"})).features() == 1);
    REQUIRE_THROWS_WITH(io::TableCoding::learn(csv("a,b,c,d,e,f,g\n,,,,,,\n")),
                        ContainsSubstring("'e' has no value in any row; and so on: leave") &&
                            ContainsSubstring("--ignore a,b,c,d,e,f,g"));
}

TEST_CASE("large skewed counts are coded as logarithms") {
    REQUIRE(kind_of(skewed(1, 21)) == ColumnKind::Log1p);
    REQUIRE(kind_of(skewed(0, 1e9f)) == ColumnKind::Log1p);
    REQUIRE(kind_of(skewed(1, 20)) == ColumnKind::Number);       // does not exceed 20
    REQUIRE(kind_of(skewed(-1, 1000)) == ColumnKind::Number);    // negative
    REQUIRE(kind_of({1, 2, 3, 1000}) == ColumnKind::Number);     // four values cannot be that skewed
    REQUIRE(kind_of(std::vector<float>(100, 50)) == ColumnKind::Number);  // constant
    REQUIRE(kind_of({100}) == ColumnKind::Number);
    // Around the limit: one of n values at 100, the rest 0, has skewness (n - 2) / sqrt(n - 1).
    std::vector<float> one(27, 0.0f);
    one[0] = 100;  // 25 / sqrt(26) = 4.90
    REQUIRE(kind_of(one) == ColumnKind::Number);
    one.resize(29, 0.0f);  // 27 / sqrt(28) = 5.10
    REQUIRE(kind_of(one) == ColumnKind::Log1p);
    // What is not finite has no part in it.
    std::vector<float> infinite = skewed(1, 1000);
    infinite.push_back(std::numeric_limits<float>::infinity());
    infinite.push_back(std::numeric_limits<float>::quiet_NaN());
    REQUIRE(kind_of(infinite) == ColumnKind::Log1p);
}

TEST_CASE("logarithms go there and back, below zero too") {
    const auto coding = io::TableCoding::learn(csv(column_of(skewed(1, 1000))), only({"x"}));
    const Eigen::MatrixXf x = coding.matrix(csv("x\n0\n1\n1000\n-3\ninf\n-inf\nnan\n1e30\n"));
    REQUIRE(x(0, 0) == 0.0f);
    REQUIRE(x(0, 1) == Approx(std::log(2.0)));
    REQUIRE(x(0, 2) == Approx(std::log(1001.0)));
    REQUIRE(x(0, 3) == Approx(-std::log(4.0)));
    REQUIRE(x(0, 4) == std::numeric_limits<float>::infinity());
    REQUIRE(x(0, 5) == -std::numeric_limits<float>::infinity());
    REQUIRE(std::isnan(x(0, 6)));
    for (const float value : {0.0f, 1.0f, 1000.0f, -3.0f, 1e30f, 0.001f}) {
        REQUIRE(coding.original(0, io::signed_log1p(value)) == Approx(value).epsilon(1e-5));
    }
    REQUIRE(coding.feature_names() == Names{"x"});
}

TEST_CASE("explanations speak of columns and their units") {
    std::string text = "amount,country,count\n";
    for (int i = 0; i < 99; ++i) text += std::to_string(i) + ".25," + (i % 2 == 0 ? "DE" : "FR") + ",3\n";
    const io::Table table = csv(text + "0.1,,4000\n");
    const auto coding = io::TableCoding::learn(table);
    REQUIRE(coding.columns().at(2).kind == ColumnKind::Log1p);
    const Eigen::MatrixXf x = coding.matrix(table);
    REQUIRE(coding.decoded_text(0, x.col(1)) == "1.25");
    REQUIRE(coding.decoded_text(1, x.col(1)) == "FR");
    REQUIRE(coding.decoded_text(2, x.col(1)) == "3");
    REQUIRE(coding.decoded_text(2, x.col(99)) == "4000");
    REQUIRE(coding.decoded_text(1, x.col(99)).empty());
    REQUIRE(coding.observed_text(0, table, 99) == "0.1");
    REQUIRE(coding.observed_text(1, table, 1) == "FR");
    REQUIRE(coding.observed_text(1, table, 99).empty());
    // What a model expects is no exact level: the largest counts.
    Eigen::VectorXf expected(5);
    expected << 12.5f, 0.2f, 0.7f, 0.1f, std::log(11.0f);
    REQUIRE(coding.decoded_text(0, expected) == "12.5");
    REQUIRE(coding.decoded_text(1, expected) == "FR");
    REQUIRE(coding.decoded_text(2, expected) == "10");
    expected(3) = 0.9f;
    REQUIRE(coding.decoded_text(1, expected) == "(unseen)");
    expected(0) = std::numeric_limits<float>::quiet_NaN();
    REQUIRE(coding.decoded_text(0, expected).empty());
    const io::Table later = csv("count,country,amount\n1,XX,2\n");
    REQUIRE(coding.decoded_text(1, coding.matrix(later).col(0)) == "(unseen)");
    REQUIRE(coding.observed_text(1, later, 0) == "XX");
}

TEST_CASE("only the given rows are learned from") {
    const std::string text = "c,n,t\nA,1,1\nA,2,2\nB,3,3\nA,4,4\nB,5,5\nA,6,6\nB,7,7\nA,8,8\nA,9,9\nB,10,10\n";
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
    REQUIRE(x == (Eigen::Matrix2f() << 5, 6, 7, 8).finished());
    const std::string one = io::npy_bytes(Eigen::Vector2f(1, 2));
    REQUIRE_THROWS_WITH(coding.matrix(io::parse_npy_table(io::as_bytes(one), "x.npy")),
                        StartsWith("x.npy: has no column 'f1'"));
}

TEST_CASE("the coding is saved and loaded") {
    const Folder folder;
    std::string text = "amount,\"na\"\"me, x\",count\n";
    for (int i = 0; i < 99; ++i) text += std::to_string(i) + (i % 2 == 0 ? ",\"D\\E\"\"\n\"," : ",\xC3\xA4,") + "3\n";
    const io::Table table = csv(text + "1,\xC3\xA4,4000\n");
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
    REQUIRE(loaded.matrix(table) == coding.matrix(table));
    REQUIRE_THROWS_WITH(io::TableCoding::load(io::SafeTensors(io::SafeTensorsWriter().bytes(), "m.st")),
                        "m.st: has no tensor 'table_coding'");
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
        {R"({"version":2,"columns":[]})", "newer version"},
        {R"({"version":1})", "expected ','"},
        {columns(""), "expected '{'"},
        {columns(a + "," + a), "duplicate column 'a'"},
        {columns(a + ","), "expected '{'"},
        {columns(a) + " ", "text after the closing '}'"},
        {columns(R"({"name":"","kind":"number"})"), "without a name"},
        {columns(R"({"name":"a"})"), "expected ','"},
        {columns(R"({"name":"a","kind":"Number"})"), "unknown kind 'Number'"},
        {columns(R"({"name":"a","kind":"number","levels":["x"]})"), "expected '}'"},
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
    const std::string good = payments_coding().to_json();
    for (std::size_t size = 0; size < good.size(); ++size) {
        REQUIRE_THROWS_AS(io::TableCoding::from_json(good.substr(0, size), "m.st"), untoward::Error);
    }
    REQUIRE(io::TableCoding::from_json(good, "m.st").to_json() == good);
}
