// SPDX-License-Identifier: MIT
// The promise of the threshold on real rows: false alarms among normal test rows lie in the central 99.9%
// interval of their law, BetaBinomial(m; n + 1 - k, k); where scores tie there may be fewer.

#include <algorithm>

#include "support/beta_binomial.hpp"
#include "support/program.hpp"
#include "untoward/io/npy.hpp"
#include "untoward/io/number.hpp"
#include "untoward/io/safetensors.hpp"

using namespace untoward_test;
using untoward::Index;

namespace {

void require_promise(const std::string& name) {
    const Folder folder;
    const std::string model = folder / "m.safetensors";
    const auto file = [&name](const char* part) {
        return data_file("tabular/" + name + "/" + part).string();
    };
    run_well({"fit", file("train_x.npy"), "--model", model, "--quiet"});
    run_well({"score", file("test_x.npy"), "--model", model, "--out", folder / "scores.csv", "--top", "0"});
    const Cells rows = cells_of(read_text(folder / "scores.csv"));
    const auto labels = untoward::io::read_npy(file("test_y.npy"));
    REQUIRE(static_cast<Index>(rows.size()) == labels.size() + 1);

    std::vector<float> normal;
    Index flagged = 0;
    for (Index i = 0; i < labels.size(); ++i) {
        if (labels(i) != 0) continue;
        const auto& row = rows[static_cast<std::size_t>(i) + 1];
        double score = 0;
        REQUIRE(untoward::io::parse_number(row[1], score));
        normal.push_back(static_cast<float>(score));  // nine digits: exact
        flagged += row[3] == "1" ? 1 : 0;
    }
    const auto m = static_cast<Index>(normal.size());
    const auto calibration = untoward::io::SafeTensors::load(model).tensor<float>("threshold.scores");
    const Index n = calibration.size();
    for (const double rate : {0.01, 0.05, 0.1}) {
        const Index rank = untoward::conformal_rank(n, rate);
        REQUIRE(rank <= n);
        const float threshold = calibration(rank - 1);
        const auto alarms = static_cast<Index>(
            std::count_if(normal.begin(), normal.end(), [&](float s) { return s > threshold; }));
        const bool ties = std::count(calibration.begin(), calibration.end(), threshold) > 1 ||
                          std::count(normal.begin(), normal.end(), threshold) > 0;
        const Counts interval = false_alarm_interval(m, n, rate);
        WARN(name << " at " << rate << ": " << alarms << " false alarms among " << m
                  << " normal rows, interval [" << interval.low << ", " << interval.high << "], n = " << n
                  << (ties ? ", ties at the threshold" : ""));
        CHECK(alarms <= interval.high);
        if (!ties) CHECK(alarms >= interval.low);
        if (rate == 0.01) CHECK(alarms == flagged);
    }
}

}  // namespace

TEST_CASE("shuttle") {
    require_promise("shuttle");
}

TEST_CASE("http") {
    require_promise("http");
}
