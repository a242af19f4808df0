// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// The five commands of the program. Each throws untoward::Error with a message for a person.

namespace program {

struct FitArguments {
    std::string table;
    std::string model;
    std::uint64_t seed = 0;
    long epochs = 0;
    std::string label;
    std::vector<std::string> ignore;
    std::vector<std::string> columns;
    double false_alarm_rate = 0.01;
    bool quiet = false;
};
void fit(const FitArguments& arguments);

struct ScoreArguments {
    std::string table;
    std::string model;
    std::string out;
    int top = 3;
    std::string id;
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

}  // namespace program
