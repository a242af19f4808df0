// SPDX-License-Identifier: MIT

#include "scores/hand_made.hpp"
#include "support/catch.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

constexpr Index n = 6;

struct ByHand {
    Eigen::ArrayXXd mean, log_variance, kl;  // K x n
    Eigen::ArrayXXd reconstruction;          // D x n
    Eigen::ArrayXXd log_density;             // D x n, mean over the draws
};

ByHand compute(const Eigen::MatrixXd& x, Index draws, std::uint64_t seed) {
    const PlainModel model;
    ByHand q;
    q.mean = model.mean(x);
    q.log_variance = model.log_variance(x);
    q.kl = 0.5 * (q.mean.square() + q.log_variance.exp() - 1 - q.log_variance);
    q.reconstruction = model.decode(q.mean);
    q.log_density = Eigen::ArrayXXd::Zero(hand_made_features, x.cols());
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    Run<double> scope(nullptr, arena, Pass{.seed = seed});
    for (Index draw = 0; draw < draws; ++draw) {
        const auto noise = scope.normal(Vec<latent>{}, x.cols());
        REQUIRE(noise.batch() == 1);
        Eigen::ArrayXXd z = (0.5 * q.log_variance).exp();
        for (Index k = 0; k < latent; ++k) z.row(k) *= noise(k, 0);
        z += q.mean;
        q.log_density += model.density(x, z) / static_cast<double>(draws);
    }
    return q;
}

void require_near(const Eigen::MatrixXd& found, const Eigen::ArrayXXd& contributions,
                  const Eigen::ArrayXXd& rest) {
    REQUIRE(found.rows() == hand_made_features + 1);
    for (Index j = 0; j < found.cols(); ++j) {
        for (Index i = 0; i < hand_made_features; ++i)
            REQUIRE(found(i, j) == Approx(contributions(i, j)).epsilon(1e-11).margin(1e-12));
        REQUIRE(found(hand_made_features, j) == Approx(contributions.col(j).sum() + rest(j)).epsilon(1e-11));
        // The contributions are the score, less what no feature answers for.
        REQUIRE(found.col(j).head(hand_made_features).sum() ==
                Approx(found(hand_made_features, j) - rest(j)).epsilon(1e-11).margin(1e-12));
    }
}

}  // namespace

TEST_CASE("negative ELBO: mean over the draws of -log p(x|z), plus KL; beta is 1") {
    const Eigen::MatrixXd x = random_rows(n);
    for (const NegativeElbo score :
         {NegativeElbo{}, NegativeElbo{.draws = 1}, NegativeElbo{.draws = 3, .seed = 99}}) {
        const ByHand q = compute(x, score.draws, score.seed);
        const auto detector = hand_made(score);
        require_near(sheet(detector, x), -q.log_density, q.kl.colwise().sum());
        REQUIRE(detector.score(x) == sheet(detector, x).row(hand_made_features).transpose());
    }
    REQUIRE(NegativeElbo{}.draws == 8);
    // Another seed, other draws; as many draws as you like, one expectation.
    const Eigen::VectorXd a = hand_made(NegativeElbo{.draws = 1, .seed = 1}).score(x);
    const Eigen::VectorXd b = hand_made(NegativeElbo{.draws = 1, .seed = 2}).score(x);
    REQUIRE((a - b).cwiseAbs().minCoeff() > 0);
    const Eigen::VectorXd many = hand_made(NegativeElbo{.draws = 3000, .seed = 1}).score(x.leftCols(1));
    const Eigen::VectorXd others = hand_made(NegativeElbo{.draws = 3000, .seed = 2}).score(x.leftCols(1));
    REQUIRE(many(0) == Approx(others(0)).epsilon(0.05));
}

TEST_CASE("KL: sum over units of 1/2 (mu^2 + e^l - 1 - l); no feature answers for it") {
    const Eigen::MatrixXd x = random_rows(n);
    const ByHand q = compute(x, 0, 0);
    require_near(sheet(hand_made(KlDivergence{}), x), Eigen::ArrayXXd::Zero(hand_made_features, n),
                 q.kl.colwise().sum());
}

TEST_CASE("reconstruction error: three norms of x - E[x | z = mean]") {
    const Eigen::MatrixXd x = random_rows(n);
    const ByHand q = compute(x, 0, 0);
    const Eigen::ArrayXXd error = x.array() - q.reconstruction;
    const Eigen::ArrayXXd none = Eigen::ArrayXXd::Zero(1, n);
    require_near(sheet(hand_made(ReconstructionError{}), x), error.square(), none);
    require_near(sheet(hand_made(ReconstructionError{.norm = Norm::l1}), x), error.abs(), none);
    const Eigen::MatrixXd l2 = sheet(hand_made(ReconstructionError{.norm = Norm::l2}), x);
    const Eigen::ArrayXXd length = error.square().colwise().sum().sqrt();
    require_near(l2, error.square().rowwise() / length.row(0), none);
    for (Index j = 0; j < n; ++j) REQUIRE(l2(hand_made_features, j) == Approx(length(j)).epsilon(1e-11));
}
