// SPDX-License-Identifier: MIT
// Data as they should not be: each is refused with its place, or judged as its row deserves.

#include "support/program.hpp"

using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;

namespace {

// A folder with a model of small_csv (a, b, c) in it, fitted once: to 300 rows and quickly.
struct Bench {
    Folder folder;
    std::string model = folder / "m";

    Bench() {
        write_text(folder / "train.csv", small_csv(300));
        run_well({"fit", folder / "train.csv", "--model", model, "--epochs", "20", "--quiet"});
    }

    std::string file(const std::string& bytes) const {
        write_text(folder / "data.csv", bytes);
        return folder / "data.csv";
    }

    // The one row of a table of one row.
    std::vector<std::string> score(const std::string& bytes) const { return score(bytes, model); }
    std::vector<std::string> score(const std::string& bytes, const std::string& by) const {
        return cells_of(run_well({"score", file(bytes), "--model", by, "--out", "-"}).out).at(1);
    }

    // Refused by every command that reads a table.
    void refused(const std::string& bytes, std::initializer_list<std::string> texts) const {
        const std::string data = file(bytes);
        require_refusal({"fit", data, "--model", folder / "new"}, texts);
        require_refusal({"score", data, "--model", model, "--out", folder / "new"}, texts);
        require_refusal({"evaluate", data, "--model", model, "--label", "a"}, texts);
        require_refusal(
            {"calibrate", data, "--model", model, "--false-alarm-rate", "0.1", "--out", folder / "new"},
            texts);
        CHECK(folder.entries() == 3);  // nothing was written
    }
};

}  // namespace

TEST_CASE("tables that are none") {
    const Bench bench;
    bench.refused("", {"data.csv: is empty"});
    bench.refused("\n\r\n", {"data.csv: is empty"});
    bench.refused("a,b,c\n1,2,x\n3,4\n", {"data.csv, line 3: 2 cells, expected 3"});
    bench.refused("a,b,c\n1,\"2,x\n3,4,y\n", {"data.csv, line 2: ", "quote"});
    bench.refused("a;b;c\n1;2;x\n", {"data.csv: ", "not separated by ','", "';'"});
    bench.refused("0.5,1.5,2.5\n1,2,3\n", {"data.csv: the first line holds numbers"});
    bench.refused("a,a,c\n1,2,x\n", {"data.csv, line 1: columns 1 and 2 are both named 'a'"});
    bench.refused(std::string("a,b,c\n1,\0,x\n", 12), {"data.csv, line 2: is not UTF-8"});

    // A header alone is a table without rows: nothing to learn or to measure, and nothing to say of each.
    const std::string header = bench.file("a,b,c\n");
    require_refusal({"fit", header, "--model", bench.folder / "new"},
                    {"data.csv: has no row, expected at least 2"});
    require_refusal({"evaluate", header, "--model", bench.model, "--label", "a"}, {"data.csv: no rows"});
    require_refusal({"calibrate", header, "--model", bench.model, "--false-alarm-rate", "0.1", "--out",
                     bench.folder / "new"},
                    {"data.csv: no rows"});
    CHECK(cells_of(run_well({"score", header, "--model", bench.model, "--out", "-"}).out).size() == 1);
    require_refusal({"fit", bench.file("a,b\n1,2\n"), "--model", bench.folder / "new"},
                    {"data.csv: has one row, expected at least 2"});
    require_refusal({"fit", bench.file("a,l\n1,1\n1,1\n"), "--label", "l", "--model", bench.folder / "new"},
                    {"data.csv: has no row with label 0"});
}

TEST_CASE("cells that do not belong") {
    const Bench bench;
    const auto refused = [&bench](const std::string& bytes, std::initializer_list<std::string> texts) {
        require_refusal({"score", bench.file(bytes), "--model", bench.model, "--out", bench.folder / "new"},
                        texts);
    };
    refused("a,b,c\n1,2,x\n1,oops,y\n", {"data.csv, line 3, column 'b': 'oops' is text, expected a number"});
    refused("a,c\n1,x\n", {"data.csv: has no column 'b'", "only 'a', 'c'"});
    refused("x\n1\n", {"data.csv: has no column 'a', 'b', 'c'"});
    require_refusal(
        {"score", bench.folder / "data.csv", "--model", bench.model, "--out", "-", "--id", "name"},
        {"has no column 'name'"});

    // Empty cells are missing, in scoring and in training.
    const auto missing = bench.score("a,b,c\n,2,\n");
    CHECK(std::isfinite(std::stod(missing[1])));
    CHECK(missing.back() == "2");
    CHECK(bench.score("a,b,c\nnan,NA,\n").back() == "3");
    std::string gaps = small_csv(60);
    gaps += ",1,x\n1,,y\n1,2,\n,,\n";
    run_well({"fit", bench.file(gaps), "--model", bench.folder / "new", "--epochs", "1"});
    require_refusal({"fit", bench.file("a,b\n1,\n2,\n3,\n4,\n"), "--model", bench.folder / "new"},
                    {"column 'b' has no value", "--ignore b"});

    // Infinite values are errors in training and for a threshold, and anomalies afterwards.
    std::string infinite = small_csv(60) + "1,-inf,x\n";
    for (const char* value : {"inf", "-Infinity", "1e39"}) {
        infinite.replace(infinite.rfind('\n', infinite.size() - 2) + 1, std::string::npos,
                         std::string("1,") + value + ",x\n");
        INFO(infinite.substr(infinite.size() - 20));
        require_refusal({"fit", bench.file(infinite), "--model", bench.folder / "new"},
                        {"data.csv, line 62, column 'b': an infinite value"});
        require_refusal({"calibrate", bench.file(infinite), "--model", bench.model, "--false-alarm-rate",
                         "0.1", "--out", bench.folder / "new"},
                        {"data.csv, line 62, column 'b': an infinite value"});
        const auto row = bench.score(std::string("a,b,c\n1,") + value + ",x\n");
        CHECK(row[1] == "inf");
        CHECK(row[3] == "1");
        CHECK(row[4] == "b");
        // What the table says, also where it is more than the model's numbers hold.
        CHECK_THAT(row[5], ContainsSubstring(value[0] == '1' ? "1e+39" : "inf"));
    }

    // As large as a number gets: a large score that is finite, and the right column to blame. The default score
    // is about a logarithm of what is usual: 0 for normal rows. That of one model is in nats.
    const std::string one = bench.folder / "one";
    run_well({"fit", bench.folder / "train.csv", "--model", one, "--hidden", "16", "--epochs", "20"});
    for (const char* value : {"1e30", "-1e30", "3e38"}) {
        for (const auto& [model, least] : {std::pair(bench.model, 10.0), std::pair(one, 1e4)}) {
            const auto row = bench.score(std::string("a,b,c\n1,") + value + ",x\n", model);
            INFO(value << " scores " << row[1]);
            CHECK(std::isfinite(std::stod(row[1])));
            CHECK(std::stod(row[1]) > least);
            CHECK(row[3] == "1");
            CHECK(row[4] == "b");
        }
    }
    // In training it is a number like others.
    run_well(
        {"fit", bench.file(small_csv(60) + "1,1e30,x\n"), "--model", bench.folder / "new", "--epochs", "2"});
}

TEST_CASE("text columns that cannot be learned") {
    const Folder folder;
    std::string many = "name,kind,size\n";
    for (int i = 0; i < 2000; ++i)
        many +=
            "n" + std::to_string(i) + ",k" + std::to_string(i % 300) + "," + std::to_string(i % 17) + "\n";
    write_text(folder / "many.csv", many);
    const std::string model = folder / "m";
    require_refusal({"fit", folder / "many.csv", "--model", model},
                    {"many.csv: ", "'name'", "'kind'", "300 different texts", "--ignore name,kind"});
    require_refusal({"fit", folder / "many.csv", "--model", model, "--ignore", "name"},
                    {"'kind' has 300 different texts", "256", "--ignore kind"});
    run_well({"fit", folder / "many.csv", "--model", model, "--ignore", "name,kind", "--epochs", "1"});
    // A column of numbers with a few cells that are none.
    std::string nearly = "a,b\n";
    for (int i = 0; i < 100; ++i)
        nearly += std::to_string(i * i % 97) + "," + (i % 9 == 4 ? "?" : std::to_string(i)) + "\n";
    write_text(folder / "nearly.csv", nearly);
    require_refusal(
        {"fit", folder / "nearly.csv", "--model", model},
        {"column 'b' has ", "most of its cells are numbers, but not '?' in ", "nearly.csv, line "});
    // A row number, by contrast, is learned, but not without a word.
    write_text(
        folder / "counted.csv", "id," + [] {
            std::string csv = numeric_csv(100, 1);
            for (std::size_t at = csv.find('\n'), i = 1; at + 1 < csv.size();
                 at = csv.find('\n', at + 1), ++i)
                csv.insert(at + 1, std::to_string(i) + ",");
            return csv;
        }());
    CHECK_THAT(run_well({"fit", folder / "counted.csv", "--model", model, "--epochs", "1"}).err,
               ContainsSubstring("never goes down from row to row: 'id';"));
    // Different in over a fifth of the rows.
    std::string few = "who,size\n";
    for (int i = 0; i < 40; ++i) few += "w" + std::to_string(i % 20) + "," + std::to_string(i % 7) + "\n";
    write_text(folder / "few.csv", few);
    require_refusal({"fit", folder / "few.csv", "--model", model}, {"'who' has ", "a fifth", "--ignore who"});
    require_refusal({"fit", folder / "few.csv", "--model", model, "--ignore", "who,size"},
                    {"few.csv: no column is left"});
    require_refusal({"fit", folder / "few.csv", "--model", model, "--columns", "size,weight"},
                    {"few.csv: has no column 'weight'"});
    require_refusal({"fit", folder / "few.csv", "--model", model, "--label", "fraud"},
                    {"few.csv: has no column 'fraud'"});
    require_refusal({"fit", folder / "few.csv", "--model", model, "--label", "who"},
                    {"few.csv, line 2, column 'who': 'w0' is no label"});
}

TEST_CASE("rows in time: a gap in front of those that calibrate, and one that leaves none") {
    const Folder folder;
    write_text(folder / "t.csv", numeric_csv(100));
    const auto fit = [&](const char* gap) {
        return std::vector<std::string>{"fit", folder / "t.csv", "--model", folder / "m", "--gap",
                                        gap,   "--epochs",       "2"};
    };
    // 40 calibrate, so that 1% comes as near as it can; of the others' five folds the first has a gap on one side only.
    CHECK_THAT(run_well(fit("10")).err, ContainsSubstring("model 1: trained on 30 rows"));
    require_refusal(fit("60"), {"a gap of 60 samples beside 40 calibration samples leaves none of 100"});
}

TEST_CASE("ten rows: scores, no threshold, and every output says why") {
    const Folder folder;
    const std::string model = folder / "m";
    write_text(folder / "ten.csv", numeric_csv(10));
    const auto says_why = [](const std::string& text) {
        CHECK_THAT(text, ContainsSubstring("no threshold, so nothing is called anomalous"));
        CHECK_THAT(text,
                   ContainsSubstring("a false-alarm rate of 1% needs 99 calibration rows and there are 4"));
        CHECK_THAT(text, ContainsSubstring("at best 20% can be promised"));
    };
    says_why(run_well({"fit", folder / "ten.csv", "--model", model, "--epochs", "2"}).err);
    says_why(run_well({"fit", folder / "ten.csv", "--model", model, "--epochs", "2", "--quiet"}).err);
    write_text(folder / "new.csv", "n0,n1,label\n0.5,1,0\n1e6,-1e6,1\n");
    const Outcome score =
        run_well({"score", folder / "new.csv", "--model", model, "--out", "-", "--top", "0"});
    says_why(score.err);
    const Cells rows = cells_of(score.out);
    CHECK(rows[1][3] == "0");
    CHECK(rows[2][3] == "0");
    CHECK(rows[2][2] == "0.200000003");  // a float's nine digits
    CHECK(std::stod(rows[2][1]) > std::stod(rows[1][1]));
    // Yet an infinite value is always an anomaly.
    write_text(folder / "infinite.csv", "n0,n1\n1,inf\n");
    CHECK(cells_of(run_well({"score", folder / "infinite.csv", "--model", model, "--out", "-"}).out)[1][3] ==
          "1");

    const Outcome json =
        run_well({"evaluate", folder / "new.csv", "--model", model, "--label", "label", "--json"});
    says_why(json.err);
    const auto figures = figures_of(json.out);
    CHECK(std::isnan(figures.at("threshold")));
    CHECK(figures.at("recall") == 0);
    CHECK(figures.at("auc_roc") == 1);
    CHECK(figures.at("calibration_rows") == 4);
    CHECK(figures.at("calibration_rows_needed") == 99);
    const Outcome text = run_well({"evaluate", folder / "new.csv", "--model", model, "--label", "label"});
    says_why(text.err);
    CHECK_THAT(text.out, ContainsSubstring("threshold") && ContainsSubstring(" inf\n"));
    says_why(run_well({"info", model}).out);
    const Outcome calibrated = run_well({"calibrate", folder / "new.csv", "--model", model,
                                         "--false-alarm-rate", "0.3", "--out", folder / "m2"});
    CHECK_THAT(calibrated.err,
               ContainsSubstring("30% needs 3 calibration rows and there are 2; with these at best 33.33%"));

    // What can be promised is: four rows do for 20%.
    const Outcome modest =
        run_well({"fit", folder / "ten.csv", "--model", model, "--epochs", "2", "--false-alarm-rate", "0.2"});
    CHECK_THAT(modest.err, ContainsSubstring("at most 20% (calibrated on 4 normal rows"));
    // Two rows are the fewest.
    write_text(folder / "two.csv", "a\n1\n2\n");
    CHECK_THAT(run_well({"fit", folder / "two.csv", "--model", model, "--epochs", "1"}).err,
               ContainsSubstring("no threshold"));
    run_well({"score", folder / "two.csv", "--model", model, "--out", "-"});
}

TEST_CASE("one column, constant columns, all rows alike") {
    const Folder folder;
    const std::string model = folder / "m";
    write_text(folder / "one.csv", numeric_csv(300, 1));
    run_well({"fit", folder / "one.csv", "--model", model, "--epochs", "20"});
    write_text(folder / "new.csv", "n0\n0\n\n50\n");
    const Cells one = cells_of(run_well({"score", folder / "new.csv", "--model", model, "--out", "-"}).out);
    REQUIRE(one.size() == 4);
    CHECK(one[0].size() == 8);  // there is one column to blame
    CHECK(one[1][3] == "0");
    CHECK(one[2].back() == "1");
    CHECK(one[3][3] == "1");

    std::string constant = "a,b,c\n";
    for (int i = 0; i < 300; ++i) constant += "3,0,same\n";
    write_text(folder / "constant.csv", constant);
    const Outcome fit = run_well({"fit", folder / "constant.csv", "--model", model, "--epochs", "200"});
    CHECK_THAT(fit.err, ContainsSubstring("constant in training: 'a', 'b', 'c'"));
    CHECK_THAT(run_well({"info", model}).out, ContainsSubstring("constant"));
    write_text(folder / "new.csv", "a,b,c\n3,0,same\n4,0,same\n3,-1,same\n3,0,other\n");
    const Cells rows = cells_of(run_well({"score", folder / "new.csv", "--model", model, "--out", "-"}).out);
    CHECK(rows[1][3] == "0");
    CHECK(rows[2][3] == "1");
    CHECK(rows[2][4] == "a");
    CHECK(rows[3][3] == "1");
    CHECK(rows[3][4] == "b");
    CHECK(rows[4][3] == "1");
    CHECK(rows[4][4] == "c");

    // A ranking needs both kinds of rows.
    write_text(folder / "labels.csv", "a,b,c,label\n3,0,same,0\n3,0,same,0\n");
    const Outcome normal =
        run_well({"evaluate", folder / "labels.csv", "--model", model, "--label", "label", "--json"});
    CHECK(std::isnan(figures_of(normal.out).at("auc_roc")));
    CHECK(figures_of(normal.out).at("false_alarm_rate") == 0);
    CHECK_THAT(normal.err, ContainsSubstring("all rows are normal"));
}
