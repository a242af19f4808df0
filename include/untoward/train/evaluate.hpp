// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../core/threads.hpp"
#include "../scores/elbo.hpp"
#include "../scores/evidence.hpp"

namespace untoward::detail {

// -ELBO (beta 1, fixed draws) in nats of each of some scaled rows, features x n; infinity in place of NaN, which
// has no place in an order.
template <class S, class Model>
std::vector<double> sample_losses(const Model& model, const S* parameters,
                                  const Eigen::Matrix<S, Dynamic, Dynamic>& rows, Threads& threads) {
    constexpr Index block = 256;
    constexpr NegativeElbo score{.draws = 2, .seed = 0x5eed};
    const GatherEvidence<Model> layer{model, score.needs()};
    const Index most = std::min<Index>(block, std::max<Index>(rows.cols(), 1));
    const auto bytes = static_cast<Index>(align_up(count<S>(layer, most, model.sample).run_bytes));
    Buffer<std::byte> memory(bytes * threads.count());
    std::vector<double> losses(static_cast<std::size_t>(rows.cols()));
    threads.run((rows.cols() + most - 1) / most, [&](Index i, Index thread) {
        const Index begin = i * most;
        const Index n = std::min(most, rows.cols() - begin);
        Arena arena(memory.data() + thread * bytes, static_cast<std::size_t>(bytes));
        Run<S> scope(parameters, arena, Pass{.seed = score.seed});
        const auto evidence = layer(scope, Tensor<const S, typename Model::SampleShape>(
                                               rows.data() + begin * rows.rows(), model.sample, n));
        for (Index j = 0; j < n; ++j) {
            const auto loss =
                static_cast<double>(evidence.kl.column(j).sum() - evidence.log_density.column(j).sum());
            losses[static_cast<std::size_t>(begin + j)] =
                std::isnan(loss) ? std::numeric_limits<double>::infinity() : loss;
        }
    });
    return losses;
}

// How many of n rows count where the tenth that a model fits worst does not: in a few rare rows -ELBO can be
// larger than in all others together, and a mean over all would then tell of them alone.
inline std::size_t typical_count(std::size_t n) {
    return n - n / 10;
}

// The mean -ELBO of scaled rows, features x n, in nats, over the nine tenths of them that it fits best.
template <class S, class Model>
double typical_loss(const Model& model, const S* parameters, const Eigen::Matrix<S, Dynamic, Dynamic>& rows,
                    Threads& threads) {
    std::vector<double> losses = sample_losses(model, parameters, rows, threads);
    const std::size_t kept = typical_count(losses.size());
    std::nth_element(losses.begin(), losses.begin() + static_cast<std::ptrdiff_t>(kept == 0 ? 0 : kept - 1),
                     losses.end());
    double total = 0;
    for (std::size_t i = 0; i < kept; ++i) total += losses[i];
    return total / static_cast<double>(std::max<std::size_t>(kept, 1));
}

}  // namespace untoward::detail
