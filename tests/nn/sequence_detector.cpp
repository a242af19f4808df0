// SPDX-License-Identifier: MIT
// A detector of sequences, fitted and asked as one of vectors is.
#include <numbers>

#include "support/catch.hpp"
#include "untoward/detector.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/thresholds/conformal.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;

namespace {

constexpr Index steps = 12;
using Model =
    Vae<Seq<2, steps>, Encoder<Lstm<12>, LastStep>, Latent<2>, Decoder<Repeat<steps>, Lstm<12>>, Gaussian>;

// Two channels in quadrature, from any phase, and a little noise.
Eigen::MatrixXf waves(Index n, std::uint64_t seed) {
    RandomStream random(seed);
    Eigen::MatrixXf x(2 * steps, n);
    for (Index j = 0; j < n; ++j) {
        const float phase = 2 * std::numbers::pi_v<float> * random.uniform();
        for (Index t = 0; t < steps; ++t) {
            const float angle = phase + 0.6f * static_cast<float>(t);
            x(2 * t, j) = std::sin(angle) + 0.05f * random.normal();
            x(2 * t + 1, j) = std::cos(angle) + 0.05f * random.normal();
        }
    }
    return x;
}

}  // namespace

TEST_CASE("a wave that breaks off is found among waves") {
    FitOptions options{.epochs = 150, .seed = 3};
    options.training.batch = 64;
    const auto detector =
        fit(Recipe{StandardScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}},
            waves(600, 1), options);
    const Eigen::MatrixXf normal = waves(100, 2);
    Eigen::MatrixXf broken = normal;
    // Every value is one that normal waves have; only their order is wrong.
    for (Index t = steps / 2; t < steps; ++t) broken.middleRows(2 * t, 2) = broken.middleRows(2 * (t - 6), 2);
    const Eigen::VectorXf of_normal = detector.score(normal);
    const Eigen::VectorXf of_broken = detector.score(broken);
    CAPTURE(of_normal.maxCoeff(), of_broken.minCoeff());
    CHECK(of_broken.minCoeff() > of_normal.maxCoeff() + 10);
    int alarms = 0;
    int missed = 0;
    for (Index j = 0; j < 100; ++j) {
        alarms += detector(normal.col(j)).is_anomaly ? 1 : 0;
        missed += detector(broken.col(j)).is_anomaly ? 0 : 1;
    }
    CHECK(alarms <= 15);  // 5 expected
    CHECK(missed == 0);
}
