// SPDX-License-Identifier: MIT
// Learns from a few rows and scores one that is unlike them.
#include <untoward/data/scaler.hpp>
#include <untoward/nn/dense.hpp>
#include <untoward/scores/elbo.hpp>
#include <untoward/thresholds/conformal.hpp>
#include <untoward/train/fit.hpp>
#include <untoward/vae/vae.hpp>
#include <untoward/version.hpp>

#include <cstdio>

using Model = untoward::Vae<untoward::Vec<2>, untoward::Encoder<untoward::Dense<4, untoward::Relu>>,
                            untoward::Latent<1>, untoward::Decoder<untoward::Dense<4, untoward::Relu>>,
                            untoward::Gaussian>;

int main() {
    const Eigen::MatrixXf normal = Eigen::MatrixXf::Random(2, 500);
    const untoward::Recipe recipe{untoward::StandardScaler{}, Model{}, untoward::NegativeElbo{},
                                  untoward::Conformal{.false_alarm_rate = 0.05}};
    const auto detector = untoward::fit(recipe, normal, {.epochs = 5, .seed = 7});
    const bool found = detector(Eigen::VectorXf::Constant(2, 50)).is_anomaly;
    std::printf("untoward %s: %s\n", UNTOWARD_VERSION, found ? "found" : "missed");
    return found ? 0 : 1;
}
