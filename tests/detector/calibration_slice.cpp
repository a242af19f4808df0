// SPDX-License-Identifier: MIT
// Nothing but the threshold may see the calibration rows: whatever they hold, all else is bit for bit the
// same.
#include <algorithm>
#include <cstring>
#include <limits>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;

namespace {

constexpr Index features = 4;
using Layer = Dense<Dynamic, Relu>;
using Model = Vae<Vec<>, Encoder<Layer>, Latent<>, Decoder<Layer>, Gaussian>;
const Model model{Vec<>(features), Encoder<Layer>(Layer(8)), Latent<>(2), Decoder<Layer>(Layer(8)), {}};
const Conformal threshold{.false_alarm_rate = 0.05};

struct Fitted {
    Detector<Recipe<RobustScaler, Model, NegativeElbo, Conformal>> detector;
    FitReport report;
};
Fitted fit_with(const Eigen::MatrixXf& rows, std::uint64_t seed) {
    FitOptions options{.seed = seed};
    options.training.min_steps = options.training.max_steps = 120;
    FitReport report;
    auto detector = fit(Recipe{RobustScaler{}, model, NegativeElbo{}, threshold}, rows, options, &report);
    return {std::move(detector), std::move(report)};
}

bool same_bits(const auto& a, const auto& b) {
    return a.size() == b.size() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}
void require_same(const Fitted& a, const Fitted& b) {
    REQUIRE(same_bits(a.detector.parameters(), b.detector.parameters()));
    REQUIRE(same_bits(a.detector.scaling().centre, b.detector.scaling().centre));
    REQUIRE(same_bits(a.detector.scaling().scale, b.detector.scaling().scale));
    REQUIRE(same_bits(a.detector.scaling().fill, b.detector.scaling().fill));
    REQUIRE(same_bits(a.detector.scaling().constant, b.detector.scaling().constant));
    REQUIRE(same_bits(a.detector.typical(), b.detector.typical()));
    REQUIRE(a.report.training.held_out_losses == b.report.training.held_out_losses);
    REQUIRE(a.report.training.best_step == b.report.training.best_step);
    REQUIRE(a.report.latent.kl_per_unit == b.report.latent.kl_per_unit);
    REQUIRE(a.report.constant_features == b.report.constant_features);
}

}  // namespace

TEST_CASE("calibration slice: corrupting it changes the threshold and nothing else") {
    for (const Index n : {Index{60}, Index{2600}}) {  // without and with rows held out
        const Eigen::MatrixXf rows = untoward_test::correlated(features, n, 2);
        const Fitted sound = fit_with(rows, 11);
        const auto split = calibration_split(threshold, n, 11);
        REQUIRE(sound.report.calibration_rows == static_cast<Index>(split.calibration.size()));
        REQUIRE((sound.report.held_out_rows > 0) == (n == 2600));

        const auto corrupted = [&](auto change) {
            Eigen::MatrixXf others = rows;
            for (const Index j : split.calibration) change(others.col(j), j);
            return fit_with(others, 11);
        };
        const Fitted ranges =
            corrupted([](auto row, Index j) { row.setConstant(j % 2 == 0 ? 1e20f : -3e35f); });
        const Fitted zeros = corrupted([](auto row, Index) { row.setZero(); });
        const Fitted holes =
            corrupted([](auto row, Index) { row.setConstant(std::numeric_limits<float>::quiet_NaN()); });
        require_same(sound, ranges);
        require_same(sound, zeros);
        require_same(sound, holes);
        REQUIRE_FALSE(same_bits(sound.detector.threshold().scores(), ranges.detector.threshold().scores()));
        REQUIRE_FALSE(same_bits(sound.detector.threshold().scores(), holes.detector.threshold().scores()));

        // The threshold's scores are those of these rows, raised for rounding and sorted.
        Eigen::MatrixXf slice(features, static_cast<Index>(split.calibration.size()));
        for (Index j = 0; j < slice.cols(); ++j)
            slice.col(j) = rows.col(split.calibration[static_cast<std::size_t>(j)]);
        REQUIRE(same_bits(sorted_scores(raised_for_rounding(sound.detector.score(slice))),
                          sound.detector.threshold().scores()));

        // All other rows matter.
        Eigen::MatrixXf others = rows;
        others.col(split.rest.back()).array() += 1.0f;
        REQUIRE_FALSE(same_bits(fit_with(others, 11).detector.parameters(), sound.detector.parameters()));
    }
}

TEST_CASE("fit: the same seed gives the same bits, another seed other rows and other parameters") {
    const Eigen::MatrixXf rows = untoward_test::correlated(features, 300, 2);
    const Fitted a = fit_with(rows, 11);
    const Fitted b = fit_with(rows, 11);
    const Fitted c = fit_with(rows, 12);
    require_same(a, b);
    REQUIRE(same_bits(a.detector.threshold().scores(), b.detector.threshold().scores()));
    REQUIRE_FALSE(same_bits(a.detector.parameters(), c.detector.parameters()));
    REQUIRE_FALSE(same_bits(a.detector.scaling().centre, c.detector.scaling().centre));
}
