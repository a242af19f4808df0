// SPDX-License-Identifier: MIT
// Samples, codes and scores of the wrong size are refused at every public function, whatever the build: sizes_release.cpp
// is this test without assertions. What is wrong lies in vectors of its own length, so that AddressSanitizer sees a
// read beyond it.
#include "support/catch.hpp"
#include "untoward/data/scaler.hpp"
#include "untoward/ensemble.hpp"
#include "untoward/generate.hpp"
#include "untoward/metrics/decisions.hpp"
#include "untoward/metrics/ranking.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/statistics/neighbours.hpp"
#include "untoward/thresholds/fixed.hpp"
#include "untoward/thresholds/quantile.hpp"
#include "untoward/vae/gaussian.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr Index features = 6;
using Model = Vae<Vec<features>, Encoder<Dense<5, Tanh>>, Latent<2>, Decoder<Dense<4, Tanh>>, Gaussian>;
using TheRecipe = Recipe<StandardScaler, Model, NegativeElbo, Fixed>;
using TheDetector = Detector<TheRecipe, Owned<float>>;

Eigen::MatrixXf samples(Index rows, Index n) {
    Eigen::MatrixXf x(rows, n);
    fill_normal(x.data(), x.size(), {.seed = 8});
    return x;
}

const TheDetector& detector() {
    static const TheDetector made = [] {
        const TheRecipe recipe{{}, Model{}, {}, {.value = 30}};
        Buffer<float> parameters(measure(recipe.model, recipe.model.sample).scalars);
        initialise(parameters.data(), 3, recipe.model, recipe.model.sample);
        const Eigen::VectorXf zero = Eigen::VectorXf::Zero(features);
        return TheDetector(recipe, StandardScaler{}.fit(samples(features, 50)), std::move(parameters), zero,
                           recipe.threshold.calibrate(zero));
    }();
    return made;
}

auto ensemble_of_two() {
    using Members = std::vector<TheRecipe>;
    const Ensemble<Members, Fixed> recipe{{detector().recipe(), detector().recipe()}, {.value = 30}};
    return Detector<Ensemble<Members, Fixed>, Owned<float>>(recipe, {detector(), detector()},
                                                           recipe.threshold.calibrate(Eigen::VectorXf::Zero(1)));
}

// What every detector refuses and what it takes.
template <class AnyDetector>
void check_sizes(const AnyDetector& d) {
    const Eigen::MatrixXf x = samples(features, 400);
    const Eigen::VectorXf column = x.col(0), shorter = samples(3, 1), longer = samples(9, 1), empty(0);
    for (const Eigen::VectorXf& wrong : {shorter, longer, empty}) {
        INFO(wrong.size());
        CHECK_THROWS_WITH(d(wrong), ContainsSubstring(std::to_string(wrong.size()) + " x 1") &&
                                        ContainsSubstring("expects 6 features") &&
                                        ContainsSubstring("every sample is a column"));
        CHECK_THROWS_AS(d.score(wrong), Error);
        CHECK_THROWS_AS(d.standard_error(wrong), Error);
    }
    CHECK_THROWS_WITH(d(x.leftCols(3)), ContainsSubstring("6 x 3") && ContainsSubstring("score()"));
    CHECK_THROWS_AS(d(Eigen::MatrixXf(x.topRows(3).leftCols(2))), Error);  // as many values, as another matrix
    CHECK_THROWS_AS(d(Eigen::MatrixXf(features, 0)), Error);

    const Eigen::MatrixXf table = samples(5, 400);
    CHECK_THROWS_WITH(d.score(table), ContainsSubstring("have 5 features, the detector expects 6") &&
                                          ContainsSubstring("every sample is a column") &&
                                          !ContainsSubstring("transposed"));
    CHECK_THROWS_AS(d.standard_error(table), Error);
    const Eigen::MatrixXf turned = x.transpose();
    CHECK_THROWS_WITH(d.score(turned), ContainsSubstring("400 x 6") && ContainsSubstring("was it transposed?"));
    CHECK_THROWS_AS(d.score(column.transpose()), Error);
    CHECK_THROWS_AS(d.score(2 * shorter.transpose()), Error);

    // One sample may lie in a row, wherever that is.
    const float score = d(column).score;
    CHECK(std::isfinite(score));
    const Eigen::RowVectorXf row = column.transpose();
    CHECK(d(row).score == score);
    CHECK(d(column.transpose()).score == score);
    const auto in_table = d(turned.block(0, 0, 1, features));
    CHECK(in_table.score == score);
    for (const auto& c : in_table.contributions) CHECK(c.observed == column[c.feature]);

    CHECK(d.score(Eigen::MatrixXf(features, 0)).size() == 0);
    CHECK(d.standard_error(Eigen::MatrixXf(features, 0)).size() == 0);
    // Other numbers, strides and orders stay welcome.
    CHECK(d(column.cast<double>()).score == score);
    CHECK(d(Eigen::Matrix<int, 6, 1>(1, 2, 3, 4, 5, 6)).score ==
          d((Eigen::VectorXf(6) << 1, 2, 3, 4, 5, 6).finished()).score);
    const Eigen::Matrix<float, Dynamic, Dynamic, Eigen::RowMajor> by_row = x;
    CHECK((d.score(by_row).array() == d.score(x).array()).all());
    std::vector<float> apart(12);
    Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<2>> strided(apart.data(), 6);
    strided = column;
    CHECK(d(strided).score == score);
    CHECK(d(1 * column).score == score);

    // The caller's own arena.
    Buffer<std::byte> memory(static_cast<Index>(d.judge_bytes()) + 64);
    Arena arena(memory);
    CHECK(d.judge(column, arena).score == score);
    CHECK_THROWS_AS(d.judge(shorter, arena), Error);
    Buffer<float> scores(2);
    CHECK_THROWS_AS(d.evaluate(samples(4, 2), arena, scores.data()), Error);
    Buffer<std::byte> little(static_cast<Index>(d.judge_bytes()) / 2);
    Arena too_small(little);
    CHECK_THROWS_WITH(d.judge(column, too_small), ContainsSubstring("the arena is too small"));
    CHECK(too_small.used() == 0);
    CHECK_THROWS_WITH(d.evaluate(x.leftCols(2), too_small, scores.data()), ContainsSubstring("the arena is too small"));
    CHECK(too_small.used() == 0);
    Buffer<float> room(64);
    Buffer<std::byte> more(static_cast<Index>(d.deviation_bytes(2)) + 64);
    Arena enough(more);
    const Eigen::MatrixXf two = x.leftCols(2);
    CHECK_THROWS_WITH(d.add_deviations(two, enough, Tensor<float, Vec<>>(room.data(), Vec<>(3), 2), 1.0f),
                      ContainsSubstring("3 x 2") && ContainsSubstring("8 x 2"));
    CHECK_NOTHROW(d.add_deviations(two, enough, Tensor<float, Vec<>>(room.data(), Vec<>(8), 2), 1.0f));
}

}  // namespace

TEST_CASE("a detector: refuses samples of another size, and says both sizes") {
    check_sizes(detector());
}

TEST_CASE("an ensemble: refuses samples of another size, and members that do not go together") {
    const auto ensemble = ensemble_of_two();
    check_sizes(ensemble);
    CHECK_THROWS_AS(ensemble.spread(samples(5, 4)), Error);
    CHECK(ensemble.spread(Eigen::MatrixXf(features, 0)).size() == 0);
    using Type = std::remove_const_t<decltype(ensemble)>;
    CHECK_THROWS_WITH(Type(ensemble.recipe(), {}, ensemble.threshold()), ContainsSubstring("no member"));
}

TEST_CASE("a detector: its parts have the model's size") {
    const auto& d = detector();
    const Eigen::VectorXf five = Eigen::VectorXf::Zero(5);
    CHECK_THROWS_WITH(TheDetector(d.recipe(), d.scaling(), d.parameters(), five, d.threshold()),
                      ContainsSubstring("5 features, the model has 6"));
    CHECK_THROWS_AS(TheDetector(d.recipe(), StandardScaler{}.fit(samples(5, 9)), d.parameters(), d.typical(), d.threshold()),
                    Error);
}

TEST_CASE("codes and generated samples: sizes that are wrong are refused") {
    const auto& d = detector();
    const Eigen::MatrixXf x = samples(features, 400), table = samples(5, 400);
    CHECK_THROWS_WITH(encode(d, table), ContainsSubstring("have 5 features, the detector expects 6"));
    CHECK_THROWS_WITH(encode(d, x.transpose()), ContainsSubstring("was it transposed?"));
    CHECK_THROWS_AS(reconstruct(d, table), Error);
    CHECK_THROWS_WITH(decode(d, samples(3, 7)), ContainsSubstring("3 x 7") && ContainsSubstring("2 latent coordinates"));
    CHECK_THROWS_WITH(decode(d, samples(7, 2)), ContainsSubstring("was it transposed?"));
    CHECK_THROWS_WITH(generate(d, -1), ContainsSubstring("-1 samples"));
    CHECK_THROWS_AS(sample_prior(d, -1), Error);
    CHECK_THROWS_AS(interpolate(d, samples(3, 1), x.col(0), 4), Error);
    CHECK_THROWS_AS(interpolate(d, x.col(0), x.leftCols(2), 4), Error);
    CHECK_THROWS_AS(interpolate(d, x.col(0), x.col(1), 1), Error);
    CHECK(encode(d, Eigen::MatrixXf(features, 0)).cols() == 0);
    CHECK(generate(d, 0).cols() == 0);
    CHECK(interpolate(d, x.col(0).transpose(), x.col(1), 2) == interpolate(d, x.col(0), x.col(1), 2));
}

TEST_CASE("scores, labels and stored samples: sizes that do not go together are refused") {
    const Eigen::VectorXf scores = samples(6, 1);
    const Eigen::VectorXi labels = Eigen::VectorXi::Zero(5);
    CHECK_THROWS_WITH(auc_roc(scores, labels), ContainsSubstring("5 labels and 6 scores"));
    CHECK_THROWS_AS(precision_at_k(scores, labels, 2), Error);
    CHECK_THROWS_AS(roc_curve(scores, labels), Error);
    CHECK_THROWS_WITH(confusion(Eigen::VectorXi::Zero(4), labels), ContainsSubstring("5 labels and 4 decisions"));
    CHECK_THROWS_AS(confusion_at(scores, labels, 0.0f), Error);
    CHECK_THROWS_WITH(quantile_of_sorted(Eigen::VectorXf(0), 0.5), ContainsSubstring("0 scores"));
    CHECK_FALSE(Quantile{}.calibrate(Eigen::VectorXf(0)).is_calibrated());

    const auto scaling = StandardScaler{}.fit(samples(features, 50));
    std::vector<float> raw(10), scaled(12);
    const Tensor<const float, Vec<>> five(raw.data(), Vec<>(5), 2);
    CHECK_THROWS_WITH(scaling.apply(Tensor<float, Vec<>>(scaled.data(), Vec<>(6), 2), five),
                      ContainsSubstring("have 5 features, the scaling expects 6"));
}
