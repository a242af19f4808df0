// SPDX-License-Identifier: MIT
// A detector of other parts in a file: static sizes, double, a plain threshold, a sum of scores.
#include "support/catch.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/io/detector_file.hpp"
#include "untoward/thresholds/quantile.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

using Model = Vae<Vec<3>, Encoder<Dense<4, Tanh>>, Latent<2>, Decoder<Dense<4, Tanh>>, FixedGaussian>;
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

TEST_CASE("detector file: a number of rows is a number of rows") {
    for (const std::string value : {"-1", "NaN", "1e99", "1.5", ""}) {
        const std::string bytes = saved(11);
        io::SafeTensors file(bytes, "m");
        io::SafeTensorsWriter writer;
        for (const auto& [key, text] : file.metadata())
            writer.metadata(key, key == "threshold.rows" ? value : text);
        for (const auto& tensor : file.tensors())
            writer.add(tensor.name, tensor.dtype, tensor.shape, file.bytes(tensor.name));
        INFO(value);
        REQUIRE_THROWS_WITH(loaded(writer.bytes()), ContainsSubstring("threshold.rows"));
    }
}
