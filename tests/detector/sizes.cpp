// SPDX-License-Identifier: MIT
// Samples, codes, scores and labels of the wrong size, in a release build: CMakeLists.txt compiles this with NDEBUG.
#include <string>
#include <type_traits>

#include "support/catch.hpp"
#include "untoward/data/scaler.hpp"
#include "untoward/ensemble.hpp"
#include "untoward/generate.hpp"
#include "untoward/metrics/decisions.hpp"
#include "untoward/metrics/ranking.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/thresholds/conformal.hpp"
#include "untoward/train/diagnostics.hpp"
#include "untoward/train/fit_ensemble.hpp"
#include "untoward/vae/gaussian.hpp"
#include "untoward/vae/vae.hpp"

using namespace untoward;

namespace {

#ifndef NDEBUG
static_assert(false, "this test is of a release build");
#endif

using Model = Vae<Vec<6>, Encoder<Dense<8, Relu>>, Latent<2>, Decoder<Dense<8, Relu>>, Gaussian>;

// A score that reads what it did not ask for, as it was written in a hurry.
struct Forgetful {
    [[nodiscard]] constexpr Needs needs() const { return {}; }
    void add_to(auto& sheet, const auto& evidence, auto weight) const {
        for (Index j = 0; j < evidence.x.batch(); ++j)
            sheet.features.column(j) +=
                weight * (evidence.x.column(j) - evidence.reconstruction().column(j)).square();
    }
};

template <class Score>
auto fit_small(const Score& score, const Eigen::MatrixXf& samples) {
    return fit(Recipe{RobustScaler{}, Model{}, score, Conformal{.false_alarm_rate = 0.1}}, samples,
               {.epochs = 1});
}

Eigen::MatrixXf some_samples() {
    std::srand(1);
    return Eigen::MatrixXf::Random(6, 80);
}

// What a call says when it is refused; nothing when it is not.
template <class Call>
std::string refusal(const Call& call) {
    try {
        static_cast<void>(call());
    } catch (const Error& error) {
        return error.what();
    }
    return "not refused";
}

template <class DetectorType>
void check_samples(const DetectorType& detector, const Eigen::MatrixXf& x) {
    const Eigen::VectorXf shorter = Eigen::VectorXf::Random(3);
    const Eigen::VectorXf longer = Eigen::VectorXf::Random(9);
    const Eigen::VectorXf empty(0);
    const Eigen::MatrixXf table = Eigen::MatrixXf::Random(5, 400);
    const Eigen::MatrixXf turned = Eigen::MatrixXf::Random(400, 6);
    const auto of_sample = [](int values) {
        return "a sample has " + std::to_string(values) + " values, the detector expects 6";
    };
    CHECK(refusal([&] { return detector(shorter); }) == of_sample(3));
    CHECK(refusal([&] { return detector(longer); }) == of_sample(9));
    CHECK(refusal([&] { return detector(empty); }) == of_sample(0));
    CHECK(refusal([&] { return detector(x.leftCols(3)); }) ==
          "these are 3 samples (6 x 3), the detector judges one here: score() takes many");
    const std::string of_table =
        "the samples have 5 features, the detector expects 6 (every sample is a column: features x n)";
    CHECK(refusal([&] { return detector.score(table); }) == of_table);
    CHECK(refusal([&] { return detector.standard_error(table); }) == of_table);
    Threads threads(2);
    CHECK(refusal([&] { return detector.score(table, threads); }) == of_table);
    CHECK(refusal([&] { return detector.score(turned); }) ==
          "the samples are 400 x 6, the detector expects 6 features (every sample is a column: features x "
          "n): was it "
          "transposed?");
    const Eigen::MatrixXf row = x.col(0).transpose();
    CHECK(refusal([&] { return detector.score(row); }) ==
          "the samples are 1 x 6, the detector expects 6 features (every sample is a column: features x n): "
          "was it "
          "transposed?");

    // One sample may be a row, lie at a stride, and be of other numbers.
    const float expected = detector(x.col(0)).score;
    CHECK(detector(row).score == expected);
    CHECK(detector(x.col(0).template cast<double>().eval()).score == expected);
    float apart[12] = {};
    for (Index i = 0; i < 6; ++i) apart[2 * i] = x(i, 0);
    CHECK(detector(Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<2>>(apart, 6)).score == expected);
    CHECK(detector(1 * x.col(0)).score == expected);
    CHECK(detector.score(Eigen::MatrixXf(6, 0)).size() == 0);
    CHECK(detector.score(x.col(0)).size() == 1);

    // The caller's memory is looked at as well.
    Buffer<std::byte> memory(64);
    Arena arena(memory);
    CHECK(refusal([&] {
              return detector.judge(x.col(0), arena);
          }).find("the arena is too small for this model") == 0);
}

}  // namespace

TEST_CASE("Detector: samples of another size are refused, with both sizes, in a release build") {
    const Eigen::MatrixXf x = some_samples();
    const auto detector = fit_small(NegativeElbo{}, x);
    check_samples(detector, x);
    Buffer<std::byte> memory(static_cast<Index>(detector.arena_bytes(1, false)));
    Arena arena(memory);
    float score = 0;
    CHECK(refusal([&] {
              detector.evaluate(Eigen::MatrixXf::Random(3, 1), arena, &score);
              return 0;
          }).find("the samples have 3 features") == 0);
}

TEST_CASE("Ensemble: samples of another size are refused, with both sizes, in a release build") {
    const Eigen::MatrixXf x = some_samples();
    const Recipe one{RobustScaler{}, Model{}, ReconstructionError{}, NoThreshold{}};
    const auto detector =
        fit(Ensemble{std::tuple{one, one}, Conformal{.false_alarm_rate = 0.1}}, x, {.epochs = 1});
    check_samples(detector, x);
    CHECK(refusal([&] {
              return detector.spread(Eigen::MatrixXf::Random(5, 4));
          }).find("the samples have 5") == 0);
    const Ensemble none{std::vector<std::remove_const_t<decltype(one)>>{}, Conformal{}};
    CHECK(refusal([&] { return fit(none, x); }) == "an ensemble without members cannot be fitted");
}

TEST_CASE("generate.hpp: samples, codes and counts that do not fit are refused in a release build") {
    const Eigen::MatrixXf x = some_samples();
    const auto detector = fit_small(NegativeElbo{}, x);
    const Eigen::MatrixXf table = Eigen::MatrixXf::Random(5, 400);
    const std::string of_table =
        "the samples have 5 features, the detector expects 6 (every sample is a column: features x n)";
    CHECK(refusal([&] { return encode(detector, table); }) == of_table);
    CHECK(refusal([&] { return reconstruct(detector, table); }) == of_table);
    CHECK(refusal([&] { return decode(detector, Eigen::MatrixXf::Zero(3, 4)); }) ==
          "there are 3 latent coordinates, the model has 2 (one column for each sample: K x n)");
    CHECK(refusal([&] { return generate(detector, -1); }) ==
          "-1 samples cannot be drawn, expected 0 or more");
    CHECK(refusal([&] { return interpolate(detector, x.col(0), x.col(1), 1); }) ==
          "an interpolation has 1 steps, expected 2 or more: it has two ends");
    CHECK(refusal([&] { return interpolate(detector, x.col(0), table.col(1), 5); }) ==
          "a sample has 5 values, the detector expects 6");
    CHECK(encode(detector, Eigen::MatrixXf(6, 0)).cols() == 0);
}

TEST_CASE("metrics: labels that are not as many as scores are refused in a release build") {
    const Eigen::VectorXd scores = Eigen::VectorXd::Random(5);
    const Eigen::VectorXi labels = Eigen::VectorXi::Zero(7);
    CHECK(refusal([&] { return Ranking(scores, labels).auc_roc(); }) == "there are 7 labels for 5 scores");
    CHECK(refusal([&] { return confusion_at(scores, labels, 0.5); }) == "there are 7 labels for 5 decisions");
}

TEST_CASE("Trainer, inspect_latent and its like: samples of another size are refused in a release build") {
    const Eigen::MatrixXf x = some_samples();
    const auto detector = fit_small(NegativeElbo{}, x);
    const Eigen::MatrixXf table = Eigen::MatrixXf::Random(5, 400);
    const float* const parameters = detector.parameters().data();
    const std::string expected =
        "the samples have 5 features, the model expects 6 (every sample is a column: features x n)";
    Buffer<float> initial(detector.parameters().size());
    CHECK(refusal([&] { return Trainer(Model{}, initial, table, TrainingOptions{}).planned_steps(); }) ==
          expected);
    CHECK(refusal([&] { return inspect_latent(Model{}, parameters, table); }) == expected);
    CHECK(refusal([&] { return inspect_information(Model{}, parameters, table); }) == expected);
    CHECK(refusal([&] { return inspect_decoder(Model{}, parameters, table); }) == expected);
    CHECK(refusal([&] { return inspect_coverage(Model{}, parameters, x, table); }) == expected);
}

TEST_CASE("a score: what it did not ask for cannot be read, in a release build") {
    const Eigen::MatrixXf x = some_samples();
    const std::string expected =
        "a score reads reconstruction(), which its needs() do not ask for: return Needs with "
        "reconstruction = true";
    CHECK(refusal([&] { return fit_small(Forgetful{}, x); }) == expected);
    CHECK(refusal([&] { return fit_small(weighted(2.0f, Forgetful{}) + KlDivergence{}, x); }) == expected);
}
