// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "../core/threads.hpp"
#include "../scores/elbo.hpp"
#include "../scores/evidence.hpp"

namespace untoward UNTOWARD_SETTING::detail {

// Whether all rows meet the same draws of z, as they do in scoring. Where they do, the chance in a mean over rows
// does not become less with their number: good for comparing a model with itself a step later, not with another.
enum class Draws { shared, of_each_row };

// -ELBO (beta 1, fixed draws) in nats of each of some scaled rows, features x n; infinity in place of NaN, which
// has no place in an order.
template <class S, class Model>
std::vector<double> sample_losses(const Model& model, const S* parameters,
                                  const Eigen::Matrix<S, Dynamic, Dynamic>& rows, Threads& threads,
                                  Index draws, Draws whose) {
    require_features(rows.rows(), rows.cols(), model.sample.size(), "the model");
    constexpr Index block = 256;
    const NegativeElbo score{.draws = draws, .seed = 0x5eed};
    const GatherEvidence<Model> layer{model, score.needs()};
    const Index most = std::min<Index>(block, std::max<Index>(rows.cols(), 1));
    const Counts counts = count<S>(layer, most, model.sample);
    // Draws of its own for every row are what a training pass has: they need no more memory than that.
    const auto bytes = static_cast<Index>(
        align_up(counts.run_bytes + (whose == Draws::of_each_row ? counts.record_bytes : 0)));
    Buffer<std::byte> memory(bytes * threads.count());
    std::vector<std::uint32_t> ids;
    for (Index i = 0; i < rows.cols(); ++i) ids.push_back(static_cast<std::uint32_t>(i));
    std::vector<double> losses(static_cast<std::size_t>(rows.cols()));
    threads.run((rows.cols() + most - 1) / most, [&](Index i, Index thread) {
        const Index begin = i * most;
        const Index n = (std::min)(most, rows.cols() - begin);
        Arena arena(memory.data() + thread * bytes, static_cast<std::size_t>(bytes));
        Run<S> scope(
            parameters, arena,
            Pass{.seed = score.seed, .samples = whose == Draws::of_each_row ? ids.data() + begin : nullptr});
        const auto evidence = layer(scope, Tensor<const S, typename Model::SampleShape>(
                                               rows.data() + begin * rows.rows(), model.sample, n));
        for (Index j = 0; j < n; ++j) {
            const auto loss =
                static_cast<double>(evidence.kl.column(j).sum() - evidence.log_density().column(j).sum());
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
    std::vector<double> losses = sample_losses(model, parameters, rows, threads, 2, Draws::shared);
    const std::size_t kept = typical_count(losses.size());
    std::nth_element(losses.begin(), losses.begin() + static_cast<std::ptrdiff_t>(kept == 0 ? 0 : kept - 1),
                     losses.end());
    double total = 0;
    for (std::size_t i = 0; i < kept; ++i) total += losses[i];
    return total / static_cast<double>(std::max<std::size_t>(kept, 1));
}

}  // namespace untoward::detail
