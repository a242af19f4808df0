// SPDX-License-Identifier: MIT
// The command line: help that is worth reading, and wrong options that are refused.

#include "support/program.hpp"
#include "untoward/version.hpp"

using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("help names every option") {
    const std::map<std::string, std::vector<std::string>> options{
        {"fit", {"TRAIN",       "--model",        "--seed",
                 "--epochs",    "--gap",          "--label",
                 "--ignore",    "--columns",      "--false-alarm-rate",
                 "--quiet",     "dense",          "correlated-latent",
                 "student-t",   "robust-scaler",  "negative-elbo",
                 "conformal",   "adam-w",         "cosine-schedule",
                 "linear-beta", "uniform-average"}},
        {"score",
         {"DATA", "--model", "--out", "--top", "--id", "--standard-error", "--spread", "p_value",
          "is_anomaly", "missing"}},
        {"evaluate", {"DATA", "--model", "--label", "--labels", "--json"}},
        {"calibrate", {"NORMALS", "--model", "--false-alarm-rate", "--out"}},
        {"info", {"MODEL"}},
    };
    const Outcome all = run_well({"--help"});
    CHECK(all.err.empty());
    for (const auto& [command, names] : options) {
        CHECK_THAT(all.out, ContainsSubstring("  " + command + " "));
        const Outcome help = run_well({command, "--help"});
        INFO(help.out);
        CHECK(help.err.empty());
        CHECK_THAT(help.out, ContainsSubstring("Usage: untoward " + command));
        for (const std::string& name : names) CHECK_THAT(help.out, ContainsSubstring(name));
        CHECK(run_well({command, "-h"}).out == help.out);
    }
    for (const char* text : {"Examples:", ".csv", ".npy", "Exit codes: 0", "2 "})
        CHECK_THAT(all.out, ContainsSubstring(text));
    for (std::size_t at = 0, end = 0; (end = all.out.find('\n', at)) != std::string::npos; at = end + 1)
        CHECK(end - at <= 120);
    CHECK(run_well({"--version"}).out == std::string(UNTOWARD_VERSION) + "\n");
}

TEST_CASE("wrong arguments are refused before anything is read") {
    const std::string more = "--help says more";
    require_refusal({}, {"required", more});
    require_refusal({"train"}, {"there is no command 'train'", "fit, score, evaluate, calibrate"});
    require_refusal({"--fast"}, {more});
    require_refusal({"fit"}, {"TRAIN is required", "untoward fit " + more});
    require_refusal({"fit", "x.csv"}, {"--model is required"});
    require_refusal({"fit", "x.csv", "y.csv", "--model", "m"}, {"y.csv"});
    require_refusal({"fit", "x.csv", "--model", "m", "--epoch", "3"}, {"--epoch"});
    require_refusal({"fit", "x.csv", "--model"}, {"--model"});
    for (const char* wrong : {"0", "-3", "1.5", "many", "", "99999999999999999999"})
        require_refusal({"fit", "x.csv", "--model", "m", "--epochs", wrong},
                        {"--epochs: expected a whole number from 1"});
    for (const char* wrong : {"-1", "0.5", "18446744073709551616"})
        require_refusal({"fit", "x.csv", "--model", "m", "--seed", wrong},
                        {"--seed: expected a whole number from 0"});
    for (const char* wrong : {"0", "1", "-0.1", "1%", "nan", "inf"})
        require_refusal({"fit", "x.csv", "--model", "m", "--false-alarm-rate", wrong},
                        {"--false-alarm-rate: expected a number between 0 and 1"});
    require_refusal({"score", "x.csv", "--model", "m"}, {"--out is required", "untoward score " + more});
    require_refusal({"score", "x.csv", "--model", "m", "--out", "-", "--top", "-1"},
                    {"--top: expected a whole number from 0"});
    require_refusal({"score", "-", "--model", "-", "--out", "-"},
                    {"only one file can come from standard input"});
    require_refusal({"evaluate", "x.csv", "--model", "m"}, {"--label or --labels is required"});
    require_refusal({"evaluate", "x.csv", "--model", "m", "--label", "a", "--labels", "b.npy"},
                    {"--label", "excludes"});
    require_refusal({"calibrate", "x.csv", "--model", "m", "--out", "m2"},
                    {"--false-alarm-rate is required"});
    require_refusal({"info"}, {"MODEL is required"});
}
