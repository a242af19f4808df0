// SPDX-License-Identifier: MIT
// The first program of version 0.1.0's README: what compile.py measures does not change with the README.
#include <untoward/data/scaler.hpp>
#include <untoward/io/table_coding.hpp>
#include <untoward/nn/dense.hpp>
#include <untoward/scores/elbo.hpp>
#include <untoward/scores/reconstruction.hpp>
#include <untoward/thresholds/conformal.hpp>
#include <untoward/train/fit.hpp>
#include <untoward/vae/vae.hpp>

#include <cstdio>

using Model =
    untoward::Vae<untoward::Vec<6>,
                  untoward::Encoder<untoward::Dense<64, untoward::Relu>, untoward::Dense<32, untoward::Relu>>,
                  untoward::Latent<3>,
                  untoward::Decoder<untoward::Dense<32, untoward::Relu>, untoward::Dense<64, untoward::Relu>>,
                  untoward::Gaussian>;  // the likelihood makes the last layer, nobody writes it

int main() {
    // A table to a matrix: features x rows, one sample per column.
    const auto train = untoward::io::read_table("train.csv");
    const auto coding = untoward::io::TableCoding::learn(
        train, {.columns = {"amount", "hour", "minutes_since_last", "distance_from_home_km",
                            "payments_last_24h", "ratio_to_usual_amount"}});
    const Eigen::MatrixXf normal = coding.matrix(train);

    untoward::Recipe recipe{
        untoward::RobustScaler{}, Model{},
        untoward::NegativeElbo{},  // or: untoward::ReconstructionError{} + 0.1f * untoward::KlDivergence{}
        untoward::Conformal{.false_alarm_rate = 0.01}};
    const auto detector = untoward::fit(recipe, normal, {.epochs = 20, .seed = 7});

    const Eigen::MatrixXf later = coding.matrix(untoward::io::read_table("test.csv"));
    const Eigen::VectorXf scores = detector.score(later);
    Eigen::Index strangest = 0;
    scores.maxCoeff(&strangest);

    const auto verdict = detector(later.col(strangest));  // .score .p_value .is_anomaly .contributions
    const auto& reason = verdict.contributions[0];
    std::printf("row %d: score %.1f, p-value %.4f, %s: %s is %.6g, expected %.6g\n",
                static_cast<int>(strangest) + 1, verdict.score, verdict.p_value,
                verdict.is_anomaly ? "anomalous" : "normal", coding.feature_name(reason.feature).c_str(),
                coding.original(reason.feature, reason.observed),
                coding.original(reason.feature, reason.expected));
}
