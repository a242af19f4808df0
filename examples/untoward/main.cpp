// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <untoward/core/error.hpp>
#include <untoward/io/file.hpp>
#include <untoward/io/number.hpp>
#include <untoward/version.hpp>

#include "commands.hpp"

// The program `untoward`: learn what is normal from a table, then score, judge and explain new rows.

namespace program {

namespace {

namespace io = untoward::io;

constexpr int usage_or_data_error = 2;

constexpr const char* about =
    R"(untoward finds anomalies in tables: it learns what is normal from rows that are (nearly) all normal, then
scores new rows, says which are anomalous at a promised false-alarm rate, and which columns are to blame.

Tables are .csv (with a header) or .npy (rows are samples); - is standard input or output. Text columns are
one-hot encoded. Empty cells and NaN are missing: they take the training median. Columns are matched by name;
those that the model does not know are ignored. The columns of a .npy file are named f0, f1, ...
)";

constexpr const char* footer = R"(Examples:
  untoward fit normal.csv --model m.safetensors --ignore payment_id
  untoward score new.csv --model m.safetensors --id payment_id --out scored.csv
  untoward evaluate labelled.csv --model m.safetensors --label fraud
  untoward calibrate more_normal.csv --model m.safetensors --false-alarm-rate 0.001 --out m2.safetensors
  untoward fit normal.csv --model m.safetensors --hidden 64,32 --latent 4 --likelihood student-t

`untoward COMMAND --help` says more. Exit codes: 0 done; 2 something is wrong with the arguments or the data, and
the message says what and where.)";

constexpr const char* fit_footer =
    R"(A fifth of the rows, or more where the false-alarm rate asks for it, are set aside to calibrate the
threshold; with fewer than 1 / A of them (99 at 0.01) there is no threshold, only scores.

Numbers stay numbers, but columns that are never negative, exceed 20 and are very skewed are taken as
log(1 + x). A text column may have 256 different texts, and one for every five rows; others, like
identifiers, must be left out with --ignore. Texts that fitting never saw have a feature of their own.

Without options of the model, four are fitted, behind two kinds of scalers, and their scores are fused with
nearest neighbours and a Gaussian mixture; --fast fits and fuses one. An option of the model, --log or
--checkpoint makes it one model as the options say.

--latent search trains the model with several numbers of latent units, powers of two to a quarter of the features
(or to 8), three times each without a fifth of the rows, and chooses the smallest number whose likelihood of
that fifth is within one standard error of the best. Rows for calibration stay unseen.

Layers, likelihoods, scores and the other policies are named as in the library, with options in braces:
  --score "reconstruction-error{norm=l1} + 0.1 * kl-divergence"
  --encoder "dense<128,silu>, dropout{rate=0.1}" --decoder "dense<128,silu>"
  --latent "code<8>"  a plain autoencoder      --optimiser "adam-w{decay=0.01}"
There are:
)";

constexpr const char* diagnose_footer =
    R"(Latent units in use, and what they cost; what the code says of a row; whether the decoder reads it; and
whether all kinds of rows, and only such rows, can come out of the model. At most 1,000 rows of each table are
looked at.)";

constexpr const char* latent_footer =
    R"(The columns of the output: row, COL with --id, and z1, z2, ...: the means
of the posterior. Rows that the model thinks alike lie close together.)";

constexpr const char* sample_footer = R"(Rows are drawn from the prior and then from the likelihood: what the
model believes normal rows to be. With --expected only the first is drawn. --latent "code<K>" has no prior.)";

constexpr const char* score_footer = R"(The columns of the output:
  row          the row's number, from 1
  COL          with --id
  score        higher is more anomalous, in the unit of the score that fit chose; inf where a value is
               infinite
  standard_error  with --standard-error: how far draws of the latent units may have taken the score from
               its expectation; 0 for scores without draws. Empty where it is not known
  spread       with --spread: the standard deviation of the models' scores. Empty for one model
  p_value      small where a normal row seldom scores as high: at most a share A of them has one of A or
               less. Empty where the threshold has none
  is_anomaly   1 where the score is above the threshold, else 0
  feature_1    the column that adds most to the score,
  observed_1   its value,
  expected_1   and what the model expected there; and so on up to K
  missing      how many of the row's learned cells had no value)";

constexpr const char* evaluate_footer =
    R"(auc_roc and auc_pr (average precision) measure the ranking by score, precision_at_k the share of anomalies
among the k highest scores, k being the number of anomalies; false_alarm_rate and recall are the shares of
normal rows and of anomalies above the threshold. In JSON what is infinite or undefined is null.
neighbours_... are what the distance to the fifth nearest of (at most 2,000 of) the rows that the model learned
from makes of the same rows: a model that does not beat it is not worth its time.)";

constexpr const char* calibrate_footer =
    R"(The promise holds for rows that are like NORMALS, in the long run: give it rows that fitting did not see.)";

constexpr const char* export_footer =
    R"(The header needs include/untoward and Eigen to compile, and no more: #include it, then

  detector::Detector::self_test()            replays the header's test vectors
  detector::Detector::judge(sample)          .score .p_value .is_anomaly

examples/embedded/README.md has the flags for a device without an operating system.)";

constexpr const char* table_help = "a .csv or .npy file, or -";
constexpr const char* model_help = "a model file, or -";
constexpr const char* rate_help = "how often a normal row may be called anomalous";

CLI::App* add_command(CLI::App& app, const char* name, const char* summary, const char* more) {
    CLI::App* const command = app.add_subcommand(name, summary);
    command->footer(more);
    return command;
}

CLI::Option* add_text(CLI::App* command, const char* flag, std::string& value, const char* type,
                      const char* help) {
    return command->add_option(flag, value, help)->type_name(type);
}

// One list an option, so that no file after it is taken for a name; the option may be repeated.
void add_names(CLI::App* command, const char* flag, std::vector<std::string>& lists, const char* help) {
    command->add_option(flag, lists, help)->allow_extra_args(false)->type_name("A,B");
}

// A number; NaN, which compares with nothing, is refused as well.
void add_number(CLI::App* command, const char* flag, double& value, const char* type, double least,
                double most, const char* help) {
    const auto check = [least, most](const std::string& text) {
        double number = 0;
        const bool valid = io::parse_number(text, number) && number >= least && number <= most;
        return valid ? std::string()
                     : "expected a number from " + io::format_number(least) + " to " +
                           io::format_number(most) + ", not " + io::in_quotes(text);
    };
    command->add_option(flag, value, help)->type_name(type)->check(check);
}

CLI::Option* add_rate(CLI::App* command, double& rate, const std::string& help) {
    const auto check = [](const std::string& text) {
        double value = 0;
        const bool valid = io::parse_number(text, value) && value > 0 && value < 1;
        return valid ? std::string()
                     : "expected a number between 0 and 1, like 0.01, not " + io::in_quotes(text);
    };
    return command->add_option("--false-alarm-rate", rate, help)->type_name("A")->check(check);
}

// A whole number; others, and what is larger than `most`, are refused rather than rounded or wrapped.
template <class Whole>
void add_whole(CLI::App* command, const char* flag, Whole& value, const char* type, Whole least,
               const char* help) {
    const auto check = [least](const std::string& text) {
        Whole whole{};
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, whole);
        return error == std::errc() && stop == end && whole >= least
                   ? std::string()
                   : "expected a whole number from " + std::to_string(least) + ", not " + io::in_quotes(text);
    };
    command->add_option(flag, value, help)->type_name(type)->check(check);
}

// The second file to be read from standard input would be empty.
void require_one_standard_input(std::initializer_list<std::string> inputs) {
    if (std::count(inputs.begin(), inputs.end(), "-") > 1)
        untoward::fail("only one file can come from standard input");
}

void add_fit(CLI::App& app) {
    const auto arguments = std::make_shared<FitArguments>();
    CLI::App* const command =
        add_command(app, "fit", "Learn what is normal from a table and write a model file.", "");
    command->footer([] { return fit_footer + part_names(); });
    add_text(command, "TRAIN", arguments->table, "FILE", table_help)->required();
    add_text(command, "--model", arguments->model, "FILE", "where to write the model")->required();
    add_whole<std::uint64_t>(command, "--seed", arguments->seed, "N", 0,
                             "the same seed gives the same model file, byte for byte (default 0)");
    add_whole<long>(command, "--epochs", arguments->epochs, "N", 1,
                    "passes over the rows (default 20, but 1,500 to 4,000 steps)");
    add_whole<long>(
        command, "--gap", arguments->gap, "N", 0,
        "rows are in the order of time: calibrate on the last ones, and leave N out in front of them, as "
        "many as overlap (default: at random)");
    add_text(command, "--label", arguments->label, "NAME",
             "a column of labels: not learned, and rows whose label is not 0 are left out");
    add_names(command, "--ignore", arguments->ignore, "columns not to learn, like identifiers");
    add_names(command, "--columns", arguments->columns, "learn these columns only");
    CLI::Option* const rate =
        add_rate(command, arguments->false_alarm_rate, std::string(rate_help) + " (default 0.01)");
    command->add_flag("--fast", arguments->fast, "one model in place of four, in a quarter of the time");
    command->add_flag("--quiet", arguments->quiet, "print nothing but errors and warnings");

    command->option_defaults()->group("Model");
    add_text(command, "--hidden", arguments->hidden, "N,N", "units of the hidden layers (default 128,128)");
    add_text(command, "--activation", arguments->activation, "NAME", "of the hidden layers (default relu)");
    add_text(command, "--encoder", arguments->encoder, "LAYERS", "in place of --hidden, with --decoder");
    add_text(command, "--decoder", arguments->decoder, "LAYERS", "in place of --hidden, with --encoder");
    add_text(command, "--latent", arguments->latent, "auto|K|search|NAME",
             "latent units (default auto: half of the features, 2 to 16; search: what the rows ask for)");
    add_text(command, "--likelihood", arguments->likelihood, "NAME", "default gaussian");
    add_text(command, "--scaler", arguments->scaler, "NAME",
             "default robust-scaler, or what the likelihood needs");
    add_text(command, "--score", arguments->score, "SCORES",
             "default negative-elbo, or with --fast the fused one");
    add_text(command, "--threshold", arguments->threshold, "NAME", "default conformal")->excludes(rate);

    command->option_defaults()->group("Training");
    add_text(command, "--optimiser", arguments->optimiser, "NAME", "default adam");
    add_text(command, "--learning-rate", arguments->learning_rate, "X|NAME",
             "the peak of a cosine, or a schedule (default by the number of features)");
    add_text(command, "--beta", arguments->beta, "X|NAME",
             "weight of the KL term, or a schedule (default 1)");
    add_text(command, "--averaging", arguments->averaging, "NAME", "average the weights (default none)");
    add_number(command, "--free-bits", arguments->free_bits, "X", 0, 1e6,
               "nats of KL that each latent unit has for free");
    add_whole<long>(command, "--batch", arguments->batch, "N", 1, "rows a step (default 128)");
    add_whole<long>(command, "--shards", arguments->shards, "N", 1,
                    "parts of a batch that threads can work on side by side (default 1)");
    add_whole<long>(command, "--threads", arguments->threads, "N", 0,
                    "how many; 0: all there are (default 1); the result does not depend on it");
    add_number(command, "--time-limit", arguments->time_limit, "S", 1e-3, 1e9,
               "seconds after which training stops");
    add_text(command, "--log", arguments->log, "FILE", "a record of training as JSON lines");
    add_text(command, "--checkpoint", arguments->checkpoint, "FILE",
             "keep the state of training here, 40 times in all, and go on from it where there is one");
    command->callback([arguments] { fit(*arguments); });
}

void add_score(CLI::App& app) {
    const auto arguments = std::make_shared<ScoreArguments>();
    CLI::App* const command = add_command(
        app, "score", "Score rows: a CSV of scores, p-values, decisions and reasons.", score_footer);
    add_text(command, "DATA", arguments->table, "FILE", table_help)->required();
    add_text(command, "--model", arguments->model, "FILE", model_help)->required();
    add_text(command, "--out", arguments->out, "FILE", "where to write the CSV, or -")->required();
    add_whole(command, "--top", arguments->top, "K", 0,
              "how many columns to blame for each row (default 3; 0 for none)");
    add_text(command, "--id", arguments->id, "COL", "a column to copy next to the row number, as it is");
    command->add_flag("--standard-error", arguments->standard_error,
                      "add the Monte Carlo standard error of each score, by a second pass");
    command->add_flag("--spread", arguments->spread,
                      "add how far the models disagree about each row, by a second pass");
    command->callback([arguments] {
        require_one_standard_input({arguments->table, arguments->model});
        score(*arguments);
    });
}

void add_evaluate(CLI::App& app) {
    const auto arguments = std::make_shared<EvaluateArguments>();
    CLI::App* const command = add_command(
        app, "evaluate", "Measure a model on labelled rows (0 normal, else anomaly).", evaluate_footer);
    add_text(command, "DATA", arguments->table, "FILE", table_help)->required();
    add_text(command, "--model", arguments->model, "FILE", model_help)->required();
    CLI::Option* const column = add_text(command, "--label", arguments->label, "NAME",
                                         "the column of labels; this or --labels is required");
    add_text(command, "--labels", arguments->labels, "FILE.npy", "labels, one per row")->excludes(column);
    command->add_flag("--json", arguments->json, "print one JSON object");
    command->callback([arguments] {
        if (arguments->label.empty() && arguments->labels.empty())
            throw CLI::RequiredError("--label or --labels");
        require_one_standard_input({arguments->table, arguments->model, arguments->labels});
        evaluate(*arguments);
    });
}

void add_calibrate(CLI::App& app) {
    const auto arguments = std::make_shared<CalibrateArguments>();
    CLI::App* const command = add_command(
        app, "calibrate", "Set a new threshold from normal rows, without training again.", calibrate_footer);
    add_text(command, "NORMALS", arguments->table, "FILE", table_help)->required();
    add_text(command, "--model", arguments->model, "FILE", model_help)->required();
    add_rate(command, arguments->false_alarm_rate, rate_help)->required();
    add_text(command, "--out", arguments->out, "FILE", "where to write the new model")->required();
    command->callback([arguments] {
        require_one_standard_input({arguments->table, arguments->model});
        calibrate(*arguments);
    });
}

void add_info(CLI::App& app) {
    const auto model = std::make_shared<std::string>();
    CLI::App* const command = add_command(app, "info", "Say what is in a model file.", "");
    add_text(command, "MODEL", *model, "FILE", model_help)->required();
    command->callback([model] { info(*model); });
}

void add_export(CLI::App& app) {
    const auto arguments = std::make_shared<ExportArguments>();
    CLI::App* const command = add_command(
        app, "export", "Write a detector as a C++ header of constants, for firmware.", export_footer);
    add_text(command, "MODEL", arguments->model, "FILE", model_help)->required();
    add_text(command, "--header", arguments->header, "FILE", "where to write the header, or -")->required();
    add_text(command, "--namespace", arguments->name_space, "NAME", "of everything in it (default detector)");
    add_text(command, "--weights", arguments->weights, "NAME",
             "float32, bfloat16 or int8 (default float32); fewer bits need --normals");
    add_text(command, "--normals", arguments->normals, "FILE",
             "normal rows, which fitting did not see, to set the threshold with the weights of the header");
    add_whole<long>(command, "--max-flash", arguments->max_flash, "BYTES", 1,
                    "refuse a detector that needs more");
    command->callback([arguments] {
        require_one_standard_input({arguments->model, arguments->normals});
        export_model(*arguments);
    });
}

void add_diagnose(CLI::App& app) {
    const auto arguments = std::make_shared<DiagnoseArguments>();
    CLI::App* const command = add_command(
        app, "diagnose", "Say whether the model learned what it should, and what to do.", diagnose_footer);
    add_text(command, "TRAIN", arguments->table, "FILE", "the table that it was fitted to")->required();
    add_text(command, "--model", arguments->model, "FILE", model_help)->required();
    add_text(command, "--held-out", arguments->held_out, "FILE", "other normal rows");
    add_whole<std::uint64_t>(command, "--seed", arguments->seed, "N", 0, "of what is drawn");
    command->callback([arguments] {
        require_one_standard_input({arguments->table, arguments->model, arguments->held_out});
        diagnose(*arguments);
    });
}

void add_latent(CLI::App& app) {
    const auto arguments = std::make_shared<LatentArguments>();
    CLI::App* const command =
        add_command(app, "latent", "Write the latent coordinates of rows as a CSV.", latent_footer);
    add_text(command, "DATA", arguments->table, "FILE", table_help)->required();
    add_text(command, "--model", arguments->model, "FILE", model_help)->required();
    add_text(command, "--out", arguments->out, "FILE", "where to write the CSV, or -")->required();
    add_text(command, "--id", arguments->id, "COL", "a column to copy next to the row number, as it is");
    command->callback([arguments] {
        require_one_standard_input({arguments->table, arguments->model});
        latent(*arguments);
    });
}

void add_reconstruct(CLI::App& app) {
    const auto arguments = std::make_shared<ReconstructArguments>();
    CLI::App* const command =
        add_command(app, "reconstruct", "Write what the model makes of rows, as a table like theirs.", "");
    add_text(command, "DATA", arguments->table, "FILE", table_help)->required();
    add_text(command, "--model", arguments->model, "FILE", model_help)->required();
    add_text(command, "--out", arguments->out, "FILE", "where to write the CSV, or -")->required();
    add_text(command, "--id", arguments->id, "COL", "a column to copy next to the row number, as it is");
    command->callback([arguments] {
        require_one_standard_input({arguments->table, arguments->model});
        reconstruct(*arguments);
    });
}

void add_sample(CLI::App& app) {
    const auto arguments = std::make_shared<SampleArguments>();
    CLI::App* const command =
        add_command(app, "sample", "Write rows of the model's own, as a table.", sample_footer);
    add_text(command, "--model", arguments->model, "FILE", model_help)->required();
    add_text(command, "--out", arguments->out, "FILE", "where to write the CSV, or -")->required();
    add_whole<long>(command, "--rows", arguments->rows, "N", 1, "how many (default 100)");
    add_whole<std::uint64_t>(command, "--seed", arguments->seed, "N", 0, "the same seed draws the same rows");
    command->add_flag("--expected", arguments->expected,
                      "what is expected at each drawn place, without noise");
    command->callback([arguments] { sample(*arguments); });
}

void add_interpolate(CLI::App& app) {
    const auto arguments = std::make_shared<InterpolateArguments>();
    CLI::App* const command = add_command(
        app, "interpolate", "Write the way from one row to another through the latent space.", "");
    add_text(command, "DATA", arguments->table, "FILE", table_help)->required();
    add_text(command, "--model", arguments->model, "FILE", model_help)->required();
    add_text(command, "--out", arguments->out, "FILE", "where to write the CSV, or -")->required();
    add_whole<long>(command, "--from", arguments->from, "ROW", 1,
                    "the first row's number, from 1 (default 1)");
    add_whole<long>(command, "--to", arguments->to, "ROW", 1, "the last row's number (default 2)");
    add_whole<long>(command, "--steps", arguments->steps, "N", 2,
                    "rows to write, both ends included (default 11)");
    command->callback([arguments] {
        require_one_standard_input({arguments->table, arguments->model});
        interpolate(*arguments);
    });
}

int run(int argc, char** argv) {
    CLI::App app(about, "untoward");
    app.require_subcommand(1);
    app.set_version_flag("--version", UNTOWARD_VERSION);
    add_fit(app);
    add_score(app);
    add_evaluate(app);
    add_calibrate(app);
    add_info(app);
    add_export(app);
    add_diagnose(app);
    add_latent(app);
    add_reconstruct(app);
    add_sample(app);
    add_interpolate(app);
    app.footer(footer);
    // CLI11 itself would only say that a command is missing.
    const std::string first = argc > 1 ? argv[1] : "-";
    const auto is_first = [&first](const CLI::App* command) { return command->get_name() == first; };
    if (first.substr(0, 1) != "-" && app.get_subcommands(is_first).empty()) {
        untoward::fail(
            "there is no command ", io::in_quotes(first),
            ", only fit, score, evaluate, calibrate, info, export, diagnose, latent, reconstruct, sample, "
            "interpolate");
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& request) {
        app.exit(request);
    } catch (const CLI::ParseError& error) {
        const auto commands = app.get_subcommands();
        const std::string command = commands.empty() ? "" : " " + commands.front()->get_name();
        untoward::fail(error.what(), " (untoward", command, " --help says more)");
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
        untoward::fail("standard output: cannot be written: ", io::detail::system_message(errno));
    return 0;
}

void complain(const char* what) {
    // A progress bar may stand on the line.
    std::fprintf(stderr, "%suntoward: %s\n", isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : "", what);
}

}  // namespace

}  // namespace program

int main(int argc, char** argv) {
    try {
        return program::run(argc, argv);
    } catch (const std::bad_alloc&) {
        program::complain("the data do not fit into the memory of this machine");
    } catch (const std::exception& error) {
        program::complain(error.what());
    }
    return program::usage_or_data_error;
}
