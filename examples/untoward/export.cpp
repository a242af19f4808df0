// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <untoward/io/file.hpp>

#include "commands.hpp"
#include "model.hpp"
#include "tables.hpp"

namespace program {

using untoward::Index;
namespace io = untoward::io;

namespace {

void require_room(const Model& model, const ExportArguments& arguments, const std::string& needs) {
    const auto room = static_cast<std::size_t>(arguments.max_flash);
    // What is there whatever the weights.
    const std::size_t code = model.code_bytes() + model.test_bytes();
    if (model.flash_bytes(arguments.weights) + code <= room) return;
    std::string fits;
    for (const char* weights : {"bfloat16", "int8"}) {
        const std::size_t bytes = model.flash_bytes(weights) + code;
        if (bytes <= room && fits.empty())
            fits = std::string("--weights ") + weights + " would fit, with " + std::to_string(bytes);
    }
    if (fits.empty() && model.model_count() > 1)
        fits = "it has " + std::to_string(model.model_count()) + " models: `untoward fit --fast` makes one";
    const std::size_t learned = model.learned_bytes();
    const std::size_t without =
        model.flash_bytes(arguments.weights) - learned + model.plain_code_bytes() + model.test_bytes();
    if (fits.empty() && without <= room) {
        fits = "a score that learns nothing (untoward fit --score negative-elbo) would fit, with " +
               std::to_string(without);
    }
    if (fits.empty()) {
        const std::size_t others = code + learned;
        const std::size_t numbers = room > others ? (room - others) / sizeof(float) : 0;
        fits = "what would fit has at most " + std::to_string(numbers) +
               " numbers in all, with --weights int8 about four times as many: fewer units (untoward fit "
               "--hidden) or columns";
    }
    bool has_neighbours = false;
    for (const std::string& score : model.score_texts())
        has_neighbours = has_neighbours || score.find("NeighbourScore") != std::string::npos;
    if (has_neighbours) {
        fits += "; what the score learned takes " + std::to_string(learned) +
                " bytes, which neighbour-score{most_rows=500} or fewer make less";
    }
    untoward::fail(needs, ", more than --max-flash ", arguments.max_flash, "; ", fits);
}

// What rounding did to the scores of rows, and to what is decided of them, for people.
std::string change_of(const Model& before, const Model& after, const Eigen::VectorXf& old_scores,
                      const Eigen::VectorXf& new_scores) {
    double mean = 0;
    double largest = 0;
    Index decided_otherwise = 0;
    const auto rows = static_cast<double>(old_scores.size());
    for (Index i = 0; i < old_scores.size(); ++i) {
        const double change =
            std::abs(static_cast<double>(new_scores(i)) - static_cast<double>(old_scores(i)));
        mean += change / rows;
        largest = std::max(largest, change);
        const bool is_other =
            before.threshold().is_anomaly(old_scores(i)) != after.threshold().is_anomaly(new_scores(i));
        decided_otherwise += is_other ? 1 : 0;
    }
    return "scores of " + std::to_string(old_scores.size()) + " normal rows change by " +
           io::format_number(mean, 3) + " on average, " + io::format_number(largest, 3) + " at most; " +
           std::to_string(decided_otherwise) + " decisions change; the threshold, set anew with them, is " +
           io::format_number(static_cast<double>(after.threshold().threshold()), 6) + " and was " +
           io::format_number(static_cast<double>(before.threshold().threshold()), 6);
}

}  // namespace

void export_model(const ExportArguments& arguments) {
    const Model model = Model::load(arguments.model);
    const std::string needs = "the detector needs " + std::to_string(model.flash_bytes(arguments.weights)) +
                              " bytes of flash for constants and about " +
                              std::to_string(model.code_bytes()) + " for code, and the test vectors " +
                              std::to_string(model.test_bytes()) + " where they are used";
    if (arguments.max_flash > 0) require_room(model, arguments, needs);
    if (arguments.weights != "float32" && arguments.normals.empty()) {
        untoward::fail("--weights ", arguments.weights,
                       " changes every score: --normals must name normal rows to set the threshold with");
    }
    Model exported = model.rounded(arguments.weights);
    std::vector<std::string> notes;
    if (!arguments.normals.empty()) {
        const Eigen::MatrixXf x = read_normal_rows(arguments.normals, model.coding());
        const Eigen::VectorXf scores = exported.score(x);
        exported.set_threshold(exported.calibrated(scores));
        notes.push_back(change_of(model, exported, model.score(x), scores));
        std::fprintf(stderr, "%s\n", notes.back().c_str());
    }
    io::AtomicFile file(arguments.header);
    file.write(exported.header(arguments.name_space, arguments.weights, notes));
    file.commit();
    std::fprintf(stderr, "%s\nwrote %s\n", needs.c_str(), io::output_name(arguments.header).c_str());
}

}  // namespace program
