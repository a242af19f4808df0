// SPDX-License-Identifier: MIT
// What the program, without any option, makes of real tables. The floors are the issue's.

#include <sys/resource.h>

#include "support/program.hpp"

using namespace untoward_test;

namespace {

double processor_seconds_of_children() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void require_ranking(const std::string& name, const std::string& train, const std::string& test,
                     double floor) {
    const Folder folder;
    const std::string model = folder / "m.safetensors";
    const double before = processor_seconds_of_children();
    run_well({"fit", data_file(train).string(), "--model", model, "--quiet"});
    const double seconds = processor_seconds_of_children() - before;
    const Outcome evaluated =
        run_well({"evaluate", data_file(test).string(), "--model", model, "--label", "label", "--json"});
    const auto figures = figures_of(evaluated.out);
    WARN(name << ": auc_roc " << figures.at("auc_roc") << ", auc_pr " << figures.at("auc_pr")
              << ", fitted in " << seconds << " s");
    CHECK(figures.at("auc_roc") >= floor);
    CHECK(seconds < 30);
}

}  // namespace

TEST_CASE("thyroid, cardio, breastw and ionosphere") {
    const std::pair<const char*, double> floors[] = {
        {"thyroid", 0.97}, {"cardio", 0.90}, {"breastw", 0.98}, {"ionosphere", 0.94}};
    for (const auto& [name, floor] : floors) {
        const std::string folder = std::string("tabular/") + name;
        require_ranking(name, folder + "/train.csv", folder + "/test.csv", floor);
    }
}

TEST_CASE("NSL-KDD, with its text columns") {
    require_ranking("NSL-KDD", "network_nslkdd/train_normal.csv", "network_nslkdd/test.csv", 0.955);
}
