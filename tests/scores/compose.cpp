// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include "scores/hand_made.hpp"
#include "support/catch.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"

// The score of score.hpp's comment, by somebody else.
namespace elsewhere {

using untoward::Index;

struct LargestError {
    constexpr untoward::Needs needs() const { return {.reconstruction = true}; }
    void add_to(auto& sheet, const auto& evidence, auto weight) const {
        for (Index j = 0; j < evidence.x.batch(); ++j) {
            Index worst;
            const auto error = (evidence.x.column(j) - evidence.reconstruction().column(j)).abs();
            const auto largest = error.maxCoeff(&worst);
            sheet.features(worst, j) += weight * largest;
        }
    }
};

// What forgot to ask for what it reads.
template <class Read>
struct Forgetful {
    static constexpr untoward::DrawDetail draw_detail = untoward::DrawDetail::kl;
    untoward::Needs asked{};

    constexpr untoward::Needs needs() const { return asked; }
    void add_to(auto& sheet, const auto& evidence, auto weight) const {
        sheet.rest(0, 0) += weight * Read{}(evidence)(0, 0);
    }
};

}  // namespace elsewhere

using namespace untoward;
using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;

namespace {

static_assert(Score<NegativeElbo> && Score<KlDivergence> && Score<ReconstructionError> &&
              Score<elsewhere::LargestError>);
static_assert(!Score<int> && !Score<Fixed>);

// What is asked for is known to the compiler: the union, with the most draws.
constexpr auto sum = ReconstructionError{} + 0.1f * NegativeElbo{.draws = 3, .seed = 5};
static_assert(sum.needs().reconstruction && sum.needs().draws == 3 && sum.needs().seed == 5);
static_assert(!KlDivergence{}.needs().reconstruction && KlDivergence{}.needs().draws == 0);
static_assert(!(2.0f * KlDivergence{} + NegativeElbo{}).needs().reconstruction);

struct Passes {
    int encoded;
    int decoded;
};

/// How often the encoder and the decoder compute when one batch is scored.
template <class ScoreType>
Passes passes(const ScoreType& score) {
    int encoded = 0;
    int decoded = 0;
    const auto detector = hand_made(score, counted_model(&encoded, &decoded));
    static_cast<void>(detector.score(random_rows(4)));
    return {encoded, decoded};
}

}  // namespace

TEST_CASE("scores: a weighted sum is the sum of what its parts say, feature by feature") {
    const Eigen::MatrixXd x = random_rows(7);
    const Eigen::MatrixXd kl = sheet(hand_made(KlDivergence{}), x);
    const Eigen::MatrixXd error = sheet(hand_made(ReconstructionError{}), x);
    const Eigen::MatrixXd both = sheet(hand_made(ReconstructionError{} + 0.1f * KlDivergence{}), x);
    const Eigen::MatrixXd expected = error + static_cast<double>(0.1f) * kl;
    REQUIRE((both - expected).cwiseAbs().maxCoeff() < 1e-12);
    const Eigen::MatrixXd nested =
        sheet(hand_made(0.5f * (2.0f * ReconstructionError{} + 0.2f * KlDivergence{})), x);
    REQUIRE((nested - expected).cwiseAbs().maxCoeff() < 1e-7);
    REQUIRE((sheet(hand_made(weighted(3, KlDivergence{})), x) - 3 * kl).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("scores: the encoder runs once, the decoder as often as needed and no more") {
    const Passes kl = passes(KlDivergence{});
    REQUIRE(kl.encoded == 1);
    REQUIRE(kl.decoded == 0);
    const Passes both = passes(ReconstructionError{} + 0.1f * KlDivergence{});
    REQUIRE(both.encoded == 1);
    REQUIRE(both.decoded == 1);
    const Passes all = passes(ReconstructionError{} + 0.1f * NegativeElbo{.draws = 3, .seed = 5});
    REQUIRE(all.encoded == 1);
    REQUIRE(all.decoded == 4);
    // Scores of the same draws decode them once.
    const ReconstructionProbability mean_of_p{.draws = 6, .seed = 5, .average = DensityAverage::log_mean_exp};
    const Passes sampled =
        passes(NegativeElbo{.draws = 6, .seed = 5} + ReconstructionProbability{.draws = 6, .seed = 5} +
               0.5f * mean_of_p + ImportanceWeightedLikelihood{.draws = 6, .seed = 5});
    REQUIRE(sampled.encoded == 1);
    REQUIRE(sampled.decoded == 6);
    const Passes at_mean =
        passes(ReconstructionError{} + ReconstructionProbability{.path = DensityPath::mean});
    REQUIRE(at_mean.encoded == 1);
    REQUIRE(at_mean.decoded == 1);
}

TEST_CASE("scores: one of your own works, composes, and blames one feature") {
    const Eigen::MatrixXd x = random_rows(7);
    const Eigen::MatrixXd l1 = sheet(hand_made(ReconstructionError{.norm = Norm::l1}), x);
    const Eigen::MatrixXd largest = sheet(hand_made(elsewhere::LargestError{}), x);
    const Eigen::MatrixXd composed = sheet(hand_made(elsewhere::LargestError{} + 0.1f * KlDivergence{}), x);
    const Eigen::MatrixXd kl = sheet(hand_made(KlDivergence{}), x);
    for (Index j = 0; j < x.cols(); ++j) {
        Index worst;
        const double most = l1.col(j).head(hand_made_features).maxCoeff(&worst);
        REQUIRE(largest(hand_made_features, j) == Approx(most).epsilon(1e-13));
        REQUIRE(largest(worst, j) == Approx(most).epsilon(1e-13));
        REQUIRE((largest.col(j).head(hand_made_features).array() != 0).count() == 1);
        REQUIRE(composed(hand_made_features, j) ==
                Approx(most + static_cast<double>(0.1f) * kl(hand_made_features, j)).epsilon(1e-12));
    }
    REQUIRE(passes(elsewhere::LargestError{}).decoded == 1);
}

namespace {

// `Read` is refused with a message that names it and the member of Needs, alone and beside what asked for all.
template <class Read>
void check_asked(const Needs& needed, const char* output, const char* member, const Read&) {
    using ScoreType = elsewhere::Forgetful<Read>;
    const Eigen::MatrixXd x = random_rows(3);
    const auto says =
        ContainsSubstring(std::string("reads ") + output + ", which its needs() do not ask for");
    CHECK_THROWS_WITH(hand_made(ScoreType{}).score(x), says && ContainsSubstring(member));
    CHECK_NOTHROW(hand_made(ScoreType{needed}).score(x));
    // What a neighbour asked for is no part's own.
    CHECK_THROWS_WITH(hand_made(ScoreType{needed} + 0.5f * ScoreType{}).score(x), says);
    CHECK_THROWS_WITH(hand_made(0.5f * (ScoreType{} + ReconstructionError{}) + ScoreType{needed}).score(x),
                      says);
    // An explanation asks for what is expected, and a score alone sees that; to score() it is refused, above.
    if (!needed.expectation) CHECK_THROWS_WITH(hand_made(ScoreType{})(x.col(0)), says);
}

}  // namespace

TEST_CASE("scores: what a score did not ask for it cannot read") {
    check_asked({.reconstruction = true}, "reconstruction()", "reconstruction = true",
                [](const auto& e) { return e.reconstruction(); });
    check_asked({.draws = 2}, "log_density()", "draws", [](const auto& e) { return e.log_density(); });
    check_asked({.expectation = true}, "expectation()", "expectation = true",
                [](const auto& e) { return e.expectation(); });
    check_asked({.at_mean = true}, "log_density_at_mean()", "at_mean = true",
                [](const auto& e) { return e.log_density_at_mean(); });
    check_asked({.draws = 2, .each_draw = true}, "log_densities()", "each_draw = true",
                [](const auto& e) { return e.log_densities(); });
    check_asked({.draws = 2, .sampled_kl = true}, "sampled_kls()", "sampled_kl = true",
                [](const auto& e) { return e.sampled_kls(); });
}

TEST_CASE("scores: parameters that are no numbers give an infinite score, and an order of contributions") {
    const auto sound = hand_made(ReconstructionError{});
    Buffer<double> parameters = sound.parameters();
    parameters[parameters.size() - 10] = std::numeric_limits<double>::quiet_NaN();  // a bias of the mean
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(hand_made_features);
    const std::remove_const_t<decltype(sound)> broken(sound.recipe(), sound.scaling(), parameters, zero,
                                                      {10.0, 0, 0});
    const auto verdict = broken(random_rows(1));
    REQUIRE(verdict.score == std::numeric_limits<double>::infinity());
    REQUIRE(verdict.is_anomaly);
    REQUIRE(verdict.is_valid);
    REQUIRE(std::isnan(verdict.p_value));  // a fixed threshold has none
    REQUIRE(verdict.contributions[0].feature == 0);
    REQUIRE(verdict.contributions[0].excess == std::numeric_limits<double>::infinity());
}
