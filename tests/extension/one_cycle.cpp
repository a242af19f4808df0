// SPDX-License-Identifier: MIT
// The schedule alone, in training, and by name.
#include "extension/one_cycle.hpp"

#include <vector>

#include "reference/extension.hpp"
#include "support/catch.hpp"
#include "train/trained.hpp"
#include "untoward/dynamic/training.hpp"

using namespace untoward;
using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;
using extension::OneCycle;

namespace {

// Keeps the rate of every step.
struct Rates {
    std::vector<double>* rates;
    void on_step(const Training& t) const { rates->push_back(t.learning_rate); }
};

std::vector<double> rates_of_training(const AnySchedule& schedule, Index steps) {
    std::vector<double> rates;
    auto options = tiny_options(steps);
    options.learning_rate = schedule;
    options.patience = steps;
    options.callbacks = {Rates{&rates}};
    train<float>(options);
    return rates;
}

}  // namespace

TEST_CASE("one cycle: PyTorch's rates") {
    const OneCycle cycle{.peak = 0.125};
    const OneCycle other{.peak = 0.125, .warmup = 0.5, .first = 0.1, .last = 0.001};
    for (Index t = 0; t < reference::extension_steps; ++t) {
        INFO("step " << t);
        CHECK(cycle(t, reference::extension_steps) ==
              Approx(reference::extension_one_cycle[t]).epsilon(1e-13));
        CHECK(other(t, reference::extension_steps) ==
              Approx(reference::extension_one_cycle_options[t]).epsilon(1e-13));
    }
}

TEST_CASE("one cycle: few steps, and a warm-up of none or all of them") {
    for (const double warmup : {0.0, 0.3, 1.0}) {
        for (Index steps = 1; steps < 12; ++steps) {
            const OneCycle cycle{.peak = 2, .warmup = warmup, .first = 0.25, .last = 0.125};
            INFO("warm-up " << warmup << ", " << steps << " steps");
            double before = 0;
            bool falling = false;
            for (Index t = 0; t < steps; ++t) {
                const double rate = cycle(t, steps);
                CHECK(rate >= 0.25);
                CHECK(rate <= 2);
                falling = falling || rate < before;
                CHECK((!falling || rate < before));
                before = rate;
            }
            if (warmup == 1 || steps == 1) {
                CHECK(before == 2);
            } else {
                CHECK(before == Approx(0.25));
            }
        }
    }
}

TEST_CASE("one cycle: training takes its rates") {
    const OneCycle cycle{.peak = 0.03, .warmup = 0.2};
    const auto rates = rates_of_training(cycle, 40);
    REQUIRE(rates.size() == 40);
    for (Index t = 0; t < 40; ++t) REQUIRE(rates[static_cast<std::size_t>(t)] == cycle(t, 40));

    // The trainer puts its default in the place of an automatic peak.
    const auto automatic_rates = rates_of_training(OneCycle{}, 40);
    const OneCycle with_default{.peak = default_learning_rate(tiny_features)};
    REQUIRE(automatic_rates.size() == 40);
    for (Index t = 0; t < 40; ++t)
        REQUIRE(automatic_rates[static_cast<std::size_t>(t)] == with_default(t, 40));
}

TEST_CASE("one cycle: by name") {
    CHECK_THROWS_WITH(learning_rate_registry().make("one-cycle"),
                      ContainsSubstring("no learning-rate schedule 'one-cycle'"));
    learning_rate_registry().add<OneCycle>();
    const AnySchedule cycle = learning_rate_registry().make("one-cycle{peak=0.03, warmup=0.2}");
    CHECK(cycle.text() == "OneCycle{.peak = 0.03, .warmup = 0.2, .first = 0.04, .last = 4e-06}");
    CHECK(learning_rate_registry().make(cycle.text()).text() == cycle.text());
    CHECK(rates_of_training(cycle, 40) == rates_of_training(OneCycle{.peak = 0.03, .warmup = 0.2}, 40));
    CHECK_THROWS_WITH(learning_rate_registry().make("one-cycle{warmup=1.5}"),
                      ContainsSubstring("'one-cycle' has warmup '1.5', expected a number from 0 to 1"));
    CHECK_THROWS_WITH(learning_rate_registry().make("one-cycle{warm=1}"),
                      ContainsSubstring("it has peak, warmup, first, last"));
}
