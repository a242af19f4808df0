// SPDX-License-Identifier: MIT
#include "untoward/train/fit_ensemble.hpp"

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/small_vae.hpp"
#include "untoward/scores/elbo.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::correlated;
using untoward_test::quick;
using untoward_test::SmallVae;

namespace {

bool has(const std::vector<std::string>& notes, const std::string& text) {
    return std::any_of(notes.begin(), notes.end(),
                       [&text](const std::string& note) { return note.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("fit report: sizes, constant features, and latent units that do something") {
    Eigen::MatrixXf rows = correlated(6, 3000, 1);
    rows.row(4).setConstant(3);
    const Recipe recipe{RobustScaler{}, SmallVae<>{}, KlDivergence{}, Conformal{.false_alarm_rate = 0.01}};
    FitReport report;
    fit(recipe, rows, quick(800), &report);
    REQUIRE(report.rows == 3000);
    REQUIRE(report.calibration_rows == 600);
    REQUIRE(report.held_out_rows == 240);
    REQUIRE(report.training_rows == 2160);
    REQUIRE(report.parameters == measure(SmallVae<>{}, Vec<6>{}).scalars);
    REQUIRE(report.constant_features == std::vector<Index>{4});
    REQUIRE(report.coarse_features.empty());
    REQUIRE(report.faulty_kernels == 0);
    REQUIRE(report.training.steps <= 800);
    REQUIRE(report.latent.units() == 3);
    REQUIRE(report.latent.active_units >= 2);  // the data has two factors
    REQUIRE_FALSE(report.latent.collapsed());
    REQUIRE_THAT(report.latent.verdict(), ContainsSubstring(" of 3 latent units active"));
    for (std::size_t k = 0; k < 3; ++k) {
        REQUIRE(report.latent.kl_per_unit[k] >= 0);
        // A unit's mean moves exactly where it carries information.
        REQUIRE((report.latent.variance_of_mean[k] > 0.01) == (report.latent.kl_per_unit[k] > 0.005));
    }

    auto options = quick(800);
    options.training.beta = ConstantBeta{1000};
    fit(recipe, rows, options, &report);
    REQUIRE(report.latent.active_units == 0);
    REQUIRE(report.latent.collapsed());
    REQUIRE_THAT(report.latent.verdict(),
                 ContainsSubstring("0 of 3 latent units active: the posterior has collapsed"));

    // A float has no more than two values there: it is said, and no constant.
    for (Index j = 0; j < rows.cols(); ++j) rows(2, j) = j % 2 == 0 ? 16777216.0f : 16777218.0f;
    fit(recipe, rows, options, &report);
    REQUIRE(report.coarse_features == std::vector<Index>{2});
    REQUIRE(report.constant_features == std::vector<Index>{4});
    REQUIRE(has(report.notes(), "feature 2: the values lie within a few neighbouring numbers"));

    // As it is, a northing is all beyond what is scaled.
    const Recipe as_it_is{IdentityScaler{}, SmallVae<>{}, KlDivergence{},
                          Conformal{.false_alarm_rate = 0.01}};
    fit(as_it_is, rows, options, &report);
    REQUIRE(report.clipped_features == std::vector<Index>{2});
    REQUIRE(has(report.notes(), "feature 2: half of the scaled values or more lie beyond 1,000"));

    // Epochs: 2160 rows in batches of 128 are 17 steps a pass.
    options = {.epochs = 2, .seed = 1};
    fit(recipe, rows, options, &report);
    REQUIRE(report.training.steps == 34);
}

TEST_CASE("fit report: notes say what a person should know, by name, and nothing where all is well") {
    const Recipe recipe{RobustScaler{}, SmallVae<>{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}};
    Eigen::MatrixXf rows = correlated(6, 1000, 1);
    FitReport report;
    fit(recipe, rows, quick(600), &report);
    INFO((report.notes().empty() ? std::string() : report.notes().front()));
    REQUIRE(report.notes().empty());
    REQUIRE(report.is_calibrated);
    REQUIRE_FALSE(report.training.diverged());
    REQUIRE(report.training.loss < report.training.first_loss);
    REQUIRE(report.training.planned_steps == 600);
    REQUIRE(report.training.rows_never_seen == 0);
    REQUIRE(report.calibration_rows_needed == 19);
    REQUIRE(report.calibration_rows_without_overlap == report.calibration_rows);

    // Steps so long that what is kept is far worse than what was there at first.
    auto options = quick(100);
    options.training.learning_rate = ConstantSchedule{30};
    fit(recipe, rows, options, &report);
    REQUIRE(report.training.diverged());
    REQUIRE(report.training.loss > report.training.first_loss + 0.6);
    REQUIRE(has(report.notes(), "training diverged: -ELBO is "));

    // Nothing moves: nothing is gained, which is no divergence.
    options = quick(20);
    options.training.learning_rate = ConstantSchedule{0};
    fit(recipe, rows, options, &report);
    REQUIRE_FALSE(report.training.diverged());
    REQUIRE(report.training.loss == report.training.first_loss);
    REQUIRE(has(report.notes(), "training gained nothing"));

    // Ten rows: two calibrate, 19 would be needed. A tenth of the others is seen in one step of one row.
    rows.row(4).setConstant(3);
    options = quick(1);
    options.training.batch = 2;
    options.training.max_gradient_norm = 1e-3;
    options.feature_names = {"a", "b", "c", "d", "pressure", "f"};
    fit(recipe, rows.leftCols(10), options, &report);
    REQUIRE_FALSE(report.is_calibrated);
    REQUIRE(report.training.rows_never_seen == report.training_rows - 2);
    REQUIRE(report.training.clipped_steps == 1);
    const auto notes = report.notes();
    REQUIRE(has(notes, "not calibrated, so no sample is called anomalous: " +
                           std::to_string(report.calibration_rows) + " calibration rows, 19 needed"));
    REQUIRE(has(notes, std::to_string(report.training_rows - 2) + " training rows were never seen"));
    REQUIRE(has(notes, "clipped in 1 of 1 steps"));
    REQUIRE(has(notes, "constant in training: feature pressure"));

    struct StopAtThree {
        void on_step(Training& training) const {
            if (training.step == 3) training.stop("enough");
        }
    };
    options = quick(50);
    options.training.callbacks = {StopAtThree{}};
    options.training.beta = ConstantBeta{1000};
    fit(recipe, rows, options, &report);
    REQUIRE(has(report.notes(), "training stopped after 3 of 50 steps: enough"));
    TrainingReport early;
    early.steps = 80;
    early.planned_steps = 100;
    early.stopped_by = "no better";
    early.loss = -1;
    REQUIRE(early.notes() == std::vector<std::string>{"training stopped after 80 of 100 steps: no better"});
    LatentReport collapsed;
    collapsed.kl_per_unit = collapsed.variance_of_mean = {0, 0};
    FitReport nothing;
    nothing.training.loss = -1;
    nothing.latent = collapsed;
    REQUIRE(nothing.notes() == std::vector<std::string>{collapsed.verdict()});

    FitReport coarse = nothing;
    coarse.latent = {};
    coarse.coarse_names = {"feature x"};
    coarse.faulty_kernels = 2;
    REQUIRE(coarse.notes().size() == 2);
    REQUIRE(coarse.notes()[0].find("feature x: the values lie within a few neighbouring numbers") == 0);
    REQUIRE(coarse.notes()[1].find("2 kernels were translated wrongly") == 0);

    // What holds for all members is said once.
    EnsembleReport ensemble;
    nothing.constant_names = {"feature x"};
    ensemble.members = {nothing, nothing};
    ensemble.members[1].latent = {};
    REQUIRE(ensemble.notes() ==
            std::vector<std::string>{"model 1: " + collapsed.verdict(), "constant in training: feature x"});
}
