// SPDX-License-Identifier: MIT
#pragma once

// How well scores rank anomalies before normal rows, whatever the threshold. Ties are treated as scikit-learn
// treats them, and sums are in double, so the numbers agree with `roc_auc_score`, `average_precision_score`,
// `roc_curve(drop_intermediate=False)` and `precision_recall_curve`.

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "../core/refuse.hpp"

namespace untoward UNTOWARD_SETTING {

/// Points from the strictest decision to the laxest. Point 0 flags nothing; point i > 0 flags the rows whose
/// score is at least `threshold[i]`, the i-th largest distinct score.
struct RocCurve {
    Eigen::VectorXd false_alarm_rate;  ///< normal rows flagged / normal rows, from 0 to 1
    Eigen::VectorXd recall;            ///< anomalies flagged / anomalies, from 0 to 1
    Eigen::VectorXd threshold;         ///< +infinity, then descending
};

/// Points as in RocCurve; scikit-learn lists the same points backwards.
struct PrecisionRecallCurve {
    Eigen::VectorXd precision;  ///< anomalies flagged / rows flagged; 1 at point 0
    Eigen::VectorXd recall;     ///< anomalies flagged / anomalies, from 0 to 1
    Eigen::VectorXd threshold;  ///< +infinity, then descending
};

/// Labelled scores, sorted once for all the metrics below; for a single one there are functions of the same
/// names.
///
/// `scores` is an Eigen vector of any floating-point type, higher = more anomalous; infinities are allowed
/// and NaN counts as +infinity, since a row without a score is an alarm. `labels` is an Eigen vector of
/// integers or bool, as long: 0 = normal, anything else = anomaly.
class Ranking {
public:
    template <class Scores, class Labels>
    Ranking(const Eigen::DenseBase<Scores>& scores, const Eigen::DenseBase<Labels>& labels) {
        EIGEN_STATIC_ASSERT_VECTOR_ONLY(Scores)
        EIGEN_STATIC_ASSERT_VECTOR_ONLY(Labels)
        detail::require_as_many("labels", labels.size(), "scores", scores.size());
        const Eigen::VectorXd score = scores.derived().matrix().template cast<double>();
        const Eigen::Matrix<bool, Eigen::Dynamic, 1> label = labels.derived().matrix().template cast<bool>();
        std::vector<std::pair<double, bool>> rows(static_cast<std::size_t>(score.size()));
        for (Index i = 0; i < score.size(); ++i) {
            const bool missing = score[i] != score[i];
            rows[static_cast<std::size_t>(i)] = {missing ? std::numeric_limits<double>::infinity() : score[i],
                                                 label[i]};
        }
        std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
        for (const auto& [value, anomaly] : rows) {
            if (cuts_.empty() || cuts_.back().score != value) cuts_.push_back({value, anomalies_, normals_});
            (anomaly ? anomalies_ : normals_) += 1;
            cuts_.back().anomalies = anomalies_;
            cuts_.back().normals = normals_;
        }
    }

    Index anomalies() const { return anomalies_; }
    Index normals() const { return normals_; }

    /// The probability that an anomaly scores higher than a normal row, a tie counting one half (Mann and
    /// Whitney). NaN unless there are both anomalies and normal rows.
    double auc_roc() const {
        double twice_won = 0;  // whole numbers: exact
        Cut above{};
        for (const Cut& cut : cuts_) {
            twice_won += static_cast<double>(cut.normals - above.normals) *
                         static_cast<double>(cut.anomalies + above.anomalies);
            above = cut;
        }
        return twice_won / (2 * static_cast<double>(anomalies_) * static_cast<double>(normals_));
    }

    /// sum_i (R_i - R_(i-1)) P_i over the distinct scores, without interpolation: the mean precision at the
    /// anomalies. NaN unless there are both anomalies and normal rows.
    double average_precision() const {
        if (anomalies_ == 0 || normals_ == 0) return std::numeric_limits<double>::quiet_NaN();
        double sum = 0;
        Index above = 0;
        for (const Cut& cut : cuts_) {
            sum += static_cast<double>(cut.anomalies - above) * cut.precision();
            above = cut.anomalies;
        }
        return sum / static_cast<double>(anomalies_);
    }

    /// The share of anomalies among the k highest scores; where the k-th ties with others, its expected value
    /// when ties are broken at random. NaN unless 1 <= k <= rows.
    double precision_at_k(Index k) const {
        if (k < 1 || k > anomalies_ + normals_) return std::numeric_limits<double>::quiet_NaN();
        Cut above{};
        for (const Cut& cut : cuts_) {
            if (cut.rows() >= k) {
                const double share = static_cast<double>(cut.anomalies - above.anomalies) /
                                     static_cast<double>(cut.rows() - above.rows());
                return (static_cast<double>(above.anomalies) +
                        share * static_cast<double>(k - above.rows())) /
                       static_cast<double>(k);
            }
            above = cut;
        }
        return std::numeric_limits<double>::quiet_NaN();
    }

    /// With k = the number of anomalies, where precision and recall are the same (R-precision).
    double precision_at_k() const { return precision_at_k(anomalies_); }

    /// One more point than distinct scores. A rate of a class without rows is NaN.
    RocCurve roc_curve() const {
        const Index points = static_cast<Index>(cuts_.size()) + 1;
        RocCurve curve{Eigen::VectorXd(points), Eigen::VectorXd(points), thresholds()};
        for (Index i = 0; i < points; ++i) {
            curve.false_alarm_rate[i] = static_cast<double>(point(i).normals) / static_cast<double>(normals_);
            curve.recall[i] = static_cast<double>(point(i).anomalies) / static_cast<double>(anomalies_);
        }
        return curve;
    }

    /// One more point than distinct scores. Without anomalies the recall is NaN.
    PrecisionRecallCurve precision_recall_curve() const {
        const Index points = static_cast<Index>(cuts_.size()) + 1;
        PrecisionRecallCurve curve{Eigen::VectorXd(points), Eigen::VectorXd(points), thresholds()};
        for (Index i = 0; i < points; ++i) {
            curve.precision[i] = i == 0 ? 1 : point(i).precision();
            curve.recall[i] = static_cast<double>(point(i).anomalies) / static_cast<double>(anomalies_);
        }
        return curve;
    }

private:
    /// What is flagged by `score >= Cut::score`.
    struct Cut {
        double score;
        Index anomalies, normals;

        Index rows() const { return anomalies + normals; }
        double precision() const { return static_cast<double>(anomalies) / static_cast<double>(rows()); }
    };

    Cut point(Index i) const {
        return i == 0 ? Cut{std::numeric_limits<double>::infinity(), 0, 0}
                      : cuts_[static_cast<std::size_t>(i - 1)];
    }

    Eigen::VectorXd thresholds() const {
        Eigen::VectorXd scores(static_cast<Index>(cuts_.size()) + 1);
        for (Index i = 0; i < scores.size(); ++i) scores[i] = point(i).score;
        return scores;
    }

    std::vector<Cut> cuts_;  // one for each distinct score, descending
    Index anomalies_ = 0;
    Index normals_ = 0;
};

/// See Ranking::auc_roc.
template <class Scores, class Labels>
double auc_roc(const Eigen::DenseBase<Scores>& scores, const Eigen::DenseBase<Labels>& labels) {
    return Ranking(scores, labels).auc_roc();
}

/// See Ranking::average_precision.
template <class Scores, class Labels>
double average_precision(const Eigen::DenseBase<Scores>& scores, const Eigen::DenseBase<Labels>& labels) {
    return Ranking(scores, labels).average_precision();
}

/// See Ranking::precision_at_k.
template <class Scores, class Labels>
double precision_at_k(const Eigen::DenseBase<Scores>& scores, const Eigen::DenseBase<Labels>& labels,
                      Index k) {
    return Ranking(scores, labels).precision_at_k(k);
}

/// With k = the number of anomalies.
template <class Scores, class Labels>
double precision_at_k(const Eigen::DenseBase<Scores>& scores, const Eigen::DenseBase<Labels>& labels) {
    return Ranking(scores, labels).precision_at_k();
}

/// See Ranking::roc_curve.
template <class Scores, class Labels>
RocCurve roc_curve(const Eigen::DenseBase<Scores>& scores, const Eigen::DenseBase<Labels>& labels) {
    return Ranking(scores, labels).roc_curve();
}

/// See Ranking::precision_recall_curve.
template <class Scores, class Labels>
PrecisionRecallCurve precision_recall_curve(const Eigen::DenseBase<Scores>& scores,
                                            const Eigen::DenseBase<Labels>& labels) {
    return Ranking(scores, labels).precision_recall_curve();
}

}  // namespace untoward
