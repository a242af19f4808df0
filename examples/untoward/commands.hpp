// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// The commands of the program. Each throws untoward::Error with a message for a person.

namespace program {

struct FitArguments {
    std::string table;
    std::string model;
    std::uint64_t seed = 0;
    long epochs = 0;
    long gap = -1;  // rows between those that calibrate, the last ones, and the others; -1: at random
    std::string label;
    std::vector<std::string> ignore;
    std::vector<std::string> columns;
    double false_alarm_rate = 0.01;
    std::string threshold;
    bool quiet = false;
    bool fast = false;

    // The model, as text that dynamic/ reads; empty: the default.
    std::string hidden;
    std::string activation;
    std::string encoder;
    std::string decoder;
    std::string latent = "auto";
    std::string likelihood = "gaussian";
    std::string scaler;
    std::string score;

    // Training, likewise.
    std::string optimiser;
    std::string learning_rate;
    std::string beta;
    std::string averaging;
    double free_bits = 0;
    long batch = 0;
    long shards = 1;
    long threads = 1;
    double time_limit = 0;
    std::string log;
    std::string checkpoint;
};
void fit(const FitArguments& arguments);
/// The options of `fit` that take the name of a part, each with the names that there are, a line or two each.
std::string part_names();

struct ScoreArguments {
    std::string table;
    std::string model;
    std::string out;
    int top = 3;
    std::string id;
    bool standard_error = false;
    bool spread = false;
};
void score(const ScoreArguments& arguments);

struct EvaluateArguments {
    std::string table;
    std::string model;
    std::string label;
    std::string labels;
    bool json = false;
};
void evaluate(const EvaluateArguments& arguments);

struct CalibrateArguments {
    std::string table;
    std::string model;
    double false_alarm_rate = 0.01;
    std::string out;
};
void calibrate(const CalibrateArguments& arguments);

void info(const std::string& model);

struct ExportArguments {
    std::string model;
    std::string header;
    std::string name_space = "detector";
    std::string weights = "float32";
    std::string normals;
    long max_flash = 0;
};
void export_model(const ExportArguments& arguments);

struct DiagnoseArguments {
    std::string table;
    std::string held_out;
    std::string model;
    std::uint64_t seed = 0;
};
void diagnose(const DiagnoseArguments& arguments);

struct LatentArguments {
    std::string table;
    std::string model;
    std::string out;
    std::string id;
};
void latent(const LatentArguments& arguments);

struct ReconstructArguments {
    std::string table;
    std::string model;
    std::string out;
    std::string id;
};
void reconstruct(const ReconstructArguments& arguments);

struct SampleArguments {
    std::string model;
    long rows = 100;
    std::uint64_t seed = 0;
    bool expected = false;
    std::string out;
};
void sample(const SampleArguments& arguments);

struct InterpolateArguments {
    std::string table;
    std::string model;
    long from = 1;
    long to = 2;
    long steps = 11;
    std::string out;
};
void interpolate(const InterpolateArguments& arguments);

}  // namespace program
