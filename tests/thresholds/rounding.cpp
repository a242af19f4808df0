// SPDX-License-Identifier: MIT
// Rows that repeat each other are decided alike, in whatever batch they are scored.
#include "untoward/thresholds/rounding.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"
#include "support/planted.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;

TEMPLATE_TEST_CASE("raised for rounding: a little, in order, whatever the unit", "", float, double) {
    using S = TestType;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;
    constexpr S infinity = std::numeric_limits<S>::infinity();
    constexpr S rounding = 128 * std::numeric_limits<S>::epsilon();

    Vector scores(6);
    scores << 3, -200, S(0.25), infinity, 3, -infinity;
    const Vector raised = raised_for_rounding(scores);
    CHECK(raised[0] == 3 + 3 * rounding);
    CHECK(raised[1] == -200 + 200 * rounding);
    CHECK(raised[2] == S(0.25) + rounding);
    CHECK(raised[3] == infinity);
    CHECK(raised[4] == raised[0]);
    CHECK(raised[5] == -infinity);

    // All alike: their unit is one.
    CHECK(raised_for_rounding(Vector(Vector::Zero(9)))[4] == rounding);
    // So close together that one is no unit of theirs.
    const S tiny = S(1e-12);
    const Vector close = Vector::LinSpaced(101, 0, tiny);
    const Vector close_raised = raised_for_rounding(close);
    CHECK(close_raised[0] > 0);
    CHECK(close_raised[0] < tiny / 1000);
    for (Index i = 1; i < close.size(); ++i) REQUIRE(close_raised[i] >= close_raised[i - 1]);

    CHECK(raised_for_rounding(Vector()).size() == 0);
    Vector missing(2);
    missing << std::numeric_limits<S>::quiet_NaN(), 1;
    CHECK(std::isnan(raised_for_rounding(missing)[0]));
    CHECK(raised_for_rounding(missing)[1] > 1);
}

TEST_CASE("rounding: what repeats is decided alike alone, in any batch and by every instruction set") {
    constexpr Index features = 5;
    constexpr Index n = 600;
    // Of few values each: rows repeat, and the threshold is the score of some of them.
    const Eigen::MatrixXf rows =
        untoward_test::correlated(features, n, 1).unaryExpr([](float x) { return std::round(x / 4); });
    using Model = Vae<Vec<features>, Encoder<Dense<16, Relu>>, Latent<2>, Decoder<Dense<16, Relu>>, Gaussian>;
    FitOptions options{.seed = 1};
    options.training.min_steps = options.training.max_steps = 200;
    const auto detector = fit(
        Recipe{RobustScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.1}}, rows, options);

    Index at_the_threshold = 0;
    const Eigen::VectorXf together = detector.score(rows);
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet use(set);
        for (const Index batch : {1, 2, 7, 100}) {
            for (Index begin = 0; begin < n; begin += batch) {
                const Index count = std::min(batch, n - begin);
                const Eigen::VectorXf scores = detector.score(rows.middleCols(begin, count));
                for (Index j = 0; j < count; ++j) {
                    const float first = together[begin + j];
                    const float threshold = detector.threshold().threshold();
                    at_the_threshold += std::abs(first - threshold) < 1e-4f * threshold;
                    REQUIRE(detector.threshold().is_anomaly(scores[j]) ==
                            detector.threshold().is_anomaly(first));
                    REQUIRE(detector.threshold().p_value(scores[j]) == detector.threshold().p_value(first));
                }
            }
        }
    }
    CHECK(at_the_threshold > 0);
}
