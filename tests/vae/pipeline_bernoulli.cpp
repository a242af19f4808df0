// SPDX-License-Identifier: MIT
#include "untoward/vae/bernoulli.hpp"
#include "vae/pipeline.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

constexpr Index features = 9;

// Three groups of three switches that stand alike, but for one in twenty.
Eigen::MatrixXf switches(Index n, std::uint64_t seed) {
    RandomStream stream(seed);
    Eigen::MatrixXf rows(features, n);
    for (Index j = 0; j < n; ++j) {
        for (Index group = 0; group < 3; ++group) {
            const bool on = stream.uniform() < 0.5f;
            for (Index i = 0; i < 3; ++i) {
                const bool odd = stream.uniform() < 0.05f;
                rows(3 * group + i, j) = on != odd ? 1.0f : 0.0f;
            }
        }
    }
    return rows;
}

using Model = Vae<Vec<features>, Encoder<Dense<16, Tanh>>, Latent<3>, Decoder<Dense<16, Tanh>>, Bernoulli>;

}  // namespace

TEST_CASE("switches behind a Bernoulli: what breaks a group is found, and what is no switch") {
    const auto detector =
        fit(Recipe{IdentityScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}},
            switches(4000, 1), steps(1500));
    const Eigen::MatrixXf normal = switches(400, 2);
    Eigen::MatrixXf broken = switches(400, 3);
    for (Index j = 0; j < broken.cols(); ++j) {  // two groups in disorder
        for (const Index i : {j % 3, 3 + j % 3}) broken(i, j) = 1 - broken((i / 3) * 3 + (i + 1) % 3, j);
    }
    CHECK(ranking(detector, normal, broken) > 0.93);
    check_verdicts(detector, normal.leftCols(5));
    // No value outside of [0, 1] makes a row look more normal than the edge that it crossed. (Compared with the row
    // at the edge as the model sees both: the encoder too meets another number.)
    Index more_normal = 0;
    for (Index j = 0; j < 100; ++j) {
        for (Index i = 0; i < features; ++i) {
            Eigen::VectorXf row = normal.col(j);
            const float edge = row(i);
            const float at_edge = detector.score(row)(0);
            for (const float distance : {0.5f, 1.0f, 10.0f}) {
                row(i) = edge + (edge > 0 ? distance : -distance);
                more_normal += detector.score(row)(0) <= at_edge;
            }
        }
    }
    REQUIRE(more_normal == 0);
}
