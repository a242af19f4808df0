// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "../scores/evidence.hpp"

namespace untoward UNTOWARD_SETTING {

/// Whether the latent units do anything.
struct LatentReport {
    static constexpr double active = 0.01;  ///< variance over which a unit is (Burda et al. 2016)

    std::vector<double> kl_per_unit;       ///< mean over rows, nats
    std::vector<double> variance_of_mean;  ///< over rows, of the posterior's mean
    Index active_units = 0;

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
    /// What the units cost, likewise.
    [[nodiscard]] std::string kl_verdict() const {
        double total = 0;
        double largest = 0;
        double idle = 0;
        for (std::size_t k = 0; k < kl_per_unit.size(); ++k) {
            total += kl_per_unit[k];
            largest = (std::max)(largest, kl_per_unit[k]);
            if (!(variance_of_mean[k] > active)) idle += kl_per_unit[k];
        }
        if (total == 0) return "KL per unit: 0 nats, as in a code without noise or a collapsed one";
        const char* meaning = "";
        if (idle > 0.1 && idle > 0.1 * total) {
            meaning = ", and a part in units that are not active, where it pays for nothing: train longer";
        } else if (active_units > 2 && largest > 0.75 * total) {
            meaning = ": nearly all that the code says is said by one unit; try fewer";
        }
        char text[200];
        std::snprintf(text, sizeof text, "KL per unit: %.2f nats in all, at most %.2f in one%s", total,
                      largest, meaning);
        return text;
    }
};

/// Looks at the posterior of scaled rows, features x n.
template <class S, class Model>
LatentReport inspect_latent(const Model& model, const S* parameters,
                            const Eigen::Matrix<S, Dynamic, Dynamic>& rows) {
    detail::require_features(rows.rows(), rows.cols(), model.sample.size(), "the model");
    constexpr Index block = 256;
    const GatherEvidence<Model> layer{model, {}};
    const Index units = model.latent.units.size();
    const Index most = std::min<Index>(block, std::max<Index>(rows.cols(), 1));
    Buffer<std::byte> memory(static_cast<Index>(count<S>(layer, most, model.sample).run_bytes));
    std::vector<double> kl(static_cast<std::size_t>(units));
    Buffer<double> sum(units);
    Buffer<double> squares(units);
    for (Index begin = 0; begin < rows.cols(); begin += most) {
        const Index n = (std::min)(most, rows.cols() - begin);
        Arena arena(memory);
        Run<S> scope(parameters, arena);
        const auto evidence = layer(scope, Tensor<const S, typename Model::SampleShape>(
                                               rows.data() + begin * rows.rows(), model.sample, n));
        for (Index k = 0; k < units; ++k) {
            // Plain loops: an expression of Eigen's costs every program that fits.
            for (Index j = 0; j < n; ++j) {
                kl[static_cast<std::size_t>(k)] += static_cast<double>(evidence.kl(k, j));
                const auto mean = static_cast<double>(evidence.mean(k, j));
                sum[k] += mean;
                squares[k] += mean * mean;
            }
        }
    }
    const auto count_of_rows = static_cast<double>(std::max<Index>(rows.cols(), 1));
    LatentReport report;
    for (Index k = 0; k < units; ++k) {
        const double mean = sum[k] / count_of_rows;
        report.kl_per_unit.push_back(kl[static_cast<std::size_t>(k)] / count_of_rows);
        report.variance_of_mean.push_back((std::max)(0.0, squares[k] / count_of_rows - mean * mean));
        report.active_units += report.variance_of_mean.back() > LatentReport::active ? 1 : 0;
    }
    return report;
}

}  // namespace untoward
