// SPDX-License-Identifier: MIT
// The parts of a detector, chosen on the command line, saved and loaded by name; and what the model shows of
// what it has learned.

#include "support/program.hpp"
#include "untoward/io/safetensors.hpp"

using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// A model of a few steps, with these options.
void fit_with(const std::string& table, const std::string& model, std::vector<std::string> options,
              const char* epochs = "3") {
    std::vector<std::string> arguments{"fit", table, "--model", model, "--epochs", epochs, "--quiet"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    run_well(arguments);
}

}  // namespace

TEST_CASE("every choice is in the file, in C++, and works again when it is loaded") {
    const Folder folder;
    const std::string table = folder / "t.csv";
    const std::string model = folder / "m";
    write_text(table, numeric_csv(300));

    fit_with(table, model, {});
    const std::string plain = run_well({"info", model}).out;
    CHECK_THAT(plain, ContainsSubstring("Gaussian{}") && ContainsSubstring("4 models like it") &&
                          ContainsSubstring("choice     the default: 4 models, ") &&
                          ContainsSubstring("1: StandardScaler{}") &&
                          ContainsSubstring("4: RobustScaler{}") &&
                          ContainsSubstring("Slog{NegativeElbo{.draws = 4, .seed = 0}}") &&
                          ContainsSubstring("Slog{NeighbourScore{.space = Space::input, .k = 5, ") &&
                          ContainsSubstring("Slog{MixtureScore{.space = Space::latent_and_residual, ") &&
                          ContainsSubstring("Conformal{.false_alarm_rate = 0.01}") &&
                          ContainsSubstring("Adam{") && ContainsSubstring("CosineSchedule{.peak = 0.004, "));

    fit_with(table, model, {"--fast"});
    CHECK_THAT(run_well({"info", model}).out,
               ContainsSubstring("choice     --fast: one model; ") && ContainsSubstring("RobustScaler{}") &&
                   ContainsSubstring("Slog{NegativeElbo{.draws = 8, .seed = 0}}") &&
                   !ContainsSubstring("models like it"));
    fit_with(table, model, {"--hidden", "8"});
    CHECK_THAT(run_well({"info", model}).out, ContainsSubstring("choice     one model, as the options say") &&
                                                  ContainsSubstring("score      NegativeElbo{.draws = 8, "));

    fit_with(table, model, {"--hidden",        "9,5",
                            "--activation",    "silu",
                            "--latent",        "2",
                            "--likelihood",    "heteroscedastic-gaussian",
                            "--scaler",        "standard-scaler",
                            "--score",         "0.5 * reconstruction-error{norm=l2} + kl-divergence",
                            "--threshold",     "quantile{level=0.9}",
                            "--optimiser",     "sgd{momentum=0.5}",
                            "--learning-rate", "constant-schedule{peak=1e-3}",
                            "--beta",          "0.5",
                            "--averaging",     "exponential-average",
                            "--free-bits",     "0.1",
                            "--batch",         "16"});
    const std::string info = run_well({"info", model}).out;
    for (const char* part :
         {"Chain{Dense<9, Silu>{}, Dense<5, Silu>{}}, Latent<2>{}, Chain{Dense<5, Silu>{}, Dense<9, "
          "Silu>{}}, "
          "HeteroscedasticGaussian{}",
          "StandardScaler{}", "0.5f * ReconstructionError{.norm = Norm::l2} + KlDivergence{}",
          "Quantile{.level = 0.9}", "nothing is promised about false alarms", "Sgd{.momentum = 0.5",
          "ConstantSchedule{.peak = 0.001}", "LinearBeta{.beta = 0.5", "ExponentialAverage{"}) {
        INFO(info);
        CHECK_THAT(info, ContainsSubstring(part));
    }
    // It scores, without p-values; and can be given a threshold that promises something.
    const auto scored =
        lines_of(run_well({"score", table, "--model", model, "--out", "-", "--top", "0"}).out);
    REQUIRE(scored.size() == 301);
    CHECK(scored[0] == "row,score,p_value,is_anomaly,missing");
    CHECK_THAT(scored[1], ContainsSubstring(",,") || ContainsSubstring("nan"));
    run_well({"calibrate", table, "--model", model, "--false-alarm-rate", "0.1", "--out", model});
    CHECK_THAT(run_well({"info", model}).out, ContainsSubstring("at most 10%"));

    fit_with(table, model,
             {"--encoder", "residual{dense<2,tanh>}, layer-norm, dropout{rate=0.1}, dense<8,gelu>",
              "--decoder", "batch-norm, chain{dense<8,elu>, dense<4>}", "--latent", "code<2>"});
    CHECK_THAT(run_well({"info", model}).out,
               ContainsSubstring("Chain{Residual{Dense<2, Tanh>{}}, LayerNorm{") &&
                   ContainsSubstring("Dropout{.rate = 0.1") && ContainsSubstring("Code<2>{}") &&
                   ContainsSubstring("Chain{BatchNorm{"));
    CHECK(lines_of(run_well({"score", table, "--model", model, "--out", "-"}).out).size() == 301);
}

TEST_CASE("--latent search tries sizes, fits the chosen one, and info repeats what was found") {
    const Folder folder;
    const std::string table = folder / "t.csv";
    const std::string model = folder / "m";
    write_text(table, numeric_csv(300, 6));
    const auto fitted = run_well({"fit", table, "--model", model, "--epochs", "30", "--hidden", "8",
                                  "--latent", "search", "--log", folder / "log"});
    for (const char* part :
         {"tried 1 latent unit: -ELBO ", "tried 2 latent units: -ELBO ", "tried 4 latent units: -ELBO ",
          ", chosen\n", "latent size, by 120 rows, in models that did not learn from them: "}) {
        INFO(fitted.err);
        CHECK_THAT(fitted.err, ContainsSubstring(part));
    }
    // What was found is what was fitted; the log is of that model and of no other.
    const std::size_t verdict = fitted.err.find("learn from them: ");
    REQUIRE(verdict != std::string::npos);
    const std::string sentence =
        fitted.err.substr(verdict + 17, fitted.err.find('\n', verdict) - verdict - 17);
    const std::string chosen = "Latent<" + sentence.substr(0, 1) + ">{}";
    const std::string info = run_well({"info", model}).out;
    CHECK_THAT(info, ContainsSubstring(chosen) && ContainsSubstring("\nlatent     " + sentence + "\n") &&
                         ContainsSubstring("\n           tried 4 latent units: -ELBO ") &&
                         ContainsSubstring("choice     one model, as the options say"));
    const std::string log = read_text(folder / "log");
    CHECK_THAT(log, ContainsSubstring(chosen));
    CHECK(log.find("\"begin\"") == log.rfind("\"begin\""));
    // Too few rows beside those that calibrate.
    write_text(table, numeric_csv(70, 6));
    require_refusal({"fit", table, "--model", model, "--latent", "search", "--quiet"}, {"needs 50 rows"});
}

TEST_CASE("a residual needs a layer of its own size") {
    const Folder folder;
    write_text(folder / "t.csv", numeric_csv(200));
    require_refusal({"fit", folder / "t.csv", "--model", folder / "m", "--encoder", "residual{dense<6,tanh>}",
                     "--decoder", "dense<6>"},
                    {"layer 'residual'", "Dense<6, Tanh>{} makes 6 values of 2"});
    CHECK(folder.entries() == 1);
}

TEST_CASE("every likelihood fits, scores and draws rows") {
    const Folder folder;
    const std::string table = folder / "t.csv";
    const std::string model = folder / "m";
    write_text(table, numeric_csv(200));
    for (const char* name :
         {"gaussian", "heteroscedastic-gaussian", "fixed-gaussian", "student-t", "laplace"}) {
        INFO(name);
        fit_with(table, model, {"--likelihood", name, "--hidden", "8"});
        CHECK(lines_of(run_well({"score", table, "--model", model, "--out", "-"}).out).size() == 201);
        CHECK(lines_of(run_well({"sample", "--model", model, "--rows", "7", "--out", "-"}).out).size() == 8);
    }
    // Values in [0, 1] need another scaler, which comes by itself; one that does not fit is refused.
    fit_with(table, model, {"--likelihood", "bernoulli", "--hidden", "8"});
    CHECK_THAT(run_well({"info", model}).out, ContainsSubstring("UnitScaler{}"));
    require_refusal(
        {"fit", table, "--model", model, "--likelihood", "bernoulli", "--scaler", "robust-scaler"},
        {"Bernoulli{}", "RobustScaler{}", "unit-scaler"});
}

TEST_CASE("what is not known is refused before anything is read, with what there is") {
    const Folder folder;
    const std::string model = folder / "m";
    const auto refuse = [&](std::vector<std::string> options, std::initializer_list<std::string> texts) {
        std::vector<std::string> arguments{"fit", folder / "nothing.csv", "--model", model};
        arguments.insert(arguments.end(), options.begin(), options.end());
        require_refusal(arguments, texts);
    };
    refuse({"--score", "elbo"}, {"there is no score 'elbo'", "kl-divergence, ", ", negative-elbo, "});
    refuse({"--likelihood", "student"}, {"there is no likelihood 'student'", "student-t"});
    refuse({"--scaler", "none"}, {"there is no scaler 'none'", "identity-scaler"});
    refuse({"--hidden", "64,many"}, {"'many'", "whole number"});
    refuse({"--hidden", "0"}, {"'0'", "whole number"});
    refuse({"--activation", "swish"}, {"there is no activation 'swish'", "silu"});
    refuse({"--latent", "many<3>"}, {"there is no latent 'many'"});
    refuse({"--latent", "0"}, {"'0'"});
    refuse({"--encoder", "dense<3>"}, {"--encoder and --decoder are given together"});
    refuse({"--encoder", "dense<3>", "--decoder", "", "--hidden", "3"}, {"--encoder says all"});
    refuse({"--encoder", "dense<3", "--decoder", "dense<3>"}, {"brackets"});
    refuse({"--encoder", "dropout{rate=1}", "--decoder", "dense<3>"}, {"rate '1'"});
    refuse({"--optimiser", "adam{beta3=1}"}, {"no option 'beta3'", "beta1, beta2"});
    refuse({"--learning-rate", "-1"}, {"'-1'"});
    refuse({"--learning-rate", "fast"}, {"there is no learning-rate schedule 'fast'", "cosine-schedule"});
    refuse({"--beta", "nan"}, {"'nan'"});
    refuse({"--free-bits", "nan"}, {"--free-bits", "'nan'", "from 0 to"});
    refuse({"--time-limit", "0"}, {"--time-limit", "'0'", "from 0.001 to"});
    refuse({"--score", "1e39 * kl-divergence"}, {"expected a number in front of '*'"});
    refuse({"--encoder", "dropout{0.3}", "--decoder", "dense<3>"}, {"'dropout' has no place for '0.3'"});
    refuse({"--threshold", "conformal{false_alarm_rate=2}"}, {"between 0 and 1"});
    refuse({"--threshold", "fixed", "--false-alarm-rate", "0.1"}, {"--threshold"});
    CHECK(folder.entries() == 0);
}

TEST_CASE("latent coordinates, reconstructions, rows of its own and the way between two rows") {
    const Folder folder;
    const std::string table = folder / "t.csv";
    const std::string model = folder / "m";
    write_text(table, small_csv(120));
    fit_with(table, model, {"--latent", "2"});

    const auto latent = lines_of(run_well({"latent", table, "--model", model, "--out", "-"}).out);
    REQUIRE(latent.size() == 121);
    CHECK(latent[0] == "row,z1,z2");
    CHECK(run_well({"latent", table, "--model", model, "--out", "-", "--id", "c"})
              .out.starts_with("row,c,z1,z2\n1,"));

    const auto back = lines_of(run_well({"reconstruct", table, "--model", model, "--out", "-"}).out);
    REQUIRE(back.size() == 121);
    CHECK(back[0].starts_with("row,a,b,c"));

    const auto sampled =
        run_well({"sample", "--model", model, "--rows", "20", "--seed", "3", "--out", "-"}).out;
    CHECK(lines_of(sampled).size() == 21);
    CHECK(sampled.starts_with("a,b,c"));
    CHECK(sampled == run_well({"sample", "--model", model, "--rows", "20", "--seed", "3", "--out", "-"}).out);
    CHECK(sampled != run_well({"sample", "--model", model, "--rows", "20", "--seed", "4", "--out", "-"}).out);
    // Rows of its own are rows that it can read.
    write_text(folder / "s.csv", sampled);
    CHECK(lines_of(run_well({"score", folder / "s.csv", "--model", model, "--out", "-"}).out).size() == 21);

    const auto way = lines_of(run_well({"interpolate", table, "--model", model, "--from", "3", "--to", "9",
                                        "--steps", "4", "--out", "-"})
                                  .out);
    REQUIRE(way.size() == 5);
    // The ends are the reconstructions of the two rows.
    CHECK(way[1].substr(way[1].find(',')) == back[3].substr(back[3].find(',')));
    CHECK(way[4].substr(way[4].find(',')) == back[9].substr(back[9].find(',')));

    require_refusal({"interpolate", table, "--model", model, "--from", "3", "--to", "121", "--out", "-"},
                    {"has no row 121, only rows 1 to 120"});
    write_text(folder / "inf.csv", "a,b,c\n1,inf,x\n");
    require_refusal({"latent", folder / "inf.csv", "--model", model, "--out", "-"},
                    {"inf.csv, line 2, column 'b'", "infinite"});
    const std::string said = run_well({"diagnose", table, "--model", model, "--held-out", table}).out;
    CHECK(lines_of(said).size() == 5);
    CHECK_THAT(said, ContainsSubstring("of 2 latent units active") && ContainsSubstring("KL per unit: "));
    fit_with(table, model, {"--latent", "code<2>"});
    CHECK(lines_of(run_well({"diagnose", table, "--model", model}).out).size() == 5);
    require_refusal({"sample", "--model", model, "--out", folder / "x.csv"}, {"Code<2>{}", "no prior"});
    CHECK(folder.entries() == 4);
}

TEST_CASE("a training that was killed goes on from its last evaluation") {
    const Folder folder;
    const std::string table = folder / "t.csv";
    write_text(table, numeric_csv(300));
    const std::vector<std::string> arguments{"fit",    table,          "--model",   folder / "m", "--epochs",
                                             "400000", "--quiet",      "--hidden",  "8",          "--batch",
                                             "16",     "--checkpoint", folder / "c"};
    // Killed as soon as it has a checkpoint: `$$` is the shell's number, which becomes the program's.
    const std::string kill = "{ ( n=0; while [ ! -s '" + (folder / "c") +
                             "' ] && [ $n -lt 9000 ]; do sleep 0.01; n=$((n + 1)); done; kill -9 $$ ) & }";
    CHECK(run(arguments, {.before = kill}).code > 128);
    CHECK(folder.entries() == 2);  // the table and the checkpoint
    auto again = arguments;
    again.insert(again.end(), {"--time-limit", "0.001", "--log", folder / "log"});
    run_well(again);
    const auto log = lines_of(read_text(folder / "log"));
    CHECK_THAT(log.front(), ContainsSubstring("\"step\":") && !ContainsSubstring("\"step\":0,"));
}

TEST_CASE("a record of training, and a training that goes on where it was stopped") {
    const Folder folder;
    const std::string table = folder / "t.csv";
    write_text(table, numeric_csv(300));
    const char* const epochs = "300";  // longer than the time limit below on any machine
    const std::vector<std::string> options{
        "--hidden", "64,64", "--optimiser", "adam-w", "--averaging", "exponential-average", "--batch", "16"};
    fit_with(table, folder / "whole", options, epochs);

    auto first = options;
    first.insert(first.end(),
                 {"--checkpoint", folder / "c", "--time-limit", "0.02", "--log", folder / "log"});
    fit_with(table, folder / "part", first, epochs);
    const auto log = lines_of(read_text(folder / "log"));
    REQUIRE(log.size() >= 2);
    CHECK(log.front().starts_with("{\"event\":\"begin\""));
    CHECK_THAT(log.front(), ContainsSubstring("AdamW{") && ContainsSubstring("\"seed\":0") &&
                                ContainsSubstring("\"model\":\"Vae{Vec<2>{}, Chain{Dense<64, Relu>{}") &&
                                ContainsSubstring("\"score\":\"NegativeElbo{"));
    CHECK_THAT(run_well({"info", folder / "part"}).out, ContainsSubstring("(stopped: the time limit of"));
    CHECK_THAT(log.back(), ContainsSubstring("\"event\":\"end\"") && ContainsSubstring("time limit"));

    auto second = options;
    second.insert(second.end(), {"--checkpoint", folder / "c"});
    fit_with(table, folder / "resumed", second, epochs);
    const auto whole = untoward::io::SafeTensors::load(folder / "whole");
    const auto resumed = untoward::io::SafeTensors::load(folder / "resumed");
    CHECK(whole.metadata("checksum") == resumed.metadata("checksum"));
    // Another activation is another training, although it has the same parameters.
    auto other = second;
    other.insert(other.begin(), {"fit", table, "--model", folder / "m", "--epochs", epochs, "--quiet",
                                 "--activation", "tanh"});
    require_refusal(other, {"c: ", "model is", "Relu", "Tanh", "Latent<2>"});
    // And another seed, which also splits the rows otherwise.
    other = second;
    other.insert(other.begin(),
                 {"fit", table, "--model", folder / "m", "--epochs", epochs, "--quiet", "--seed", "1"});
    require_refusal(other, {"c: ", "seed is '0' there and '1' here"});
    // So is another table.
    write_text(folder / "u.csv", numeric_csv(301));
    require_refusal({"fit", folder / "u.csv", "--model", folder / "m", "--epochs", epochs, "--quiet",
                     "--hidden", "64,64", "--optimiser", "adam-w", "--averaging", "exponential-average",
                     "--batch", "16", "--checkpoint", folder / "c"},
                    {"c: "});
}
