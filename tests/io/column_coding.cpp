// SPDX-License-Identifier: MIT
#include "untoward/io/table_coding.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace io = untoward::io;
using io::ColumnKind;

namespace {

io::Table csv(const std::string& text) {
    return io::parse_csv_table(text, "t.csv");
}

/// A column "x" of these values and a row number.
std::string column_of(const std::vector<float>& values) {
    std::string text = "x,row\n";
    for (std::size_t i = 0; i < values.size(); ++i) {
        text += io::format_shortest(values[i]) + "," + std::to_string(i) + "\n";
    }
    return text;
}

ColumnKind kind_of(const std::vector<float>& values) {
    return io::TableCoding::learn(csv(column_of(values)), {{"x"}, {}, ""}).columns().at(0).kind;
}

/// Ninety-nine times `low` and once `high`: skewness 9.8.
std::vector<float> skewed(float low, float high) {
    std::vector<float> values(99, low);
    values.push_back(high);
    return values;
}

}  // namespace

TEST_CASE("large skewed counts are coded as logarithms") {
    REQUIRE(kind_of(skewed(1, 21)) == ColumnKind::Log1p);
    REQUIRE(kind_of(skewed(0, 1e9f)) == ColumnKind::Log1p);
    REQUIRE(kind_of(skewed(1, 20)) == ColumnKind::Number);                // does not exceed 20
    REQUIRE(kind_of(skewed(-1, 1000)) == ColumnKind::Number);             // negative
    REQUIRE(kind_of({1, 2, 3, 1000}) == ColumnKind::Number);              // four values cannot be that skewed
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
    const auto coding = io::TableCoding::learn(csv(column_of(skewed(1, 1000))), {{"x"}, {}, ""});
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
    REQUIRE(coding.feature_names() == std::vector<std::string>{"x"});
}

TEST_CASE("ColumnCoding: a column far from zero is centred in double, there and back, saved and loaded") {
    std::string text = "northing,amount\n";
    for (int i = 0; i < 100; ++i) {
        const int millimetres = i * 37 % 41 - 20;
        text += "5523417." + std::to_string(500 + millimetres) + "," + std::to_string(i) + ".5\n";
    }
    text += "0,1\n";  // one wild value changes nothing
    const io::Table table = csv(text);
    const auto coding = io::TableCoding::learn(table);
    REQUIRE(coding.columns().at(0).kind == ColumnKind::Number);
    REQUIRE(coding.columns().at(0).offset == 5523417.5);
    REQUIRE(coding.columns().at(1).offset == 0);
    const Eigen::MatrixXf x = coding.matrix(table);
    for (int i = 0; i < 100; ++i) {
        REQUIRE(x(0, i) == Approx(0.001 * (i * 37 % 41 - 20)).margin(1e-8));
        REQUIRE(coding.original(0, x(0, i)) == Approx(5523417.5 + 0.001 * (i * 37 % 41 - 20)).epsilon(1e-15));
    }
    REQUIRE(x(0, 100) == -5523417.5f);
    REQUIRE(coding.observed_text(0, table, 0) == "5523417.48");
    REQUIRE(coding.decoded_text(0, x.col(0)) == "5523417.48");
    const auto again = io::TableCoding::from_json(coding.to_json(), "x");
    REQUIRE(again.to_json() == coding.to_json());
    REQUIRE(again.matrix(table) == x);
    for (const char* wrong : {"0", "nan", "5523417.6", "x"}) {
        const std::string json =
            std::string(R"({"version":1,"columns":[{"name":"a","kind":"number","offset":")") + wrong +
            "\"}]}";
        REQUIRE_THROWS_AS(io::TableCoding::from_json(json, "x"), untoward::Error);
    }
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
    // Where nothing is likely, no text that training never met is made up.
    expected.segment(1, 3) << 0.05f, 0.1f, 0.3f;
    REQUIRE(coding.decoded_text(1, expected) == "FR");
    expected(0) = std::numeric_limits<float>::quiet_NaN();
    REQUIRE(coding.decoded_text(0, expected).empty());
    const io::Table later = csv("count,country,amount\n1,XX,2\n");
    REQUIRE(coding.decoded_text(1, coding.matrix(later).col(0)) == "(unseen)");
    REQUIRE(coding.observed_text(1, later, 0) == "XX");
}
