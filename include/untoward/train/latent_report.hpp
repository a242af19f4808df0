// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "../scores/evidence.hpp"

namespace untoward {

/// Whether the latent units do anything.
struct LatentReport {
    std::vector<double> kl_per_unit;       ///< mean over rows, nats
    std::vector<double> variance_of_mean;  ///< over rows, of the posterior's mean
    Index active_units = 0;                ///< of a variance over 0.01 (Burda et al. 2016)

    [[nodiscard]] Index units() const { return static_cast<Index>(kl_per_unit.size()); }
    /// No unit is active: the decoder answers the same for every sample.
    [[nodiscard]] bool collapsed() const { return active_units == 0; }
    /// One sentence for a person.
    [[nodiscard]] std::string verdict() const {
        const std::string counts =
            std::to_string(active_units) + " of " + std::to_string(units()) + " latent units active";
        if (collapsed()) {
            return counts +
                   ": the posterior has collapsed, every sample is reconstructed alike; "
                   "lower beta, train longer, or accept that the features are independent";
        }
        if (2 * active_units < units()) return counts + ": a smaller latent space would do";
        return counts;
    }
};

namespace detail {

// sums += the sum of each row of `values`, columns of as many as there are sums. A template, so that only
// programs that ask compile it.
template <class Real>
void add_row_sums(Buffer<Real>& sums, const Buffer<Real>& values, Index columns) {
    using Table = Eigen::Map<const Eigen::Array<Real, Dynamic, Dynamic>>;
    sums.array() += Table(values.data(), sums.size(), columns).rowwise().sum();
}

}  // namespace detail

/// Looks at the posterior of scaled rows, features x n.
template <class S, class Model>
LatentReport inspect_latent(const Model& model, const S* parameters,
                            const Eigen::Matrix<S, Dynamic, Dynamic>& rows) {
    constexpr Index block = 256;
    constexpr double active = 0.01;
    const GatherEvidence<Model> layer{model, {}};
    const Index units = model.latent.units.size();
    const Index most = std::min<Index>(block, std::max<Index>(rows.cols(), 1));
    Buffer<std::byte> memory(static_cast<Index>(count<S>(layer, most, model.sample).run_bytes));
    std::vector<double> kl(static_cast<std::size_t>(units));
    Buffer<double> sum(units);
    Buffer<double> squares(units);
    Buffer<double> means(units * most);
    Buffer<double> squared(units * most);
    for (Index begin = 0; begin < rows.cols(); begin += most) {
        const Index n = std::min(most, rows.cols() - begin);
        Arena arena(memory);
        Run<S> scope(parameters, arena);
        const auto evidence = layer(scope, Tensor<const S, typename Model::SampleShape>(
                                               rows.data() + begin * rows.rows(), model.sample, n));
        for (Index k = 0; k < units; ++k) {
            double of_block = 0;
            for (Index j = 0; j < n; ++j) {
                of_block += static_cast<double>(evidence.kl(k, j));
                const auto mean = static_cast<double>(evidence.mean(k, j));
                means[k + j * units] = mean;
                squared[k + j * units] = mean * mean;
            }
            kl[static_cast<std::size_t>(k)] += of_block;
        }
        detail::add_row_sums(sum, means, n);
        detail::add_row_sums(squares, squared, n);
    }
    const auto count_of_rows = static_cast<double>(std::max<Index>(rows.cols(), 1));
    LatentReport report;
    for (Index k = 0; k < units; ++k) {
        const double mean = sum[k] / count_of_rows;
        report.kl_per_unit.push_back(kl[static_cast<std::size_t>(k)] / count_of_rows);
        report.variance_of_mean.push_back(std::max(0.0, squares[k] / count_of_rows - mean * mean));
        report.active_units += report.variance_of_mean.back() > active ? 1 : 0;
    }
    return report;
}

}  // namespace untoward
