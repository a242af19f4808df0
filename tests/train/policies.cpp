// SPDX-License-Identifier: MIT
// What can be chosen in TrainingOptions does what it says in training.
#include <algorithm>
#include <limits>

#include "support/catch.hpp"
#include "train/trained.hpp"
#include "untoward/train/average.hpp"
#include "untoward/train/sgd.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::Rows;
using untoward_test::same_bits;
using untoward_test::tiny_options;
using untoward_test::tiny_rows;
using untoward_test::train;

TEST_CASE("training: every optimiser learns, on its own default learning rate") {
    const auto rows = tiny_rows<float>(400, 1);
    const auto held_out = tiny_rows<float>(200, 2);
    auto options = tiny_options(1);
    options.learning_rate = ConstantSchedule{0};
    const double untrained = train<float>(options, rows, held_out).report.loss;
    for (const AnyOptimiser& optimiser :
         {AnyOptimiser(Adam{}), AnyOptimiser(AdamW{}), AnyOptimiser(Sgd{.momentum = 0.9})}) {
        INFO(optimiser.text());
        options = tiny_options(1000);
        options.optimiser = optimiser;
        options.learning_rate = CosineSchedule{};
        options.patience = 100;
        REQUIRE(train<float>(options, rows, held_out).report.loss < untrained - 0.3);
    }
}

TEST_CASE("training: an average is what is judged and kept; the parameters go on from themselves") {
    struct LastLosses {
        std::vector<double>* losses;
        void on_step(const Training& t) const { losses->push_back(t.loss); }
    };
    std::vector<double> plain;
    std::vector<double> averaged;
    auto options = tiny_options(120);
    options.callbacks = {LastLosses{&plain}};
    const auto without = train<float>(options);
    options.callbacks = {LastLosses{&averaged}};
    options.averaging = ExponentialAverage{.decay = 0.9};
    const auto with = train<float>(options);
    REQUIRE(plain == averaged);
    REQUIRE_FALSE(same_bits(with.parameters, without.parameters));
    REQUIRE(with.report.held_out_losses != without.report.held_out_losses);
    // The loss that is reported is that of the parameters that come out.
    const auto rows = tiny_rows<float>(100, 1);
    Buffer<float> parameters = with.parameters;
    const Trainer<float, untoward_test::Tiny> trainer({}, parameters, rows, options);
    REQUIRE(trainer.evaluate(tiny_rows<float>(50, 2)) == with.report.loss);
    // An average of no weight is what was there first.
    options.averaging = [](Index, Index) { return 0.0; };
    Buffer<float> first(without.parameters.size());
    initialise(first.data(), 1, untoward_test::Tiny{}, Vec<3>{});
    REQUIRE(same_bits(train<float>(options).parameters, first));
    // A weight of 1 is no average.
    options.averaging = [](Index, Index) { return 1.0; };
    REQUIRE(same_bits(train<float>(options).parameters, without.parameters));
}

TEST_CASE("training: an average of noisy steps is better than their last") {
    auto options = tiny_options(800);
    options.learning_rate = ConstantSchedule{0.03};
    options.beta = [](Index, Index) { return 1.0; };
    options.evaluations = 1;  // nothing but the last step counts
    options.batch = 8;
    const auto rows = tiny_rows<float>(400, 1);
    const auto held_out = tiny_rows<float>(400, 2);
    const double last = train<float>(options, rows, held_out).report.loss;
    options.averaging = UniformAverage{.last = 0.3};
    REQUIRE(train<float>(options, rows, held_out).report.loss < last);
    options.averaging = ExponentialAverage{.decay = 0.98};
    REQUIRE(train<float>(options, rows, held_out).report.loss < last);
}

TEST_CASE("training: a plateau lowers the rate, a cycle lets only its flat parts count") {
    struct Watch {
        std::vector<double>* rates;
        std::vector<Index>* counted;
        void on_step(const Training& t) const { rates->push_back(t.learning_rate); }
        void on_evaluation(const Training& t) const {
            if (t.is_best) counted->push_back(t.step);
        }
    };
    std::vector<double> rates;
    std::vector<Index> best;
    auto options = tiny_options(400);
    options.callbacks = {Watch{&rates, &best}};
    options.evaluations = 40;
    options.patience = 100;
    // No loss ever falls by this much: every two evaluations after the ramp halve the rate.
    options.learning_rate = PlateauSchedule{.peak = 0.01, .patience = 1, .threshold = 1e9, .last = 0.125};
    train<float>(options);
    REQUIRE(rates[129] == 0.01);
    REQUIRE(rates.back() == 0.00125);
    REQUIRE(std::count(rates.begin(), rates.end(), 0.005) == 20);

    best.clear();
    options.learning_rate = ConstantSchedule{0.01};
    options.beta = CyclicalBeta{.cycles = 4};
    train<float>(options);
    REQUIRE_FALSE(best.empty());
    for (const Index step : best) REQUIRE(((step - 1) % 100 >= 50 || step == 400));
}

TEST_CASE("training: free bits keep units awake that the KL term would put to sleep") {
    auto options = tiny_options(300);
    options.beta = ConstantBeta{20};
    const auto rows = tiny_rows<float>(300, 1);
    const auto kl = [&] {
        double last = 0;
        struct LastKl {
            double* value;
            void on_evaluation(const Training& t) const { *value = t.training_kl; }
        };
        options.callbacks = {LastKl{&last}};
        train<float>(options, rows, rows);
        return last;
    };
    const double asleep = kl();
    options.free_bits = 0.5;
    const double awake = kl();
    REQUIRE(asleep < 0.1);
    REQUIRE(awake > 0.6);
}

TEST_CASE("training: schedules that make no sense are refused") {
    auto options = tiny_options(10);
    REQUIRE_THROWS_WITH(options.beta = ConstantBeta{-1}, ContainsSubstring("ConstantBeta.beta is -1"));
    // A function of one's own has no options to check before.
    options.beta = [](Index, Index) { return -1.0; };
    REQUIRE_THROWS_WITH(train<float>(options), ContainsSubstring("training step 1: beta is -1"));
    options.beta = [](Index, Index) { return std::numeric_limits<double>::quiet_NaN(); };
    REQUIRE_THROWS_WITH(train<float>(options), ContainsSubstring("beta is"));
    options.beta = AnySchedule();
    REQUIRE_THROWS_WITH(train<float>(options), ContainsSubstring("needs a schedule"));
}
