// SPDX-License-Identifier: MIT
// Several detectors that vote: their mean, their rows, their file, and what none of them may see.
#include "untoward/ensemble.hpp"

#include <cmath>
#include <cstring>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/io/detector_file.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/slog.hpp"
#include "untoward/scores/statistic.hpp"
#include "untoward/train/fit_ensemble.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr Index features = 4;
using Model = Vae<Vec<features>, Encoder<Dense<6, Tanh>>, Latent<2>, Decoder<Dense<6, Tanh>>, Gaussian>;

// Members of different types.
const Conformal threshold{.false_alarm_rate = 0.05};
const Ensemble ensemble{
    std::tuple{
        Recipe{StandardScaler{}, Model{}, 0.5f * Slog{NegativeElbo{.draws = 2}} + Slog{NeighbourScore{}},
               NoThreshold{}},
        Recipe{RobustScaler{}, Model{}, Slog{MahalanobisScore{.space = Space::residual}}, NoThreshold{}}},
    threshold};

auto fit_quickly(const Eigen::MatrixXf& rows, EnsembleReport* report = nullptr) {
    FitOptions options{.seed = 3};
    options.training.min_steps = options.training.max_steps = 60;
    return fit(ensemble, rows, options, report);
}
io::SafeTensors file_of(const auto& detector) {
    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector);
    return {writer.bytes(), "memory"};
}

}  // namespace

TEST_CASE("ensemble: the mean of its members, judged by one threshold, and the same from its file") {
    const Eigen::MatrixXf rows = untoward_test::correlated(features, 300, 2);
    const auto anomalies = untoward_test::mirrored(features, 50, 5);
    EnsembleReport report;
    const auto detector = fit_quickly(rows, &report);
    REQUIRE(report.members.size() == 2);
    for (const FitReport& member : report.members) {
        REQUIRE(member.rows == 300);
        REQUIRE(member.calibration_rows == 60);
        REQUIRE(member.held_out_rows == 48);
        REQUIRE(member.training_rows == 192);
    }
    const auto& [first, second] = detector.members();
    REQUIRE(detector.score(rows).isApprox((first.score(rows) + second.score(rows)) / 2, 1e-5f));
    // Of two numbers the standard deviation is their distance over the root of 2.
    const Eigen::VectorXf apart = (first.score(rows) - second.score(rows)).cwiseAbs();
    REQUIRE(detector.spread(rows).isApprox(apart / std::sqrt(2.0f), 1e-4f));
    int caught = 0;
    for (Index j = 0; j < anomalies.rows.cols(); ++j) {
        const auto sample = anomalies.rows.col(j);
        const auto verdict = detector(sample);
        const auto one = first(sample);
        const auto two = second(sample);
        REQUIRE(verdict.score == Approx((one.score + two.score) / 2).epsilon(1e-4).margin(1e-4));
        REQUIRE(verdict.p_value == detector.threshold().p_value(verdict.score));
        for (const auto& blame : verdict.contributions) {
            const auto of = [&](const auto& other) {
                return *std::find_if(other.contributions.begin(), other.contributions.end(),
                                     [&](const auto& c) { return c.feature == blame.feature; });
            };
            REQUIRE(blame.excess == Approx((of(one).excess + of(two).excess) / 2).epsilon(1e-3).margin(1e-3));
            REQUIRE(blame.expected == Approx((of(one).expected + of(two).expected) / 2).epsilon(1e-4));
        }
        caught += verdict.is_anomaly;
    }
    REQUIRE(caught > 10);
    const auto infinite = detector(Eigen::VectorXf::Constant(features, INFINITY));
    REQUIRE(infinite.is_anomaly);
    REQUIRE_FALSE(infinite.is_valid);

    const io::SafeTensors file = file_of(detector);
    const auto loaded = io::read_detector<float>(file, ensemble);
    REQUIRE(loaded.score(rows) == detector.score(rows));
    REQUIRE(loaded.threshold().threshold() == detector.threshold().threshold());
    const Ensemble other{std::tuple{std::get<0>(ensemble.members)}, threshold};
    REQUIRE_THROWS_WITH(io::read_detector<float>(file, other),
                        ContainsSubstring("has 2 members, expected 1"));
    REQUIRE_THROWS_WITH(io::read_detector<float>(file, std::get<0>(ensemble.members)),
                        ContainsSubstring("untoward ensemble"));
}

TEST_CASE("ensemble: no scaler, network, neighbour, covariance or unit sees the calibration slice") {
    const Eigen::MatrixXf rows = untoward_test::correlated(features, 120, 2);
    const auto split = calibration_split(threshold, rows.cols(), 3);
    Eigen::MatrixXf corrupted = rows;
    for (const Index j : split.calibration) corrupted.col(j).setConstant(j % 2 == 0 ? 1e20f : -3e35f);
    const io::SafeTensors sound = file_of(fit_quickly(rows));
    const io::SafeTensors other = file_of(fit_quickly(corrupted));
    REQUIRE(sound.tensors().size() == other.tensors().size());
    int compared = 0;
    for (const auto& tensor : sound.tensors()) {
        const auto before = sound.bytes(tensor.name);
        const auto after = other.bytes(tensor.name);
        CAPTURE(tensor.name);
        const bool same =
            before.size() == after.size() && std::memcmp(before.data(), after.data(), before.size()) == 0;
        REQUIRE(same == (tensor.name != "threshold.scores"));
        compared += tensor.name.find("score.state") != std::string::npos;
    }
    REQUIRE(compared > 8);
}

TEST_CASE("ensemble: rows are held out in turn, and of a few none is") {
    std::vector<Index> rows(23);
    std::vector<Index> seen;
    for (Index member = 0; member < 5; ++member) {
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<Index>(i);
        const std::size_t held_out = detail::hold_out_fold(member, rows);
        REQUIRE((held_out == 4 || held_out == 5));
        seen.insert(seen.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(held_out));
        std::sort(rows.begin(), rows.end());
        REQUIRE(rows[22] == 22);
    }
    std::sort(seen.begin(), seen.end());
    for (std::size_t i = 0; i < 23; ++i) REQUIRE(seen[i] == static_cast<Index>(i));
    rows.resize(19);
    REQUIRE(detail::hold_out_fold(0, rows) == 0);
    REQUIRE_NOTHROW(fit_quickly(untoward_test::correlated(features, 8, 1)));
    REQUIRE_THROWS_AS(fit_quickly(untoward_test::correlated(features, 1, 1)), Error);
}
