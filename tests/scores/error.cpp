// SPDX-License-Identifier: MIT
// Scores of the error of a reconstruction, by hand; the reconstruction probability as the ELBO without its KL.
#include "untoward/scores/error.hpp"

#include <numeric>

#include "scores/fitted_scores.hpp"
#include "support/catch.hpp"
#include "untoward/generate.hpp"
#include "untoward/scores/elbo.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

const Eigen::MatrixXd rows = random_rows(80);
const Eigen::MatrixXd training = rows.leftCols(40);
const Eigen::MatrixXd held_out = rows.middleCols(40, 21);
const Eigen::MatrixXd others = rows.rightCols(19);

Eigen::MatrixXd errors_of(const Eigen::MatrixXd& x) {
    return x - reconstruct(hand_made(KlDivergence{}), x);
}
double range_of(Eigen::VectorXd values) {  // of 21: quartiles are the 6th and 16th
    std::sort(values.begin(), values.end());
    return values[15] - values[5];
}

}  // namespace

TEST_CASE("top share: the mean of the largest squared errors, who share ties") {
    const Eigen::MatrixXd errors = errors_of(others);
    for (const auto& [share, count] :
         {std::pair{0.1, 1}, std::pair{0.4, 2}, std::pair{0.41, 3}, std::pair{1.0, 5}}) {
        const Eigen::MatrixXd found = sheet(hand_made(TopShare{share}), others);
        for (Index j = 0; j < others.cols(); ++j) {
            Eigen::VectorXd squares = errors.col(j).cwiseAbs2();
            std::sort(squares.begin(), squares.end(), std::greater<>());
            CHECK(found(hand_made_features, j) == Approx(squares.head(count).mean()).epsilon(1e-11));
            CHECK((found.col(j).head(hand_made_features).array() > 0).count() == count);
        }
    }
    // Three of five tie for the last of two places.
    const Eigen::VectorXd x = (Eigen::VectorXd(5) << 3, 1, -1, 1, 0.5).finished();
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(5);
    const auto tensor = [](const Eigen::VectorXd& v) {
        return Tensor<const double, Vec<>>(v.data(), Vec<>(v.size()), 1);
    };
    FlatEvidence<double> evidence(tensor(x), tensor(zero), tensor(zero), tensor(zero));
    evidence.set_reconstruction(tensor(zero));
    Eigen::VectorXd shares = zero;
    double rest = 0;
    ScoreSheet<double> to{{shares.data(), Vec<>(5), 1}, {&rest, Vec<1>{}, 1}};
    TopShare{0.4}.add_to(to, evidence, 1.0);
    CHECK(shares.isApprox((Eigen::VectorXd(5) << 4.5, 1 / 6.0, 1 / 6.0, 1 / 6.0, 0).finished()));
    CHECK(rest == 0);
}

TEST_CASE("whitened error: each feature in units of its mean squared error on held-out rows") {
    const Eigen::VectorXd mean = errors_of(held_out).rowwise().squaredNorm() / 21;
    const auto detector = fit_by_hand(WhitenedError{}, training, held_out);
    const Eigen::MatrixXd expected = mean.cwiseInverse().asDiagonal() * errors_of(others).cwiseAbs2();
    const Eigen::MatrixXd found = explained(detector, others);
    CHECK((found.topRows(hand_made_features) - expected).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((found.row(hand_made_features) - expected.colwise().sum()).cwiseAbs().maxCoeff() < 1e-9);
    // Without held-out rows the training rows'.
    const auto from_training = fit_by_hand(WhitenedError{}, training, training.leftCols(0));
    CHECK(from_training.score(training).mean() == Approx(hand_made_features).epsilon(1e-9));
}

TEST_CASE("balanced error: lambda is the ratio of the interquartile ranges") {
    for (const Norm norm : {Norm::squared, Norm::l1, Norm::l2}) {
        const auto errors = sheet(hand_made(ReconstructionError{norm}), held_out);
        const auto kl = sheet(hand_made(KlDivergence{}), held_out);
        const double lambda = range_of(errors.row(hand_made_features)) / range_of(kl.row(hand_made_features));
        const auto found = explained(fit_by_hand(BalancedError{norm}, training, held_out), others);
        const Eigen::MatrixXd expected = sheet(hand_made(ReconstructionError{norm}), others) +
                                         lambda * sheet(hand_made(KlDivergence{}), others);
        CHECK((found - expected).cwiseAbs().maxCoeff() < 1e-9);
    }
}

TEST_CASE("reconstruction probability: -ELBO without the KL, of as many draws") {
    const auto probability = sheet(hand_made(ReconstructionProbability{.draws = 4, .seed = 2}), others);
    const auto sum = sheet(hand_made(NegativeElbo{.draws = 4, .seed = 2}), others);
    const auto kl = sheet(hand_made(KlDivergence{}), others);
    CHECK((probability + kl - sum).cwiseAbs().maxCoeff() < 1e-10);
    static_assert(detail::needs_variance<SumOfScores<KlDivergence, Weighted<ReconstructionProbability>>>());
    static_assert(!detail::needs_variance<NegativeElbo>());
}
