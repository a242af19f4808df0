// SPDX-License-Identifier: MIT
// One training step (batch, forward, backward, clipping, Adam) of the tabular network 32-128-64-(8)-64-128-32, and
// scoring with it, per second and as GFLOP/s of its products. Beside them, in the same run, Eigen's own product of
// 512 x 512 matrices: the ratio means something on a noisy machine, the time alone does not.
#include <benchmark/benchmark.h>
#include <untoward/detector.hpp>
#include <untoward/scores/reconstruction.hpp>
#include <untoward/thresholds/conformal.hpp>
#include <untoward/train/train.hpp>

namespace {

using namespace untoward;

using Model = Vae<Vec<32>, Encoder<Dense<128, Relu>, Dense<64, Relu>>, Latent<8>, Decoder<Dense<64, Relu>, Dense<128, Relu>>,
                  FixedGaussian>;

Eigen::MatrixXf normal_rows(Index features, Index n) {
    Eigen::MatrixXf rows(features, n);
    fill_normal(rows.data(), rows.size(), NoiseKey{.seed = 1});
    return rows;
}

void rate(benchmark::State& state, double flops) {
    state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void eigen_product(benchmark::State& state) {
    const Index n = 512;
    const Eigen::MatrixXf a = normal_rows(n, n);
    const Eigen::MatrixXf b = normal_rows(n, n);
    Eigen::MatrixXf c(n, n);
    for (auto _ : state) {
        c.noalias() = a * b;
        benchmark::DoNotOptimize(c.data());
    }
    rate(state, 2.0 * static_cast<double>(n * n * n));
}
BENCHMARK(eigen_product);

void training_step(benchmark::State& state) {
    const Index batch = state.range(0);
    const Model model;
    const Eigen::MatrixXf rows = normal_rows(32, 4096);
    Buffer<float> parameters(measure(NegativeElboLoss<Model>{}, model.sample).scalars);
    initialise(parameters.data(), 1, model, model.sample);
    Trainer<float, Model> trainer(model, parameters, rows, {.batch = batch});
    Index step = 0;
    for (auto _ : state) benchmark::DoNotOptimize(trainer.step(step++ % 4000, 4000).loss);
    // Forward, gradient of the weights, and gradient of the input of all but the first layer: 74,240 a sample.
    rate(state, 2 * 74240.0 * static_cast<double>(batch));
}
BENCHMARK(training_step)->Arg(32)->Arg(64)->Arg(256);

void scoring(benchmark::State& state) {
    const Index n = state.range(0);
    const Recipe recipe{0, Model{}, ReconstructionError{} + 1.0f * KlDivergence{}, Conformal{}};
    Buffer<float> parameters(measure(Model{}, Vec<32>{}).scalars);
    initialise(parameters.data(), 1, Model{}, Vec<32>{});
    const Eigen::VectorXf zeros = Eigen::VectorXf::Zero(32);
    const Eigen::VectorXf ones = Eigen::VectorXf::Ones(32);
    const Detector<std::remove_const_t<decltype(recipe)>> detector(
        recipe, {zeros, ones, zeros, zeros}, std::move(parameters), zeros, Conformal{}.calibrate(zeros));
    const Eigen::MatrixXf rows = normal_rows(32, n);
    for (auto _ : state) benchmark::DoNotOptimize(detector.score(rows).data());
    rate(state, 2 * 26112.0 * static_cast<double>(n));
}
BENCHMARK(scoring)->Arg(1)->Arg(10000);

}  // namespace
