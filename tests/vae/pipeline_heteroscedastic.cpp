// SPDX-License-Identifier: MIT
#include "vae/pipeline.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

constexpr Index features = 6;

// The first two features say where a row is; the noise of the others grows from 0.05 to 1.5 on the way.
Eigen::MatrixXf rows_of_uneven_noise(Index n, std::uint64_t seed) {
    RandomStream stream(seed);
    Eigen::MatrixXf rows(features, n);
    for (Index j = 0; j < n; ++j) {
        const float place = 2 * stream.uniform() - 1;
        const float noise = place < 0 ? 0.05f : 1.5f;
        rows(0, j) = place + 0.05f * stream.normal();
        rows(1, j) = place + 0.05f * stream.normal();
        for (Index i = 2; i < features; ++i)
            rows(i, j) = place * static_cast<float>(i) + noise * stream.normal();
    }
    return rows;
}

// Loss of held-out rows, and how well 0.5 of noise is told from 0.05 where 0.05 is usual.
template <class Likelihood>
std::pair<double, double> fit_and_rank() {
    using Model =
        Vae<Vec<features>, Encoder<Dense<24, Relu>>, Latent<2>, Decoder<Dense<24, Relu>>, Likelihood>;
    FitReport report;
    const auto detector =
        fit(Recipe{RobustScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}},
            rows_of_uneven_noise(6000, 1), steps(2000), &report);
    check_verdicts(detector, rows_of_uneven_noise(3, 4));
    const Eigen::MatrixXf all = rows_of_uneven_noise(1000, 2);
    Eigen::MatrixXf quiet(features, all.cols());
    Index n = 0;
    for (Index j = 0; j < all.cols(); ++j) {
        if (all(0, j) < -0.2f) quiet.col(n++) = all.col(j);
    }
    quiet.conservativeResize(features, n);
    Eigen::MatrixXf louder = quiet;
    RandomStream stream(3);
    for (Index j = 0; j < n; ++j) {
        for (Index i = 2; i < features; ++i) louder(i, j) += 0.5f * stream.normal();
    }
    return {report.training.loss, ranking(detector, quiet, louder)};
}

}  // namespace

TEST_CASE("a decoded variance knows where noise is unusual, one variance per feature does not") {
    const auto [one_loss, one_ranking] = fit_and_rank<Gaussian>();
    const auto [decoded_loss, decoded_ranking] = fit_and_rank<HeteroscedasticGaussian>();
    INFO("one variance: loss " << one_loss << ", ranking " << one_ranking << "; decoded: loss "
                               << decoded_loss << ", ranking " << decoded_ranking);
    CHECK(decoded_loss < one_loss - 0.5);
    CHECK(decoded_ranking > 0.9);
    CHECK(decoded_ranking > one_ranking + 0.05);
}
