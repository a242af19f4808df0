// SPDX-License-Identifier: MIT
// The fitted score of scores/fitted.hpp's comment, by somebody else: fitted, added to another, saved, loaded.
#include <algorithm>
#include <string_view>

#include "scores/relative_error.hpp"
#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/data/scaler.hpp"
#include "untoward/detector.hpp"
#include "untoward/io/detector_file.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr Index features = 4;
using Model = Vae<Vec<features>, Encoder<Dense<6, Tanh>>, Latent<2>, Decoder<Dense<6, Tanh>>, Gaussian>;

auto recipe_of(const auto& score) {
    return Recipe{StandardScaler{}, Model{}, score, Conformal{.false_alarm_rate = 0.1}};
}
auto fit_quickly(const auto& score, const Eigen::MatrixXf& rows) {
    FitOptions options{.seed = 5};
    options.training.min_steps = options.training.max_steps = 40;
    return fit(recipe_of(score), rows, options);
}

}  // namespace

TEST_CASE("a fitted score of one's own: what it learned is in the detector and in its file") {
    const Eigen::MatrixXf rows = untoward_test::correlated(features, 120, 2);
    const auto score = elsewhere::RelativeError{} + 0.5f * KlDivergence{};
    const auto detector = fit_quickly(score, rows);
    const auto& learned = detector.fitted_score().first;
    REQUIRE(learned.mean.size() == features);
    REQUIRE((learned.mean.array() > 0).all());
    // The mean of its relative errors over the training rows would be D without the floor.
    const auto split = calibration_split(Conformal{.false_alarm_rate = 0.1}, rows.cols(), 5);
    const Eigen::MatrixXf training = detail::gather_raw<float>(rows, split.rest);
    const auto error = fit_quickly(elsewhere::RelativeError{.floor = 0}, rows).score(training);
    REQUIRE(error.mean() == Approx(features).epsilon(1e-4));

    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector);
    const io::SafeTensors file(writer.bytes(), "memory");
    REQUIRE(file.metadata("score.state.0.features") == "4");
    const auto loaded = io::read_detector<float>(file, recipe_of(score));
    REQUIRE(loaded.score(rows) == detector.score(rows));
    const auto verdict = loaded(rows.col(0));
    REQUIRE(verdict.score == detector.score(rows)(0));
    // Another size is no reading past the end.
    auto bytes = writer.bytes();
    const std::string_view from = R"("score.state.0.features":"4")";
    const auto at = std::search(bytes.begin(), bytes.end(), from.begin(), from.end(),
                                [](auto byte, char c) { return static_cast<char>(byte) == c; });
    REQUIRE(at != bytes.end());
    *(at + static_cast<std::ptrdiff_t>(from.size()) - 2) =
        static_cast<std::remove_cvref_t<decltype(*at)>>('3');
    REQUIRE_THROWS_WITH(
        io::read_detector<float>(io::SafeTensors(std::move(bytes), "memory"), recipe_of(score)),
        ContainsSubstring("score.state.0.mean"));
}
