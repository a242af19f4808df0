// SPDX-License-Identifier: MIT
// Samples of the model's own, reconstructions, latent coordinates and the way between two samples.
#include "untoward/generate.hpp"

#include "support/catch.hpp"
#include "untoward/data/scaler.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/thresholds/fixed.hpp"
#include "untoward/vae/gaussian.hpp"

using namespace untoward;

namespace {

constexpr Index features = 3;
using Model = Vae<Vec<features>, Encoder<Dense<5, Tanh>>, Latent<2>, Decoder<Dense<4, Tanh>>, FixedGaussian>;
using TheRecipe = Recipe<StandardScaler, Model, NegativeElbo, Fixed>;
using TheDetector = Detector<TheRecipe, Owned<double>>;

TheDetector detector_of(double log_variance = -1) {
    const TheRecipe recipe{{}, Model{{}, {}, {}, {}, {log_variance}}, {}, {}};
    Buffer<double> parameters(measure(recipe.model, recipe.model.sample).scalars);
    initialise(parameters.data(), 3, recipe.model, recipe.model.sample);
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(features);
    return {recipe,
            {Eigen::Vector3d(10, -2, 0.5), Eigen::Vector3d(4, 0.1, 1), Eigen::Vector3d(9, -2, 0.5), zero},
            std::move(parameters),
            zero,
            recipe.threshold.calibrate(zero)};
}

Eigen::MatrixXd rows(Index n) {
    Eigen::MatrixXd x(features, n);
    fill_normal(x.data(), x.size(), {.seed = 8});
    return x;
}

}  // namespace

TEST_CASE("latent coordinates are the posterior's means, and a reconstruction is decoded from them") {
    const TheDetector detector = detector_of();
    Eigen::MatrixXd x = rows(600);
    x(1, 7) = std::numeric_limits<double>::quiet_NaN();
    const Eigen::MatrixXd z = encode(detector, x);
    REQUIRE(z.rows() == 2);
    REQUIRE(z.cols() == 600);
    CHECK(z.allFinite());
    const Eigen::MatrixXd back = reconstruct(detector, x);
    CHECK(back == decode(detector, z));

    // The same as a verdict says where the coordinates are within the prior's bulk.
    REQUIRE(z.col(7).cwiseAbs().maxCoeff() < prior_bulk);
    for (const auto& c : detector(x.col(7)).contributions)
        CHECK(c.expected == Approx(back(c.feature, 7)).epsilon(1e-12));
    // A sample's place among others does not matter.
    CHECK((encode(detector, x.col(7)) - z.col(7)).norm() < 1e-13);
}

TEST_CASE("a model's own samples: reproducible, each for itself, with the likelihood's spread") {
    const TheDetector detector = detector_of();
    const Eigen::MatrixXd few = generate(detector, 10, 5);
    const Eigen::MatrixXd many = generate(detector, 700, 5);
    CHECK(few == generate(detector, 10, 5));
    CHECK((many.leftCols(10) - few).norm() < 1e-12);
    CHECK((generate(detector, 10, 6) - few).norm() > 1);
    CHECK(many.allFinite());

    const Eigen::MatrixXd z = sample_prior(detector, 20000, 5);
    for (Index k = 0; k < 2; ++k) {
        CHECK(std::abs(z.row(k).mean()) < 4 / std::sqrt(20000.0));
        CHECK(std::abs(z.row(k).squaredNorm() / 20000 - 1) < 4 * std::sqrt(2.0 / 20000));
    }
    const Eigen::MatrixXd expected = decode(detector, z);
    const Eigen::MatrixXd drawn = generate(detector, 20000, 5);
    CHECK(expected == generate(detector, 20000, 5, false));
    const Eigen::MatrixXd noise = drawn - expected;
    const double variance = std::exp(-1.0);
    for (Index i = 0; i < features; ++i) {
        const double scale = detector.scaling().scale(i);
        CHECK(std::abs(noise.row(i).mean()) < 4 * scale * std::sqrt(variance / 20000));
        CHECK(noise.row(i).squaredNorm() / 20000 ==
              Approx(scale * scale * variance).epsilon(4 * std::sqrt(2.0 / 20000)));
        // The noise of x is not that of z.
        for (Index k = 0; k < 2; ++k)
            CHECK(std::abs(noise.row(i).dot(z.row(k))) / (scale * std::sqrt(variance) * 20000) <
                  4 / std::sqrt(20000.0));
    }
}

TEST_CASE("an interpolation goes from one reconstruction to the other") {
    const TheDetector detector = detector_of();
    const Eigen::MatrixXd x = rows(2);
    const Eigen::MatrixXd way = interpolate(detector, x.col(0), x.col(1), 5);
    REQUIRE(way.cols() == 5);
    const Eigen::MatrixXd ends = reconstruct(detector, x);
    CHECK((way.col(0) - ends.col(0)).norm() < 1e-12);
    CHECK((way.col(4) - ends.col(1)).norm() < 1e-12);
    const Eigen::MatrixXd z = encode(detector, x);
    CHECK((way.col(2) - decode(detector, (0.5 * (z.col(0) + z.col(1))).eval())).norm() < 1e-12);
}
