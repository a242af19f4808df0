// SPDX-License-Identifier: MIT
#include "model.hpp"

#include <utility>

#include <untoward/io/detector_file.hpp>

#include "network.hpp"

namespace program {

using untoward::fail;
using untoward::Index;
namespace io = untoward::io;

namespace {

// A stranger's file must not make the program allocate more than the file holds: sizes come from the shapes
// of tensors that are there.
Sizes sizes_of(const io::SafeTensors& file) {
    const auto matrix = [&](const char* name) {
        const auto& shape = file.info(name).shape;
        if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) {
            fail(file.name(), ": tensor '", name, "' is not a matrix");
        }
        return shape;
    };
    const auto first = matrix("encoder.0.weight");
    const auto latent = matrix("latent.weight");
    if (latent[0] % 2 != 0) fail(file.name(), ": tensor 'latent.weight' has an odd number of rows");
    return {first[1], first[0], latent[0] / 2};
}

}  // namespace

Model::Model(io::TableCoding coding, Network network, Notes notes)
    : coding_(std::move(coding)),
      network_(std::make_unique<Network>(std::move(network))),
      notes_(std::move(notes)) {}
Model::Model(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::load(const std::string& path) {
    const auto file = io::SafeTensors::load(path);
    io::detail::require_metadata(file, "format", io::detector_format);
    auto coding = io::TableCoding::load(file);
    const Sizes sizes = sizes_of(file);
    if (coding.features() != sizes.features) {
        fail(file.name(), ": its columns make ", coding.features(), " features, its model expects ",
             sizes.features);
    }
    Notes notes;
    for (const auto& [key, value] : file.metadata()) {
        if (key.starts_with("fit.")) notes[key] = value;
    }
    // The rate is in the file; the recipe's is for fitting.
    return {std::move(coding), {io::read_detector<float>(file, make_recipe(sizes, 0.5))}, std::move(notes)};
}

void Model::save(const std::string& path) const {
    io::SafeTensorsWriter writer;
    io::add_detector(writer, network_->detector);
    coding_.save(writer);
    for (const auto& [key, value] : notes_) writer.metadata(key, value);
    writer.save(path);
}

Eigen::VectorXf Model::score(const Eigen::MatrixXf& x) const {
    return network_->detector.score(x);
}

Explanation Model::explain(const Eigen::MatrixXf& x, Index begin, Index n) const {
    const auto& detector = network_->detector;
    Explanation result{Eigen::VectorXf(n), Eigen::MatrixXf(x.rows(), n), Eigen::MatrixXf(x.rows(), n)};
    untoward::Buffer<std::byte> memory(static_cast<Index>(detector.arena_bytes(detector.recipe(), n, true)));
    untoward::Arena arena(memory);
    detector.evaluate(x.middleCols(begin, n), arena, result.scores.data(), result.contributions.data(),
                      result.expected.data());
    return result;
}

const Threshold& Model::threshold() const {
    return network_->detector.threshold();
}

void Model::set_threshold(Threshold threshold) {
    network_->detector.set_threshold(std::move(threshold));
}

FeatureScale Model::scale(Index feature) const {
    const auto& scaling = network_->detector.scaling();
    return {scaling.centre[feature], scaling.scale[feature], scaling.constant[feature] != 0};
}

std::string Model::summary() const {
    const auto& vae = network_->detector.recipe().model;
    std::string text = "VAE " + std::to_string(vae.sample.size());
    const auto hidden = [&](const auto& half) {
        std::apply(
            [&](const auto&... layer) { ((text += " - " + std::to_string(layer.outputs.size())), ...); },
            half.layers);
    };
    hidden(vae.encoder);
    text += " - (" + std::to_string(vae.latent.units.size()) + ")";
    hidden(vae.decoder);
    text += " - " + std::to_string(vae.sample.size()) + ", Gaussian with one variance per feature, ";
    return text + std::to_string(network_->detector.parameters().size()) + " parameters";
}

std::string Model::promise() const {
    const auto percent = [](double rate) { return io::format_number(100 * rate, 4) + "%"; };
    const std::string rate = percent(threshold().false_alarm_rate());
    const std::string rows = std::to_string(threshold().calibration_rows());
    if (threshold().is_calibrated()) {
        return "a normal row is called anomalous with probability at most " + rate + " (calibrated on " +
               rows + " normal rows; holds for rows exchangeable with them)";
    }
    return "no threshold, so nothing is called anomalous: a false-alarm rate of " + rate + " needs " +
           std::to_string(threshold().rows_needed()) + " calibration rows and there are " + rows +
           "; with these at best " + percent(threshold().attainable_false_alarm_rate()) +
           " can be promised (--false-alarm-rate), or calibrate on more normal rows (untoward calibrate)";
}

}  // namespace program
