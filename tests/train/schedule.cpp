// SPDX-License-Identifier: MIT
#include "untoward/train/schedule.hpp"

#include <cmath>
#include <map>

#include "reference/train.hpp"
#include "support/catch.hpp"
#include "untoward/train/any_schedule.hpp"
#include "untoward/train/average.hpp"
#include "untoward/train/beta.hpp"

using namespace untoward;

namespace {

// The user's own schedule that schedule.hpp shows.
struct InverseRoot {
    double peak = untoward::automatic;
    double warmup = 100;

    static constexpr const char* name = "inverse-root";
    static constexpr void options(auto& self, auto&& visit) {
        visit("peak", self.peak);
        visit("warmup", self.warmup);
    }
    double operator()(untoward::Index step, untoward::Index) const {
        const double t = static_cast<double>(step) + 1;
        return peak * std::min(t / warmup, std::sqrt(warmup / t));
    }
};

// Keeps a state as text, and puts it back.
class Keep final : public StateVisitor {
public:
    using StateVisitor::visit;
    void visit(const std::string&, std::span<float>) override { FAIL("a schedule has no floats"); }
    void visit(const std::string& name, std::span<double> values) override { swap(name, values[0]); }
    void visit(const std::string& name, std::int64_t& value) override {
        auto number = static_cast<double>(value);
        swap(name, number);
        value = static_cast<std::int64_t>(number);
    }
    void visit(const std::string&, std::vector<double>&) override { FAIL("a schedule has no curves"); }

    bool restoring = false;
    std::map<std::string, double> kept;

private:
    void swap(const std::string& name, double& value) {
        if (restoring) {
            REQUIRE(kept.count(name) == 1);
            value = kept[name];
        } else {
            kept[name] = value;
        }
    }
};

}  // namespace

TEST_CASE("cosine schedule: warm-up is linear and ends at the peak, the cosine ends at the last share") {
    const CosineSchedule rate{.peak = 0.1, .warmup = 0.1, .last = 0.0};
    for (Index t = 0; t < 10; ++t) REQUIRE(rate(t, 100) == Approx(0.01 * static_cast<double>(t + 1)));
    REQUIRE(rate(10, 100) == Approx(0.1));
    REQUIRE(rate(55, 100) == Approx(0.05));   // half way: cos(pi / 2)
    REQUIRE(rate(40, 100) == Approx(0.075));  // a third: (1 + cos(pi / 3)) / 2 = 3/4
    REQUIRE(rate(70, 100) == Approx(0.025));
    REQUIRE(rate(99, 100) > 0);
    REQUIRE(rate(99, 100) < 1e-4);
    for (Index t = 11; t < 100; ++t) REQUIRE(rate(t, 100) < rate(t - 1, 100));
}

TEST_CASE("cosine schedule: no warm-up, a last share, few steps") {
    const CosineSchedule rate{.peak = 2, .warmup = 0, .last = 0.25};
    REQUIRE(rate(0, 10) == Approx(2));
    REQUIRE(rate(5, 10) == Approx(2 * (0.25 + 0.75 * 0.5)));
    REQUIRE(rate(9, 10) > 0.5);
    REQUIRE(rate(0, 1) == Approx(2));
    // Two percent of ten steps is no step of warm-up.
    REQUIRE(CosineSchedule{.peak = 2, .warmup = 0.02, .last = 0}(0, 10) == Approx(2));
    for (Index t = 0; t < 4; ++t)
        REQUIRE(CosineSchedule{.peak = 1, .warmup = 1, .last = 0}(t, 4) ==
                Approx(0.25 * static_cast<double>(t + 1)));
}

TEST_CASE("constant schedule, step schedule: PyTorch's rates, and by share of all steps") {
    REQUIRE(ConstantSchedule{0.25}(17, 20) == 0.25);
    const StepSchedule every{.peak = 0.1, .factor = 0.5, .every = 7};
    for (Index t = 0; t < 30; ++t)
        REQUIRE(every(t, 1) == Approx(reference::train_step_rates[t]).epsilon(1e-12));
    const StepSchedule quarters{.peak = 1, .factor = 0.1};
    for (Index t = 0; t < 100; ++t)
        REQUIRE(quarters(t, 100) == Approx(std::pow(0.1, static_cast<double>(t / 25))));
    // Less than a step is a step.
    REQUIRE(StepSchedule{.peak = 1}(1, 2) == 0.5);
}

TEST_CASE("plateau schedule: PyTorch's rates") {
    PlateauSchedule rate{.peak = 0.1, .factor = 0.5, .patience = 3, .threshold = 0.01, .last = 0.01};
    for (std::size_t i = 0; i < std::size(reference::train_plateau_losses); ++i) {
        INFO(i);
        rate.observe(reference::train_plateau_losses[i]);
        REQUIRE(rate(0, 1) == Approx(reference::train_plateau_rates[i]).epsilon(1e-12));
    }
    REQUIRE(reference::train_plateau_rates[69] == 0.001);  // it got down to the last
}

TEST_CASE("any schedule: copies are deep, state comes and goes, a lambda will do") {
    AnySchedule rate = PlateauSchedule{.peak = 1, .patience = 0, .last = 0.125};
    REQUIRE_FALSE(rate.is_automatic());
    rate.observe(1);
    const AnySchedule before = rate;
    rate.observe(1);
    REQUIRE(rate(0, 1) == 0.5);
    REQUIRE(before(0, 1) == 1);

    Keep keep;
    rate.visit_state("rate", keep);
    REQUIRE(keep.kept ==
            std::map<std::string, double>{{"rate.best", 1}, {"rate.scale", 0.5}, {"rate.waited", 0}});
    AnySchedule other = before;
    keep.restoring = true;
    other.visit_state("rate", keep);
    REQUIRE(other(0, 1) == 0.5);
    for (int i = 0; i < 9; ++i) other.observe(1);
    REQUIRE(other(0, 1) == 0.125);

    AnySchedule own = InverseRoot{.warmup = 50};
    REQUIRE(own.is_automatic());
    own.set_peak(0.5);
    REQUIRE_FALSE(own.is_automatic());
    REQUIRE(own(49, 1) == 0.5);
    REQUIRE(own(24, 1) == 0.25);
    REQUIRE(own(199, 1) == 0.25);
    REQUIRE(own.text() == "InverseRoot{.peak = 0.5, .warmup = 50.0}");

    const AnySchedule lambda = [](Index step, Index steps) {
        return static_cast<double>(step) / static_cast<double>(steps);
    };
    REQUIRE(lambda(1, 4) == 0.25);
    REQUIRE(lambda.complete(0, 4));
    REQUIRE(lambda.text() == "(unnamed)");
    REQUIRE_FALSE(static_cast<bool>(AnySchedule()));
    REQUIRE(AnySchedule().text() == "none");
}

TEST_CASE("linear beta: a ramp that never is 0, then constant") {
    const LinearBeta ramp{.beta = 2, .ramp = 0.5};
    REQUIRE(ramp(0, 100) == Approx(2.0 / 51));
    REQUIRE(ramp(24, 100) == Approx(2 * 25.0 / 51));
    REQUIRE(ramp(49, 100) < 2);
    REQUIRE(ramp(50, 100) == 2);
    REQUIRE(ramp(99, 100) == 2);
    REQUIRE_FALSE(ramp.complete(49, 100));
    REQUIRE(ramp.complete(50, 100));
    const LinearBeta constant{.beta = 0.5, .ramp = 0};
    for (const Index t : {Index{0}, Index{1}, Index{99}}) {
        REQUIRE(constant(t, 100) == 0.5);
        REQUIRE(constant.complete(t, 100));
        REQUIRE(ConstantBeta{0.5}(t, 100) == 0.5);
    }
    REQUIRE(LinearBeta{.beta = 0, .ramp = 0.3}(10, 100) == 0);
}

TEST_CASE("sigmoid beta: half in the middle, symmetric about it, grown up five widths later") {
    const SigmoidBeta beta{.beta = 2, .middle = 0.4, .width = 0.05};
    REQUIRE(beta(40, 100) == Approx(1));
    for (Index t = 0; t <= 40; ++t) REQUIRE(beta(40 - t, 100) + beta(40 + t, 100) == Approx(2));
    for (Index t = 1; t < 100; ++t) REQUIRE(beta(t, 100) > beta(t - 1, 100));
    REQUIRE(beta(0, 100) == Approx(2 / (1 + std::exp(8.0))));
    REQUIRE_FALSE(beta.complete(64, 100));
    REQUIRE(beta.complete(65, 100));
    REQUIRE(beta(65, 100) > 0.99 * 2);
    REQUIRE(std::isfinite(SigmoidBeta{}(0, 0)));
}

TEST_CASE("cyclical beta: frac(t M / T) / R, at most 1, M times over") {
    const CyclicalBeta beta{.beta = 3, .cycles = 4, .ratio = 0.5};
    for (Index t = 0; t < 200; ++t) {
        INFO(t);
        const double tau = static_cast<double>(t % 50) / 50;
        REQUIRE(beta(t, 200) == Approx(3 * std::min(1.0, tau / 0.5)));
        REQUIRE(beta.complete(t, 200) == (t % 50 >= 25));
    }
    // A number of steps that no cycle divides.
    const CyclicalBeta odd{.beta = 1, .cycles = 3, .ratio = 1};
    for (Index t = 0; t < 7; ++t) {
        const double turns = static_cast<double>(t) * 3 / 7;
        REQUIRE(odd(t, 7) == Approx(turns - std::floor(turns)).margin(1e-12));
    }
    REQUIRE(CyclicalBeta{.beta = 2, .ratio = 0}(0, 10) == 2);
    REQUIRE(CyclicalBeta{}(0, 0) == 0);
}

TEST_CASE("averages: the weights that make the mean of the last steps, or of about 1 / (1 - decay)") {
    const UniformAverage uniform{.last = 0.3};
    double average = 0;
    for (Index t = 0; t < 10; ++t) {
        const auto p = static_cast<double>(t * t);
        average += uniform(t, 10) * (p - average);
        if (t < 7) REQUIRE(average == p);
    }
    REQUIRE(average == Approx((49.0 + 64 + 81) / 3));
    const ExponentialAverage exponential{.decay = 0.75};
    average = 5;  // what it was before does not matter
    double expected = 0;
    for (Index t = 0; t < 20; ++t) {
        const auto p = std::cos(static_cast<double>(t));
        average += exponential(t, 20) * (p - average);
        // In equal parts for four steps.
        expected = t < 4 ? (expected * static_cast<double>(t) + p) / static_cast<double>(t + 1)
                         : 0.75 * expected + 0.25 * p;
        REQUIRE(average == Approx(expected).epsilon(1e-12));
    }
}
