// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <utility>

#include <untoward/train/fit_ensemble.hpp>
#include <untoward/train/latent_size.hpp>
#include <untoward/version.hpp>

#include "baseline.hpp"
#include "choices.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "network.hpp"
#include "tables.hpp"

namespace program {

using untoward::fail;
using untoward::Index;
namespace io = untoward::io;

namespace {

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

// Columns with one value only; no text was unseen in training, so that feature is always constant.
std::vector<std::string> constant_columns(const io::TableCoding& coding,
                                          const std::vector<Index>& constant_features) {
    std::vector<Index> varying;
    for (const io::ColumnCoding& column : coding.columns()) varying.push_back(column.features());
    for (const Index feature : constant_features)
        --varying[static_cast<std::size_t>(coding.column_of(feature))];
    std::vector<std::string> names;
    for (std::size_t i = 0; i < varying.size(); ++i) {
        if (varying[i] == 0) names.push_back(coding.columns()[i].name);
    }
    return names;
}

// Whether a column of numbers never goes down: an identifier or a time, more likely than a property of the
// row.
bool counts_up(const io::Column& column) {
    constexpr int enough = 20;
    int values = 0;
    for (std::size_t i = 1; i < column.numbers.size(); ++i) {
        if (!(column.numbers[i] >= column.numbers[i - 1])) return false;
        values += column.numbers[i] > column.numbers[i - 1] ? 1 : 0;
    }
    return values >= enough;
}

void report_fit(const io::Table& table, const io::TableCoding& coding, Index rows,
                untoward::EnsembleReport reports) {
    std::fprintf(stderr, "%s: %lld rows%s, %zu columns, %lld features\n", table.name().c_str(),
                 static_cast<long long>(rows),
                 rows < table.rows()
                     ? (" (" + std::to_string(table.rows() - rows) + " labelled anomalies left out)").c_str()
                     : "",
                 coding.columns().size(), static_cast<long long>(coding.features()));
    std::vector<std::string> skewed;
    for (const io::ColumnCoding& column : coding.columns()) {
        if (column.kind == io::ColumnKind::Log1p) skewed.push_back(column.name);
    }
    std::vector<std::string> counting;
    for (const io::ColumnCoding& column : coding.columns()) {
        if (counts_up(table.column(column.name))) counting.push_back(column.name);
    }
    if (!counting.empty()) {
        std::fprintf(
            stderr,
            "never goes down from row to row: %s; an identifier or a time is better left out (--ignore)\n",
            io::name_list(counting).c_str());
    }
    if (!skewed.empty())
        std::fprintf(stderr, "very skewed, so taken as log(1 + x): %s\n", io::name_list(skewed).c_str());
    for (std::size_t i = 0; i < reports.members.size(); ++i) {
        const untoward::FitReport& one = reports.members[i];
        const std::string who = reports.members.size() > 1 ? "model " + std::to_string(i + 1) + ": " : "";
        std::fprintf(stderr,
                     "%strained on %lld rows for %lld steps in %.1f s: -ELBO %.4g nats a row; "
                     "%lld of %lld latent units active\n",
                     who.c_str(), static_cast<long long>(one.training_rows),
                     static_cast<long long>(one.training.steps), one.training.seconds, one.training.loss,
                     static_cast<long long>(one.latent.active_units),
                     static_cast<long long>(one.latent.units()));
    }
    for (untoward::FitReport& one : reports.members) {
        // The table has columns, where the model has features; and the promise, below, says more of calibration.
        const std::vector<std::string> constant = constant_columns(coding, one.constant_features);
        one.constant_names.clear();
        if (!constant.empty()) one.constant_names.push_back(io::name_list(constant));
        one.is_calibrated = true;
    }
    for (const std::string& note : reports.notes()) std::fprintf(stderr, "%s\n", note.c_str());
}

void report_search(const untoward::LatentSizeReport& search) {
    if (search.tried.empty()) return;
    for (const std::string& line : search.lines()) std::fprintf(stderr, "tried %s\n", line.c_str());
    std::fprintf(stderr, "latent size, by %lld rows, in models that did not learn from them: %s\n",
                 static_cast<long long>(search.validation_rows), search.verdict().c_str());
}

// Tries latent sizes. A log and a checkpoint follow the model that is kept.
untoward::LatentSizeReport search_latent(FitArguments arguments, const Eigen::MatrixXf& x,
                                         untoward::FitOptions options, const std::vector<Index>& sizes) {
    arguments.log.clear();
    arguments.checkpoint.clear();
    options.training = choose_training(arguments, choose_recipe(arguments, x.rows()));
    const auto recipe = [&](Index size) {
        arguments.latent = std::to_string(size);
        return choose_recipe(arguments, x.rows());
    };
    return untoward::search_latent_size(recipe, x, options, sizes);
}

// What training was told, in C++; a peak that it chose by the number of features is what it chose.
std::string training_text(untoward::TrainingOptions options, Index features) {
    if (options.learning_rate.is_automatic())
        options.learning_rate.set_peak(
            options.optimiser.learning_rate(features, untoward::default_learning_rate(features)));
    return options.optimiser.text() + ", " + options.learning_rate.text() + ", " + options.beta.text() +
           ", averaging " + options.averaging.text() + ", batch " + std::to_string(options.batch) +
           ", free bits " + io::format_number(options.free_bits);
}

// Training takes its time: that its result cannot be written should not be news at the end.
void require_writable(const std::string& path) {
    std::error_code ignored;
    const auto type = std::filesystem::status(path, ignored).type();
    const bool is_stream = path == "-" || (type != std::filesystem::file_type::not_found &&
                                           type != std::filesystem::file_type::regular &&
                                           type != std::filesystem::file_type::directory);
    if (!is_stream) const io::AtomicFile trial(path);  // leaves no trace without commit()
}

// "  --option   a, b, c" and a line end, the names under each other where they are many.
std::string names_of_option(const std::string& option, const std::string& names) {
    constexpr std::size_t indent = 18;
    constexpr std::size_t width = 100;
    std::string text;
    std::string line = "  " + option;
    line.resize(indent, ' ');
    for (const std::string& name : io::detail::split_outside(names, ',')) {
        if (line.size() > indent) {
            line += ",";
            if (line.size() + 1 + name.size() > width) {
                text += line + "\n";
                line.assign(indent - 1, ' ');
            }
            line += " ";
        }
        line += name;
    }
    return text + line + "\n";
}

}  // namespace

std::string part_names() {
    return names_of_option("LAYERS", untoward::layer_registry().names()) +
           names_of_option("--latent", untoward::latent_registry().names()) +
           names_of_option("--likelihood", untoward::likelihood_registry().names()) +
           names_of_option("--scaler", untoward::scaler_registry().names()) +
           names_of_option("--score", untoward::score_registry().names()) +
           names_of_option("--threshold", untoward::threshold_registry().names()) +
           names_of_option("--optimiser", untoward::optimiser_registry().names()) +
           names_of_option("--learning-rate", untoward::learning_rate_registry().names()) +
           names_of_option("--beta", untoward::beta_registry().names()) +
           names_of_option("--averaging", untoward::averaging_registry().names());
}

void fit(const FitArguments& asked) {
    FitArguments arguments = asked;
    require_writable(arguments.model);
    // What the command line names is known before anything is read.
    static_cast<void>(choose_training(arguments, choose_recipe(arguments, 1)));
    const io::Table table = io::read_table(arguments.table);
    const std::vector<Index> rows = normal_rows(table, arguments.label);
    const auto n = static_cast<Index>(rows.size());
    if (n < 2) {
        fail(table.name(), ": has ", n == 0 ? "no row" : "one row",
             arguments.label.empty() ? "" : " with label 0",
             ", expected at least 2: one to learn from and one for calibration");
    }

    // The split comes before anything that learns: the coding must not see the calibration rows either.
    const untoward::AnyThreshold<float> threshold = choose_threshold(arguments);
    untoward::SplitPolicy policy;
    if (arguments.gap >= 0) policy = untoward::LaterBlock{arguments.gap};
    const auto split = untoward::calibration_split(threshold, n, arguments.seed, policy);
    std::vector<Index> fitting;
    for (const Index i : split.rest) fitting.push_back(rows[static_cast<std::size_t>(i)]);
    const auto coding = io::TableCoding::learn(table,
                                               {.columns = split_names(table, arguments.columns),
                                                .ignore = split_names(table, arguments.ignore),
                                                .label = arguments.label},
                                               fitting);
    Eigen::MatrixXf x = coding.matrix(table);
    require_finite(table, coding, x, rows);
    if (n < table.rows()) {
        for (Index j = 0; j < n; ++j) x.col(j) = x.col(rows[static_cast<std::size_t>(j)]);  // rows[j] >= j
        x.conservativeResize(Eigen::NoChange, n);
    }

    untoward::FitOptions options;
    options.epochs = arguments.epochs;
    options.seed = arguments.seed;
    options.feature_names = coding.feature_names();
    options.split = policy;
    untoward::LatentSizeReport search;
    if (is_latent_search(arguments)) {
        const std::vector<Index> sizes = untoward::latent_sizes_to_try(x.rows());
        const auto models = static_cast<Index>(sizes.size()) * untoward::latent_search_trainings + 1;
        arguments.time_limit /= static_cast<double>(models);  // of all together
        search = search_latent(arguments, x, options, sizes);
        arguments.latent = std::to_string(search.chosen);
    }
    const auto recipe = choose_recipe(arguments, x.rows());
    options.training = choose_training(arguments, recipe);
    untoward::EnsembleReport reports;
    Network network = [&]() -> Network {
        if (is_default_model(arguments))
            return {untoward::fit(default_ensemble(arguments, x.rows()), x, options, &reports)};
        reports.members.resize(1);
        return {untoward::ensemble_of_one(untoward::fit(recipe, x, options, &reports.members[0]))};
    }();
    const untoward::FitReport& report = reports.members.front();

    // Like everything else, it has not seen the calibration rows.
    Eigen::MatrixXf learned(x.rows(), static_cast<Index>(split.rest.size()));
    for (Index j = 0; j < learned.cols(); ++j)
        learned.col(j) = x.col(split.rest[static_cast<std::size_t>(j)]);
    auto baseline = std::make_unique<Baseline>(Baseline::fit(learned, arguments.seed));

    Notes notes{
        {"fit.version", UNTOWARD_VERSION},
        {"fit.rows", std::to_string(report.rows)},
        {"fit.training_rows", std::to_string(report.training_rows)},
        {"fit.held_out_rows", std::to_string(report.held_out_rows)},
        {"fit.calibration_rows", std::to_string(report.calibration_rows)},
        {"fit.seed", std::to_string(arguments.seed)},
        {"fit.steps", std::to_string(report.training.steps)},
        {"fit.stopped_by", report.training.stopped_by},
        {"fit.best_step", std::to_string(report.training.best_step)},
        {"fit.loss", io::format_number(report.training.loss, 6)},
        {"fit.latent", report.latent.verdict()},
        {"fit.choice", choice_text(arguments, coding.features())},
        {"fit.training", training_text(options.training, coding.features())},
    };
    if (!search.tried.empty()) {
        notes["fit.latent_search"] = search.verdict();
        for (const std::string& line : search.lines())
            notes["fit.latent_sizes"] += (line == search.lines().front() ? "" : "; ") + line;
    }
    const Model model(coding, std::move(network), std::move(notes), std::move(baseline));
    model.save(arguments.model);

    // A model without a threshold is worth a word in any case.
    if (!arguments.quiet || !model.threshold().is_calibrated()) {
        if (!arguments.quiet)
            std::fprintf(stderr, "chose %s\n", choice_text(arguments, coding.features()).c_str());
        if (!arguments.quiet) report_search(search);
        if (!arguments.quiet) report_fit(table, coding, n, reports);
        std::fprintf(stderr, "%s\n", model.promise().c_str());
    }
    if (!arguments.quiet) std::fprintf(stderr, "wrote %s\n", io::output_name(arguments.model).c_str());
}

}  // namespace program
