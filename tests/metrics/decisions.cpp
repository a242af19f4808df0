// SPDX-License-Identifier: MIT
#include "untoward/metrics/decisions.hpp"

#include <cmath>
#include <limits>

#include "reference/metrics.hpp"
#include "support/catch.hpp"

using namespace untoward;

TEST_CASE("decisions: scikit-learn's confusion matrix, precision, recall and F1") {
    for (const auto& c : reference::rankings) {
        CAPTURE(c.name);
        const Eigen::Map<const Eigen::VectorXd> scores(c.scores.data(), static_cast<Index>(c.scores.size()));
        const Eigen::Map<const Eigen::VectorXi> labels(c.labels.data(), static_cast<Index>(c.labels.size()));
        const Confusion counts = confusion_at(scores, labels, c.threshold);
        CHECK(counts.true_positives == c.true_positives);
        CHECK(counts.false_positives == c.false_positives);
        CHECK(counts.true_negatives == c.true_negatives);
        CHECK(counts.false_negatives == c.false_negatives);
        CHECK(counts.rows() == scores.size());
        CHECK(counts.recall() == Approx(c.recall_at_threshold));
        CHECK(counts.f1() == Approx(c.f1_at_threshold));
        if (counts.flagged() > 0) {
            CHECK(counts.precision() == Approx(c.precision_at_threshold));
        } else {
            CHECK(std::isnan(counts.precision()));
        }
        CHECK(counts.false_alarm_rate() ==
              Approx(static_cast<double>(c.false_positives) / (c.false_positives + c.true_negatives)));
    }
}

TEST_CASE("decisions: from flags, of any type") {
    const Eigen::Array<bool, 6, 1> flagged(true, true, false, false, true, false);
    const Eigen::Matrix<long, 1, 6> labels(3, 0, 1, 0, 1, 0);
    const Confusion counts = confusion(flagged, labels);
    CHECK(counts.true_positives == 2);
    CHECK(counts.false_positives == 1);
    CHECK(counts.true_negatives == 2);
    CHECK(counts.false_negatives == 1);
    CHECK(counts.anomalies() == 3);
    CHECK(counts.normals() == 3);
    CHECK(counts.flagged() == 3);
    CHECK(counts.false_alarm_rate() == Approx(1.0 / 3));
    CHECK(counts.f1() == Approx(2.0 / 3));
}

TEST_CASE("decisions: NaN and infinity are flagged, also below an infinite threshold") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const Eigen::Vector4f scores(std::numeric_limits<float>::quiet_NaN(), infinity, 1e30f, -infinity);
    const Confusion counts = confusion_at(scores, Eigen::Vector4i(1, 0, 1, 0), infinity);
    CHECK(counts.true_positives == 1);
    CHECK(counts.false_positives == 1);
    CHECK(counts.false_negatives == 1);
    CHECK(counts.true_negatives == 1);
}

TEST_CASE("decisions: a rate of nothing is NaN") {
    const Confusion nothing = confusion(Eigen::VectorXi(0), Eigen::VectorXi(0));
    CHECK(nothing.rows() == 0);
    CHECK(std::isnan(nothing.false_alarm_rate()));
    CHECK(std::isnan(nothing.recall()));
    CHECK(std::isnan(nothing.precision()));
    CHECK(std::isnan(nothing.f1()));
    CHECK(confusion(Eigen::Vector2i(0, 0), Eigen::Vector2i(1, 1)).recall() == 0.0);
    CHECK(confusion(Eigen::Vector2i(0, 0), Eigen::Vector2i(1, 1)).f1() == 0.0);
}
