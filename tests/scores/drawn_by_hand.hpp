// SPDX-License-Identifier: MIT
#pragma once

// The model that nobody trained (hand_made.hpp) under every draw of z, by plain Eigen; and Monte Carlo scores of it.

#include <vector>

#include "scores/hand_made.hpp"
#include "support/catch.hpp"
#include "untoward/scores/elbo.hpp"

namespace untoward_test {

constexpr Index samples = 5;
inline const Eigen::MatrixXd x = random_rows(samples);
constexpr Index draws = 7;

/// What the hand-made model says under every draw, by plain Eigen.
struct ByHand {
    std::vector<Eigen::ArrayXXd> densities;  // of each draw, D x samples
    Eigen::ArrayXXd total;                   // draws x samples: log p(x|z)
    Eigen::ArrayXXd kl;                      // draws x samples: log q(z|x) - log p(z)
    Eigen::ArrayXXd at_mean;                 // D x samples
};
inline ByHand compute(Index count, std::uint64_t seed) {
    const PlainModel model;
    const Eigen::ArrayXXd mean = model.mean(x);
    const Eigen::ArrayXXd log_variance = model.log_variance(x);
    ByHand q{{}, Eigen::ArrayXXd(count, samples), Eigen::ArrayXXd(count, samples), model.density(x, mean)};
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    Run<double> scope(nullptr, arena, Pass{.seed = seed});
    for (Index draw = 0; draw < count; ++draw) {
        const auto noise = scope.normal(Vec<latent>{}, samples);
        Eigen::ArrayXXd e(latent, samples);
        for (Index k = 0; k < latent; ++k) e.row(k) = noise(k, 0);
        const Eigen::ArrayXXd z = mean + (0.5 * log_variance).exp() * e;
        q.densities.push_back(model.density(x, z));
        q.total.row(draw) = q.densities.back().colwise().sum();
        // log N(z; mean, variance) - log N(z; 0, 1)
        q.kl.row(draw) = (-0.5 * (e.square() + log_variance) + 0.5 * z.square()).colwise().sum();
    }
    return q;
}

/// Every Monte Carlo score in one type, so that one detector is compiled for them all.
struct Weights {
    float elbo = 0;
    float probability = 0;
    float importance = 0;
};
inline auto weigh(const Weights& weights, std::uint64_t seed, Index count = draws,
                  ReconstructionProbability probability = {}) {
    probability.draws = count;
    probability.seed = seed;
    return weights.elbo * NegativeElbo{.draws = count, .seed = seed} + weights.probability * probability +
           weights.importance * ImportanceWeightedLikelihood{.draws = count, .seed = seed};
}
using MonteCarlo = decltype(hand_made(weigh({}, 0)));

}  // namespace untoward_test
