// SPDX-License-Identifier: MIT
#include "untoward/metrics/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "reference/metrics.hpp"
#include "support/catch.hpp"
#include "untoward/core/random.hpp"

using namespace untoward;

namespace {

using Scores = Eigen::Map<const Eigen::VectorXd>;
using Labels = Eigen::Map<const Eigen::VectorXi>;

Scores scores_of(const reference::RankingCase& c) {
    return {c.scores.data(), static_cast<Index>(c.scores.size())};
}
Labels labels_of(const reference::RankingCase& c) {
    return {c.labels.data(), static_cast<Index>(c.labels.size())};
}

void check_equal(const Eigen::VectorXd& values, const std::vector<double>& expected) {
    REQUIRE(values.size() == static_cast<Index>(expected.size()));
    for (Index i = 0; i < values.size(); ++i) {
        CHECK(values[i] == Approx(expected[static_cast<std::size_t>(i)]).margin(1e-15));
    }
}

}  // namespace

TEST_CASE("ranking metrics: scikit-learn's values, with ties and infinities") {
    for (const auto& c : reference::rankings) {
        CAPTURE(c.name);
        const auto scores = scores_of(c);
        const auto labels = labels_of(c);
        CHECK(auc_roc(scores, labels) == Approx(c.auc_roc).margin(1e-15));
        CHECK(average_precision(scores, labels) == Approx(c.average_precision));
        CHECK(precision_at_k(scores, labels) == Approx(c.precision_at_anomalies).margin(1e-15));
        for (std::size_t k = 1; k <= c.precision_at.size(); ++k) {
            CHECK(precision_at_k(scores, labels, static_cast<Index>(k)) ==
                  Approx(c.precision_at[k - 1]).margin(1e-15));
        }
        const RocCurve roc = roc_curve(scores, labels);
        check_equal(roc.false_alarm_rate, c.false_alarm_rate);
        check_equal(roc.recall, c.roc_recall);
        const PrecisionRecallCurve curve = precision_recall_curve(scores, labels);
        check_equal(curve.precision, c.precision);
        check_equal(curve.recall, c.recall);
    }
}

TEST_CASE("ranking metrics: a curve's threshold says what is flagged at its point") {
    for (const auto& c : reference::rankings) {
        CAPTURE(c.name);
        const auto scores = scores_of(c);
        const auto anomalous = labels_of(c).array() != 0;
        const RocCurve roc = roc_curve(scores, labels_of(c));
        CHECK(roc.threshold == precision_recall_curve(scores, labels_of(c)).threshold);
        CHECK(roc.threshold[0] == reference::infinity);
        for (Index i = 1; i < roc.threshold.size(); ++i) {
            const auto flagged = scores.array() >= roc.threshold[i];
            CHECK(roc.recall[i] * static_cast<double>(anomalous.count()) ==
                  Approx(static_cast<double>((flagged && anomalous).count())));
        }
    }
}

TEST_CASE("ranking metrics: equal the definitions by brute force") {
    RandomStream stream(8);
    for (int repeat = 0; repeat < 200; ++repeat) {
        const Index n = 2 + stream.below(6);
        Eigen::VectorXf scores(n);
        Eigen::Matrix<bool, Eigen::Dynamic, 1> labels(n);
        for (Index i = 0; i < n; ++i) {
            scores[i] = static_cast<float>(stream.below(4));
            labels[i] = stream.below(2) == 1;
        }
        labels[0] = true;
        labels[1] = false;

        double won = 0, pairs = 0;
        for (Index a = 0; a < n; ++a) {
            for (Index b = 0; b < n; ++b) {
                if (!labels[a] || labels[b]) continue;
                won += scores[a] > scores[b] ? 1.0 : scores[a] == scores[b] ? 0.5 : 0.0;
                pairs += 1;
            }
        }
        CHECK(auc_roc(scores, labels) == Approx(won / pairs).margin(1e-15));

        // Every order of the rows that the scores allow, equally likely.
        std::vector<Index> order(static_cast<std::size_t>(n));
        std::iota(order.begin(), order.end(), Index{0});
        std::vector<double> hits(static_cast<std::size_t>(n) + 1);
        double orders = 0;
        do {
            if (!std::is_sorted(order.begin(), order.end(),
                                [&](Index a, Index b) { return scores[a] > scores[b]; })) {
                continue;
            }
            orders += 1;
            double sum = 0;
            for (std::size_t k = 1; k <= order.size(); ++k) hits[k] += sum += labels[order[k - 1]] ? 1 : 0;
        } while (std::next_permutation(order.begin(), order.end()));
        for (Index k = 1; k <= n; ++k) {
            const double expected = hits[static_cast<std::size_t>(k)] / orders / static_cast<double>(k);
            CHECK(precision_at_k(scores, labels, k) == Approx(expected).margin(1e-14));
        }
    }
}

TEST_CASE("ranking metrics: depend on the order of the scores alone") {
    RandomStream stream(9);
    Eigen::VectorXd scores(301);
    Eigen::VectorXi labels(301);
    for (Index i = 0; i < scores.size(); ++i) {
        labels[i] = i % 10 == 0;
        scores[i] = std::round(8 * (stream.normal<double>() + labels[i])) / 8;
    }
    const Ranking ranking(scores, labels);
    CHECK(ranking.anomalies() == 31);
    CHECK(ranking.normals() == 270);
    const Ranking stretched(scores.array().exp().matrix(), labels);
    CHECK(stretched.auc_roc() == ranking.auc_roc());
    CHECK(stretched.average_precision() == ranking.average_precision());
    CHECK(stretched.precision_at_k(50) == ranking.precision_at_k(50));
    const Ranking reversed(scores.reverse(), labels.reverse());
    CHECK(reversed.auc_roc() == ranking.auc_roc());
    CHECK(reversed.average_precision() == ranking.average_precision());
    CHECK(Ranking(-scores, labels).auc_roc() == Approx(1 - ranking.auc_roc()).epsilon(1e-14));

    // The area under the curve, by trapezoids, is the same number.
    const RocCurve roc = ranking.roc_curve();
    double area = 0;
    for (Index i = 1; i < roc.recall.size(); ++i) {
        area +=
            (roc.false_alarm_rate[i] - roc.false_alarm_rate[i - 1]) * (roc.recall[i] + roc.recall[i - 1]) / 2;
    }
    CHECK(area == Approx(ranking.auc_roc()).epsilon(1e-13));
}

TEST_CASE("ranking metrics: NaN scores count as the highest") {
    constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Eigen::VectorXf with_nan(6), with_infinity(6);
    with_nan << 1, not_a_number, 3, 2, infinity, not_a_number;
    with_infinity << 1, infinity, 3, 2, infinity, infinity;
    Eigen::VectorXi labels(6);
    labels << 0, 1, 1, 0, 0, 0;
    CHECK(auc_roc(with_nan, labels) == auc_roc(with_infinity, labels));
    CHECK(average_precision(with_nan, labels) == average_precision(with_infinity, labels));
    CHECK(precision_at_k(with_nan, labels, 2) == Approx(1.0 / 3));
}

TEST_CASE("ranking metrics: any label type, and any row or column") {
    const Eigen::RowVector4f scores(1, 2, 3, 4);
    CHECK(auc_roc(scores, Eigen::Vector4i(0, -7, 0, 2)) == 0.75);
    CHECK(auc_roc(scores, Eigen::Array<unsigned char, 4, 1>(0, 255, 0, 1)) == 0.75);
    CHECK(auc_roc(scores.array(), Eigen::Array<bool, 1, 4>(false, true, false, true)) == 0.75);
    CHECK(auc_roc(scores * 2.0f, (Eigen::Array4i(5, 6, 5, 6) == 6)) == 0.75);
}

TEST_CASE("ranking metrics: what cannot be said is NaN") {
    const Eigen::VectorXf none(0);
    const Eigen::VectorXi no_labels(0);
    CHECK(std::isnan(auc_roc(none, no_labels)));
    CHECK(std::isnan(average_precision(none, no_labels)));
    CHECK(std::isnan(precision_at_k(none, no_labels)));
    CHECK(roc_curve(none, no_labels).threshold.size() == 1);

    const Eigen::Vector3f scores(1, 2, 3);
    for (const int label : {0, 1}) {
        const Eigen::Vector3i labels = Eigen::Vector3i::Constant(label);
        CHECK(std::isnan(auc_roc(scores, labels)));
        CHECK(std::isnan(average_precision(scores, labels)));
        CHECK(std::isnan(precision_at_k(scores, labels, 0)));
        CHECK(std::isnan(precision_at_k(scores, labels, 4)));
        CHECK(std::isnan(precision_at_k(scores, labels, -1)));
        CHECK(precision_at_k(scores, labels, 2) == label);
    }
    CHECK(std::isnan(roc_curve(scores, Eigen::Vector3i::Zero()).recall[1]));
    CHECK(std::isnan(roc_curve(scores, Eigen::Vector3i::Ones()).false_alarm_rate[1]));
}
