// SPDX-License-Identifier: MIT
#include "untoward/vae/student_t.hpp"
#include "vae/pipeline.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

constexpr Index features = 8;

// One row in ten has a wild value.
Eigen::MatrixXf contaminated(Index n, std::uint64_t seed) {
    Eigen::MatrixXf rows = correlated(features, n, seed);
    RandomStream stream(seed, 9);
    for (Index j = 0; j < n; j += 10) rows(stream.below(features), j) += 200 * stream.normal();
    return rows;
}

template <class Likelihood>
double ranking_after_contamination() {
    using Model =
        Vae<Vec<features>, Encoder<Dense<16, Relu>>, Latent<2>, Decoder<Dense<16, Relu>>, Likelihood>;
    const auto detector =
        fit(Recipe{RobustScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}},
            contaminated(4000, 1), steps(1500));
    check_verdicts(detector, correlated(features, 3, 4));
    return ranking(detector, correlated(features, 300, 2), mirrored(features, 300, 3).rows);
}

}  // namespace

TEST_CASE("wild values among the training rows blind a Gaussian, and a t likelihood less") {
    const double gaussian = ranking_after_contamination<Gaussian>();
    const double student = ranking_after_contamination<StudentT>();
    INFO("Gaussian " << gaussian << ", Student's t " << student);
    CHECK(student > 0.9);
    CHECK(student > gaussian);
}
