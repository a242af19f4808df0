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
    Eigen::ArrayXd kl = Eigen::ArrayXd::Zero(units);
    Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(units);
    Eigen::ArrayXd squares = Eigen::ArrayXd::Zero(units);
    for (Index begin = 0; begin < rows.cols(); begin += most) {
        const Index n = std::min(most, rows.cols() - begin);
        Arena arena(memory);
        Run<S> scope(parameters, arena);
        const auto evidence = layer(scope, Tensor<const S, typename Model::SampleShape>(
                                               rows.data() + begin * rows.rows(), model.sample, n));
        const Eigen::ArrayXXd mean = evidence.mean.matrix().array().template cast<double>();
        kl += evidence.kl.matrix().array().template cast<double>().rowwise().sum();
        sum += mean.rowwise().sum();
        squares += mean.square().rowwise().sum();
    }
    const auto count_of_rows = static_cast<double>(std::max<Index>(rows.cols(), 1));
    LatentReport report;
    for (Index k = 0; k < units; ++k) {
        const double mean = sum(k) / count_of_rows;
        report.kl_per_unit.push_back(kl(k) / count_of_rows);
        report.variance_of_mean.push_back(std::max(0.0, squares(k) / count_of_rows - mean * mean));
        report.active_units += report.variance_of_mean.back() > active ? 1 : 0;
    }
    return report;
}

}  // namespace untoward
