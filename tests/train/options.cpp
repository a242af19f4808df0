// SPDX-License-Identifier: MIT
// Options that make no sense are errors, in the same words wherever they enter, before anything runs.
#include "untoward/train/options.hpp"

#include <functional>
#include <limits>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/small_vae.hpp"
#include "untoward/generate.hpp"
#include "untoward/nn/dropout.hpp"
#include "untoward/nn/residual.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/stream/alarm.hpp"
#include "untoward/thresholds/fixed.hpp"
#include "untoward/thresholds/tail.hpp"
#include "untoward/train/average.hpp"
#include "untoward/train/diagnostics.hpp"
#include "untoward/train/overfit.hpp"
#include "untoward/train/sgd.hpp"
#include "untoward/train/time_limit.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::quick;
using untoward_test::SmallVae;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

const Eigen::MatrixXf& rows() {
    static const Eigen::MatrixXf all = untoward_test::correlated(6, 60, 1);
    return all;
}
const Recipe recipe{RobustScaler{}, SmallVae<>{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.1}};

struct Counting {
    int* steps;
    void on_step(const Training&) const { ++*steps; }
};

}  // namespace

TEST_CASE("option range: NaN is in none, and ends belong to it as it says") {
    for (const OptionRange& range : {OptionRange{}, OptionRange{0, 1}, at_least(0), above(0),
                                     from_below(0, 1), any_finite(), at_least(0).or_else(-1, "automatic")}) {
        CHECK_FALSE(range.has(not_a_number));
        CHECK(range.has(0.5));
    }
    CHECK(OptionRange{}.has(infinity));
    CHECK((OptionRange{0, 1}.has(1) && OptionRange{0, 1}.has(0)));
    CHECK_FALSE((OptionRange{0, 1, true}.has(1) || OptionRange{0, 1, true}.has(0)));
    CHECK((from_below(0, 1).has(0) && !from_below(0, 1).has(1)));
    CHECK((at_least(0).has(0) && !at_least(0).has(infinity) && !at_least(0).has(-1e-9)));
    CHECK((above(0).has(1e300) && !above(0).has(0) && !above(0).has(infinity)));
    CHECK((any_finite().has(-1e300) && !any_finite().has(-infinity)));
    const OptionRange rate = at_least(0).or_else(-1, "automatic");
    CHECK((rate.has(-1) && rate.has(0) && !rate.has(-0.5)));
}

TEST_CASE("fit: options that make no sense are refused before the first step, and are named") {
    const auto refused = [](const std::function<void(FitOptions&)>& change, const std::string& message) {
        INFO(message);
        int steps = 0;
        FitOptions options = quick(3);
        options.training.callbacks = {Counting{&steps}};
        CHECK_THROWS_WITH((change(options), fit(recipe, rows(), options)), message);
        CHECK(steps == 0);
    };
    refused([](auto& o) { o.training.batch = -5; }, "TrainingOptions.batch is -5, expected 1 or more");
    refused([](auto& o) { o.epochs = -1; }, "FitOptions.epochs is -1, expected 0 or more");
    refused(
        [](auto& o) {
            o.feature_names = {"a", "b"};
        },
        "FitOptions.feature_names has 2 names, expected one for each of 6 features");
    refused([](auto& o) { o.training.epochs = -1; }, "TrainingOptions.epochs is -1, expected 0 or more");
    refused([](auto& o) { o.training.shards = 0; }, "TrainingOptions.shards is 0, expected 1 or more");
    refused([](auto& o) { o.training.threads = -1; },
            "TrainingOptions.threads is -1, expected from 0 to 1024");
    refused([](auto& o) { o.training.evaluations = 0; },
            "TrainingOptions.evaluations is 0, expected 1 or more");
    refused([](auto& o) { o.training.patience = 0; }, "TrainingOptions.patience is 0, expected 1 or more");
    refused([](auto& o) { o.training.free_bits = not_a_number; },
            "TrainingOptions.free_bits is nan, expected 0 or more");
    refused([](auto& o) { o.training.max_gradient_norm = -1; },
            "TrainingOptions.max_gradient_norm is -1, expected 0 or more");
    refused([](auto& o) { o.training.max_steps = -2; },
            "TrainingOptions.max_steps is -2, expected 0 or more");
    refused([](auto& o) { o.training.min_steps = 20; },
            "TrainingOptions.max_steps is 3, expected 20 or more");
    refused([](auto& o) { o.split = LaterBlock{.gap = -1}; },
            "LaterBlock.gap is -1, expected from 0 to 1e+15");
    refused([](auto& o) { o.training.learning_rate = CosineSchedule{.peak = -0.5}; },
            "CosineSchedule.peak is -0.5, expected 0 or more, or -1 (automatic)");
    refused([](auto& o) { o.learning_rate = -0.5; },
            "FitOptions.learning_rate is -0.5, expected 0 or more, or -1 (automatic)");
    refused([](auto& o) { o.training.learning_rate = ConstantSchedule{not_a_number}; },
            "ConstantSchedule.peak is nan, expected 0 or more, or -1 (automatic)");
    refused([](auto& o) { o.training.optimiser = Adam{.beta1 = 1}; },
            "Adam.beta1 is 1, expected from 0 to less than 1");
    refused([](auto& o) { o.training.optimiser = AdamW{.decay = not_a_number}; },
            "AdamW.decay is nan, expected 0 or more");
    refused([](auto& o) { o.training.optimiser = Sgd{.momentum = -0.1}; },
            "Sgd.momentum is -0.1, expected from 0 to less than 1");
    refused([](auto& o) { o.training.beta = LinearBeta{.ramp = 2}; },
            "LinearBeta.ramp is 2, expected from 0 to 1");
    refused([](auto& o) { o.training.beta = SigmoidBeta{.width = 0}; },
            "SigmoidBeta.width is 0, expected more than 0");
    refused([](auto& o) { o.training.averaging = ExponentialAverage{1}; },
            "ExponentialAverage.decay is 1, expected from 0 to less than 1");
    refused([](auto& o) { o.training.callbacks = {TimeLimit{.seconds = -1}}; },
            "TimeLimit.seconds is -1, expected 0 or more");
    // One that is referred to may have changed since.
    TimeLimit limit;
    refused(
        [&limit](auto& o) {
            o.training.callbacks.emplace_back(std::ref(limit));
            limit.seconds = not_a_number;
        },
        "TimeLimit.seconds is nan, expected 0 or more");
}

TEST_CASE("fit: the learning rate is the peak of the schedule, whichever place it is said in") {
    const auto parameters = [](const FitOptions& options) {
        const auto fitted = fit(recipe, rows(), options).parameters();
        return std::vector<float>(fitted.begin(), fitted.end());
    };
    FitOptions said = quick(3);
    said.training.learning_rate = StepSchedule{.peak = 0.02};
    FitOptions short_way = quick(3);
    short_way.learning_rate = 0.02;
    short_way.training.learning_rate = StepSchedule{};
    CHECK(parameters(short_way) == parameters(said));
    CHECK(parameters(short_way) != parameters(quick(3)));

    short_way.training.learning_rate = [](Index, Index) { return 0.02; };
    CHECK_THROWS_WITH(parameters(short_way),
                      "FitOptions.learning_rate is the peak of a schedule, and (unnamed) has none");
}

TEST_CASE("fit: a recipe's own options are checked, wherever in it they stand") {
    const auto refused = [](const auto& wrong, const std::string& message) {
        INFO(message);
        CHECK_THROWS_WITH(fit(wrong, rows(), quick(3)), message);
    };
    const auto with_threshold = [](const auto& threshold) {
        return Recipe{RobustScaler{}, SmallVae<>{}, NegativeElbo{}, threshold};
    };
    for (const double rate : {0.0, 1.0, 2.0, -0.1})
        CHECK_THROWS_WITH(fit(with_threshold(Conformal{rate}), rows(), quick(3)),
                          ContainsSubstring("Conformal.false_alarm_rate is ") &&
                              ContainsSubstring(", expected between 0 and 1"));
    refused(with_threshold(Conformal{not_a_number}),
            "Conformal.false_alarm_rate is nan, expected between 0 and 1");
    refused(with_threshold(Quantile{1.5}), "Quantile.level is 1.5, expected from 0 to 1");
    refused(with_threshold(Fixed{not_a_number}), "Fixed.value is nan, expected a number");
    const auto with_score = [](const auto& score) {
        return Recipe{RobustScaler{}, SmallVae<>{}, score, Conformal{}};
    };
    refused(with_score(NegativeElbo{.draws = 0}), "NegativeElbo.draws is 0, expected from 1 to 10000");
    refused(with_score(NegativeElbo{} + std::numeric_limits<float>::quiet_NaN() * KlDivergence{}),
            "Weighted.weight is nan, expected a finite number");
    refused(with_score(NegativeElbo{} + 2.0f * NegativeElbo{.draws = -1}),
            "NegativeElbo.draws is -1, expected from 1 to 10000");
    using Layers = Chain<Dense<12, Tanh>, Residual<Chain<Dropout>>>;
    using Model = Vae<Vec<6>, Layers, Latent<3>, Decoder<Dense<12, Tanh>>, FixedGaussian>;
    Model model{};
    std::get<0>(std::get<1>(model.encoder.layers).layer.layers).rate = 1.5;
    refused(Recipe{RobustScaler{}, model, NegativeElbo{}, Conformal{}},
            "Dropout.rate is 1.5, expected from 0 to less than 1");
    refused(
        Recipe{RobustScaler{},
               Vae{Vec<>(6), Encoder<Dense<12, Tanh>>{}, Latent<>{}, Decoder<Dense<12, Tanh>>{}, Gaussian{}},
               NegativeElbo{}, Conformal{}},
        "Latent.units is 0, expected 1 or more");
    model = {};
    model.likelihood.log_variance = not_a_number;
    refused(Recipe{RobustScaler{}, model, NegativeElbo{}, Conformal{}},
            "FixedGaussian.log_variance is nan, expected from -30 to 30");
}

TEST_CASE("thresholds, alarms and counts: what makes no sense is refused in every build") {
    const Eigen::VectorXf scores = Eigen::VectorXf::LinSpaced(100, 0, 1);
    CHECK_THROWS_WITH(Conformal{2}.calibrate(scores),
                      "Conformal.false_alarm_rate is 2, expected between 0 and 1");
    CHECK_THROWS_AS(Conformal{}.calibrate(scores).with_false_alarm_rate(0), Error);
    CHECK_THROWS_AS(Conformal{}.calibrate(scores).with_false_alarm_rate(not_a_number), Error);
    CHECK_THROWS_AS((ConformalTail<float, 4>(1.0)), Error);
    CHECK_THROWS_AS(Quantile{not_a_number}.calibrate(scores), Error);
    CHECK_THROWS_AS(quantile_of_sorted(scores, -0.1), Error);
    CHECK_THROWS_AS(quantile_of_sorted(Eigen::VectorXf(0), 0.5), Error);
    CHECK_THROWS_AS(PlainThreshold<float>(std::numeric_limits<float>::quiet_NaN(), 1, 0), Error);
    CHECK_THROWS_WITH(KOfN(4, 3), ContainsSubstring("an alarm of 4 of 3"));
    CHECK_THROWS_AS(KOfN(1, 65), Error);
    CHECK_THROWS_AS(calibration_split(Conformal{0}, 100, 1), Error);

    const auto detector = fit(recipe, rows(), quick(3));
    CHECK_THROWS_WITH(generate(detector, -1), ContainsSubstring("-1 samples"));
    CHECK_THROWS_WITH(interpolate(detector, rows().col(0), rows().col(1), 1), ContainsSubstring("1 steps"));
    CHECK_THROWS_WITH(diagnose(detector, rows(), rows(), {.rows = 0}),
                      "DiagnosticsOptions.rows is 0, expected 1 or more");
    CHECK_THROWS_WITH(overfit_one_batch(SmallVae<>{}, rows(), {.batch = 0}),
                      "OverfitOptions.batch is 0, expected 1 or more");
    CHECK_THROWS_WITH(overfit_one_batch(SmallVae<>{}, rows(), {.tolerance = not_a_number}),
                      "OverfitOptions.tolerance is nan, expected 0 or more");
}

TEST_CASE("planned steps: max_steps is obeyed exactly, and by default every row is seen") {
    REQUIRE(planned_steps({.max_steps = 10}, 5000) == 10);
    REQUIRE(planned_steps({.max_steps = 1}, 5) == 1);
    REQUIRE(planned_steps({.epochs = 50, .max_steps = 10}, 5000) == 10);
    REQUIRE(planned_steps({.max_steps = 10000}, 128 * 300) == 6000);
    REQUIRE(planned_steps({.min_steps = 10}, 128) == 20);
    REQUIRE(planned_steps({.min_steps = 9000}, 128) == 9000);
    REQUIRE(planned_steps({.min_steps = 40, .max_steps = 40}, 128) == 40);
    REQUIRE(planned_steps({.epochs = 3}, 1280) == 30);
    // As before wherever that was a pass or more.
    REQUIRE(planned_steps({}, 1) == 1500);
    REQUIRE(planned_steps({}, 128 * 100) == 2000);
    REQUIRE(planned_steps({}, 128 * 4000) == 4000);
    REQUIRE(planned_steps({}, 1000000) == 7813);  // not 4000, which were half a pass
    int steps = 0;
    FitOptions options{.seed = 1};
    options.training.max_steps = 10;
    options.training.callbacks = {Counting{&steps}};
    FitReport report;
    fit(recipe, rows(), options, &report);
    REQUIRE(steps == 10);
    REQUIRE(report.training.steps == 10);
}
