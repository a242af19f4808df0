// SPDX-License-Identifier: MIT
// A fit that is stopped by the clock and run again gives the detector of a fit that never stopped.
#include <algorithm>

#include "io/folder.hpp"
#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/small_vae.hpp"
#include "untoward/io/checkpoint.hpp"
#include "untoward/io/run_log.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/average.hpp"
#include "untoward/train/time_limit.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

// A user's own schedule that learns: half the rate whenever the loss rises.
struct Careful {
    double rate = 0.01;
    double last = 1e300;
    Index halved = 0;

    static constexpr const char* name = "careful";
    static constexpr void options(auto& self, auto&& visit) { visit("rate", self.rate); }
    static constexpr void state(auto& self, auto&& visit) {
        visit("last", self.last);
        visit("halved", self.halved);
    }
    double operator()(Index, Index) const { return rate * std::pow(0.5, static_cast<double>(halved)); }
    void observe(double loss) {
        halved += loss > last ? 1 : 0;
        last = loss;
    }
};

}  // namespace

TEST_CASE("checkpoint: a fit stopped by the clock, with a schedule of the user's own and an average") {
    const untoward_test::Folder folder;
    const Eigen::MatrixXf rows = untoward_test::correlated(6, 2600, 1);
    const Recipe recipe{RobustScaler{}, untoward_test::SmallVae<>{}, NegativeElbo{},
                        Conformal{.false_alarm_rate = 0.05}};
    auto options = untoward_test::quick(400);
    options.training.learning_rate = Careful{};
    options.training.averaging = ExponentialAverage{.decay = 0.95};
    FitReport whole_report;
    const auto whole = fit(recipe, rows, options, &whole_report);

    const std::string path = folder / "fit.checkpoint";
    auto resumed = options;
    // No time at all: each run goes on to the next evaluation, on any machine.
    resumed.training.callbacks = {TimeLimit{1e-9}, io::Checkpoint{path}, io::RunLog(folder / "run.jsonl")};
    FitReport report;
    Index runs = 0;
    do {
        REQUIRE(++runs < 10'000);
        const auto part = fit(recipe, rows, resumed, &report);
        if (report.training.stopped_by.empty() || report.training.stopped_early) {
            REQUIRE(
                std::equal(whole.parameters().begin(), whole.parameters().end(), part.parameters().begin()));
            REQUIRE(part.threshold().threshold() == whole.threshold().threshold());
            REQUIRE(part.score(rows.leftCols(50)) == whole.score(rows.leftCols(50)));
        }
    } while (!report.training.stopped_by.empty() && !report.training.stopped_early);
    REQUIRE(runs > 1);
    REQUIRE(report.training.held_out_losses == whole_report.training.held_out_losses);
    REQUIRE(report.training.training_losses == whole_report.training.training_losses);
    REQUIRE(report.training.loss == whole_report.training.loss);
    REQUIRE(report.training.best_step == whole_report.training.best_step);

    // Another scaler makes other rows of the same table.
    const Recipe other{StandardScaler{}, recipe.model, recipe.score, recipe.threshold};
    REQUIRE_THROWS_WITH(fit(other, rows, resumed), ContainsSubstring("rows_hash is"));
}
