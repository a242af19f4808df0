// SPDX-License-Identifier: MIT
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>
#include <untoward/version.hpp>

#include "commands.hpp"

// The program `untoward`: learn what is normal from a table, then score, judge and explain new rows.

namespace {

constexpr int usage_or_data_error = 2;

constexpr const char* about = R"(untoward finds anomalies in tables: it learns what is normal from rows that are (nearly) all normal, then scores
new rows, says which are anomalous at a promised false-alarm rate, and which columns are to blame.

Tables are .csv (with a header) or .npy (rows are samples); - is standard input or output. Text columns are
one-hot encoded. Empty cells and NaN are missing: they take the training median. Columns are matched by name.)";

constexpr const char* examples = R"(Examples:
  untoward fit normal.csv --model m.safetensors --ignore payment_id
  untoward score new.csv --model m.safetensors --id payment_id --out scored.csv
  untoward evaluate labelled.csv --model m.safetensors --label fraud
  untoward calibrate more_normal.csv --model m.safetensors --false-alarm-rate 0.001 --out m2.safetensors

Exit codes: 0 done; 2 something is wrong with the arguments or the data, and the message says what and where.)";

constexpr const char* table_help = "a .csv or .npy file, or -";
constexpr const char* model_help = "the model file";

// CLI11 would take "1,2" for one name without the delimiter.
void add_names(CLI::App* command, const char* flag, std::vector<std::string>& names, const char* help) {
    command->add_option(flag, names, help)->delimiter(',')->type_name("A,B,...");
}

CLI::Validator rate_in_unit_interval() {
    return CLI::Validator(
        [](std::string& text) {
            double rate = 0;
            const bool valid = CLI::detail::lexical_cast(text, rate) && rate > 0 && rate < 1;
            return valid ? std::string() : "a false-alarm rate is a number between 0 and 1, like 0.01; got '" + text + "'";
        },
        "RATE");
}

int run(int argc, char** argv) {
    CLI::App app(about, "untoward");
    app.footer(examples);
    app.require_subcommand(1);
    app.set_version_flag("--version", UNTOWARD_VERSION);

    program::FitArguments fit;
    auto* const fit_command = app.add_subcommand("fit", "Learn what is normal from a table and write a model file.");
    fit_command->add_option("TRAIN", fit.table, table_help)->required()->type_name("FILE");
    fit_command->add_option("--model", fit.model, "where to write the model")->required()->type_name("FILE");
    fit_command->add_option("--seed", fit.seed, "the same seed gives the same model file, byte for byte (default 0)")->type_name("N");
    fit_command->add_option("--epochs", fit.epochs, "passes over the rows (default 20, but 1,500 to 4,000 steps)")->type_name("N")->check(CLI::PositiveNumber);
    fit_command->add_option("--label", fit.label, "a column of labels: not learned, and rows whose label is not 0 are left out")->type_name("NAME");
    add_names(fit_command, "--ignore", fit.ignore, "columns not to learn, like identifiers");
    add_names(fit_command, "--columns", fit.columns, "learn these columns only");
    fit_command->add_option("--false-alarm-rate", fit.false_alarm_rate, "how often a normal row may be called anomalous (default 0.01)")->check(rate_in_unit_interval());
    fit_command->add_flag("--quiet", fit.quiet, "print nothing but errors");
    fit_command->callback([&] { program::fit(fit); });

    program::ScoreArguments score;
    auto* const score_command = app.add_subcommand("score", "Score rows: a CSV of scores, p-values, decisions and reasons.");
    score_command->add_option("DATA", score.table, table_help)->required()->type_name("FILE");
    score_command->add_option("--model", score.model, model_help)->required()->type_name("FILE");
    score_command->add_option("--out", score.out, "where to write the CSV, or -")->required()->type_name("FILE");
    score_command->add_option("--top", score.top, "how many columns to blame for each row (default 3)")->type_name("K")->check(CLI::NonNegativeNumber);
    score_command->add_option("--id", score.id, "a column to copy next to the row number")->type_name("COL");
    score_command->callback([&] { program::score(score); });

    program::EvaluateArguments evaluate;
    auto* const evaluate_command = app.add_subcommand("evaluate", "Measure a model on labelled rows (0 normal, 1 anomaly).");
    evaluate_command->add_option("DATA", evaluate.table, table_help)->required()->type_name("FILE");
    evaluate_command->add_option("--model", evaluate.model, model_help)->required()->type_name("FILE");
    auto* const where = evaluate_command->add_option_group("labels");
    where->add_option("--label", evaluate.label, "the column of labels")->type_name("NAME");
    where->add_option("--labels", evaluate.labels, "a .npy file of labels, one per row")->type_name("FILE.npy");
    where->require_option(1);
    evaluate_command->add_flag("--json", evaluate.json, "print one JSON object");
    evaluate_command->callback([&] { program::evaluate(evaluate); });

    program::CalibrateArguments calibrate;
    auto* const calibrate_command = app.add_subcommand("calibrate", "Set a new threshold from normal rows, without training again.");
    calibrate_command->add_option("NORMALS", calibrate.table, "rows that the model was not trained on")->required()->type_name("FILE");
    calibrate_command->add_option("--model", calibrate.model, model_help)->required()->type_name("FILE");
    calibrate_command->add_option("--false-alarm-rate", calibrate.false_alarm_rate, "how often a normal row may be called anomalous")->required()->check(rate_in_unit_interval());
    calibrate_command->add_option("--out", calibrate.out, "where to write the new model")->required()->type_name("FILE");
    calibrate_command->callback([&] { program::calibrate(calibrate); });

    std::string model;
    auto* const info_command = app.add_subcommand("info", "Say what is in a model file.");
    info_command->add_option("MODEL", model, model_help)->required()->type_name("FILE");
    info_command->callback([&] { program::info(model); });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : usage_or_data_error;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "untoward: %s\n", error.what());
        return usage_or_data_error;
    }
}
