// SPDX-License-Identifier: MIT
#include "model.hpp"

#include <utility>

#include <untoward/generate.hpp>
#include <untoward/io/detector_file.hpp>
#include <untoward/thresholds/rounding.hpp>
#include <untoward/train/diagnostics.hpp>

#include "baseline.hpp"
#include "network.hpp"

namespace program {

using untoward::fail;
using untoward::Index;
namespace io = untoward::io;

namespace {

io::HeaderWeights header_weights(const std::string& name) {
    if (name == "float32") return io::HeaderWeights::float32;
    if (name == "bfloat16") return io::HeaderWeights::bfloat16;
    if (name == "int8") return io::HeaderWeights::int8;
    fail("there are no weights ", io::in_quotes(name), ", only float32, bfloat16, int8");
}

// function(detector): of the only model of a file, or of all of them.
auto with_detector(const untoward::AnyEnsembleDetector<float>& detector, const auto& function) {
    if (detector.member_count() > 1) return function(detector);
    auto alone = detector.first();
    alone.set_threshold(detector.threshold());
    return function(alone);
}

// Kilobytes of code for every time that a score has such a part.
constexpr std::pair<const char*, std::size_t> score_parts[] = {{"NegativeElbo", 2},
                                                               {"ReconstructionProbability", 2},
                                                               {"ImportanceWeightedLikelihood", 4},
                                                               {"NeighbourScore", 4},
                                                               {"MixtureScore", 2},
                                                               {"MahalanobisScore", 1},
                                                               {"PrincipalComponentScore", 1},
                                                               {"Slog", 1},
                                                               {"NormalQuantile", 1},
                                                               {"NegativeLogP", 1}};
// And once, however often a model has it; StudentT computes with doubles, for which an M4 has no instructions.
constexpr std::pair<const char*, std::size_t> model_parts[] = {{"StudentT", 10},
                                                               {"CorrelatedLatent", 3},
                                                               {"HeteroscedasticGaussian", 1},
                                                               {"BatchNorm", 1},
                                                               {"LayerNorm", 1}};

std::size_t code_kilobytes(const std::string& model, const std::vector<std::string>& scores) {
    std::size_t sum = 2;
    for (const auto& [part, kilobytes] : model_parts) {
        if (model.find(part) != std::string::npos) sum += kilobytes;
    }
    for (const std::string& score : scores) {
        sum += 2;  // every model's
        for (const auto& [part, kilobytes] : score_parts) {
            for (std::size_t at = score.find(part); at != std::string::npos; at = score.find(part, at + 1))
                sum += kilobytes;
        }
    }
    return sum;
}

}  // namespace

Model::Model(io::TableCoding coding, Network network, Notes notes, std::unique_ptr<Baseline> baseline)
    : coding_(std::move(coding)), network_(std::make_unique<Network>(std::move(network))),
      notes_(std::move(notes)), baseline_(std::move(baseline)) {}
Model::Model(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::load(const std::string& path) {
    const auto file = io::SafeTensors::load(path);
    if (file.metadata("format") != io::ensemble_format)
        io::detail::require_metadata(file, "format", io::detector_format);
    auto coding = io::TableCoding::load(file);
    auto detector = io::read_any_ensemble<float>(file);
    Notes notes;
    for (const auto& [key, value] : file.metadata()) {
        if (key.starts_with("fit.")) notes[key] = value;
    }
    std::unique_ptr<Baseline> baseline;
    if (file.metadata().find("baseline.k") != file.metadata().end())
        baseline = std::make_unique<Baseline>(Baseline::load(file, coding.features()));
    return {std::move(coding), {std::move(detector)}, std::move(notes), std::move(baseline)};
}

void Model::save(const std::string& path) const {
    io::SafeTensorsWriter writer;
    const auto& detector = network_->detector;
    if (detector.member_count() == 1) {
        auto alone = detector.first();
        alone.set_threshold(detector.threshold());
        io::add_detector(writer, alone);
    } else {
        io::add_detector(writer, detector);
    }
    coding_.save(writer);
    if (baseline_ != nullptr) baseline_->save(writer);
    for (const auto& [key, value] : notes_) writer.metadata(key, value);
    writer.save(path);
}

Eigen::VectorXf Model::score(const Eigen::MatrixXf& x) const {
    return network_->detector.score(x);
}

Eigen::VectorXf Model::baseline_score(const Eigen::MatrixXf& x) const {
    return baseline_ != nullptr ? baseline_->score(x) : Eigen::VectorXf();
}

Explanation Model::explain(const Eigen::MatrixXf& x, Index begin, Index n) const {
    const auto& detector = network_->detector;
    Explanation result{Eigen::VectorXf(n), Eigen::MatrixXf(x.rows(), n), Eigen::MatrixXf(x.rows(), n)};
    untoward::Buffer<std::byte> memory(static_cast<Index>(detector.arena_bytes(n, true)));
    untoward::Arena arena(memory);
    detector.evaluate(x.middleCols(begin, n), arena, result.scores.data(), result.contributions.data(),
                      result.expected.data());
    return result;
}

Eigen::VectorXf Model::standard_error(const Eigen::MatrixXf& x, Index begin, Index n) const {
    return network_->detector.standard_error(x.middleCols(begin, n));
}

Eigen::VectorXf Model::spread(const Eigen::MatrixXf& x, Index begin, Index n) const {
    return network_->detector.spread(x.middleCols(begin, n));
}

const Threshold& Model::threshold() const {
    return network_->detector.threshold();
}

void Model::set_threshold(Threshold threshold) {
    network_->detector.set_threshold(std::move(threshold));
}

FeatureScale Model::scale(Index feature) const {
    const auto& scaling = network_->detector.first().scaling();
    return {scaling.centre[feature], scaling.scale[feature], scaling.constant[feature] != 0};
}

std::vector<std::string> Model::diagnose(const Eigen::MatrixXf& training, const Eigen::MatrixXf& held_out,
                                         std::uint64_t seed) const {
    return untoward::diagnose(network_->detector.first(), training, held_out, {.seed = seed}).verdicts();
}

Eigen::MatrixXf Model::encode(const Eigen::MatrixXf& x) const {
    return untoward::encode(network_->detector.first(), x);
}
Eigen::MatrixXf Model::reconstruct(const Eigen::MatrixXf& x) const {
    return untoward::reconstruct(network_->detector.first(), x);
}
Eigen::MatrixXf Model::sample(Index n, std::uint64_t seed, bool expected) const {
    return untoward::generate(network_->detector.first(), n, seed, !expected);
}
Eigen::MatrixXf Model::interpolate(const Eigen::VectorXf& from, const Eigen::VectorXf& to,
                                   Index steps) const {
    return untoward::interpolate(network_->detector.first(), from, to, steps);
}

Index Model::model_count() const {
    return network_->detector.member_count();
}
std::string Model::summary() const {
    const auto& first = network_->detector.first();
    const Index models = model_count();
    return io::policy_text(first.recipe().model) + ", " + std::to_string(first.parameters().size()) +
           " parameters" + (models > 1 ? "; " + std::to_string(models) + " models like it" : "");
}
std::vector<std::string> Model::scalers() const {
    std::vector<std::string> texts;
    for (const auto& member : network_->detector.members()) texts.push_back(member.recipe().scaler.text());
    return texts;
}
std::vector<std::string> Model::score_texts() const {
    std::vector<std::string> texts;
    for (const auto& member : network_->detector.members()) texts.push_back(member.recipe().score.text());
    return texts;
}

Model Model::rounded(const std::string& weights) const {
    return {
        coding_, {io::with_rounded_weights(network_->detector, header_weights(weights))}, notes_, nullptr};
}
std::string Model::header(const std::string& name_space, const std::string& weights,
                          std::vector<std::string> notes) const {
    std::vector<std::string> about{"model: " + summary()};
    for (const std::string& score : score_texts()) about.push_back("score: " + score);
    about.push_back("promise: " + promise());
    about.push_back("weights: " + weights + "; constants in flash: " + std::to_string(flash_bytes(weights)) +
                    " bytes");
    notes.insert(notes.begin(), about.begin(), about.end());
    const io::CppHeaderOptions options{
        .name_space = name_space, .weights = header_weights(weights), .notes = std::move(notes)};
    return with_detector(network_->detector,
                         [&](const auto& detector) { return io::cpp_header(detector, &coding_, options); });
}
std::size_t Model::flash_bytes(const std::string& weights) const {
    return io::flash_bytes(network_->detector, header_weights(weights));
}
std::size_t Model::code_bytes() const {
    return 1024 * code_kilobytes(summary(), score_texts());
}
std::size_t Model::plain_code_bytes() const {
    return 1024 * code_kilobytes(summary(), {"NegativeElbo"});
}
std::size_t Model::test_bytes() const {
    const auto samples = io::detail::make_test_samples(network_->detector.first().scaling());
    return static_cast<std::size_t>(samples.size() + samples.cols()) * sizeof(float);
}
std::size_t Model::learned_bytes() const {
    return io::learned_bytes(network_->detector);
}
Threshold Model::calibrated(const Eigen::VectorXf& scores) const {
    return threshold().policy().calibrate(untoward::raised_for_rounding(scores));
}

std::string Model::promise() const {
    const auto percent = [](double rate) { return io::format_number(100 * rate, 4) + "%"; };
    const std::string rows = std::to_string(threshold().calibration_rows());
    const std::string of = threshold().policy().text() + " (" + rows + " calibration rows)";
    if (!threshold().false_alarm_rate())
        return "nothing is promised about false alarms by the threshold " + of;
    const std::string rate = percent(*threshold().false_alarm_rate());
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
