// SPDX-License-Identifier: MIT
// `untoward export`: what it refuses and what it writes. tests/house/embedded.py compiles and runs what it writes.

#include "support/program.hpp"

using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Fits a model to so many rows of train.csv.
void fit_quickly(const Folder& folder, int rows, const std::vector<std::string>& options) {
    write_text(folder / "train.csv", numeric_csv(rows));
    std::vector<std::string> arguments{
        "fit", folder / "train.csv", "--model", folder / "m", "--epochs", "1", "--quiet"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    run_well(arguments);
}

}  // namespace

TEST_CASE("export: a detector becomes a header") {
    const Folder folder;
    const std::string model = folder / "m";
    fit_quickly(folder, 150, {"--hidden", "8"});
    const Outcome outcome = run_well({"export", model, "--header", "-", "--namespace", "firmware::pump"});
    CHECK_THAT(outcome.out, ContainsSubstring("#include <untoward/embedded.hpp>"));
    CHECK_THAT(outcome.out, ContainsSubstring("namespace firmware::pump {"));
    CHECK_THAT(outcome.out, ContainsSubstring("static_assert(untoward::layout_hash("));
    CHECK_THAT(outcome.out, ContainsSubstring("NegativeElbo{.draws = 8, .seed = 0}"));
    CHECK_THAT(outcome.out, ContainsSubstring("static constexpr float golden_scores[]"));
    CHECK_THAT(outcome.err, ContainsSubstring("bytes of flash"));

    const std::string header = folder / "detector.hpp";
    run_well({"export", model, "--header", header, "--namespace", "firmware::pump"});
    CHECK(read_text(header) == outcome.out);
}

TEST_CASE("export: refuses names that are none, and what does not fit") {
    const Folder folder;
    const std::string model = folder / "m";
    const std::string train = folder / "train.csv";
    fit_quickly(folder, 60, {"--hidden", "8"});
    const std::string header = folder / "detector.hpp";
    for (const char* name : {"", "9lives", "a b", "a::", "::a", "a:b", "a;b"}) {
        require_refusal({"export", model, "--header", header, "--namespace", name},
                        {"a namespace is a C++ name like detector"});
    }
    require_refusal({"export", model, "--header", header, "--max-flash", "6200"},
                    {"more than --max-flash 6200", "what would fit has at most 2 numbers"});
    require_refusal({"export", model, "--header", header, "--max-flash", "6600"},
                    {"--weights bfloat16 would fit, with 6584"});
    require_refusal({"export", model, "--header", header, "--weights", "int8"},
                    {"--normals must name normal rows"});
    require_refusal({"export", model, "--header", header, "--weights", "int4", "--normals", train},
                    {"only float32, bfloat16, int8"});
    require_refusal({"export", train, "--header", header}, {"train.csv"});
    CHECK(folder.entries() == 2);
    run_well({"export", model, "--header", header, "--max-flash", "30000"});
    const Outcome outcome =
        run_well({"export", model, "--header", "-", "--weights", "int8", "--normals", train});
    CHECK_THAT(outcome.err, ContainsSubstring("scores of 60 normal rows change by "));
    CHECK_THAT(outcome.out, ContainsSubstring("scores of 60 normal rows change by "));
    CHECK_THAT(outcome.out, ContainsSubstring("static constexpr std::int8_t codes[]"));
}

TEST_CASE("export: the default's models are one detector") {
    const Folder folder;
    const std::string model = folder / "m";
    const std::string train = folder / "train.csv";
    fit_quickly(folder, 200, {});
    const Outcome floats = run_well({"export", model, "--header", "-"});
    CHECK_THAT(
        floats.out,
        ContainsSubstring(
            "using Detector = untoward::FlashEnsemble<Definition, Member_1, Member_2, Member_3, Member_4>;"));
    CHECK_THAT(floats.out, ContainsSubstring("static constexpr auto score = parts::score_4;"));
    const Outcome rounded =
        run_well({"export", model, "--header", "-", "--weights", "int8", "--normals", train});
    CHECK_THAT(rounded.out, ContainsSubstring("static constexpr std::int8_t codes[]"));
    CHECK_THAT(rounded.err, ContainsSubstring("scores of 200 normal rows change by "));
}

TEST_CASE("export: what a score learned goes into the header") {
    const Folder folder;
    const std::string model = folder / "m";
    const std::string header = folder / "detector.hpp";
    fit_quickly(folder, 200, {"--fast"});
    const Outcome fused = run_well({"export", model, "--header", "-"});
    CHECK_THAT(fused.out, ContainsSubstring("Slog{NeighbourScore{.space = Space::input, .k = 5"));
    CHECK_THAT(fused.out, ContainsSubstring("static constexpr untoward::Index learned_sizes[] = {"));
    CHECK_THAT(fused.out, ContainsSubstring("static constexpr float learned[] = {"));
    fit_quickly(folder, 200, {"--hidden", "4", "--score", "neighbour-score{most_rows=100}"});
    require_refusal({"export", model, "--header", header, "--max-flash", "8000"},
                    {"more than --max-flash 8000", "what the score learned takes ",
                     "(untoward fit --score negative-elbo) would fit, with "});
    run_well({"export", model, "--header", header, "--max-flash", "20000"});
    fit_quickly(folder, 200, {"--hidden", "4", "--score", "negative-elbo"});
    const Outcome nothing = run_well({"export", model, "--header", "-", "--max-flash", "8000"});
    CHECK(nothing.out.find("learned") == std::string::npos);
}
