// SPDX-License-Identifier: MIT
// Statistics of what the model says, against plain Eigen. The statistics themselves: tests/statistics.
#include "untoward/scores/statistic.hpp"

#include <Eigen/LU>

#include "scores/fitted_scores.hpp"
#include "support/allocation.hpp"
#include "support/catch.hpp"
#include "untoward/generate.hpp"
#include "untoward/scores/elbo.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

const Eigen::MatrixXd rows = random_rows(90);
const Eigen::MatrixXd training = rows.leftCols(60);
const Eigen::MatrixXd held_out = rows.middleCols(60, 10);
const Eigen::MatrixXd others = rows.rightCols(20);

/// The numbers of a space, by the library's other way to them.
Eigen::MatrixXd space_of(Space space, const Eigen::MatrixXd& x) {
    const auto detector = hand_made(KlDivergence{});
    const Eigen::MatrixXd mean = encode(detector, x);
    const Eigen::MatrixXd residual = x - reconstruct(detector, x);
    if (space == Space::input) return x;
    if (space == Space::latent) return mean;
    if (space == Space::residual) return residual;
    const Eigen::VectorXd rms =
        (training - reconstruct(detector, training)).rowwise().norm() / std::sqrt(60.0);
    Eigen::MatrixXd both(mean.rows() + x.rows(), x.cols());
    both << mean, rms.cwiseInverse().asDiagonal() * residual;
    return both;
}
constexpr Space spaces[] = {Space::input, Space::latent, Space::residual, Space::latent_and_residual};

}  // namespace

TEST_CASE("Mahalanobis distance of each space, under the plain covariance of the training rows") {
    for (const Space space : spaces) {
        CAPTURE(static_cast<int>(space));
        const auto detector =
            fit_by_hand(MahalanobisScore{.space = space, .shrink = false}, training, held_out);
        const Eigen::MatrixXd learned = space_of(space, training);
        const Eigen::VectorXd mean = learned.rowwise().mean();
        const Eigen::MatrixXd centred = learned.colwise() - mean;
        Eigen::MatrixXd covariance = centred * centred.transpose() / 60;
        covariance.diagonal().array() += 1e-6 * covariance.trace() / static_cast<double>(mean.size());
        const Eigen::MatrixXd d = space_of(space, others).colwise() - mean;
        const Eigen::MatrixXd found = explained(detector, others);
        for (Index j = 0; j < others.cols(); ++j) {
            const Eigen::VectorXd weighted = covariance.inverse() * d.col(j);
            const Eigen::VectorXd shares = d.col(j).cwiseProduct(weighted);
            CHECK(found(hand_made_features, j) == Approx(shares.sum()).epsilon(1e-7));
            for (Index i = 0; i < hand_made_features; ++i) {
                const double share =
                    space == Space::latent ? 0 : shares[shares.size() - hand_made_features + i];
                CHECK(found(i, j) == Approx(share).epsilon(1e-6).margin(1e-8));
            }
        }
        // Explained or not, the same bits.
        CHECK(detector.score(others) == found.row(hand_made_features).transpose());
    }
}

TEST_CASE("the distance to the third neighbour of each space; of the input held-out rows are stored, too") {
    for (const Space space : spaces) {
        CAPTURE(static_cast<int>(space));
        const auto detector = fit_by_hand(NeighbourScore{.space = space, .k = 3}, training, held_out);
        const Eigen::MatrixXd stored =
            space_of(space, space == Space::input ? Eigen::MatrixXd(rows.leftCols(70)) : training);
        const Eigen::MatrixXd asked = space_of(space, others);
        const Eigen::MatrixXd found = explained(detector, others);
        for (Index j = 0; j < others.cols(); ++j) {
            Eigen::VectorXd distances = (stored.colwise() - asked.col(j)).colwise().norm().transpose();
            std::sort(distances.begin(), distances.end());
            CHECK(found(hand_made_features, j) == Approx(distances[2]).epsilon(1e-9));
            if (space == Space::input || space == Space::residual)
                CHECK(found.col(j).head(hand_made_features).sum() == Approx(distances[2]).epsilon(1e-9));
        }
    }
}

TEST_CASE("a mixture and principal components are those of the space") {
    for (const Space space : {Space::input, Space::latent_and_residual}) {
        const auto mixture =
            fit_by_hand(MixtureScore{.space = space, .most_components = 2}, training, held_out);
        const Eigen::MatrixXd learned = space_of(space, training);
        const auto of_space =
            statistics::GaussianMixture{.most_components = 2}.fit(statistics::columns(learned), 5);
        const auto components = fit_by_hand(PrincipalComponentScore{.space = space}, training, held_out);
        const auto first = statistics::PrincipalComponents{}.fit(statistics::columns(learned));
        const Eigen::MatrixXd asked = space_of(space, others);
        Buffer<std::byte> memory(1 << 18);
        Arena arena(memory);
        Eigen::VectorXd expected(others.cols());
        of_space.evaluate(statistics::columns(asked), arena, expected.data());
        CHECK((mixture.score(others) - expected).cwiseAbs().maxCoeff() < 1e-7);
        first.evaluate(statistics::columns(asked), arena, expected.data());
        CHECK((components.score(others) - expected).cwiseAbs().maxCoeff() < 1e-9);
    }
}

TEST_CASE("fitted scores add up and are weighted; scoring them allocates nothing") {
    const auto residual = MahalanobisScore{.space = Space::residual};
    const auto sum = fit_by_hand(KlDivergence{} + 0.5f * residual, training, held_out);
    const Eigen::MatrixXd expected = sheet(hand_made(KlDivergence{}), others) +
                                     0.5 * explained(fit_by_hand(residual, training, held_out), others);
    CHECK((explained(sum, others) - expected).cwiseAbs().maxCoeff() < 1e-9);

    const auto all = fit_by_hand(NeighbourScore{} + MixtureScore{} + residual, training, held_out);
    Buffer<std::byte> memory(static_cast<Index>(all.arena_bytes(others.cols(), true)));
    Arena arena(memory);
    Eigen::VectorXd scores(others.cols());
    Eigen::MatrixXd contributions(hand_made_features, others.cols());
    Eigen::MatrixXd means(hand_made_features, others.cols());
    const AllocationCount count;
    all.evaluate(others, arena, scores.data(), contributions.data(), means.data());
    const long allocations = count.since();
    CHECK(allocations == 0);
    CHECK(arena.used() == 0);
}
