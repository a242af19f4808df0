// SPDX-License-Identifier: MIT
#include "untoward/train/callback.hpp"

#include <cstdio>
#include <functional>

#include "support/catch.hpp"
#include "train/trained.hpp"
#include "untoward/train/progress.hpp"
#include "untoward/train/time_limit.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::same;
using untoward_test::same_bits;
using untoward_test::tiny_options;
using untoward_test::train;

namespace {

// What callback.hpp shows.
struct GradientGuard {
    double first = 0;

    void on_begin(const untoward::Training&) { first = 0; }
    void on_step(untoward::Training& training) {
        if (first == 0) first = training.gradient_norm;
        if (training.gradient_norm > 100 * first) training.stop("the gradient has run wild");
    }
};

struct Witness {
    std::string events;
    std::vector<double> training_losses;
    std::vector<double> held_out_losses;
    std::vector<double> rates;
    std::vector<double> betas;
    std::vector<Index> best;
    double sum = 0;
    Index summed = 0;
    double last_seconds = 0;

    void on_begin(const Training& t) {
        events += 'b';
        REQUIRE(t.step == 0);
        REQUIRE(t.steps == 95);
    }
    void on_step(const Training& t) {
        events += '.';
        REQUIRE(t.loss == Approx(t.reconstruction + t.kl).epsilon(1e-5));
        REQUIRE(t.kl >= 0);
        REQUIRE(t.gradient_norm > 0);
        sum += t.loss;
        ++summed;
        rates.push_back(t.learning_rate);
        betas.push_back(t.beta);
        REQUIRE(t.step == static_cast<Index>(rates.size()));
    }
    void on_evaluation(const Training& t) {
        events += 'e';
        REQUIRE(t.training_loss == Approx(sum / static_cast<double>(summed)).epsilon(1e-12));
        REQUIRE(t.training_kl >= 0);
        REQUIRE(t.seconds() >= last_seconds);
        last_seconds = t.seconds();
        sum = 0;
        summed = 0;
        training_losses.push_back(t.training_loss);
        held_out_losses.push_back(t.held_out_loss);
        if (t.is_best) best.push_back(t.step);
    }
    void on_end(const Training& t) {
        events += 'E';
        REQUIRE(t.report.loss == *std::min_element(held_out_losses.begin() + 3, held_out_losses.end()));
    }
};

struct StopAt {
    Index step;
    void on_step(Training& t) const {
        if (t.step >= step) t.stop("step " + std::to_string(step));
    }
};

}  // namespace

TEST_CASE("callbacks: every step, every evaluation, a begin and an end, with the numbers of the report") {
    Witness witness;
    auto options = tiny_options(95);
    options.callbacks = {std::ref(witness)};
    const auto trained = train(options);
    std::string expected = "b";
    for (Index i = 1; i <= 95; ++i) expected += i % 9 == 0 || i == 95 ? ".e" : ".";
    REQUIRE(witness.events == expected + "E");
    REQUIRE(witness.training_losses == trained.report.training_losses);
    REQUIRE(witness.held_out_losses == trained.report.held_out_losses);
    REQUIRE(witness.best.back() == trained.report.best_step);
    for (Index i = 0; i < 95; ++i) {
        REQUIRE(witness.rates[static_cast<std::size_t>(i)] == CosineSchedule{.peak = 0.05}(i, 95));
        REQUIRE(witness.betas[static_cast<std::size_t>(i)] == LinearBeta{}(i, 95));
    }
    // Watching changes nothing.
    options.callbacks.clear();
    const auto alone = train(options);
    REQUIRE(same_bits(alone.parameters, trained.parameters));
    REQUIRE(same(alone.report, trained.report));
}

TEST_CASE("callbacks: one may stop training, and the best so far is kept") {
    auto options = tiny_options(100);
    options.callbacks = {StopAt{57}, StopAt{57}};
    const auto trained = train(options);
    REQUIRE(trained.report.steps == 57);
    REQUIRE(trained.report.stopped_by == "step 57");
    REQUIRE_FALSE(trained.report.stopped_early);
    REQUIRE(trained.report.best_step <= 50);
    REQUIRE(trained.report.best_step > 30);
    // Before anything was judged, what is there is kept, and judged.
    options.callbacks = {StopAt{7}};
    const auto short_one = train(options);
    REQUIRE(short_one.report.steps == 7);
    REQUIRE(short_one.report.best_step == 7);
    REQUIRE(std::isfinite(short_one.report.loss));
    REQUIRE(short_one.report.held_out_losses.empty());
    Buffer<float> first(short_one.parameters.size());
    initialise(first.data(), 1, untoward_test::Tiny{}, Vec<3>{});
    REQUIRE_FALSE(same_bits(short_one.parameters, first));
}

TEST_CASE("callbacks: a complete one, as documented") {
    auto options = tiny_options(200);
    options.callbacks = {GradientGuard{}};
    REQUIRE(train(options).report.steps == 200);
    options.learning_rate = ConstantSchedule{3};
    const auto wild = train(options);
    REQUIRE(wild.report.steps < 200);
    REQUIRE(wild.report.stopped_by == "the gradient has run wild");
}

TEST_CASE("callbacks: options and their copies have each their own, unless they refer to one") {
    struct StopAtFifth {
        Index seen = 0;  // nothing sets it back
        void on_step(Training& training) {
            if (++seen == 5) training.stop("five");
        }
    };
    auto options = tiny_options(20);
    options.callbacks = {StopAtFifth{}};
    auto copy = options;
    for (const auto* const one : {&options, &copy, &options}) CHECK(train(*one).report.steps == 5);
    StopAtFifth shared;
    options.callbacks = {std::ref(shared)};
    copy = options;
    CHECK(train(options).report.steps == 5);
    CHECK(train(copy).report.steps == 20);
    CHECK(shared.seen == 25);
}

TEST_CASE("callbacks: what one throws ends training") {
    struct Throws {
        void on_evaluation(const Training&) const { fail("no more"); }
    };
    auto options = tiny_options(20);
    options.callbacks = {Throws{}};
    REQUIRE_THROWS_WITH(train(options), ContainsSubstring("no more"));
}

TEST_CASE("time limit: after its seconds, and not before") {
    auto options = tiny_options(200);
    options.callbacks = {TimeLimit{0}};
    const auto none = train(options);
    REQUIRE(none.report.steps == 1);
    REQUIRE(none.report.stopped_by == "the time limit of 0.0 s");
    options.callbacks = {TimeLimit{3600}};
    REQUIRE(train(options).report.stopped_by.empty());
    // Millions of steps would take longer than this.
    auto endless = tiny_options(50'000'000);
    endless.callbacks = {TimeLimit{0.25}};
    const auto limited = train(endless);
    REQUIRE(limited.report.seconds >= 0.25);
    REQUIRE(limited.report.seconds < 5);
}

TEST_CASE("progress bar: silent where there is no terminal") {
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    auto options = tiny_options(20);
    options.callbacks = {ProgressBar(file)};
    train(options);
    REQUIRE(std::ftell(file) == 0);
    std::fclose(file);
}
