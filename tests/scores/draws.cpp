// SPDX-License-Identifier: MIT
// Monte Carlo scores: by hand, draw by draw, and against a model whose log p(x) is known.
#include "untoward/scores/draws.hpp"

#include <Eigen/Cholesky>
#include <Eigen/LU>

#include "scores/drawn_by_hand.hpp"
#include "untoward/vae/correlated_latent.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

using Importance = ImportanceWeightedLikelihood;

// Score and shares of -log of the mean of weights, without regard to overflow.
void require_log_mean(const Eigen::MatrixXd& found, const ByHand& q, const Eigen::ArrayXXd& log_weights) {
    for (Index j = 0; j < samples; ++j) {
        const Eigen::ArrayXd w = log_weights.col(j).exp();
        CHECK(found(hand_made_features, j) == Approx(-std::log(w.mean())).epsilon(1e-11));
        for (Index i = 0; i < hand_made_features; ++i) {
            double share = 0;
            for (Index l = 0; l < w.size(); ++l)
                share -= w[l] / w.sum() * q.densities[static_cast<std::size_t>(l)](i, j);
            CHECK(found(i, j) == Approx(share).epsilon(1e-10));
        }
    }
}
/// x = W z + b + noise, z and noise standard normal, with the true posterior for an encoder: `spread` times its
/// deviations. log p(x) is that of N(b, I + W W').
using Linear = Vae<Vec<3>, Encoder<>, CorrelatedLatent<2>, Decoder<>, FixedGaussian>;
struct LinearModel {
    Eigen::Matrix<double, 3, 2> w =
        (Eigen::Matrix<double, 3, 2>() << 1, -0.5, 0.25, 1.5, -2, 0.75).finished();
    Eigen::Vector3d b{0.5, -1, 2};

    [[nodiscard]] Buffer<double> parameters(double spread) const {
        const Eigen::Matrix2d covariance = (Eigen::Matrix2d::Identity() + w.transpose() * w).inverse();
        const Eigen::Matrix<double, 2, 3> to_mean = covariance * w.transpose();
        const Eigen::Matrix2d factor = spread * Eigen::Matrix2d(covariance.llt().matrixL());
        Eigen::Matrix<double, 5, 3, Eigen::RowMajor> weight = Eigen::Matrix<double, 5, 3>::Zero();
        weight.topRows(2) = to_mean;
        Eigen::Matrix<double, 5, 1> bias;
        bias << -to_mean * b, std::log(factor(0, 0)), std::log(factor(1, 1)), factor(1, 0);
        const Eigen::Matrix<double, 3, 2, Eigen::RowMajor> decoder = w;
        Buffer<double> all(measure(Linear{}, Vec<3>{}).scalars);
        REQUIRE(all.size() == 15 + 5 + 6 + 3);
        Eigen::Map<Eigen::VectorXd>(all.data(), 29) << Eigen::Map<const Eigen::VectorXd>(weight.data(), 15),
            bias, Eigen::Map<const Eigen::VectorXd>(decoder.data(), 6), b;
        return all;
    }
    [[nodiscard]] Eigen::VectorXd minus_log_p(const Eigen::MatrixXd& rows) const {
        const Eigen::Matrix3d covariance = Eigen::Matrix3d::Identity() + w * w.transpose();
        const Eigen::MatrixXd off = rows.colwise() - b;
        const double constant = std::log(covariance.determinant()) + 3 * std::log(2 * std::numbers::pi);
        return 0.5 * (off.cwiseProduct(covariance.inverse() * off).colwise().sum().array() + constant);
    }
};
template <class ScoreType>
auto linear(const ScoreType& score, double spread = 1) {
    const Recipe recipe{NoScaler{}, Linear{}, score, Fixed{10}};
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(3);
    return Detector<std::remove_const_t<decltype(recipe)>, Owned<double>>(
        recipe, {zero, Eigen::VectorXd::Ones(3), zero, zero}, LinearModel{}.parameters(spread), zero,
        {10.0, 0, 0});
}

}  // namespace

TEST_CASE("importance-weighted: by hand, and with one draw the ELBO with a sampled KL") {
    const auto of = [](const Weights& weights, std::uint64_t seed, Index count) {
        return sheet(hand_made(weigh(weights, seed, count)), x);
    };
    for (const std::uint64_t seed : {0U, 9U}) {
        const ByHand q = compute(draws, seed);
        require_log_mean(of({.importance = 1}, seed, draws), q, q.total - q.kl);
        // log p(x|z) of one draw is the reconstruction probability.
        Eigen::MatrixXd one = of({.probability = 1}, seed, 1);
        one.row(hand_made_features) += q.kl.row(0).matrix();
        CHECK((of({.importance = 1}, seed, 1) - one).cwiseAbs().maxCoeff() < 1e-12);
    }
    REQUIRE(Importance{}.draws == 50);
    // What others in a sum need does not change its draws.
    auto sum = weigh({.elbo = 1, .importance = 1}, 0);
    sum.second.score.draws = 3;
    const Eigen::MatrixXd apart = of({.importance = 1}, 0, 3) + of({.elbo = 1}, 0, draws);
    CHECK((sheet(hand_made(sum), x) - apart).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("importance-weighted: log p(x) of a linear Gaussian model, whatever the draws") {
    const Eigen::MatrixXd rows = 2 * random_rows(6).topRows(3);
    const Eigen::VectorXd truth = LinearModel{}.minus_log_p(rows);
    for (const Index count : {1, 2, 30}) {
        const auto detector = linear(Importance{.draws = count, .seed = 3});
        CHECK((detector.score(rows) - truth).cwiseAbs().maxCoeff() < 1e-12);
        if (count > 1) CHECK(detector.standard_error(rows).maxCoeff() < 1e-13);
    }
    // With another posterior it comes down to it, from the ELBO's expectation on.
    double before = std::numeric_limits<double>::infinity();
    for (const Index count : {1, 4, 16, 64}) {
        double mean = 0;
        double squares = 0;
        for (std::uint64_t seed = 0; seed < 150; ++seed) {
            const auto detector = linear(Importance{.draws = count, .seed = seed}, 1.6);
            const double above = (detector.score(rows) - truth).mean();
            mean += above / 150;
            squares += above * above / 150;
        }
        CAPTURE(count, mean);
        if (count == 1) {
            const double error = std::sqrt((squares - mean * mean) / 150);
            const auto elbo = linear(NegativeElbo{.draws = 4000}, 1.6);
            CHECK(mean == Approx((elbo.score(rows) - truth).mean()).margin(3 * error));
        }
        CHECK(mean < before - 0.01);
        before = mean;
    }
    CHECK(before > -0.01);
    CHECK(before < 0.05);
}

TEST_CASE("reconstruction probability: mean of p(x|z), and at the posterior's mean") {
    const ByHand q = compute(draws, 2);
    const auto of = [](const ReconstructionProbability& score) {
        return hand_made(weigh({.probability = 1}, 2, draws, score));
    };
    const auto of_mean = of({.average = DensityAverage::log_mean_exp});
    require_log_mean(sheet(of_mean, x), q, q.total);
    // Jensen: less than the mean of logarithms.
    CHECK((of({}).score(x) - of_mean.score(x)).minCoeff() > 0);
    Eigen::MatrixXd expected(hand_made_features + 1, samples);
    expected << -q.at_mean.matrix(), -q.at_mean.colwise().sum().matrix();
    const auto at_mean = of({.path = DensityPath::mean});
    CHECK((sheet(at_mean, x) - expected).cwiseAbs().maxCoeff() < 1e-11);
    // No exponential over- or underflows.
    const Eigen::MatrixXd far = Eigen::MatrixXd::Constant(hand_made_features, 1, 1e3);
    const double off = of({}).score(far)[0];
    CHECK(off > 1e5);
    CHECK(of_mean.score(far)[0] > 0.1 * off);
    CHECK(of_mean.score(far)[0] < off);
}
