// SPDX-License-Identifier: MIT
#pragma once

// The workloads of every table: models, data, and a training step and a detector for any model. W1 is a table
// of 32 features, W2 images of 784 pixels, W5 windows of 32 steps of 4 channels.

#include <memory>
#include <type_traits>
#include <untoward/data/scaler.hpp>
#include <untoward/detector.hpp>
#include <untoward/nn/gru.hpp>
#include <untoward/nn/sequence.hpp>
#include <untoward/scores/elbo.hpp>
#include <untoward/scores/reconstruction.hpp>
#include <untoward/thresholds/conformal.hpp>
#include <untoward/train/train.hpp>
#include <untoward/vae/bernoulli.hpp>
#include <utility>

#include "harness.hpp"

namespace bench {

using untoward::Index;

namespace u = untoward;

/// 32-128-64-(8)-64-128-32, squared error.
using TableModel = u::Vae<u::Vec<32>, u::Encoder<u::Dense<128, u::Relu>, u::Dense<64, u::Relu>>, u::Latent<8>,
                          u::Decoder<u::Dense<64, u::Relu>, u::Dense<128, u::Relu>>, u::FixedGaussian>;
/// 784-512-256-(32)-256-512-784, cross-entropy.
using ImageModel =
    u::Vae<u::Vec<784>, u::Encoder<u::Dense<512, u::Relu>, u::Dense<256, u::Relu>>, u::Latent<32>,
           u::Decoder<u::Dense<256, u::Relu>, u::Dense<512, u::Relu>>, u::Bernoulli>;
/// 32 steps of 4 channels, GRUs of 32 units, 8 latent units, squared error.
using WindowModel = u::Vae<u::Seq<4, 32>, u::Encoder<u::Gru<32>, u::LastStep>, u::Latent<8>,
                           u::Decoder<u::Repeat<32>, u::Gru<32>>, u::FixedGaussian>;

// Multiply-adds a sample: forward, and of a training step forward, gradient of the weights, and gradient of the
// input of all but the first layer.
inline constexpr double table_forward = 26112;
inline constexpr double table_training = 74240;
inline constexpr double image_forward = 1089536;
inline constexpr double image_training = 2867200;
static_assert(u::count<float>(TableModel{}, 1, u::Vec<32>{}).multiply_adds == table_forward);
static_assert(u::count<float>(ImageModel{}, 1, u::Vec<784>{}).multiply_adds == image_forward);
static_assert(3 * table_forward - 32 * 128 == table_training);
static_assert(3 * image_forward - 784 * 512 == image_training);

// The windows' decoder sees the same z at every step, so what its gates have of it has to be multiplied once
// only, and that is what counts: 80.7 MF for a step of batch 64.
inline constexpr double window_steps = 32;
inline constexpr double window_encoder_input = window_steps * 4 * 96;  // no gradient of the data
inline constexpr double window_recurrent = window_steps * 32 * 96;     // of the encoder, and of the decoder
inline constexpr double window_rest = 32 * 16 + 8 * 96 + window_steps * 32 * 4;
inline constexpr double window_training = 2 * window_encoder_input + 3 * (2 * window_recurrent + window_rest);
static_assert(64 * 2 * window_training == 80707584);

/// n rows with something to learn: eight hidden causes and noise, in columns; for the Bernoulli likelihood the
/// same squeezed to [0, 1].
inline Eigen::MatrixXf rows_of(Index features, Index n, bool unit = false) {
    constexpr Index causes = 8;
    Eigen::MatrixXf loadings(features, causes);
    Eigen::MatrixXf hidden(causes, n);
    Eigen::MatrixXf rows(features, n);
    u::fill_normal(loadings.data(), loadings.size(), {.seed = 1});
    u::fill_normal(hidden.data(), hidden.size(), {.seed = 2});
    u::fill_normal(rows.data(), rows.size(), {.seed = 3});
    rows *= 0.3f;
    rows += loadings * hidden * 0.35f;
    if (unit) rows = rows.array().logistic().matrix();
    return rows;
}

/// What a model's first parameters are.
template <class Model>
u::Buffer<float> initial_parameters(const Model& model) {
    u::Buffer<float> parameters(u::measure(u::NegativeElboLoss<Model>{model}, model.sample).scalars);
    u::initialise(parameters.data(), 1, model, model.sample);
    return parameters;
}

/// Steps so small that hours of them change nothing of what a step costs.
inline u::TrainingOptions training_options(Index batch, Index shards = 1, Index threads = 1) {
    return {.batch = batch,
            .learning_rate = u::ConstantSchedule{1e-4},
            .beta = u::ConstantBeta{},
            .shards = shards,
            .threads = threads};
}

/// `Trainer::step`, again and again.
template <class Model>
class Training {
public:
    Training(const Model& model, Index batch, Index rows = 4096, Index shards = 1, Index threads = 1)
        : rows_(rows_of(model.sample.size(), rows,
                        std::is_same_v<std::remove_cvref_t<decltype(model.likelihood)>, u::Bernoulli>)),
          parameters_(initial_parameters(model)),
          trainer_(model, parameters_, rows_, training_options(batch, shards, threads)) {}

    auto step() { return trainer_.step(number_++, planned); }

    [[nodiscard]] const Eigen::MatrixXf& rows() const { return rows_; }
    [[nodiscard]] const u::Buffer<float>& parameters() const { return parameters_; }

private:
    static constexpr Index planned = Index{1} << 40;

    Eigen::MatrixXf rows_;
    u::Buffer<float> parameters_;
    u::Trainer<float, Model> trainer_;
    Index number_ = 0;
};

template <class Model>
Contender training(const Model& model, Index batch, Index rows = 4096) {
    return contender("untoward", [=] {
        auto training = std::make_shared<Training<Model>>(model, batch, rows);
        return [training] { benchmark::DoNotOptimize(training->step().loss); };
    });
}

/// The same in shards that so many threads work on.
template <class Model>
Contender training_by_threads(const Model& model, Index batch, Index shards, Index threads) {
    const std::string name = std::to_string(shards) + " shards, " + std::to_string(threads) + " threads";
    return contender(name, [=] {
        auto training = std::make_shared<Training<Model>>(model, batch, 4096, shards, threads);
        return [training] { benchmark::DoNotOptimize(training->step().loss); };
    });
}

/// A detector of squared error + KL whose scaler leaves numbers as they are.
template <class Model>
auto make_detector(const Model& model, u::Buffer<float> parameters) {
    const u::Recipe recipe{u::IdentityScaler{}, model, u::ReconstructionError{} + 1.0f * u::KlDivergence{},
                           u::Conformal{}};
    const Index n = model.sample.size();
    const Eigen::VectorXf zeros = Eigen::VectorXf::Zero(n);
    const Eigen::VectorXf ones = Eigen::VectorXf::Ones(n);
    return u::Detector<std::remove_const_t<decltype(recipe)>>(
        recipe, {zeros, ones, zeros, zeros}, std::move(parameters), zeros, u::Conformal{}.calibrate(zeros));
}

/// `Detector::score` of so many rows in one call.
template <class Model>
Contender scoring(const Model& model, Index rows) {
    return contender("untoward", [=] {
        auto detector = std::make_shared<decltype(make_detector(model, {}))>(
            make_detector(model, initial_parameters(model)));
        auto data = std::make_shared<Eigen::MatrixXf>(rows_of(model.sample.size(), rows));
        return [detector, data] { benchmark::DoNotOptimize(detector->score(*data).data()); };
    });
}

/// The same by so many threads.
template <class Model>
Contender scoring_by_threads(const Model& model, Index rows, Index threads) {
    return contender(std::to_string(threads) + " threads", [=] {
        auto detector = std::make_shared<decltype(make_detector(model, {}))>(
            make_detector(model, initial_parameters(model)));
        auto data = std::make_shared<Eigen::MatrixXf>(rows_of(model.sample.size(), rows));
        auto workers = std::make_shared<u::Threads>(threads);
        return
            [detector, data, workers] { benchmark::DoNotOptimize(detector->score(*data, *workers).data()); };
    });
}

}  // namespace bench
