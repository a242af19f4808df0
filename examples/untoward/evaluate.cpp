// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdio>
#include <utility>

#include <untoward/io/npy.hpp>
#include <untoward/metrics/decisions.hpp>
#include <untoward/metrics/ranking.hpp>

#include "commands.hpp"
#include "model.hpp"
#include "tables.hpp"

namespace program {

using untoward::fail;
using untoward::Index;
namespace io = untoward::io;

namespace {

Eigen::VectorXi labels_for(const EvaluateArguments& arguments, const io::Table& table) {
    if (arguments.labels.empty()) return read_label_column(table, arguments.label);
    const Eigen::MatrixXf values = io::read_npy(arguments.labels);
    if (values.size() != table.rows()) {
        fail(io::input_name(arguments.labels), ": ", values.size(), " labels for the ", table.rows(),
             " rows of ", table.name());
    }
    for (Index i = 0; i < values.size(); ++i) {
        if (std::isnan(values(i))) fail(arguments.labels, ": label ", i + 1, " is not a number");
    }
    return (values.reshaped().array() != 0).cast<int>();
}

void print_json(const std::vector<std::pair<std::string, double>>& figures) {
    std::printf("{");
    for (std::size_t i = 0; i < figures.size(); ++i) {
        const auto& [name, value] = figures[i];
        // JSON has no infinity and no NaN.
        std::printf("%s\"%s\": %s", i > 0 ? ", " : "", name.c_str(),
                    std::isfinite(value) ? io::format_number(value, 9).c_str() : "null");
    }
    std::printf("}\n");
}

}  // namespace

void evaluate(const EvaluateArguments& arguments) {
    const Model model = Model::load(arguments.model);
    const io::Table table = io::read_table(arguments.table, model.coding().text_columns());
    if (table.rows() == 0) fail(table.name(), ": no rows to evaluate");
    const Eigen::VectorXi labels = labels_for(arguments, table);
    const Eigen::MatrixXf x = model.coding().matrix(table);
    const Eigen::VectorXf scores = model.score(x);
    const Eigen::VectorXf nearest = model.baseline_score(x);
    const Threshold& threshold = model.threshold();

    const untoward::Ranking ranking(scores, labels);
    Eigen::VectorXi flags(scores.size());
    for (Index i = 0; i < scores.size(); ++i) flags(i) = threshold.is_anomaly(scores(i)) ? 1 : 0;
    const auto decisions = untoward::confusion(flags, labels);
    std::vector<std::pair<std::string, double>> figures{
        {"auc_roc", ranking.auc_roc()},
        {"auc_pr", ranking.average_precision()},
        {"precision_at_k", ranking.precision_at_k()},
        {"k", static_cast<double>(ranking.anomalies())},
        {"n", static_cast<double>(scores.size())},
        {"anomalies", static_cast<double>(ranking.anomalies())},
        {"false_alarm_rate", decisions.false_alarm_rate()},
        {"recall", decisions.recall()},
        {"threshold", static_cast<double>(threshold.threshold())},
        {"promised_false_alarm_rate", threshold.false_alarm_rate().value_or(std::nan(""))},
        {"calibration_rows", static_cast<double>(threshold.calibration_rows())},
        {"calibration_rows_needed", static_cast<double>(threshold.rows_needed())},
    };
    if (nearest.size() > 0) {
        const untoward::Ranking by_neighbours(nearest, labels);
        figures.emplace_back("neighbours_auc_roc", by_neighbours.auc_roc());
        figures.emplace_back("neighbours_auc_pr", by_neighbours.average_precision());
        figures.emplace_back("neighbours_precision_at_k", by_neighbours.precision_at_k());
    }
    if (arguments.json) {
        print_json(figures);
    } else {
        for (const auto& [name, value] : figures)
            std::printf("%-26s %s\n", name.c_str(), io::format_number(value, 6).c_str());
    }
    if (ranking.anomalies() == 0 || ranking.normals() == 0) {
        std::fprintf(stderr, "%s: all rows are %s, so there is no ranking to measure\n", table.name().c_str(),
                     ranking.anomalies() == 0 ? "normal" : "anomalies");
    }
    if (!threshold.is_calibrated()) std::fprintf(stderr, "%s\n", model.promise().c_str());
}

}  // namespace program
