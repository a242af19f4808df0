// SPDX-License-Identifier: MIT
#pragma once

#include "../thresholds/threshold.hpp"

namespace untoward UNTOWARD_SETTING {

/// What came of the decisions on labelled rows. A rate whose denominator is 0 is NaN: there is nothing to
/// say.
struct Confusion {
    Index true_positives = 0;   ///< anomalies flagged
    Index false_positives = 0;  ///< normal rows flagged
    Index true_negatives = 0;   ///< normal rows passed
    Index false_negatives = 0;  ///< anomalies passed

    Index rows() const { return anomalies() + normals(); }
    Index anomalies() const { return true_positives + false_negatives; }
    Index normals() const { return false_positives + true_negatives; }
    Index flagged() const { return true_positives + false_positives; }

    /// Of the normal rows, the share that was flagged (false positive rate; 1 - specificity).
    double false_alarm_rate() const { return ratio(false_positives, normals()); }

    /// Of the anomalies, the share that was flagged (true positive rate; sensitivity).
    double recall() const { return ratio(true_positives, anomalies()); }

    /// Of what was flagged, the share that is anomalous. NaN when nothing was flagged.
    double precision() const { return ratio(true_positives, flagged()); }

    /// The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN). NaN when there was nothing to flag
    /// and nothing was.
    double f1() const { return ratio(2 * true_positives, flagged() + anomalies()); }

private:
    static double ratio(Index part, Index whole) {
        return static_cast<double>(part) / static_cast<double>(whole);
    }
};

/// Counts decisions. `flagged` and `labels` are Eigen vectors of integers or bool, of one length: 0 = passed
/// or normal, anything else = flagged or anomalous.
template <class Flags, class Labels>
Confusion confusion(const Eigen::DenseBase<Flags>& flagged, const Eigen::DenseBase<Labels>& labels) {
    EIGEN_STATIC_ASSERT_VECTOR_ONLY(Flags)
    EIGEN_STATIC_ASSERT_VECTOR_ONLY(Labels)
    detail::require_as_many("labels", labels.size(), "decisions", flagged.size());
    using Booleans = Eigen::Matrix<bool, Eigen::Dynamic, 1>;
    const Booleans flag = flagged.derived().matrix().template cast<bool>();
    const Booleans label = labels.derived().matrix().template cast<bool>();
    Confusion counts;
    for (Index i = 0; i < flag.size(); ++i) {
        (label[i] ? (flag[i] ? counts.true_positives : counts.false_negatives)
                  : (flag[i] ? counts.false_positives : counts.true_negatives)) += 1;
    }
    return counts;
}

/// Counts the decisions that a threshold makes of scores: flagged above it, and where the score is NaN or
/// +infinity, as every threshold of the library decides.
template <class Scores, class Labels>
Confusion confusion_at(const Eigen::DenseBase<Scores>& scores, const Eigen::DenseBase<Labels>& labels,
                       typename Scores::Scalar threshold) {
    EIGEN_STATIC_ASSERT_VECTOR_ONLY(Scores)
    using Scalar = typename Scores::Scalar;
    return confusion(scores.derived().unaryExpr([threshold](Scalar s) { return exceeds(s, threshold); }),
                     labels);
}

}  // namespace untoward
