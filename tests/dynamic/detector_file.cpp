// SPDX-License-Identifier: MIT
// A detector's file does not tell whether its types were chosen by the compiler or at run time.
#include <algorithm>

#include "io/rewritten.hpp"
#include "support/catch.hpp"
#include "support/registries.hpp"
#include "untoward/dynamic/detector.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

using Model =
    Vae<Vec<3>, Encoder<Dense<6, Tanh>, Dense<4, Relu>>, Latent<2>, Decoder<Dense<4, Tanh>>, Gaussian>;

template <class RecipeType>
Detector<RecipeType> detector_of(const RecipeType& recipe) {
    Buffer<float> parameters(measure(recipe.model, recipe.model.sample).scalars);
    initialise(parameters.data(), 3, recipe.model, recipe.model.sample);
    const Eigen::VectorXf zero = Eigen::VectorXf::Zero(3);
    return {recipe,
            {Eigen::Vector3f(10, -2, 0.5f), Eigen::Vector3f(4, 0.1f, 1), Eigen::Vector3f(9, -2, 0.5f), zero},
            std::move(parameters),
            Eigen::Vector3f(0.1f, 0.2f, 0.3f),
            recipe.threshold.calibrate(Eigen::VectorXf(Eigen::VectorXf::LinSpaced(40, 1, 9)))};
}

const Recipe fixed{RobustScaler{}, Model{}, NegativeElbo{.draws = 2} + 0.5f * KlDivergence{},
                   Conformal{.false_alarm_rate = 0.1}};

#define TEXT_OF(...) #__VA_ARGS__
#define AS_TEXT(...) TEXT_OF(__VA_ARGS__)
// What describe() prints of it, for the compiler.
#define DESCRIBED                                                                                          \
    Recipe {                                                                                               \
        RobustScaler{},                                                                                    \
            Vae{Vec<3>{}, Chain{Dense<6, Tanh>{}, Dense<4, Relu>{}}, Latent<2>{}, Chain{Dense<4, Tanh>{}}, \
                Gaussian{}},                                                                               \
            NegativeElbo{.draws = 2, .seed = 0} + 0.5f * KlDivergence{}, Conformal {                       \
            .false_alarm_rate = 0.1                                                                        \
        }                                                                                                  \
    }
const auto described = DESCRIBED;

AnyRecipe<float> any_recipe() {
    return {scaler_registry().make("robust-scaler"),
            make_vae(VaeText{3, "dense<6,tanh>, dense<4,relu>", "latent<2>", "dense<4,tanh>", "gaussian"}),
            make_score("negative-elbo{draws=2} + 0.5 * kl-divergence"),
            threshold_registry().make("conformal{false_alarm_rate=0.1}")};
}

template <class DetectorType>
std::string saved(const DetectorType& detector) {
    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector);
    return writer.bytes();
}

io::SafeTensors file(std::string bytes) {
    return {std::move(bytes), "m.safetensors"};
}

std::string with(std::string bytes, const std::string& old_text, const std::string& new_text) {
    const std::size_t place = bytes.find(old_text);
    REQUIRE(place != std::string::npos);
    REQUIRE(old_text.size() == new_text.size());
    return bytes.replace(place, old_text.size(), new_text);
}

}  // namespace

TEST_CASE("the same detector, fixed or chosen at run time: the same scores, the same bytes") {
    const auto typed = detector_of(fixed);
    const auto any = detector_of(any_recipe());
    Eigen::MatrixXf rows(3, 40);
    fill_normal(rows.data(), rows.size(), {.seed = 5});
    CHECK(any.score(rows) == typed.score(rows));
    const auto a = any(rows.col(1));
    const auto b = typed(rows.col(1));
    CHECK(a.score == b.score);
    CHECK(a.p_value == b.p_value);
    CHECK(a.is_anomaly == b.is_anomaly);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(a.contributions[static_cast<Index>(i)].feature == b.contributions[i].feature);
        CHECK(a.contributions[static_cast<Index>(i)].excess == b.contributions[i].excess);
        CHECK(a.contributions[static_cast<Index>(i)].expected == b.contributions[i].expected);
    }
    const std::string bytes = saved(any);
    CHECK(bytes == saved(typed));

    const auto back = io::read_any_detector(file(bytes));
    CHECK(back.score(rows) == typed.score(rows));
    CHECK(saved(back) == bytes);
    CHECK(io::policy_text(back.recipe().model) ==
          "Vae{Vec<3>{}, Chain{Dense<6, Tanh>{}, Dense<4, Relu>{}}, Latent<2>{}, Chain{Dense<4, Tanh>{}}, "
          "Gaussian{}}");
    CHECK(back.recipe().score.text() == "NegativeElbo{.draws = 2, .seed = 0} + 0.5f * KlDivergence{}");
    CHECK(back.threshold().false_alarm_rate() == 0.1);
    CHECK(io::read_detector(file(bytes), fixed).score(rows) == typed.score(rows));
}

TEST_CASE("scores of draws chosen at run time: the same numbers as fixed ones, with their standard errors") {
    const Recipe recipe{
        RobustScaler{}, Model{},
        ImportanceWeightedLikelihood{.draws = 5} +
            0.5f * ReconstructionProbability{.draws = 5, .average = DensityAverage::log_mean_exp},
        Conformal{.false_alarm_rate = 0.1}};
    auto from_text = any_recipe();
    from_text.score = make_score(
        "importance-weighted-likelihood{draws=5} + 0.5 * "
        "reconstruction-probability{draws=5, average=log_mean_exp}");
    const auto typed = detector_of(recipe);
    const auto any = detector_of(from_text);
    Eigen::MatrixXf rows(3, 40);
    fill_normal(rows.data(), rows.size(), {.seed = 5});
    CHECK(any.score(rows) == typed.score(rows));
    CHECK(any.standard_error(rows) == typed.standard_error(rows));
    CHECK(any.standard_error(rows).minCoeff() > 0);
    CHECK(any.arena_bytes(7, true) == typed.arena_bytes(7, true));
    const std::string bytes = saved(any);
    CHECK(bytes == saved(typed));
    CHECK(io::read_any_detector(file(bytes)).score(rows) == typed.score(rows));
    // A code has no densities to weigh draws by.
    from_text.model.latent = latent_registry().make("code<2>");
    CHECK_THROWS_WITH(require_latent_for_score(from_text.model.latent, from_text.score),
                      ContainsSubstring("the latent Code<2>{} has none"));
}

TEST_CASE("a recipe is printed as the C++ that makes it") {
    const auto without_spaces = [](std::string text) {
        text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
        return text;
    };
    const std::string text = describe(any_recipe());
    CHECK(without_spaces(text) == without_spaces(AS_TEXT(DESCRIBED)));
    CHECK(describe(fixed) == text);
    CHECK(describe(described) == text);
    CHECK(describe(detector_of(fixed)) == text);
    CHECK(describe(AnyVae<float>(any_recipe().model)) == io::policy_text(fixed.model));
    CHECK(describe(Dense<3, Silu>{}) == "Dense<3, Silu>{}");
}

TEST_CASE("other thresholds come back from their scores") {
    for (const char* text :
         {"quantile{level=0.75}", "fixed{value=3.5}", "conformal{false_alarm_rate=0.001}"}) {
        INFO(text);
        auto recipe = any_recipe();
        recipe.threshold = threshold_registry().make(text);
        const auto detector = detector_of(recipe);
        const auto back = io::read_any_detector(file(saved(detector)));
        CHECK(back.threshold().threshold() == detector.threshold().threshold());
        CHECK(back.threshold().calibration_rows() == 40);
        CHECK(back.threshold().rows_needed() == detector.threshold().rows_needed());
        CHECK(back.threshold().policy().text() == recipe.threshold.text());
    }
}

TEST_CASE("a file that names what is not known, or what it does not hold, is refused by name") {
    const std::string bytes = saved(detector_of(fixed));
    const auto load = [](const std::string& changed) { return io::read_any_detector(file(changed)); };
    CHECK_THROWS_WITH(load(with(bytes, "Dense<4, Relu>", "Dense<4, Rule>")),
                      ContainsSubstring("m.safetensors: model: there is no activation 'rule'"));
    CHECK_THROWS_WITH(load(with(bytes, "Dense<4, Relu>", "Tense<4, Relu>")),
                      ContainsSubstring("there is no layer 'tense'"));
    CHECK_THROWS_WITH(load(with(bytes, "KlDivergence{}", "LkDivergence{}")),
                      ContainsSubstring("m.safetensors: score: there is no score"));
    CHECK_THROWS_WITH(load(with(bytes, "RobustScaler{}", "BobustScaler{}")), ContainsSubstring("scaler"));
    CHECK_THROWS_WITH(load(with(bytes, "Conformal{", "Confirmal{")), ContainsSubstring("threshold"));
    CHECK_THROWS_WITH(load(with(bytes, "Gaussian{}", "Gaussean{}")), ContainsSubstring("no likelihood"));
    CHECK_THROWS_WITH(load(with(bytes, "Latent<2>{}", "Latent<3>{}")), ContainsSubstring("has shape"));
    CHECK_THROWS_WITH(load(with(bytes, "Vae{Vec<3>{}", "Vae{Seq<3>{}")), ContainsSubstring("Vec<features>"));
    // Sizes that no file could hold are refused before anything is allocated for them.
    CHECK_THROWS_WITH(load(with(bytes, "Dense<6, Tanh>{}", "Dense<999999 >{}")), ContainsSubstring("shape"));
    // The text of an activation is part of the model, though the layout is the same.
    CHECK_THROWS_AS(io::read_detector(file(with(bytes, "Dense<4, Relu>", "Dense<4, Tanh>")), fixed), Error);
}

TEST_CASE("a text that was changed to another that is known is refused, since the checksum has it") {
    const std::string bytes = saved(detector_of(fixed));
    const std::pair<const char*, const char*> changes[] = {
        {"scaler", "StandardScaler{}"},
        {"score", "NegativeElbo{.draws = 2, .seed = 1} + 0.5f * KlDivergence{}"},
        {"threshold", "Conformal{.false_alarm_rate = 0.2}"},
        {"threshold", "Quantile{.level = 0.9}"},
        {"threshold.policy", "Quantile{.level = 0.9}"},
        {"model",
         "Vae{Vec<3>{}, Chain{Dense<6, Tanh>{}, Dense<4, Tanh>{}}, Latent<2>{}, Chain{Dense<4, Tanh>{}}, "
         "Gaussian{}}"},
    };
    const std::string written = file(bytes).metadata("checksum");
    for (const auto& [key, value] : changes) {
        INFO(key << " is " << value);
        CHECK_THROWS_WITH(io::read_any_detector(file(untoward_test::with_metadata(bytes, key, value))),
                          ContainsSubstring("m.safetensors: its numbers and texts have the checksum ") &&
                              ContainsSubstring("'" + written + "' was written"));
    }
    CHECK_THROWS_WITH(io::read_any_detector(file(untoward_test::with_metadata(bytes, "score.window", "3"))),
                      ContainsSubstring("m.safetensors: holds the metadata 'score.window'"));
}

TEST_CASE("another recipe chosen at run time is refused, with both texts") {
    const io::SafeTensors saved_file = file(saved(detector_of(fixed)));
    const auto refused = [&](const AnyRecipe<float>& recipe, const std::string& text) {
        CHECK_THROWS_WITH(io::read_detector(saved_file, recipe), "m.safetensors: " + text);
    };
    CHECK_NOTHROW(io::read_detector(saved_file, any_recipe()));
    auto recipe = any_recipe();
    recipe.scaler = scaler_registry().make("standard-scaler");
    refused(recipe, "scaler is 'RobustScaler{}', expected 'StandardScaler{}'");
    recipe = any_recipe();
    recipe.threshold = threshold_registry().make("conformal{false_alarm_rate=0.2}");
    refused(
        recipe,
        "threshold is 'Conformal{.false_alarm_rate = 0.1}', expected 'Conformal{.false_alarm_rate = 0.2}'");
    recipe.threshold = threshold_registry().make("fixed{value=3}");
    refused(recipe, "threshold is 'Conformal{.false_alarm_rate = 0.1}', expected 'Fixed{.value = 3.0}'");
    // A threshold that was put in the place of the recipe's comes back, by either.
    auto by_hand = detector_of(fixed);
    by_hand.set_threshold(
        Conformal{.false_alarm_rate = 0.2}.calibrate(Eigen::VectorXf(Eigen::VectorXf::LinSpaced(40, 1, 9))));
    const auto any = io::read_any_detector(file(saved(by_hand)));
    CHECK(any.threshold().false_alarm_rate() == 0.2);
    CHECK(any.recipe().threshold.text() == "Conformal{.false_alarm_rate = 0.2}");
    CHECK(io::read_detector(file(saved(by_hand)), fixed).threshold().false_alarm_rate() == 0.2);
}

TEST_CASE("what no compiler would take is not taken from a file either") {
    const auto refused = [](const char* scaler, const char* likelihood, const char* latent,
                            const char* score) {
        auto recipe = any_recipe();
        recipe.scaler = scaler_registry().make(scaler);
        recipe.model.likelihood = likelihood_registry().make(likelihood);
        recipe.model.latent = latent_registry().make(latent);
        recipe.score = make_score(score);
        return file(saved(detector_of(recipe)));
    };
    CHECK_THROWS_WITH(
        io::read_any_detector(refused("standard-scaler", "bernoulli", "latent<2>", "negative-elbo")),
        ContainsSubstring("m.safetensors: the likelihood Bernoulli{} is for values in [0, 1], and the scaler "
                          "StandardScaler{} does not keep them"));
    CHECK_NOTHROW(io::read_any_detector(refused("unit-scaler", "bernoulli", "latent<2>", "negative-elbo")));
}

TEST_CASE("an ensemble's file: every member, and how many they are") {
    const auto member = [](const char* scaler) {
        auto recipe = any_recipe();
        recipe.scaler = scaler_registry().make(scaler);
        return recipe;
    };
    const AnyThreshold<float> threshold = any_recipe().threshold;
    const AnyEnsemble<float> recipe{{member("robust-scaler"), member("standard-scaler")}, threshold};
    const AnyEnsembleDetector<float> ensemble(
        recipe, {detector_of(recipe.members[0]), detector_of(recipe.members[1])},
        threshold.calibrate(Eigen::VectorXf(Eigen::VectorXf::LinSpaced(40, 1, 9))));
    const std::string bytes = saved(ensemble);
    CHECK(saved(io::read_any_ensemble(file(bytes))) == bytes);
    const auto load = [&](const char* key, const char* value) {
        return io::read_detector(file(untoward_test::with_metadata(bytes, key, value)), recipe);
    };
    CHECK_NOTHROW(load("fit.seed", "1"));
    CHECK_THROWS_WITH(load("members", "3"), "m.safetensors: has 3 members, expected 2");
    CHECK_THROWS_WITH(load("members", "1001"), ContainsSubstring("m.safetensors: has 1001 members"));
    CHECK_THROWS_WITH(load("member.1.scaler", "RobustScaler{}"),
                      "m.safetensors: member.1.scaler is 'RobustScaler{}', expected 'StandardScaler{}'");
    CHECK_THROWS_WITH(load("member.2.scaler", "RobustScaler{}"),
                      ContainsSubstring("m.safetensors: holds the metadata 'member.2.scaler'"));
    CHECK_THROWS_WITH(io::read_any_ensemble(file(untoward_test::with_metadata(bytes, "members", "1"))),
                      ContainsSubstring("m.safetensors: holds the metadata 'member.1."));
    // Members in another order are another ensemble.
    const AnyEnsemble<float> turned{{recipe.members[1], recipe.members[0]}, threshold};
    CHECK_THROWS_WITH(io::read_detector(file(bytes), turned),
                      "m.safetensors: member.0.scaler is 'RobustScaler{}', expected 'StandardScaler{}'");
}

TEST_CASE("a scaler that does not keep what a likelihood is for is refused") {
    const auto recipe = any_recipe();
    CHECK_NOTHROW(require_scaler_for_likelihood(recipe.scaler, recipe.model.likelihood));
}
