// SPDX-License-Identifier: MIT
// A table goes in, a model comes out, and everything that is done with a model: fit, score, evaluate,
// calibrate, info.

#include <algorithm>
#include <set>
#include <sstream>

#include "support/program.hpp"
#include "untoward/io/npy.hpp"
#include "untoward/io/number.hpp"
#include "untoward/io/safetensors.hpp"

using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;
using Row = std::vector<std::string>;

namespace {

// Payments with an identifier, quoted texts, an amount that is skewed, a cell in ten empty, and a label.
// Lines end in CR LF.
std::string payments(int rows, bool labelled) {
    Numbers numbers(7);
    std::ostringstream csv;
    csv << "payment,\"amount, EUR\",country,age" << (labelled ? ",fraud\r\n" : "\r\n");
    for (int i = 0; i < rows; ++i) {
        const bool fraud = labelled && i % 10 == 9;
        csv << "00000000000" << 1000 + i << ',';
        csv << std::exp(numbers.normal() * (i % 3 == 0 ? 2.5 : 1) + (fraud ? 15 : 3)) << ',';
        csv << (numbers.uniform() < 0.5   ? "\"Korea, South\""
                : numbers.uniform() < 0.5 ? "DE"
                                          : "\"the \"\"US\"\"\"")
            << ',';
        if (numbers.uniform() < 0.9) csv << 40 + 10 * numbers.normal();
        if (labelled) csv << ',' << (fraud ? 1 : 0);
        csv << "\r\n";
    }
    return csv.str();
}

std::set<std::string> changed_tensors(const std::string& before, const std::string& after) {
    const auto first = untoward::io::SafeTensors::load(before);
    const auto second = untoward::io::SafeTensors::load(after);
    REQUIRE(first.tensors().size() == second.tensors().size());
    std::set<std::string> changed;
    for (const auto& tensor : first.tensors()) {
        const auto old_bytes = first.bytes(tensor.name);
        const auto new_bytes = second.bytes(tensor.name);
        if (!std::equal(old_bytes.begin(), old_bytes.end(), new_bytes.begin(), new_bytes.end()))
            changed.insert(tensor.name);
    }
    for (const auto& [key, value] : first.metadata()) {
        if (second.metadata(key) != value) changed.insert(key);
    }
    REQUIRE(first.metadata().size() == second.metadata().size());
    changed.erase("checksum");  // of the rest
    return changed;
}

}  // namespace

TEST_CASE("payments from training to a new threshold") {
    const Folder folder;
    const std::string model = folder / "m.safetensors";
    write_text(folder / "train.csv", payments(400, false));
    write_text(folder / "test.csv", payments(200, true));

    const Outcome fit =
        run_well({"fit", folder / "train.csv", "--model", model, "--ignore", "payment", "--epochs", "40"});
    CHECK(fit.out.empty());
    CHECK_THAT(fit.err, ContainsSubstring("400 rows, 3 columns, 6 features"));
    CHECK_THAT(fit.err, ContainsSubstring("log(1 + x): 'amount, EUR'"));
    CHECK_THAT(fit.err, ContainsSubstring("probability at most 1% (calibrated on 99 normal rows"));
    CHECK_THAT(fit.err, ContainsSubstring("wrote " + model));
    CHECK_THAT(fit.err, !ContainsSubstring("\x1b"));  // the progress bar is for terminals

    // Row number, identifier, score, p-value, decision, then what is to blame.
    run_well({"score", folder / "test.csv", "--model", model, "--out", folder / "s.csv", "--top", "2", "--id",
              "payment"});
    std::string csv = read_text(folder / "s.csv");
    CHECK_THAT(csv, ContainsSubstring("\"amount, EUR\""));
    CHECK_THAT(csv, ContainsSubstring("\"Korea, South\""));
    CHECK_THAT(csv, ContainsSubstring("\"the \"\"US\"\"\""));
    CHECK_THAT(csv, !ContainsSubstring("\r"));
    for (std::size_t at = 0; (at = csv.find('"', at)) != std::string::npos;) {  // quoted cells out of the way
        std::size_t end = csv.find('"', at + 1);
        while (csv[end + 1] == '"') end = csv.find('"', end + 2);
        csv.replace(at, end + 1 - at, csv.compare(at, 8, "\"amount,") == 0 ? "amount" : "text");
    }
    const Cells rows = cells_of(csv);
    REQUIRE(rows.size() == 201);
    CHECK(rows[0] == Row{"row", "payment", "score", "p_value", "is_anomaly", "feature_1", "observed_1",
                         "expected_1", "feature_2", "observed_2", "expected_2", "missing"});
    int caught = 0;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        REQUIRE(rows[i].size() == 12);
        CHECK(rows[i][0] == std::to_string(i));
        CHECK(rows[i][1] == "00000000000" + std::to_string(999 + i));  // as it was written
        double value = 0;
        double p = 0;
        REQUIRE(untoward::io::parse_number(rows[i][2], value));
        REQUIRE(untoward::io::parse_number(rows[i][3], p));
        // Nine significant digits bring a float back.
        CHECK(rows[i][2] == untoward::io::format_number(static_cast<double>(static_cast<float>(value))));
        CHECK(p >= 0.01 - 1e-9);
        CHECK(p <= 1);
        CHECK(rows[i][4] == (p <= 0.01 + 1e-9 ? "1" : "0"));
        for (const std::size_t feature : {5U, 8U})
            CHECK(
                (rows[i][feature] == "amount" || rows[i][feature] == "country" || rows[i][feature] == "age"));
        CHECK((rows[i][11] == "0" || rows[i][11] == "1"));
        caught += i % 10 == 0 && rows[i][4] == "1" && rows[i][5] == "amount" ? 1 : 0;
    }
    CHECK(caught >= 15);

    // Nothing to blame; standard input and output.
    const Outcome bare = run_well({"score", "-", "--model", model, "--out", "-", "--top", "0"},
                                  {.input = folder / "test.csv"});
    const Cells bare_rows = cells_of(bare.out);
    REQUIRE(bare_rows.size() == 201);
    CHECK(bare_rows[0] == Row{"row", "score", "p_value", "is_anomaly", "missing"});
    for (std::size_t i = 1; i < rows.size(); ++i) {
        CHECK(bare_rows[i][1] == rows[i][2]);
        CHECK(bare_rows[i][3] == rows[i][4]);
    }
    CHECK(bare.err.empty());
    // With standard errors and the spread of the four models: the same scores, whose draws took them a little from where
    // they would be.
    const Cells with_errors = cells_of(run_well({"score", folder / "test.csv", "--model", model, "--out", "-",
                                                 "--top", "0", "--standard-error", "--spread"})
                                           .out);
    REQUIRE(with_errors.size() == 201);
    CHECK(with_errors[0] ==
          Row{"row", "score", "standard_error", "spread", "p_value", "is_anomaly", "missing"});
    for (std::size_t i = 1; i < rows.size(); ++i) {
        CHECK(with_errors[i][1] == rows[i][2]);
        double error = 0;
        REQUIRE(untoward::io::parse_number(with_errors[i][2], error));
        CHECK(error > 0);
        CHECK(error < 1);
        double spread = 0;
        REQUIRE(untoward::io::parse_number(with_errors[i][3], spread));
        CHECK(spread > 0);
    }
    // The model, too, can come from standard input, and more columns than there are do no harm.
    const Outcome many = run_well({"score", folder / "test.csv", "--model", "-", "--out", "-", "--top", "99"},
                                  {.input = model});
    CHECK_THAT(many.out, ContainsSubstring("feature_3,observed_3,expected_3,missing\n"));
    CHECK_THAT(many.out, !ContainsSubstring("feature_4"));

    // Measured as JSON and as text, labels in the table and beside it.
    const Outcome json =
        run_well({"evaluate", folder / "test.csv", "--model", model, "--label", "fraud", "--json"});
    const auto figures = figures_of(json.out);
    for (const char* key : {"auc_roc", "auc_pr", "precision_at_k", "k", "n", "anomalies", "false_alarm_rate",
                            "recall", "threshold", "neighbours_auc_roc", "neighbours_auc_pr"}) {
        INFO(key);
        REQUIRE(figures.count(key) == 1);
        CHECK(std::isfinite(figures.at(key)));
    }
    CHECK(figures.at("n") == 200);
    CHECK(figures.at("anomalies") == 20);
    CHECK(figures.at("k") == 20);
    CHECK(figures.at("auc_roc") > 0.95);
    CHECK(figures.at("recall") >= caught / 20.0);
    const Outcome text = run_well({"evaluate", folder / "test.csv", "--model", model, "--label", "fraud"});
    for (const auto& [key, value] : figures) CHECK_THAT(text.out, ContainsSubstring(key + " "));
    Eigen::VectorXi labels(200);
    for (int i = 0; i < 200; ++i) labels(i) = i % 10 == 9 ? 1 : 0;
    untoward::io::write_npy(folder / "labels.npy", labels);
    CHECK(run_well({"evaluate", folder / "test.csv", "--model", model, "--labels", folder / "labels.npy",
                    "--json"})
              .out == json.out);
    untoward::io::write_npy(folder / "labels.npy", Eigen::VectorXi(labels.head(199)));
    require_refusal({"evaluate", folder / "test.csv", "--model", model, "--labels", folder / "labels.npy"},
                    {"labels.npy: 199 labels for the 200 rows of"});
    require_refusal({"evaluate", folder / "test.csv", "--model", model, "--label", "freud"},
                    {"test.csv: has no column 'freud'", "'fraud'"});
    require_refusal({"evaluate", folder / "test.csv", "--model", model, "--label", "country"},
                    {"test.csv, line 2, column 'country'", "0 (normal) or 1"});

    // A new threshold changes the threshold and nothing else.
    const std::string other = folder / "other.safetensors";
    const Outcome calibrated = run_well(
        {"calibrate", folder / "train.csv", "--model", model, "--false-alarm-rate", "0.1", "--out", other});
    CHECK_THAT(calibrated.err, ContainsSubstring("at most 10% (calibrated on 400 normal rows"));
    CHECK(changed_tensors(model, other) == std::set<std::string>{"threshold.scores", "threshold"});
    const auto at_ten = figures_of(
        run_well({"evaluate", folder / "test.csv", "--model", other, "--label", "fraud", "--json"}).out);
    CHECK(at_ten.at("auc_roc") == figures.at("auc_roc"));
    CHECK(at_ten.at("threshold") < figures.at("threshold"));
    // In place.
    run_well(
        {"calibrate", folder / "train.csv", "--model", other, "--false-alarm-rate", "0.2", "--out", other});

    const Outcome info = run_well({"info", model});
    CHECK(info.err.empty());
    for (const char* part :
         {"Vae{Vec<6>{}, Chain{Dense<128, Relu>{}", "amount, EUR ", "log(1 + x)", "country=Korea, South",
          "one-hot", "age ", "400 rows", "99 to calibrate", "seed 0", "1%"})
        CHECK_THAT(info.out, ContainsSubstring(part));
    CHECK(folder.entries() == 6);  // no temporary is left
}

TEST_CASE("columns are matched by name, chosen, left out and labelled") {
    const Folder folder;
    const std::string model = folder / "m";
    write_text(folder / "train.csv", small_csv(200));
    run_well({"fit", folder / "train.csv", "--model", model, "--epochs", "300", "--quiet"});

    write_text(folder / "one.csv", "a,b,c\n0.5,1,x\n-1,3,y\n");
    write_text(folder / "two.csv", "c,note,b,a\nx,hello,1,0.5\ny,world,3,-1\n");
    const auto score = [&](const std::string& file) {
        return run_well({"score", folder / file, "--model", model, "--out", "-"}).out;
    };
    CHECK(score("one.csv") == score("two.csv"));

    // A text that fitting never saw is unusual, and can be read in the result.
    write_text(folder / "unseen.csv", "a,b,c\n0.5,1,x\n0.5,1,never\n");
    const Cells rows = cells_of(score("unseen.csv"));
    CHECK(std::stod(rows[2][1]) > std::stod(rows[1][1]));
    CHECK(rows[2][4] == "c");
    CHECK(rows[2][5] == "never");
    CHECK(rows[2][6].size() == 1);

    // A number where text was expected is a text that was never seen; no value is no value.
    write_text(folder / "numbers.csv", "a,b,c\n0.5,1,17\n");
    CHECK(cells_of(score("numbers.csv"))[1][5] == "17");
    write_text(folder / "empty.csv", "a,b,c\n,,\n");
    CHECK(cells_of(score("empty.csv"))[1].back() == "3");

    const auto info = [&](const std::vector<std::string>& options) {
        std::vector<std::string> fit{"fit",    folder / "train.csv", "--model", model, "--epochs", "1",
                                     "--quiet"};
        fit.insert(fit.end(), options.begin(), options.end());
        run_well(fit);
        return run_well({"info", model}).out;
    };
    CHECK_THAT(info({"--columns", "b,c"}), ContainsSubstring("columns    2, coded as 5 features"));
    CHECK_THAT(info({"--ignore", "c,a"}), ContainsSubstring("columns    1, coded as 1 feature"));
    CHECK_THAT(info({"--ignore", "c", "--ignore", "a"}),
               ContainsSubstring("columns    1, coded as 1 feature"));

    // A file after a list of names is a file.
    run_well({"fit", "--ignore", "c", folder / "train.csv", "--model", model, "--epochs", "1"});

    // Rows labelled as anomalies are left out, and the labels are not learned.
    std::string labelled = "a,label\n";
    for (int i = 0; i < 100; ++i) labelled += std::to_string(i % 7) + (i % 4 == 0 ? ",1\n" : ",0\n");
    labelled += "inf,1\n";  // nor does it matter what is in them
    write_text(folder / "labelled.csv", labelled);
    const Outcome fit =
        run_well({"fit", folder / "labelled.csv", "--model", model, "--label", "label", "--epochs", "1"});
    CHECK_THAT(fit.err, ContainsSubstring("75 rows (26 labelled anomalies left out), 1 column"));

    // Names with commas.
    write_text(folder / "commas.csv", "\"a\",\"a, b\",\"b\"\n1,2,3\n2,3,4\n3,4,5\n4,5,6\n");
    run_well(
        {"fit", folder / "commas.csv", "--model", model, "--ignore", "a, b", "--epochs", "1", "--quiet"});
    CHECK_THAT(run_well({"info", model}).out,
               ContainsSubstring("columns    2,") && !ContainsSubstring("a, b"));
    run_well(
        {"fit", folder / "commas.csv", "--model", model, "--columns", "b,a, b", "--epochs", "1", "--quiet"});
    CHECK_THAT(run_well({"info", model}).out,
               ContainsSubstring("columns    2,") && ContainsSubstring("a, b"));
}

TEST_CASE("NPY tables") {
    const Folder folder;
    const std::string model = folder / "m";
    Numbers numbers(3);
    Eigen::MatrixXf x(3, 150);
    for (auto& value : x.reshaped()) value = static_cast<float>(numbers.normal());
    x(1, 7) = std::nanf("");
    untoward::io::write_npy(folder / "x.npy", x);
    untoward::io::write_npy(folder / "x64.npy", Eigen::MatrixXd(x.cast<double>()));
    std::string csv = "f2,f1,f0\n";
    for (int j = 0; j < 150; ++j) {
        for (int i = 2; i >= 0; --i)
            csv += (std::isnan(x(i, j)) ? "" : untoward::io::format_number(static_cast<double>(x(i, j)))) +
                   (i > 0 ? "," : "\n");
    }
    write_text(folder / "x.csv", csv);
    run_well({"fit", folder / "x.npy", "--model", model, "--epochs", "2"});
    const auto score = [&](const std::string& file) {
        return run_well({"score", folder / file, "--model", model, "--out", "-", "--id", "f1"}).out;
    };
    const Cells expected = cells_of(score("x.npy"));
    CHECK(expected[8][1].empty());
    CHECK(expected[8].back() == "1");
    CHECK(cells_of(score("x64.npy")) == expected);
    const Cells from_csv = cells_of(score("x.csv"));
    REQUIRE(from_csv.size() == expected.size());
    for (std::size_t i = 1; i < expected.size(); ++i) CHECK(from_csv[i][2] == expected[i][2]);
    // By its first bytes, from standard input.
    CHECK(run_well({"score", "-", "--model", model, "--out", "-", "--id", "f1"}, {.input = folder / "x.npy"})
              .out == score("x.npy"));
    const Outcome wrong = run({"score", folder / "x.csv", "--model", folder / "x.npy", "--out", "-"});
    CHECK(wrong.code == 2);
    CHECK_THAT(wrong.err, ContainsSubstring("x.npy: "));
}

TEST_CASE("the same seed gives the same bytes, and a row's score does not depend on its neighbours") {
    const Folder folder;
    write_text(folder / "train.csv", small_csv(300));
    const auto fit = [&](const std::string& name, const std::string& seed) {
        run_well({"fit", folder / "train.csv", "--model", folder / name, "--seed", seed, "--epochs", "5",
                  "--quiet"});
        return read_text(folder / name);
    };
    const std::string model = fit("m", "7");
    CHECK(fit("again", "7") == model);
    CHECK(fit("other", "8") != model);

    const auto score = [&](const std::string& csv) {
        write_text(folder / "rows.csv", csv);
        return cells_of(
            run_well({"score", folder / "rows.csv", "--model", folder / "m", "--out", "-", "--top", "1"})
                .out);
    };
    const std::string csv = small_csv(601, 2);
    std::vector<std::string> lines;
    std::istringstream in(csv);
    for (std::string line; std::getline(in, line);) lines.push_back(line + "\n");
    const Cells together = score(csv);
    const auto same = [&](const Row& a, const Row& b) {
        // The default score is a sum of differences from what is usual, and may be near 0.
        CHECK(std::stod(a[1]) == Approx(std::stod(b[1])).epsilon(1e-5).margin(5e-5));
        CHECK(a[3] == b[3]);
        CHECK(a[4] == b[4]);
    };
    std::string backwards = lines[0];
    for (std::size_t i = lines.size() - 1; i > 0; --i) backwards += lines[i];
    const Cells reversed = score(backwards);
    for (std::size_t i = 1; i < lines.size(); ++i) same(together[i], reversed[lines.size() - i]);
    for (const std::size_t i : {1U, 2U, 256U, 257U, 601U}) same(together[i], score(lines[0] + lines[i])[1]);
    const Cells some = score(lines[0] + lines[300] + lines[3] + lines[599]);
    same(together[300], some[1]);
    same(together[3], some[2]);
    same(together[599], some[3]);
}
