// SPDX-License-Identifier: MIT
#pragma once

// Short trainings of a tiny model in either precision, for the tests of what goes on around the steps.

#include <algorithm>
#include <cmath>
#include <vector>

#include "untoward/autodiff/initialiser.hpp"
#include "untoward/core/random.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/train/train.hpp"
#include "untoward/vae/gaussian.hpp"

namespace untoward_test {

using namespace untoward;

inline constexpr Index tiny_features = 3;
using Tiny = Vae<Vec<tiny_features>, Encoder<Dense<4, Tanh>>, Latent<2>, Decoder<Dense<4, Tanh>>, Gaussian>;

template <class S>
using Rows = Eigen::Matrix<S, Dynamic, Dynamic>;

/// Three standard normal features, of which the second follows the first.
template <class S>
Rows<S> tiny_rows(Index n, std::uint64_t seed) {
    Rows<S> rows(tiny_features, n);
    fill_normal(rows.data(), rows.size(), {.seed = seed});
    rows.row(1) = S(0.9) * rows.row(0) + S(0.1) * rows.row(1);
    return rows;
}

inline TrainingOptions tiny_options(Index steps) {
    return {.min_steps = steps,
            .max_steps = steps,
            .batch = 32,
            .learning_rate = CosineSchedule{.peak = 0.05},
            .evaluations = 10,
            .seed = 3};
}

template <class S>
struct Trained {
    Buffer<S> parameters;
    TrainingReport report;
};

template <class S = float, class Model = Tiny>
Trained<S> train(const TrainingOptions& options, const Rows<S>& rows, const Rows<S>& held_out,
                 const Model& model = {}) {
    Trained<S> result{Buffer<S>(measure(model, model.sample).scalars), {}};
    initialise(result.parameters.data(), 1, model, model.sample);
    Trainer<S, Model> trainer(model, result.parameters, rows, options);
    result.report = trainer.run(held_out);
    return result;
}
template <class S = float>
Trained<S> train(const TrainingOptions& options) {
    return train<S>(options, tiny_rows<S>(100, 1), tiny_rows<S>(50, 2));
}

template <class S>
bool same_bits(const Buffer<S>& a, const Buffer<S>& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}
/// All but the seconds.
inline bool same(const TrainingReport& a, const TrainingReport& b) {
    return a.steps == b.steps && a.best_step == b.best_step && a.stopped_early == b.stopped_early &&
           a.stopped_by == b.stopped_by && a.loss == b.loss && a.training_losses == b.training_losses &&
           a.held_out_losses == b.held_out_losses;
}

}  // namespace untoward_test
