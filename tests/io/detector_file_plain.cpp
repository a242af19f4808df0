// SPDX-License-Identifier: MIT
// A detector of other parts in a file: static sizes, double, a plain threshold, a sum of scores.
#include "io/rewritten.hpp"
#include "support/catch.hpp"
#include "untoward/io/detector_file.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/thresholds/fixed.hpp"
#include "untoward/thresholds/quantile.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::with_metadata;

namespace {

using Model = Vae<Vec<3>, Encoder<Dense<4, Tanh>>, Latent<2>, Decoder<Dense<4, Tanh>>, FixedGaussian>;
struct Own {
    auto calibrate(const auto& scores) const { return Quantile{.level = 0.9}.calibrate(scores); }
};

const Recipe recipe{0, Model{}, ReconstructionError{} + 0.25f * KlDivergence{}, Quantile{.level = 0.9}};
using TheDetector = Detector<std::remove_const_t<decltype(recipe)>, Owned<double>>;

std::string saved(Index rows) {
    Buffer<double> parameters(measure(recipe.model, recipe.model.sample).scalars);
    initialise(parameters.data(), 3, recipe.model, recipe.model.sample);
    const Eigen::VectorXd one = Eigen::VectorXd::Ones(3);
    const TheDetector detector(
        recipe, {one, one, one, 0 * one}, parameters, one,
        recipe.threshold.calibrate(Eigen::VectorXd(Eigen::VectorXd::LinSpaced(rows, 1, 2))));
    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector);
    return writer.bytes();
}
TheDetector loaded(const std::string& bytes) {
    return io::read_detector<double>(io::SafeTensors(bytes, "m"), recipe);
}

}  // namespace

TEST_CASE("detector file: plain thresholds, with and without calibration rows") {
    const TheDetector detector = loaded(saved(11));
    REQUIRE(detector.threshold().threshold() == Approx(1.9));
    REQUIRE(detector.threshold().calibration_rows() == 11);
    REQUIRE(detector.threshold().rows_needed() == 1);
    const TheDetector none = loaded(saved(0));
    REQUIRE(none.threshold().threshold() == std::numeric_limits<double>::infinity());
    REQUIRE_FALSE(none.threshold().is_calibrated());
    REQUIRE(io::SafeTensors(saved(11), "m").metadata("score") ==
            "ReconstructionError{.norm = Norm::squared} + 0.25f * KlDivergence{}");
    REQUIRE_FALSE(io::SafeTensors(saved(11), "m").contains("likelihood.log_variance"));
}

TEST_CASE("detector file: a plain threshold is of the policy that made it") {
    const std::string bytes = saved(11);
    REQUIRE(io::SafeTensors(bytes, "m").metadata("threshold.policy") == "Quantile{.level = 0.9}");
    const auto refused = [&](const auto& threshold, const std::string& text) {
        const Recipe other{recipe.scaler, recipe.model, recipe.score, threshold};
        REQUIRE_THROWS_WITH(io::read_detector<double>(io::SafeTensors(bytes, "m"), other),
                            "m: threshold.policy is 'Quantile{.level = 0.9}', expected '" + text + "'");
    };
    refused(Quantile{.level = 0.99}, "Quantile{.level = 0.99}");
    refused(Fixed{.value = 1.9}, "Fixed{.value = 1.9}");
    refused(Own{}, "(unnamed)");
    REQUIRE_THROWS_WITH(loaded(with_metadata(bytes, "threshold.rows_needed", "7")),
                        ContainsSubstring("checksum"));
}

TEST_CASE("detector file: a number of rows is a number of rows") {
    for (const std::string value : {"-1", "NaN", "1e99", "1.5", ""}) {
        const std::string bytes = saved(11);
        INFO(value);
        REQUIRE_THROWS_WITH(loaded(with_metadata(bytes, "threshold.rows", value)),
                            ContainsSubstring("threshold.rows"));
    }
}
