// SPDX-License-Identifier: MIT
#include "detector/firmware_image.hpp"
#include "support/allocation.hpp"
#include "support/catch.hpp"

using namespace untoward;

TEST_CASE(
    "firmware: constants in flash and a static arena give the numbers of an owned detector, without a heap") {
    using OwnedRecipe = Recipe<firmware::NoScaler, firmware::Model, NegativeElbo, Conformal>;
    constexpr Index n = firmware::features;
    Buffer<float> parameters(firmware::parameters);
    initialise(parameters.data(), 6, firmware::Model{}, Vec<n>{});
    const Scaling<Eigen::VectorXf> scaling{Eigen::VectorXf::LinSpaced(n, -1, 1),
                                           Eigen::VectorXf::LinSpaced(n, 1, 5), Eigen::VectorXf::Zero(n),
                                           Eigen::VectorXf::Zero(n)};
    const Eigen::VectorXf typical = Eigen::VectorXf::LinSpaced(n, 1, 2);
    const Eigen::Vector3f scores(30, 40, 50);
    const Detector<OwnedRecipe> owned({}, scaling, parameters, typical,
                                      Conformal{.false_alarm_rate = 0.25}.calibrate(Eigen::VectorXf(scores)));
    const firmware::Numbers numbers{parameters.data(),   scaling.centre.data(),   scaling.scale.data(),
                                    scaling.fill.data(), scaling.constant.data(), typical.data(),
                                    scores.data()};
    Eigen::MatrixXf samples(n, 20);
    fill_normal(samples.data(), samples.size(), {.seed = 2});
    samples.rightCols(10) *= 10;
    Index anomalies = 0;
    for (Index j = 0; j < samples.cols(); ++j) {
        const AllocationCount count;
        const firmware::Answer answer = firmware::judge(numbers, samples.col(j).data());
        const long allocations = count.since();
        REQUIRE(allocations == 0);
        const auto verdict = owned(samples.col(j));
        REQUIRE(answer.score == verdict.score);
        REQUIRE(answer.p_value == verdict.p_value);
        REQUIRE(answer.is_anomaly == verdict.is_anomaly);
        REQUIRE(answer.worst == verdict.contributions[0].feature);
        anomalies += answer.is_anomaly;
    }
    REQUIRE(anomalies >= 10);
    REQUIRE(anomalies < 20);
}
