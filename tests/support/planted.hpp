// SPDX-License-Identifier: MIT
#pragma once

// Data whose structure is known: features that follow two hidden factors, and anomalies that break the
// structure but not the range of any feature.

#include <cmath>
#include <vector>

#include "untoward/core/random.hpp"

namespace untoward_test {

using untoward::Index;

struct Anomalies {
    Eigen::MatrixXf rows;         ///< features x n
    std::vector<Index> features;  ///< the one that was changed in each
};

/// Feature i is 10 i + (1 + i) (cos(i) z_0 + sin(i) z_1 + 0.1 noise), with z and the noise standard normal.
inline Eigen::MatrixXf correlated(Index features, Index n, std::uint64_t seed) {
    untoward::RandomStream stream(seed, 100);
    Eigen::MatrixXf rows(features, n);
    for (Index j = 0; j < n; ++j) {
        const float z0 = stream.normal();
        const float z1 = stream.normal();
        for (Index i = 0; i < features; ++i) {
            const auto angle = static_cast<float>(i);
            const float value = std::cos(angle) * z0 + std::sin(angle) * z1 + 0.1f * stream.normal();
            rows(i, j) = 10 * angle + (1 + angle) * value;
        }
    }
    return rows;
}

/// The same with one feature of each row, at least one standard deviation from its mean, mirrored about it:
/// the distribution of every feature stays what it was, its relation to the others does not.
inline Anomalies mirrored(Index features, Index n, std::uint64_t seed) {
    Anomalies anomalies{Eigen::MatrixXf(features, n), {}};
    const Eigen::MatrixXf rows = correlated(features, 40 * n, seed);
    Index filled = 0;
    for (Index j = 0; j < rows.cols() && filled < n; ++j) {
        const Index i = filled % features;
        const float centre = 10 * static_cast<float>(i);
        if (std::abs(rows(i, j) - centre) < 1 + static_cast<float>(i)) continue;
        anomalies.rows.col(filled) = rows.col(j);
        anomalies.rows(i, filled) = 2 * centre - rows(i, j);
        anomalies.features.push_back(i);
        ++filled;
    }
    return anomalies;
}

}  // namespace untoward_test
