// SPDX-License-Identifier: MIT
#pragma once

// Counts of six kinds of event that follow two hidden factors and vary more than a Poisson's, and a model for
// them of parts that the library does not have.

#include <cmath>

#include "extension/highway.hpp"
#include "extension/negative_binomial.hpp"
#include "extension/one_cycle.hpp"
#include "support/planted.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"

namespace extension_test {

using namespace untoward;

inline constexpr Index kinds = 6;

using CountVae =
    Vae<Vec<kinds>, Encoder<Dense<16, Silu>, extension::Highway<Dense<16, Tanh>>>, Latent<2>,
        Decoder<Dense<16, Silu>, extension::Highway<Dense<16, Tanh>>>, extension::NegativeBinomial>;

/// The rows of planted.hpp as counts: Poisson's, of the rate exp(2.5 + 0.8 v + deviation noise) for each
/// standardised value v.
inline Eigen::MatrixXf counts_of(Eigen::MatrixXf rows, std::uint64_t seed, float deviation = 0.3f) {
    RandomStream stream(seed, 200);
    // As many arrivals as there are in a unit of time.
    const auto poisson = [&](double rate) {
        Index count = 0;
        for (double time = -std::log(stream.uniform<double>()); time < rate;
             time -= std::log(stream.uniform<double>()))
            ++count;
        return static_cast<float>(count);
    };
    for (Index j = 0; j < rows.cols(); ++j) {
        for (Index i = 0; i < rows.rows(); ++i) {
            const float v = (rows(i, j) - 10 * static_cast<float>(i)) / (1 + static_cast<float>(i));
            rows(i, j) = poisson(std::exp(2.5f + 0.8f * v + deviation * stream.normal()));
        }
    }
    return rows;
}
inline Eigen::MatrixXf normal_counts(Index n, std::uint64_t seed) {
    return counts_of(untoward_test::correlated(kinds, n, seed), seed);
}
/// The same with one count of each row that does not go with the others.
inline Eigen::MatrixXf unusual_counts(Index n, std::uint64_t seed) {
    return counts_of(untoward_test::mirrored(kinds, n, seed).rows, seed);
}

inline FitOptions one_cycle_of(Index steps) {
    FitOptions options{.seed = 7};
    options.training.min_steps = options.training.max_steps = steps;
    options.training.learning_rate = extension::OneCycle{.peak = 0.02};
    return options;
}

}  // namespace extension_test
