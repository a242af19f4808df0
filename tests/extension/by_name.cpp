// SPDX-License-Identifier: MIT
// The layer and the likelihood chosen at run time, saved and loaded; the schedule's name is tested with it.
#include "extension/counts.hpp"
#include "support/catch.hpp"
#include "support/registries.hpp"
#include "untoward/dynamic/detector.hpp"

using namespace untoward;
using namespace extension_test;
using Catch::Matchers::ContainsSubstring;

namespace {

// What a program says once, at its start.
void register_parts() {
    likelihood_registry<float>().add<extension::NegativeBinomial>();
    // Its layer is chosen by name, too.
    layer_registry<float>().add(
        extension::Highway<AnyLayer<float>>::name, [](const io::PolicyText& text) -> AnyLayer<float> {
            if (text.values.size() != 1 || !text.options.empty() || !text.arguments.empty())
                fail("layer 'highway' has one layer in {}, like highway{dense<64,relu>}");
            return extension::Highway<AnyLayer<float>>{layer_registry<float>().make(text.values[0])};
        });
}

AnyRecipe<float> recipe_of(const char* scaler) {
    return {scaler_registry<float>().make(scaler),
            make_vae<float>({.features = kinds,
                             .encoder = "dense<16,silu>, highway{dense<16,tanh>}",
                             .latent = "latent<2>",
                             .decoder = "dense<16,silu>, highway{dense<16,tanh>}",
                             .likelihood = "negative-binomial{first_size=2}"}),
            make_score<float>("negative-elbo"),
            threshold_registry<float>().make("conformal{false_alarm_rate=0.05}")};
}

std::string saved(const auto& detector) {
    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector);
    return writer.bytes();
}

}  // namespace

TEST_CASE("parts of a user's own, chosen by name, saved and loaded") {
    CHECK_THROWS_WITH(recipe_of("identity-scaler"), ContainsSubstring("there is no layer 'highway'"));
    CHECK_THROWS_WITH(likelihood_registry<float>().make("negative-binomial"),
                      ContainsSubstring("there is no likelihood 'negative-binomial'"));
    register_parts();
    CHECK_THROWS_WITH(layer_registry<float>().make("highway"), ContainsSubstring("has one layer in {}"));
    CHECK_THROWS_WITH(likelihood_registry<float>().make("negative-binomial{first_size=0}"),
                      ContainsSubstring("has first_size '0', expected a number from 0.02 to 1000"));
    const Eigen::MatrixXf rows = normal_counts(500, 1);
    CHECK_THROWS_WITH(fit(recipe_of("standard-scaler"), rows),
                      ContainsSubstring("is for counts") && ContainsSubstring("use identity-scaler"));

    const auto recipe = recipe_of("identity-scaler");
    CHECK(io::policy_text(recipe.model) ==
          "Vae{Vec<6>{}, Chain{Dense<16, Silu>{}, Highway{Dense<16, Tanh>{}}}, Latent<2>{}, "
          "Chain{Dense<16, Silu>{}, Highway{Dense<16, Tanh>{}}}, "
          "NegativeBinomial{.first_size = 2.0}}");

    const auto detector = fit(recipe, rows, one_cycle_of(60));
    const Eigen::MatrixXf later = normal_counts(40, 2);
    REQUIRE(detector.score(later).allFinite());
    const std::string bytes = saved(detector);
    const auto loaded = io::read_any_detector<float>(io::SafeTensors(bytes, "memory"));
    CHECK(loaded.score(later) == detector.score(later));
    CHECK(saved(loaded) == bytes);
}

TEST_CASE("counts that vary more than a Poisson's are more probable under the likelihood that knows it") {
    register_parts();
    auto recipe = recipe_of("identity-scaler");
    // Nothing in common, and rates that differ from row to row.
    Eigen::MatrixXf rows(kinds, 2500);
    for (Index i = 0; i < kinds; ++i) rows.row(i).setConstant(10 * static_cast<float>(i));
    rows = counts_of(rows, 1, 0.8f);
    const auto loss = [&](const char* likelihood) {
        recipe.model.likelihood = likelihood_registry<float>().make(likelihood);
        FitReport report;
        fit(recipe, rows, one_cycle_of(500), &report);
        return report.training.loss;
    };
    CHECK(loss("negative-binomial") < loss("poisson") - 1);
}
