// SPDX-License-Identifier: MIT
#include "untoward/nn/sequence.hpp"
#include "untoward/vae/categorical.hpp"
#include "vae/pipeline.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

constexpr Index classes = 4;
constexpr Index places = 5;
using Sample = Seq<classes, places>;
using Model = Vae<Sample, Encoder<Flatten, Dense<24, Tanh>>, Latent<2>,
                  Decoder<Dense<24, Tanh>, Dense<8 * places, Tanh>, ReshapeTo<Seq<8, places>>>, Categorical>;

// A walk around the four classes, in either direction, from anywhere.
Eigen::MatrixXf walks(Index n, std::uint64_t seed, bool broken) {
    RandomStream stream(seed);
    Eigen::MatrixXf rows = Eigen::MatrixXf::Zero(classes * places, n);
    for (Index j = 0; j < n; ++j) {
        const Index start = stream.below(classes);
        const Index direction = stream.below(2) == 0 ? 1 : classes - 1;
        for (Index t = 0; t < places; ++t) {
            const Index detour = broken && t == 2 ? 2 : 0;
            rows(t * classes + (start + t * direction + detour) % classes, j) = 1;
        }
    }
    return rows;
}

}  // namespace

TEST_CASE("sequences of classes behind a categorical: a step out of order is found, and no class at all") {
    const auto detector =
        fit(Recipe{IdentityScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}},
            walks(3000, 1, false), steps(1500));
    const Eigen::MatrixXf normal = walks(100, 2, false);
    CHECK(ranking(detector, normal, walks(100, 3, true)) > 0.97);
    check_verdicts(detector, normal.leftCols(5));
    for (Index j = 0; j < 20; ++j) {
        Eigen::VectorXf row = normal.col(j);
        const float usual = detector.score(row)(0);
        row.segment(classes * 2, classes).setZero();
        CHECK(detector.score(row)(0) > usual + 20);
    }
}
