// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdio>
#include <map>

#include "commands.hpp"
#include "model.hpp"

namespace program {

using untoward::fail;
using untoward::Index;
namespace io = untoward::io;

void calibrate(const CalibrateArguments& arguments) {
    SavedModel model = load_model(arguments.model);
    const io::Table table = io::read_table(arguments.table, model.coding.text_columns());
    if (table.rows() == 0) fail(table.name(), ": no rows to calibrate on");
    const Eigen::VectorXf scores = model.detector.score(model.coding.matrix(table));
    for (Index i = 0; i < scores.size(); ++i) {
        if (!std::isfinite(scores(i))) fail(table.place(i), ": an infinite value; calibration rows are normal, so finite or missing");
    }
    model.detector.set_threshold(untoward::Conformal{.false_alarm_rate = arguments.false_alarm_rate}.calibrate(scores));
    std::map<std::string, std::string> notes;
    for (const auto& [key, value] : model.file.metadata()) {
        if (key.starts_with("fit.")) notes[key] = value;
    }
    save_model(arguments.out, model.coding, model.detector, notes);
    std::fprintf(stderr, "%s\nwrote %s\n", describe_promise(model.detector).c_str(), arguments.out.c_str());
}

void info(const std::string& path) {
    const SavedModel model = load_model(path);
    const auto& metadata = model.file.metadata();
    const auto& detector = model.detector;
    const auto& vae = detector.recipe().model;
    const auto line = [](const char* name, const std::string& text) { std::printf("%-12s %s\n", name, text.c_str()); };
    const auto note = [&](const char* key) {
        const auto found = metadata.find(key);
        return found == metadata.end() ? std::string("?") : found->second;
    };
    line("file", path);
    line("format", note("format") + ", version " + note("format_version") + ", written by untoward " + note("version"));
    line("model", "VAE " + std::to_string(vae.sample.size()) + " - " + std::to_string(std::get<0>(vae.encoder.layers).outputs.size()) + " - " +
                      std::to_string(std::get<1>(vae.encoder.layers).outputs.size()) + " - (" + std::to_string(vae.latent.units.size()) + ") - " +
                      std::to_string(std::get<0>(vae.decoder.layers).outputs.size()) + " - " +
                      std::to_string(std::get<1>(vae.decoder.layers).outputs.size()) + " - " + std::to_string(vae.sample.size()) +
                      ", Gaussian with one variance per feature, " + std::to_string(detector.parameters().size()) + " parameters");
    line("score", note("score"));
    line("threshold", io::format_number(detector.threshold().threshold(), 6) + ": " + describe_promise(detector));
    line("fitted", note("fit.rows") + " rows: " + note("fit.training_rows") + " to train, " + note("fit.held_out_rows") +
                       " to choose the best step, " + note("fit.calibration_rows") + " to calibrate; seed " + note("fit.seed"));
    line("training", note("fit.steps") + " steps, best " + note("fit.best_step") + ", -ELBO " + note("fit.loss") + " nats a row");
    line("latent", note("fit.latent"));
    if (note("fit.constant_features") != "") line("constant", note("fit.constant_features"));
    std::printf("\n%-28s %-24s %14s %14s\n", "feature", "coding", "centre", "scale");
    for (Index i = 0; i < model.coding.features(); ++i) {
        const auto& column = model.coding.columns()[static_cast<std::size_t>(model.coding.column_of(i))];
        const char* const kind = column.kind == io::ColumnKind::Number ? "number" : column.kind == io::ColumnKind::Log1p ? "log(1 + x)" : "one-hot";
        std::printf("%-28s %-24s %14s %14s\n", model.coding.feature_name(i).c_str(),
                    (std::string(kind) + (detector.scaling().constant[i] != 0 ? ", constant" : "")).c_str(),
                    io::format_number(detector.scaling().centre[i], 6).c_str(), io::format_number(detector.scaling().scale[i], 6).c_str());
    }
}

}  // namespace program
