// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "embedded/constants.hpp"
#include "support/allocation.hpp"
#include "support/catch.hpp"

namespace untoward_test {

// A detector in flash says what the detector with the same numbers says, bit for bit, and allocates nothing.
template <class Flash, class DetectorType>
void check_agreement(const DetectorType& detector, const auto& threshold) {
    Eigen::MatrixXf samples(Flash::features, 30);
    fill_normal(samples.data(), samples.size(), {.seed = 2});
    samples *= 3;
    samples(2, 3) = std::numeric_limits<float>::quiet_NaN();
    samples(1, 4) = -std::numeric_limits<float>::infinity();
    samples(4, 5) = 1e30f;
    samples.col(6).setConstant(std::numeric_limits<float>::quiet_NaN());
    int anomalies = 0;
    for (Index j = 0; j < samples.cols(); ++j) {
        CAPTURE(j);
        float excess[Flash::features];
        float expected[Flash::features];
        FlashContribution<float> most[Flash::features];
        const AllocationCount count;
        const auto found = Flash::judge(samples.col(j).data(), excess);
        Flash::expect(samples.col(j).data(), expected);
        Flash::most_to_blame(excess, most, Flash::features);
        REQUIRE(count.since() == 0);
        const auto verdict = detector(samples.col(j));
        REQUIRE(found.score == verdict.score);
        REQUIRE(found.is_anomaly == verdict.is_anomaly);
        REQUIRE(found.is_valid == verdict.is_valid);
        REQUIRE(found.missing == verdict.missing);
        REQUIRE(found.p_value == threshold.p_value(verdict.score));
        for (std::size_t k = 0; k < verdict.contributions.size(); ++k) {
            const auto& blame = verdict.contributions[k];
            REQUIRE(most[k].feature == blame.feature);
            REQUIRE(most[k].excess == blame.excess);
            REQUIRE(expected[blame.feature] == blame.expected);
        }
        anomalies += found.is_anomaly ? 1 : 0;
    }
    REQUIRE(anomalies > 5);
    REQUIRE(anomalies < 30);
}

template <class Definition>
void check_agreement() {
    check_agreement<FlashDetector<Definition>>(owned<Definition>(), Definition::threshold);
}

// The arena is as large as is promised, and no larger.
template <class Definition>
void check_arena() {
    using Flash = FlashDetector<Definition>;
    const float sample[Flash::features] = {};
    float expected[Flash::features];
    alignas(storage_alignment) std::byte memory[Flash::arena_bytes + Flash::expect_bytes];
    Arena arena(memory, sizeof memory);
    Flash::score(sample, arena);
    REQUIRE(arena.peak() == Flash::arena_bytes);
    Arena other(memory, sizeof memory);
    Flash::expect(sample, other, expected);
    REQUIRE(other.peak() == Flash::expect_bytes);
}

}  // namespace untoward_test
