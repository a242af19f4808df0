// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include <untoward/train/fit.hpp>
#include <untoward/train/progress.hpp>

#include "commands.hpp"
#include "labels.hpp"
#include "model.hpp"

namespace program {

using untoward::fail;
using untoward::Index;
namespace io = untoward::io;

namespace {

constexpr Index hidden_units = 128;

// Half of the features, between 2 and 16: what the quality of the default was measured with.
Index latent_units(Index features) { return std::min(features, std::clamp<Index>(features / 2, 2, 16)); }

// The rows to learn from: all, or those that the label column calls normal.
std::vector<Index> normal_rows(const io::Table& table, const std::string& label) {
    std::vector<Index> rows;
    if (label.empty()) {
        rows.resize(static_cast<std::size_t>(table.rows()));
        std::iota(rows.begin(), rows.end(), Index{0});
        return rows;
    }
    const Eigen::VectorXi labels = read_label_column(table, label);
    for (Index i = 0; i < table.rows(); ++i) {
        if (labels(i) == 0) rows.push_back(i);
    }
    return rows;
}

void require_finite(const io::Table& table, const io::TableCoding& coding, const Eigen::MatrixXf& x,
                    const std::vector<Index>& rows) {
    for (const Index row : rows) {
        for (Index i = 0; i < x.rows(); ++i) {
            if (std::isinf(x(i, row))) {
                fail(table.place(row), ", column ", io::in_quotes(coding.columns()[static_cast<std::size_t>(coding.column_of(i))].name),
                     ": an infinite value; training values are finite or missing");
            }
        }
    }
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

}  // namespace

void fit(const FitArguments& arguments) {
    const io::Table table = io::read_table(arguments.table);
    const std::vector<Index> rows = normal_rows(table, arguments.label);
    const auto n = static_cast<Index>(rows.size());
    if (n < 2) {
        fail(table.name(), ": ", n == 0 ? "no rows" : "one row", arguments.label.empty() ? "" : " with label 0",
             "; fitting needs at least 2, one of them for calibration");
    }

    // The split comes before anything that learns: the coding must not see the calibration rows either.
    const untoward::Conformal threshold{.false_alarm_rate = arguments.false_alarm_rate};
    const auto split = untoward::calibration_split(threshold, n, arguments.seed);
    std::vector<Index> fitting;
    for (const Index i : split.rest) fitting.push_back(rows[static_cast<std::size_t>(i)]);
    const auto coding = io::TableCoding::learn(
        table, {.columns = arguments.columns, .ignore = arguments.ignore, .label = arguments.label}, fitting);
    const Eigen::MatrixXf all = coding.matrix(table);
    require_finite(table, coding, all, rows);
    Eigen::MatrixXf x(all.rows(), n);
    for (Index j = 0; j < n; ++j) x.col(j) = all.col(rows[static_cast<std::size_t>(j)]);

    const Sizes sizes{x.rows(), hidden_units, latent_units(x.rows())};
    untoward::FitOptions options{.epochs = arguments.epochs, .seed = arguments.seed, .feature_names = coding.feature_names()};
    if (!arguments.quiet) options.training.progress = untoward::ProgressBar();
    untoward::FitReport report;
    const Detector detector = untoward::fit(make_recipe(sizes, arguments.false_alarm_rate), x, options, &report);

    std::vector<std::string> constant;
    for (const Index i : report.constant_features) constant.push_back(coding.feature_name(i));
    const std::map<std::string, std::string> notes{
        {"fit.rows", std::to_string(report.rows)},
        {"fit.training_rows", std::to_string(report.training_rows)},
        {"fit.held_out_rows", std::to_string(report.held_out_rows)},
        {"fit.calibration_rows", std::to_string(report.calibration_rows)},
        {"fit.seed", std::to_string(arguments.seed)},
        {"fit.steps", std::to_string(report.training.steps)},
        {"fit.best_step", std::to_string(report.training.best_step)},
        {"fit.loss", io::format_number(report.training.loss, 6)},
        {"fit.latent", report.latent.verdict()},
        {"fit.constant_features", joined(constant)},
    };
    save_model(arguments.model, coding, detector, notes);

    if (arguments.quiet) return;
    std::fprintf(stderr, "%s: %lld rows, %lld columns, %lld features%s\n", table.name().c_str(), static_cast<long long>(n),
                 static_cast<long long>(coding.columns().size()), static_cast<long long>(coding.features()),
                 n < table.rows() ? (", " + std::to_string(table.rows() - n) + " labelled anomalies left out").c_str() : "");
    for (const auto& column : coding.columns()) {
        if (column.kind == io::ColumnKind::Log1p) std::fprintf(stderr, "column '%s' is taken as log(1 + x): it is very skewed\n", column.name.c_str());
    }
    if (!constant.empty()) std::fprintf(stderr, "constant in training: %s\n", joined(constant).c_str());
    std::fprintf(stderr, "trained on %lld rows for %lld steps%s in %.1f s: -ELBO %.4g nats a row; %s\n",
                 static_cast<long long>(report.training_rows), static_cast<long long>(report.training.steps),
                 report.training.stopped_early ? " (stopped early)" : "", report.training.seconds, report.training.loss,
                 report.latent.verdict().c_str());
    std::fprintf(stderr, "%s\n", describe_promise(detector).c_str());
    std::fprintf(stderr, "wrote %s\n", arguments.model.c_str());
}

}  // namespace program
