// SPDX-License-Identifier: MIT
#include "model.hpp"

#include <untoward/io/detector_file.hpp>

namespace program {

using untoward::fail;
using untoward::Index;

namespace {

// A stranger's file must not make the program allocate more than the file holds: sizes come from the shapes of
// tensors that are there.
Sizes sizes_of(const untoward::io::SafeTensors& file) {
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

SavedModel load_model(const std::string& path) {
    auto file = untoward::io::SafeTensors::load(path);
    untoward::io::detail::require_metadata(file, "format", untoward::io::detector_format);
    auto coding = untoward::io::TableCoding::load(file);
    const Sizes sizes = sizes_of(file);
    if (coding.features() != sizes.features) {
        fail(file.name(), ": its columns make ", coding.features(), " features, its model expects ", sizes.features);
    }
    auto detector = untoward::io::read_detector<float>(file, make_recipe(sizes, 0.5));
    return {std::move(file), std::move(coding), std::move(detector)};
}

void save_model(const std::string& path, const untoward::io::TableCoding& coding, const Detector& detector,
                const std::map<std::string, std::string>& notes) {
    untoward::io::SafeTensorsWriter writer;
    untoward::io::add_detector(writer, detector);
    coding.save(writer);
    for (const auto& [key, value] : notes) writer.metadata(key, value);
    writer.save(path);
}

std::string describe_promise(const Detector& detector) {
    const auto& threshold = detector.threshold();
    const auto percent = [](double rate) { return untoward::io::format_number(100 * rate, 4) + "%"; };
    if (threshold.is_calibrated()) {
        return "a normal row is called anomalous with probability at most " + percent(threshold.false_alarm_rate()) +
               " (calibrated on " + std::to_string(threshold.calibration_rows()) +
               " normal rows that nothing else saw; holds for rows exchangeable with them)";
    }
    const Index needed = threshold.rows_needed();
    return "no threshold: a false-alarm rate of " + percent(threshold.false_alarm_rate()) + " needs " +
           std::to_string(needed) + " calibration rows and there are " + std::to_string(threshold.calibration_rows()) +
           ", so nothing is called anomalous; with these rows at best " +
           percent(threshold.attainable_false_alarm_rate()) + " can be promised (--false-alarm-rate, or `untoward calibrate` with more normal rows)";
}

}  // namespace program
