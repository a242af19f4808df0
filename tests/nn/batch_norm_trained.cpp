// SPDX-License-Identifier: MIT
// In training the running averages of a batch norm go to the mean and the variance of what it sees.
#include "support/catch.hpp"
#include "untoward/nn/batch_norm.hpp"
#include "untoward/nn/frozen.hpp"
#include "untoward/train/train.hpp"

using namespace untoward;

namespace {

// Two columns: mean 3 and deviation 2, mean -1 and deviation 0.5.
Eigen::MatrixXd rows_of(Index n) {
    RandomStream random(5);
    Eigen::MatrixXd rows(2, n);
    for (Index j = 0; j < n; ++j) {
        rows(0, j) = 3 + 2 * random.normal<double>();
        rows(1, j) = -1 + 0.5 * random.normal<double>();
    }
    return rows;
}

// encoder.0 is the batch norm: weight, bias, running_mean, running_var of both columns.
template <class Norm>
Buffer<double> trained() {
    using Model = Vae<Vec<2>, Encoder<Norm, Dense<4, Tanh>>, Latent<1>, Decoder<Dense<4, Tanh>>, Gaussian>;
    const Eigen::MatrixXd rows = rows_of(1000);
    Buffer<double> parameters(measure(Model{}, Vec<2>{}).scalars);
    initialise(parameters.data(), 1, Model{}, Vec<2>{});
    TrainingOptions options;
    options.epochs = 20;
    options.batch = 50;
    Trainer<double, Model> trainer(Model{}, parameters, rows, options);
    for (Index step = 0; step < 400; ++step) trainer.step(step, 400);
    return parameters;
}

}  // namespace

TEST_CASE("running averages are those of the rows") {
    const auto p = trained<BatchNorm>();
    // Averages over about 20 batches of 50 rows: a few hundredths of the deviation.
    CHECK(std::abs(p[4] - 3) < 0.3);
    CHECK(std::abs(p[5] + 1) < 0.08);
    CHECK(std::abs(p[6] - 4) < 0.8);
    CHECK(std::abs(p[7] - 0.25) < 0.05);
    CHECK(p[0] != 1);
}

TEST_CASE("a frozen one keeps them") {
    const auto p = trained<Frozen<BatchNorm>>();
    const double first[] = {1, 1, 0, 0, 0, 0, 1, 1};
    for (Index i = 0; i < 8; ++i) CHECK(p[i] == first[i]);
}
