// SPDX-License-Identifier: MIT
#include "untoward/io/detector_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "io/rewritten.hpp"
#include "support/catch.hpp"
#include "untoward/data/scaler.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/thresholds/conformal.hpp"
#include "untoward/thresholds/fixed.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace elsewhere {
struct Own {
    constexpr Needs needs() const { return {}; }
    void add_to(auto&, const auto&, auto) const {}
    std::string text() const { return "elsewhere::Own{}"; }
};

// Activations that nobody gave a name.
struct Cube {
    static auto value(auto x) { return x * x * x; }
    static auto slope(auto x) { return 3 * x * x; }
};
struct Half {
    static auto value(auto x) { return x / 2; }
    static auto slope(auto) { return 0.5F; }
};

// A layer that nobody gave a name, of a base that has one.
struct Unnamed : Dense<Dynamic, Tanh> {
    using Dense<Dynamic, Tanh>::Dense;
    static constexpr int name = 0;
};
}  // namespace elsewhere

namespace {

constexpr Index features = 4;
using Layer = Dense<Dynamic, Tanh>;
using Model = Vae<Vec<>, Encoder<Layer>, Latent<>, Decoder<Layer>, Gaussian>;
using TheRecipe = Recipe<RobustScaler, Model, NegativeElbo, Conformal>;
using TheDetector = Detector<TheRecipe>;

TheRecipe recipe_of(Index hidden = 6) {
    return {
        {},
        Model{Vec<>(features), Encoder<Layer>(Layer(hidden)), Latent<>(2), Decoder<Layer>(Layer(hidden)), {}},
        {},
        {.false_alarm_rate = 0.1}};
}

/// A detector that nobody trained: this test is about files.
template <class RecipeType>
Detector<RecipeType> detector_like(const RecipeType& recipe, std::uint64_t seed = 1) {
    Buffer<float> parameters(measure(recipe.model, recipe.model.sample).scalars);
    initialise(parameters.data(), seed, recipe.model, recipe.model.sample);
    Scaling<Eigen::VectorXf> scaling{
        Eigen::VectorXf::LinSpaced(features, -3, 3), Eigen::VectorXf::LinSpaced(features, 1, 1e4f),
        Eigen::VectorXf::LinSpaced(features, -2, 4), Eigen::VectorXf::Zero(features)};
    scaling.constant(1) = 1;
    return {recipe, scaling, std::move(parameters), Eigen::VectorXf::LinSpaced(features, 0.5f, 2),
            recipe.threshold.calibrate(Eigen::VectorXf(Eigen::VectorXf::LinSpaced(30, 1, 9)))};
}
TheDetector detector_of(std::uint64_t seed = 1) {
    return detector_like(recipe_of(), seed);
}

Eigen::MatrixXf samples() {
    Eigen::MatrixXf rows(features, 50);
    fill_normal(rows.data(), rows.size(), {.seed = 5});
    for (Index j = 0; j < rows.cols(); ++j) {
        rows.col(j).array() *= Eigen::ArrayXf::LinSpaced(features, 1, 1e4f);
    }
    return rows;
}

std::string saved(const TheDetector& detector) {
    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector);
    return writer.bytes();
}
TheDetector loaded(std::string bytes, const TheRecipe& recipe = recipe_of()) {
    return io::read_detector(io::SafeTensors(std::move(bytes), "m.safetensors"), recipe);
}

/// The file with one text replaced by another of the same length.
std::string with(std::string bytes, const std::string& before, const std::string& after) {
    REQUIRE(before.size() == after.size());
    const auto at = bytes.find(before);
    REQUIRE(at != std::string::npos);
    return bytes.replace(at, before.size(), after);
}

}  // namespace

TEST_CASE("detector file: what comes back scores the same bits") {
    const TheDetector detector = detector_of();
    const TheDetector back = loaded(saved(detector));
    REQUIRE(back.score(samples()) == detector.score(samples()));
    REQUIRE(back.threshold().threshold() == detector.threshold().threshold());
    REQUIRE(back.threshold().scores() == detector.threshold().scores());
    REQUIRE(back.threshold().false_alarm_rate() == 0.1);
    REQUIRE(back.scaling().fill == detector.scaling().fill);
    REQUIRE(back.scaling().constant == detector.scaling().constant);
    REQUIRE(back.typical() == detector.typical());
    const auto a = detector(samples().col(3));
    const auto b = back(samples().col(3));
    REQUIRE(a.p_value == b.p_value);
    for (Index i = 0; i < features; ++i) {
        REQUIRE(a.contributions[i].feature == b.contributions[i].feature);
        REQUIRE(a.contributions[i].excess == b.contributions[i].excess);
        REQUIRE(a.contributions[i].expected == b.contributions[i].expected);
    }
}

TEST_CASE("detector file: the same detector gives the same bytes, and so does one that was loaded") {
    const std::string bytes = saved(detector_of());
    REQUIRE(saved(detector_of()) == bytes);
    REQUIRE(saved(loaded(bytes)) == bytes);
    REQUIRE(saved(detector_of(2)) != bytes);
}

TEST_CASE("detector file: tensors have PyTorch's names and shapes; beside them lie statistics only") {
    const io::SafeTensors file(saved(detector_of()), "m.safetensors");
    const std::map<std::string, std::vector<Index>> expected{{"encoder.0.weight", {6, 4}},
                                                             {"encoder.0.bias", {6}},
                                                             {"latent.weight", {4, 6}},
                                                             {"latent.bias", {4}},
                                                             {"decoder.0.weight", {6, 2}},
                                                             {"decoder.0.bias", {6}},
                                                             {"likelihood.mean.weight", {4, 6}},
                                                             {"likelihood.mean.bias", {4}},
                                                             {"likelihood.log_variance", {4}},
                                                             {"scaler.centre", {4}},
                                                             {"scaler.scale", {4}},
                                                             {"scaler.fill", {4}},
                                                             {"scaler.constant", {4}},
                                                             {"score.typical", {4}},
                                                             {"threshold.scores", {30}},
                                                             {"test.samples", {4, 4}},
                                                             {"test.scores", {4}}};
    REQUIRE(file.tensors().size() == expected.size());
    for (const auto& [name, shape] : expected) {
        INFO(name);
        REQUIRE(file.info(name).shape == shape);
        REQUIRE(file.info(name).dtype == io::Dtype::F32);
    }
    std::set<std::string> keys;
    for (const auto& [key, value] : file.metadata()) keys.insert(key);
    REQUIRE(keys == std::set<std::string>{"format", "format_version", "version", "layout_hash", "checksum",
                                          "scaler", "model", "score", "threshold"});
    REQUIRE(file.metadata("scaler") == "RobustScaler{}");
    REQUIRE(file.metadata("model") ==
            "Vae{Vec<4>{}, Chain{Dense<6, Tanh>{}}, Latent<2>{}, Chain{Dense<6, Tanh>{}}, Gaussian{}}");
    REQUIRE(file.metadata("score") == "NegativeElbo{.draws = 8, .seed = 0}");

    // The test vectors come from the scaler alone, whatever the model was trained on.
    const io::SafeTensors other(saved(detector_of(2)), "n.safetensors");
    const auto bits = [](const io::SafeTensors& f, const char* name) {
        const auto b = f.bytes(name);
        return std::vector<std::byte>(b.begin(), b.end());
    };
    REQUIRE(bits(file, "test.samples") == bits(other, "test.samples"));
    REQUIRE(bits(file, "test.scores") != bits(other, "test.scores"));
    const auto vectors = file.tensor<float>("test.samples");
    REQUIRE((vectors.array() == vectors.array()).count() == vectors.size() - 1);  // one is missing
}

TEST_CASE("detector file: cut anywhere, it is refused") {
    const std::string bytes = saved(detector_of());
    REQUIRE(bytes.size() > 1000);
    for (std::size_t size = 0; size < bytes.size(); size += 64) {
        INFO(size << " bytes of " << bytes.size());
        REQUIRE_THROWS_AS(loaded(bytes.substr(0, size)), Error);
    }
    REQUIRE_THROWS_AS(loaded(bytes.substr(0, bytes.size() - 1)), Error);
    REQUIRE_THROWS_AS(loaded(bytes + '\0'), Error);
}

TEST_CASE("detector file: one wrong bit in any number is refused") {
    const std::string bytes = saved(detector_of());
    const io::SafeTensors file(bytes, "m.safetensors");
    for (const auto& tensor : file.tensors()) {
        for (std::size_t at = tensor.begin; at < tensor.end; ++at) {
            std::string damaged = bytes;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
            INFO(tensor.name << ", byte " << at - tensor.begin);
            REQUIRE_THROWS_AS(loaded(damaged), Error);
        }
    }
}

TEST_CASE("detector file: damage in a header never gets further than an error") {
    const std::string bytes = saved(detector_of());
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), 8);
    const Eigen::VectorXf expected = detector_of().score(samples());
    Index refused = 0;
    for (std::size_t at = 0; at < 8 + header; ++at) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        // Free text (the version) is all that may change.
        bool same = false;
        try {
            same = loaded(damaged).score(samples()) == expected;
        } catch (const Error&) {
            ++refused;
            continue;
        }
        REQUIRE(same);
    }
    REQUIRE(refused > static_cast<Index>(header) * 9 / 10);
}

TEST_CASE("detector file: another format, version, model or score is refused by name") {
    const std::string bytes = saved(detector_of());
    REQUIRE_THROWS_WITH(
        loaded(with(bytes, "untoward detector", "untoward defector")),
        ContainsSubstring("m.safetensors: format is") && ContainsSubstring("untoward detector"));
    REQUIRE_THROWS_WITH(
        loaded(with(bytes, "\"format_version\":\"2\"", "\"format_version\":\"3\"")),
        ContainsSubstring("format_version") && ContainsSubstring("'3'") && ContainsSubstring("expected '2'"));
    REQUIRE_THROWS_WITH(loaded(bytes, recipe_of(7)),
                        ContainsSubstring("tensor 'encoder.0.weight' has shape [6, 4], expected [7, 4]"));
    TheRecipe recipe = recipe_of();
    recipe.score.draws = 4;
    REQUIRE_THROWS_WITH(loaded(bytes, recipe),
                        ContainsSubstring("score is 'NegativeElbo{.draws = 8, .seed = 0}'") &&
                            ContainsSubstring("expected 'NegativeElbo{.draws = 4, .seed = 0}'"));
    REQUIRE_THROWS_WITH(loaded(with(bytes, "\"Conformal{", "\"Quantiles{")),
                        ContainsSubstring("threshold is"));
    REQUIRE_THROWS_WITH(loaded(with(bytes, "latent.bias", "latent.bits")),
                        ContainsSubstring("no tensor 'latent.bias'"));
    REQUIRE_THROWS_WITH(loaded(with(bytes, "layout_hash", "layout_dash")),
                        ContainsSubstring("no metadata 'layout_hash'"));
    const auto hash = io::SafeTensors(bytes, "m").metadata("layout_hash");
    REQUIRE(hash.size() == 16);
    std::string other = hash;
    std::reverse(other.begin(), other.end());
    REQUIRE_THROWS_WITH(loaded(with(bytes, hash, other)),
                        ContainsSubstring("layout_hash is '" + other + "', expected '" + hash));
    REQUIRE_THROWS_WITH(io::read_detector<double>(io::SafeTensors(bytes, "m"), recipe_of()),
                        ContainsSubstring("dtype F32, expected F64"));
    REQUIRE_THROWS_WITH(loaded(""), ContainsSubstring("m.safetensors"));
}

TEST_CASE("detector file: what it says of itself and what reads it are the same, or both are named") {
    const std::string bytes = saved(detector_of());
    const io::SafeTensors file(bytes, "m");
    const std::pair<const char*, std::string> changes[] = {
        {"format", "untoward ensemble"},
        {"format_version", "1"},
        {"layout_hash", "0123456789abcdef"},
        {"scaler", "StandardScaler{}"},
        {"scaler", "(unnamed)"},
        {"model",
         "Vae{Vec<4>{}, Chain{Dense<6, Tanh>{}}, Latent<2>{}, Chain{Dense<6, Tanh>{}}, StudentT{.freedom = "
         "4.0}}"},
        {"score", "NegativeElbo{.draws = 8, .seed = 1}"},
        {"threshold", "Conformal{.false_alarm_rate = 0.2}"},
        {"threshold", "plain"},
        {"checksum", "0123456789abcdef"},
    };
    for (const auto& [key, value] : changes) {
        INFO(key << " is " << value);
        REQUIRE_THROWS_WITH(loaded(untoward_test::with_metadata(bytes, key, value)),
                            ContainsSubstring("m.safetensors: ") && ContainsSubstring(value) &&
                                ContainsSubstring(file.metadata(key)));
    }
    // The other way round: another recipe reads the file as it is.
    auto standard =
        Recipe{StandardScaler{}, recipe_of().model, NegativeElbo{}, Conformal{.false_alarm_rate = 0.1}};
    REQUIRE_THROWS_WITH(io::read_detector(io::SafeTensors(bytes, "m.safetensors"), standard),
                        "m.safetensors: scaler is 'RobustScaler{}', expected 'StandardScaler{}'");
    TheRecipe recipe = recipe_of();
    recipe.threshold.false_alarm_rate = 0.05;
    REQUIRE_THROWS_WITH(loaded(bytes, recipe),
                        "m.safetensors: threshold is 'Conformal{.false_alarm_rate = 0.1}', expected "
                        "'Conformal{.false_alarm_rate = 0.05}'");
    // A text that no comparison is made with is in the checksum.
    TheDetector detector = detector_of();
    detector.set_threshold(
        Conformal{.false_alarm_rate = 0.3}.calibrate(Eigen::VectorXf(Eigen::VectorXf::LinSpaced(30, 1, 9))));
    const std::string by_hand = saved(detector);
    REQUIRE(loaded(by_hand).threshold().false_alarm_rate() == 0.3);
    REQUIRE(loaded(by_hand).recipe().threshold.false_alarm_rate == 0.1);
    REQUIRE(saved(loaded(by_hand)) == by_hand);
    recipe.threshold.false_alarm_rate = 0.3;
    REQUIRE_THROWS_WITH(
        loaded(by_hand, recipe),
        ContainsSubstring("threshold.policy is 'Conformal{.false_alarm_rate = 0.1}', expected "
                          "'Conformal{.false_alarm_rate = 0.3}'"));
    REQUIRE_THROWS_WITH(
        loaded(untoward_test::with_metadata(by_hand, "threshold", "Conformal{.false_alarm_rate = 0.4}")),
        ContainsSubstring("m.safetensors: its numbers and texts have the checksum"));
}

TEST_CASE("detector file: what this version does not know of a part that it reads is refused") {
    using untoward_test::with_metadata;
    using untoward_test::with_tensor;
    const std::string bytes = saved(detector_of());
    for (const char* key : {"score.window", "scaler_options", "threshold.kind", "threshold.policy.window",
                            "members", "member.1.scaler", "encoder.1.activation", "layout_order"}) {
        INFO(key);
        REQUIRE_THROWS_WITH(loaded(with_metadata(bytes, key, "7")),
                            ContainsSubstring("m.safetensors: holds the metadata '" + std::string(key) +
                                              "', of which this version of untoward (" UNTOWARD_VERSION
                                              ") knows nothing; version '" +
                                              UNTOWARD_VERSION "' wrote the file"));
    }
    for (const char* name :
         {"encoder.1.weight", "scaler.skew", "score.state.points", "threshold.value", "test.rows"}) {
        INFO(name);
        REQUIRE_THROWS_WITH(loaded(with_tensor(bytes, name)),
                            ContainsSubstring("m.safetensors: holds the tensor '" + std::string(name) + "'"));
    }
    // What belongs to no part of a detector is anybody's.
    REQUIRE_NOTHROW(loaded(with_tensor(with_metadata(bytes, "fit.seed", "7"), "baseline.points")));
}

TEST_CASE("detector file: a part without a name does not hide the others") {
    const auto recipe = [](FixedGaussian likelihood) {
        using Wrapped = elsewhere::Unnamed;
        return Recipe{RobustScaler{},
                      Vae<Vec<>, Encoder<Wrapped>, Latent<>, Decoder<Wrapped>, FixedGaussian>{
                          Vec<>(features), Encoder<Wrapped>(Wrapped(6)), Latent<>(2),
                          Decoder<Wrapped>(Wrapped(6)), likelihood},
                      ReconstructionError{}, Conformal{.false_alarm_rate = 0.1}};
    };
    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector_like(recipe({.log_variance = 1})));
    const io::SafeTensors file(writer.bytes(), "m.safetensors");
    REQUIRE_NOTHROW(io::read_detector(file, recipe({.log_variance = 1})));
    // The score is the same, so no test vector tells.
    REQUIRE_THROWS_WITH(
        io::read_detector(file, recipe({.log_variance = 2})),
        "m.safetensors: model is 'Vae{Vec<4>{}, Chain{(unnamed)}, Latent<2>{}, Chain{(unnamed)}, "
        "FixedGaussian{.log_variance = 1.0}}', expected 'Vae{Vec<4>{}, Chain{(unnamed)}, Latent<2>{}, "
        "Chain{(unnamed)}, FixedGaussian{.log_variance = 2.0}}'");
}

TEST_CASE("detector file: numbers that are none are refused by name") {
    const auto rewritten = [](const std::string& name, Index at, float value) {
        const io::SafeTensors file(saved(detector_of()), "m.safetensors");
        io::SafeTensorsWriter writer;
        for (const auto& [key, text] : file.metadata()) writer.metadata(key, text);
        for (const auto& tensor : file.tensors()) {
            auto values = file.tensor<float>(tensor.name);
            if (tensor.name == name) values(at) = value;
            writer.add(tensor.name, tensor.shape, values);
        }
        return writer.bytes();
    };
    const float infinity = std::numeric_limits<float>::infinity();
    REQUIRE_THROWS_WITH(loaded(rewritten("decoder.0.weight", 3, infinity)),
                        ContainsSubstring("'decoder.0.weight' holds values that are not finite"));
    REQUIRE_THROWS_WITH(loaded(rewritten("scaler.fill", 0, std::nanf(""))),
                        ContainsSubstring("'scaler.fill'"));
    REQUIRE_THROWS_WITH(loaded(rewritten("scaler.scale", 2, 0)), ContainsSubstring("scale is not positive"));
    REQUIRE_THROWS_WITH(loaded(rewritten("scaler.scale", 2, -1)), ContainsSubstring("scale is not positive"));
    REQUIRE_THROWS_WITH(loaded(rewritten("threshold.scores", 2, 1e9f)), ContainsSubstring("not sorted"));
    REQUIRE_THROWS_WITH(loaded(rewritten("encoder.0.bias", 2, 1e9f)), ContainsSubstring("checksum"));
    REQUIRE_THROWS_WITH(loaded(rewritten("test.scores", 1, 1e9f)), ContainsSubstring("checksum"));
    REQUIRE_NOTHROW(loaded(rewritten("threshold.scores", 29, 9)));  // nothing changed
}

TEST_CASE("detector file: a model of the same shapes with another activation is refused by name") {
    using Other = Dense<Dynamic, Sigmoid>;
    const Vae<Vec<>, Encoder<Other>, Latent<>, Decoder<Other>, Gaussian> model{
        Vec<>(features), Encoder<Other>(Other(6)), Latent<>(2), Decoder<Other>(Other(6)), {}};
    const Recipe recipe{RobustScaler{}, model, NegativeElbo{}, Conformal{.false_alarm_rate = 0.1}};
    const io::SafeTensors file(saved(detector_of()), "m.safetensors");
    REQUIRE_THROWS_WITH(io::read_detector(file, recipe),
                        ContainsSubstring("m.safetensors: model is 'Vae{Vec<4>{}, Chain{Dense<6, Tanh>{}}") &&
                            ContainsSubstring("expected 'Vae{Vec<4>{}, Chain{Dense<6, Sigmoid>{}}"));
}

TEST_CASE("detector file: where an activation has no name, the test vectors tell it from another") {
    const auto recipe = [](auto activation) {
        using Unnamed = Dense<Dynamic, decltype(activation)>;
        return Recipe{
            0,
            Vae<Vec<>, Encoder<Unnamed>, Latent<>, Decoder<Unnamed>, Gaussian>{
                Vec<>(features), Encoder<Unnamed>(Unnamed(6)), Latent<>(2), Decoder<Unnamed>(Unnamed(6)), {}},
            NegativeElbo{}, Conformal{.false_alarm_rate = 0.1}};
    };
    const auto detector = detector_like(recipe(elsewhere::Cube{}));
    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector);
    const io::SafeTensors file(writer.bytes(), "m.safetensors");
    REQUIRE(file.metadata("model") ==
            "Vae{Vec<4>{}, Chain{Dense<6, (unnamed)>{}}, Latent<2>{}, Chain{Dense<6, (unnamed)>{}}, "
            "Gaussian{}}");
    REQUIRE(io::read_detector(file, recipe(elsewhere::Cube{})).score(samples()) == detector.score(samples()));
    REQUIRE_THROWS_WITH(io::read_detector(file, recipe(elsewhere::Half{})),
                        ContainsSubstring("m.safetensors: test vector 1 scores ") &&
                            ContainsSubstring("not made for this model"));
}

TEST_CASE("detector file: a threshold without calibration comes back as such") {
    TheDetector detector = detector_of();
    detector.set_threshold(
        Conformal{.false_alarm_rate = 0.001}.calibrate(Eigen::VectorXf(Eigen::VectorXf::LinSpaced(5, 0, 1))));
    const TheDetector back = loaded(saved(detector));
    REQUIRE(back.threshold().threshold() == std::numeric_limits<float>::infinity());
    REQUIRE(back.threshold().rows_needed() == 999);
    REQUIRE(back.threshold().calibration_rows() == 5);
}

TEST_CASE("scores: how they are spelled in C++") {
    using io::policy_text;
    REQUIRE(policy_text(ReconstructionError{} + 0.1f * KlDivergence{}) ==
            "ReconstructionError{.norm = Norm::squared} + 0.1f * KlDivergence{}");
    REQUIRE(policy_text(2.0f * (ReconstructionError{.norm = Norm::l1} + KlDivergence{})) ==
            "2.0f * (ReconstructionError{.norm = Norm::l1} + KlDivergence{})");
    REQUIRE(policy_text(2.0f * ReconstructionError{.norm = Norm::l2} + KlDivergence{}) ==
            "2.0f * ReconstructionError{.norm = Norm::l2} + KlDivergence{}");
    REQUIRE(policy_text(KlDivergence{} + KlDivergence{} + 1e-10f * KlDivergence{}) ==
            "KlDivergence{} + KlDivergence{} + 1e-10f * KlDivergence{}");
    REQUIRE(policy_text(0.5f * elsewhere::Own{} + NegativeElbo{.draws = 2, .seed = 3}) ==
            "0.5f * elsewhere::Own{} + NegativeElbo{.draws = 2, .seed = 3}");
}
