// SPDX-License-Identifier: MIT
// Standard errors of Monte Carlo scores: by hand, of sums, in units, and against what other seeds do.
#include <limits>

#include "scores/drawn_by_hand.hpp"
#include "scores/fitted_scores.hpp"
#include "untoward/ensemble.hpp"
#include "untoward/scores/rank.hpp"
#include "untoward/scores/slog.hpp"

// The score of draws.hpp's comment, by somebody else.
namespace elsewhere {

using untoward::Index;

struct Disagreement {
    static constexpr auto draw_detail = untoward::DrawDetail::apart;
    static constexpr const char* name = "disagreement";
    Index draws = 20;

    constexpr untoward::Needs needs() const { return {.draws = draws, .each_draw = true}; }
    void add_to(auto& sheet, const auto& evidence, auto weight) const {
        for (Index j = 0; j < evidence.x.batch(); ++j) {
            const auto densities = evidence.log_densities().sample(j).colwise().sum().array().eval();
            sheet.rest(0, j) += weight * std::sqrt((densities - densities.mean()).square().mean());
        }
    }
};

}  // namespace elsewhere

using namespace untoward;
using namespace untoward_test;

namespace {

auto detector_of(const Weights& weights, std::uint64_t seed = 4, Index count = draws,
                 const ReconstructionProbability& probability = {}) {
    return hand_made(weigh(weights, seed, count, probability));
}
// sd / sqrt(L) of every column.
Eigen::VectorXd error_of_mean(const Eigen::ArrayXXd& values) {
    const auto count = static_cast<double>(values.rows());
    const Eigen::ArrayXXd centred = values.rowwise() - values.colwise().mean();
    return (centred.square().colwise().sum() / (count * (count - 1))).sqrt().transpose();
}
void require_near(const Eigen::VectorXd& found, const Eigen::VectorXd& expected, double tolerance = 1e-10) {
    REQUIRE(found.size() == expected.size());
    for (Index j = 0; j < found.size(); ++j) CHECK(found[j] == Approx(expected[j]).epsilon(tolerance));
}

}  // namespace

TEST_CASE("standard errors: of means over draws, by hand") {
    const ByHand q = compute(draws, 4);
    require_near(detector_of({.elbo = 1}).standard_error(x), error_of_mean(q.total));
    const auto of_weights = [](const Eigen::ArrayXXd& log_weights) {
        const Eigen::ArrayXXd w = log_weights.exp();
        return error_of_mean(w.rowwise() / w.colwise().mean());
    };
    require_near(detector_of({.importance = 1}).standard_error(x), of_weights(q.total - q.kl));
    require_near(detector_of({.probability = 1}, 4, draws, {.average = DensityAverage::log_mean_exp})
                     .standard_error(x),
                 of_weights(q.total));
    CHECK(
        detector_of({.probability = 1}, 4, draws, {.path = DensityPath::mean}).standard_error(x).maxCoeff() ==
        0);
    // One draw says nothing of its error; without draws there is none.
    CHECK(detector_of({.elbo = 1}, 4, 1).standard_error(x).array().isNaN().all());
    // An infinite value takes no other sample's error.
    Eigen::MatrixXd odd = x;
    odd(1, 2) = std::numeric_limits<double>::infinity();
    const Eigen::VectorXd errors = detector_of({.elbo = 1}).standard_error(odd);
    CHECK(std::isnan(errors[2]));
    CHECK(errors[1] == Approx(error_of_mean(q.total)[1]).epsilon(1e-10));
    // In the memory that was promised.
    const auto detector = detector_of({.importance = 1});
    Buffer<std::byte> memory(static_cast<Index>(detector.deviation_bytes(samples)));
    Arena arena(memory);
    Eigen::MatrixXd deviations = Eigen::MatrixXd::Zero(draws, samples);
    detector.add_deviations(x, arena, {deviations.data(), Vec<>(draws), samples}, 1.0);
    CHECK((arena.used() == 0 && arena.peak() == arena.capacity()));
    require_near(deviations.colwise().norm().transpose(), detector.standard_error(x), 1e-13);
}

TEST_CASE("standard errors: scores of a sum, and members of an ensemble, share their draws") {
    const auto elbo = detector_of({.elbo = 1});
    // What is left is the KL, which has no error.
    CHECK(detector_of({.elbo = 1, .probability = -1}).standard_error(x).maxCoeff() < 1e-14);
    require_near(detector_of({.elbo = 1, .probability = 0.5f}).standard_error(x),
                 1.5 * elbo.standard_error(x));
    using Members = std::vector<std::remove_cvref_t<decltype(elbo.recipe())>>;
    const std::vector members{elbo, detector_of({.probability = 1})};
    const Detector<Ensemble<Members, Fixed>, Owned<double>> ensemble(
        {{members[0].recipe(), members[1].recipe()}, Fixed{10}}, members, {10.0, 0, 0});
    require_near(ensemble.standard_error(x), elbo.standard_error(x));
}

TEST_CASE("standard errors: in a unit by its slope, and of ranks not known") {
    const Eigen::MatrixXd training = random_rows(60);
    const NegativeElbo elbo{.draws = draws, .seed = 4};
    const auto fused = [&](DensityPath path) {
        const NegativeLogP rank{ReconstructionProbability{.draws = draws, .seed = 4, .path = path}};
        return fit_by_hand(2.0f * Slog{elbo} + rank, training, training.leftCols(31));
    };
    const auto of_slog = fused(DensityPath::mean);
    const auto& unit = of_slog.fitted_score().first.score.unit;
    const Eigen::VectorXd score = detector_of({.elbo = 1}).score(x);
    Eigen::VectorXd expected = detector_of({.elbo = 1}).standard_error(x);
    for (Index j = 0; j < samples; ++j)
        expected[j] *= 2 * (unit(score[j] + 1e-6).value - unit(score[j] - 1e-6).value) / 2e-6;
    require_near(of_slog.standard_error(x), expected, 1e-6);
    CHECK(fused(DensityPath::draws).standard_error(x).array().isNaN().all());
}

TEST_CASE("standard errors: one's own score looks at draws; of its error nothing is known") {
    const auto own = hand_made(elsewhere::Disagreement{.draws = draws});
    require_near(own.score(x), error_of_mean(compute(draws, 0).total) * std::sqrt(draws - 1.0));
    CHECK(own.standard_error(x).array().isNaN().all());
}

TEST_CASE("standard errors: what other seeds do to a score") {
    for (const Weights& weights :
         {Weights{.elbo = 1}, Weights{.importance = 1}, Weights{.elbo = 1, .importance = 1}}) {
        constexpr int seeds = 150;
        Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(samples), squares = sum, variance = sum;
        for (std::uint64_t seed = 0; seed < seeds; ++seed) {
            const auto detector = detector_of(weights, seed, 500);
            const Eigen::ArrayXd score = detector.score(x);
            sum += score / seeds;
            squares += score.square() / seeds;
            variance += detector.standard_error(x).array().square() / seeds;
        }
        require_near(variance.sqrt(), (squares - sum.square()).sqrt(), 0.25);
    }
}

TEST_CASE("standard errors: none where the posterior has no spread") {
    using Autoencoder = Vae<Vec<3>, Encoder<>, Code<2>, Decoder<>, FixedGaussian>;
    const Recipe recipe{NoScaler{}, Autoencoder{}, NegativeElbo{}, Fixed{10}};
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(3);
    Buffer<double> parameters(measure(Autoencoder{}, Vec<3>{}).scalars);
    fill_normal(parameters.data(), parameters.size(), NoiseKey{.seed = 12});
    const Detector<std::remove_const_t<decltype(recipe)>, Owned<double>> detector(
        recipe, {zero, Eigen::VectorXd::Ones(3), zero, zero}, parameters, zero, {10.0, 0, 0});
    CHECK(detector.standard_error(random_rows(4).topRows(3)).maxCoeff() == 0);
}
