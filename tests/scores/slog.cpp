// SPDX-License-Identifier: MIT
// Robust units of scores, against medians and quartiles by hand.
#include "untoward/scores/slog.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "scores/fitted_scores.hpp"
#include "support/catch.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/rank.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/scores/statistic.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

const Eigen::MatrixXd rows = random_rows(90);
const Eigen::MatrixXd training = rows.leftCols(50);
const Eigen::MatrixXd held_out = rows.middleCols(50, 21);  // quartiles are values
const Eigen::MatrixXd nothing = rows.leftCols(0);
const Eigen::MatrixXd others = rows.rightCols(19) * 3;

Eigen::VectorXd sorted(Eigen::VectorXd values) {
    std::sort(values.begin(), values.end());
    return values;
}
double slog_of(double z) {
    return z < 0 ? -std::log(1 - z) : std::log(1 + z);
}

}  // namespace

TEST_CASE("slog: median and quartiles of held-out rows; hand_made_features share what is beyond the median") {
    const auto detector = fit_by_hand(2.0f * Slog{ReconstructionError{}}, training, held_out);
    const Eigen::MatrixXd before = sheet(hand_made(ReconstructionError{}), held_out);
    const Eigen::VectorXd scores = sorted(before.row(hand_made_features));
    Eigen::VectorXd typical(hand_made_features);
    for (Index i = 0; i < hand_made_features; ++i) typical[i] = sorted(before.row(i))[10];

    const Eigen::MatrixXd asked = sheet(hand_made(ReconstructionError{}), others);
    const Eigen::MatrixXd found = explained(detector, others);
    for (Index j = 0; j < others.cols(); ++j) {
        const double beyond = asked(hand_made_features, j) - scores[10];
        const double value = 2 * slog_of(beyond / (scores[15] - scores[5]));
        CHECK(found(hand_made_features, j) == Approx(value).epsilon(1e-10));
        for (Index i = 0; i < hand_made_features; ++i)
            CHECK(found(i, j) == Approx((asked(i, j) - typical[i]) * value / beyond).epsilon(1e-9));
    }
    CHECK(detector.score(others) == found.row(hand_made_features).transpose());
}

TEST_CASE("slog: without held-out rows no training row is its own neighbour") {
    const auto detector = fit_by_hand(Slog{NeighbourScore{.k = 2}}, training, nothing);
    Eigen::VectorXd distances(50);
    for (Index j = 0; j < 50; ++j)
        distances[j] = sorted((training.colwise() - training.col(j)).colwise().norm().transpose())[2];
    distances = sorted(distances);
    // Of 50 values: the median between the 25th and 26th, quartiles at places 12.25 and 36.75.
    const double median = (distances[24] + distances[25]) / 2;
    const double low = 0.75 * distances[12] + 0.25 * distances[13];
    const double high = 0.25 * distances[36] + 0.75 * distances[37];
    const Eigen::VectorXd found = detector.score(others);
    for (Index j = 0; j < others.cols(); ++j) {
        const double d = sorted((training.colwise() - others.col(j)).colwise().norm().transpose())[1];
        CHECK(found[j] == Approx(slog_of((d - median) / (high - low))).epsilon(1e-9));
    }
}

TEST_CASE("slog: a score that does not vary has a unit, and what is no number stays infinite") {
    const auto none = fit_by_hand(Slog{KlDivergence{}}, training.col(0).replicate(1, 30), nothing);
    CHECK(none.fitted_score().unit.numbers[1] == 1);
    CHECK(none.score(training.leftCols(1))(0) == Approx(0).margin(1e-12));
    CHECK(none.score(others).allFinite());
    const auto from_one = fit_by_hand(Slog{NeighbourScore{}}, training.leftCols(1), nothing);
    CHECK(from_one.score(others).allFinite());
    // No rows: a distance to nothing is infinite.
    const auto from_none = fit_by_hand(Slog{NeighbourScore{}}, nothing, nothing);
    CHECK(std::isinf(from_none.score(others)(0)));
}

TEST_CASE("ranks among held-out rows: -log p, and its normal quantile") {
    const Eigen::VectorXd before =
        sorted(sheet(hand_made(ReconstructionError{}), held_out).row(hand_made_features).transpose());
    const auto log_p = fit_by_hand(2.0f * NegativeLogP{ReconstructionError{}}, training, held_out);
    const auto quantile = fit_by_hand(NormalQuantile{ReconstructionError{}}, training, held_out);
    const Eigen::MatrixXd asked = sheet(hand_made(ReconstructionError{}), rows);
    const Eigen::MatrixXd found = explained(log_p, rows);
    const Eigen::VectorXd quantiles = quantile.score(rows);
    for (Index j = 0; j < rows.cols(); ++j) {
        const auto as_high = static_cast<double>((before.array() >= asked(hand_made_features, j)).count());
        CHECK(found(hand_made_features, j) == Approx(-2 * std::log((1 + as_high) / 22)).margin(1e-12));
        // Phi of it is the rank.
        CHECK(std::erfc(quantiles[j] / std::sqrt(2.0)) / 2 == Approx((0.5 + as_high) / 22).epsilon(1e-9));
        // Blame is what is beyond the usual.
        const double beyond = found(hand_made_features, j) + 2 * std::log(12.0 / 22);
        double typical = 0;
        const Eigen::MatrixXd shares = sheet(hand_made(ReconstructionError{}), held_out);
        for (Index i = 0; i < hand_made_features; ++i) typical += sorted(shares.row(i))[10];
        const double own = asked(hand_made_features, j) - before[10];
        const double expected = own == 0 ? 0 : beyond / own * (asked(hand_made_features, j) - typical);
        CHECK(found.col(j).head(hand_made_features).sum() == Approx(expected).epsilon(1e-8).margin(1e-9));
    }
    // The largest and the smallest ranks, and 0 at the middle.
    CHECK(detail::inverse_normal(0.5) == Approx(0).margin(1e-12));
    CHECK(detail::inverse_normal(0.975) == Approx(1.959963984540054).epsilon(1e-10));  // SciPy
    CHECK(detail::inverse_normal(1e-6) == Approx(-4.753424308822899).epsilon(1e-9));
}

TEST_CASE("ranks: a score that a row has to rounding is that row's; an infinite one is beyond all") {
    using Ranks = NegativeLogP<ReconstructionError>::Unit::Fitted<Eigen::VectorXf>;
    Ranks ranks;
    ranks.fit(Eigen::VectorXf{{-1000, 0, 0.5f, 0.5f, 3, 2000}});
    for (const float score : {-1000.0f, 0.5f, 3.0f, 2000.0f}) {
        const float off = 1e-6f * std::max(1.0f, std::abs(score));
        CHECK(ranks(score + off).value == ranks(score).value);
        CHECK(ranks(score - off).value == ranks(score).value);
    }
    CHECK(ranks(0.5f).value == Approx(-std::log(5.0 / 7)));
    CHECK(ranks(0.51f).value == Approx(-std::log(3.0 / 7)));
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(ranks(infinity).value == Approx(std::log(7.0)));
    CHECK(ranks(std::numeric_limits<float>::max()).value == Approx(std::log(7.0)));
    CHECK(ranks(-infinity).value == Approx(0));
    CHECK(ranks(std::numeric_limits<float>::quiet_NaN()).value == Approx(std::log(7.0)));
}
