// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>

#include "../core/arena.hpp"
#include "../thresholds/threshold.hpp"
#include "column.hpp"

namespace untoward UNTOWARD_SETTING {

/// What a detector on a device says of one sample.
template <class S>
struct FlashVerdict {
    S score = 0;    ///< higher is more anomalous; infinite where a value was
    S p_value = 1;  ///< where the threshold has p-values; else NaN
    bool is_anomaly = false;
    bool is_valid = true;  ///< false where a value was infinite: then anomalous
    Index missing = 0;     ///< values that were NaN and took the training median
};

/// How much one feature is to blame, on a device.
template <class S>
struct FlashContribution {
    Index feature = 0;
    S excess = 0;  ///< its share of the score, less the training median of that share
};

namespace detail {

/// What detectors in flash do alike, of one model and of several: `Self` has `features`, `arena_bytes`, `expect_bytes`,
/// score(sample, arena, excess) and expect(sample, arena, expected); `Definition` the threshold, the columns and the
/// vectors of the self-test.
template <class Self, class Definition>
class FlashJudge {
public:
    using Scalar = typename Definition::Scalar;
    using VerdictType = FlashVerdict<Scalar>;
    using ContributionType = FlashContribution<Scalar>;

    /// Of the vectors of the self-test.
    static constexpr std::size_t golden_bytes =
        sizeof Definition::golden_samples + sizeof Definition::golden_scores;

    /// The score of a sample, in an arena on the stack. `excess`, where not null, receives every feature's share of it
    /// less the training median of that share.
    static Scalar score(const Scalar* sample, Scalar* excess = nullptr) {
        alignas(storage_alignment) std::byte memory[Self::arena_bytes];
        Arena arena(memory, Self::arena_bytes);
        return Self::score(sample, arena, excess);
    }

    /// What would be expected of a normal sample nearby, in the data's unit; likewise.
    static void expect(const Scalar* sample, Scalar* expected) {
        alignas(storage_alignment) std::byte memory[Self::expect_bytes];
        Arena arena(memory, Self::expect_bytes);
        Self::expect(sample, arena, expected);
    }

    /// Score, p-value and decision, by the threshold in flash or by one that was calibrated since. `excess` as above.
    static VerdictType judge(const Scalar* sample, Scalar* excess = nullptr) {
        return judge(sample, excess, Definition::threshold);
    }
    template <FittedThreshold Threshold>
    static VerdictType judge(const Scalar* sample, Scalar* excess, const Threshold& threshold) {
        VerdictType verdict;
        verdict.score = score(sample, excess);
        verdict.is_anomaly = threshold.is_anomaly(verdict.score);
        if constexpr (HasPValue<Threshold>) {
            verdict.p_value = threshold.p_value(verdict.score);
        } else {
            verdict.p_value = std::numeric_limits<Scalar>::quiet_NaN();
        }
        for (Index i = 0; i < Self::features; ++i) {
            verdict.missing += std::isnan(sample[i]) ? 1 : 0;
            verdict.is_valid = verdict.is_valid && !std::isinf(sample[i]);
        }
        return verdict;
    }

    /// The `n` features with the largest excess, most first; where two are equal the one before.
    static void most_to_blame(const Scalar* excess, ContributionType* most, Index n) {
        for (Index k = 0; k < n; ++k) {
            Index best = -1;
            for (Index i = 0; i < Self::features; ++i) {
                // Behind the one before in this order, and before every other.
                const bool is_left = k == 0 || excess[i] < most[k - 1].excess ||
                                     (excess[i] == most[k - 1].excess && i > most[k - 1].feature);
                if (is_left && (best < 0 || excess[i] > excess[best])) best = i;
            }
            if (best < 0) return;
            most[k] = {best, excess[best]};
        }
    }

    /// A row of cells, one for each column of `Definition::columns`, as a sample. A cell is a number; in a column of text
    /// the `level` of its text. NaN is missing.
    static void code(const Scalar* cells, Scalar* sample) {
        constexpr Index coded = [] {
            Index sum = 0;
            for (const FlashColumn& column : Definition::columns) sum += column.features();
            return sum;
        }();
        static_assert(coded == Self::features, "untoward: the columns make the features of the model");
        for (const FlashColumn& column : Definition::columns) {
            column.code(*cells++, sample);
            sample += column.features();
        }
    }
    /// The column that a feature comes from.
    static const FlashColumn& column_of(Index feature) {
        const FlashColumn* column = std::begin(Definition::columns);
        while (feature >= column->features()) feature -= (column++)->features();
        return *column;
    }

    /// Replays the vectors that were exported with the detector, for a device to do when it starts. Whether every score
    /// is within `tolerance` of what it was on the exporting host, as a share of it (of one, where it is less).
    static bool self_test(Scalar tolerance = Scalar(1e-4)) {
        static_assert(std::size(Definition::golden_samples) ==
                          std::size(Definition::golden_scores) * static_cast<std::size_t>(Self::features),
                      "untoward: a test vector has a number for every feature, and a score");
        bool is_right = true;
        for (std::size_t i = 0; i < std::size(Definition::golden_scores); ++i) {
            const Scalar expected = Definition::golden_scores[i];
            const Scalar found =
                score(std::data(Definition::golden_samples) + static_cast<Index>(i) * Self::features);
            const Scalar size = expected < 0 ? -expected : expected;
            const Scalar off = found < expected ? expected - found : found - expected;
            is_right = is_right && off <= tolerance * (size > 1 ? size : 1);
        }
        return is_right;
    }
};

}  // namespace detail

}  // namespace untoward
