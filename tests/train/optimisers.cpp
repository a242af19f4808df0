// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <limits>

#include "reference/train.hpp"
#include "support/catch.hpp"
#include "untoward/train/adam.hpp"
#include "untoward/train/any_schedule.hpp"
#include "untoward/train/average.hpp"
#include "untoward/train/optimiser.hpp"
#include "untoward/train/sgd.hpp"

using namespace untoward;

namespace {

using Numbers = std::span<const double>;
constexpr Index n = reference::train_weights + reference::train_biases;

// Lion, as update.hpp has it.
struct Lion {
    double beta1 = 0.9;
    double beta2 = 0.99;
    double decay = 0;

    static constexpr const char* name = "lion";
    static constexpr void options(auto& self, auto&& visit) {
        visit("beta1", self.beta1);
        visit("beta2", self.beta2);
        visit("decay", self.decay);
    }
    static constexpr std::array<const char*, 1> moments{"momentum"};

    template <class S>
    void operator()(const Update<S>& u) const {
        S* const m = u.moments[0];
        for (Index i = 0; i < u.size; ++i) {
            const double direction = beta1 * m[i] + (1 - beta1) * u.gradient[i];
            const double sign = direction > 0 ? 1 : direction < 0 ? -1 : 0;
            const double shrink = u.decay ? decay * u.parameters[i] : 0;
            u.parameters[i] -= static_cast<S>(u.learning_rate * (sign + shrink));
            m[i] = static_cast<S>(beta2 * m[i] + (1 - beta2) * u.gradient[i]);
        }
    }
    double learning_rate(Index) const { return 3e-4; }
};

std::vector<ParameterRange> weights_and_biases() {
    return {{0, reference::train_weights, true}, {reference::train_weights, reference::train_biases, false}};
}

// 100 steps on the loss of reference/train.py; `rate` is a number or a schedule, `average` a schedule or
// none.
template <class S>
std::vector<S> trace(const AnyOptimiser& rule, const AnySchedule& rate, const AnySchedule& average = {}) {
    Optimiser<S> optimiser(rule, weights_and_biases(), n);
    std::vector<S> p(std::begin(reference::train_start), std::end(reference::train_start));
    std::vector<S> g(p.size());
    std::vector<S> averaged = p;
    for (Index step = 0; step < reference::train_steps; ++step) {
        for (std::size_t i = 0; i < p.size(); ++i) {
            g[i] = static_cast<S>(reference::train_curvature[i]) *
                       (p[i] - static_cast<S>(reference::train_target[i])) -
                   std::sin(p[i]);
        }
        optimiser.step(p.data(), g.data(), rate(step, reference::train_steps));
        if (!average) continue;
        const auto w = static_cast<S>(average(step, reference::train_steps));
        for (std::size_t i = 0; i < p.size(); ++i) averaged[i] += w * (p[i] - averaged[i]);
    }
    return average ? averaged : p;
}

template <class S>
void require_near(const std::vector<S>& values, Numbers expected, double tolerance) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO(i);
        // All come from starts and gradients about 1, and rounding with them.
        const double scale = std::max(std::abs(expected[i]), 1.0);
        REQUIRE(std::abs(static_cast<double>(values[i]) - expected[i]) <= tolerance * scale);
    }
}

void check(const AnyOptimiser& rule, const AnySchedule& rate, Numbers expected,
           const AnySchedule& average = {}) {
    INFO(rule.text());
    require_near(trace<double>(rule, rate, average), expected, 1e-10);
    require_near(trace<float>(rule, rate, average), expected, 1e-5);
}

}  // namespace

TEST_CASE("optimisers: 100 steps equal PyTorch's, with its defaults") {
    check(Adam{}, ConstantSchedule{0.01}, reference::train_adam);
    check(AdamW{}, ConstantSchedule{0.01}, reference::train_adam_w);
    check(Sgd{}, ConstantSchedule{0.01}, reference::train_sgd);
}

TEST_CASE("optimisers: 100 steps equal PyTorch's, with other options") {
    check(Adam{.beta1 = 0.5, .beta2 = 0.75, .epsilon = 0.1}, ConstantSchedule{0.05},
          reference::train_adam_options);
    check(AdamW{.beta1 = 0.5, .beta2 = 0.75, .epsilon = 0.1, .decay = 0.3}, ConstantSchedule{0.05},
          reference::train_adam_w_options);
    const ConstantSchedule rate{0.01};
    check(Sgd{.momentum = 0.9}, rate, reference::train_sgd_momentum);
    check(Sgd{.momentum = 0.9, .nesterov = true}, rate, reference::train_sgd_nesterov);
    check(Sgd{.momentum = 0.9, .decay = 0.3}, rate, reference::train_sgd_momentum_decay);
    check(Sgd{.momentum = 0.9, .nesterov = true, .decay = 0.3}, rate, reference::train_sgd_nesterov_decay);
    check(Sgd{.decay = 0.3}, rate, reference::train_sgd_decay);
}

TEST_CASE("optimisers: a rate that changes at every step, and averages of the parameters") {
    const auto falling = [](Index step, Index) { return 0.05 / (1 + static_cast<double>(step)); };
    check(AdamW{.decay = 0.3}, falling, reference::train_adam_w_rates);
    check(Sgd{.momentum = 0.9, .nesterov = true, .decay = 0.3}, falling, reference::train_sgd_rates);
    const ConstantSchedule rate{0.05};
    check(Adam{}, rate, reference::train_uniform_average, UniformAverage{.last = 0.4});
    // PyTorch's average begins as the first parameters.
    check(Adam{}, rate, reference::train_exponential_average,
          [](Index step, Index) { return step == 0 ? 1 : 0.1; });
}

TEST_CASE("optimisers: decay shrinks what decays and leaves the rest alone") {
    const double zero[n] = {};
    for (const AnyOptimiser& rule : {AnyOptimiser(AdamW{.decay = 0.5}), AnyOptimiser(Sgd{.decay = 0.5}),
                                     AnyOptimiser(Lion{.decay = 0.5})}) {
        INFO(rule.text());
        REQUIRE(rule.decays());
        double p[n];
        std::fill(p, p + n, 2.0);
        Optimiser<double>(rule, weights_and_biases(), n).step(p, zero, 0.1);
        REQUIRE(p[0] == Approx(1.9).epsilon(1e-12));
        REQUIRE(p[reference::train_weights - 1] == p[0]);
        for (Index i = reference::train_weights; i < n; ++i) REQUIRE(p[i] == 2);
    }
    REQUIRE_FALSE(AnyOptimiser(Adam{}).decays());
    REQUIRE_FALSE(AnyOptimiser(AdamW{.decay = 0}).decays());
}

TEST_CASE("optimisers: what no range covers never changes") {
    std::vector<ParameterRange> ranges{{1, 3, true}, {6, 2, false}};
    for (const AnyOptimiser& rule : {AnyOptimiser(Adam{}), AnyOptimiser(AdamW{.decay = 1}),
                                     AnyOptimiser(Sgd{.momentum = 0.9, .decay = 1})}) {
        float p[9];
        float g[9];
        std::fill(p, p + 9, 1.0f);
        std::fill(g, g + 9, 1.0f);
        Optimiser<float> optimiser(rule, ranges, 9);
        for (int i = 0; i < 5; ++i) optimiser.step(p, g, 0.01);
        for (const int i : {0, 4, 5, 8}) REQUIRE(p[i] == 1);
        for (const int i : {1, 2, 3, 6, 7}) REQUIRE(p[i] < 1);
    }
}

TEST_CASE("optimisers: one of the user's own, in both precisions") {
    const auto narrow = trace<float>(Lion{}, ConstantSchedule{0.01});
    const auto wide = trace<double>(Lion{}, ConstantSchedule{0.01});
    double before = 0;
    double after = 0;
    for (std::size_t i = 0; i < wide.size(); ++i) {
        // Steps of one size: both are within some of them of the minimum or on the way to it.
        REQUIRE(std::abs(wide[i] - reference::train_start[i]) <= 1 + 1e-12);
        REQUIRE(narrow[i] == Approx(wide[i]).margin(0.05));
        const auto gradient = [&](double p) {
            return reference::train_curvature[i] * (p - reference::train_target[i]) - std::sin(p);
        };
        before += std::abs(gradient(reference::train_start[i]));
        after += std::abs(gradient(wide[i]));
    }
    REQUIRE(after < before / 2);
    REQUIRE(AnyOptimiser(Lion{}).learning_rate(10, 1) == 3e-4);
    REQUIRE(AnyOptimiser(Adam{}).learning_rate(10, 0.125) == 0.125);
    REQUIRE(AnyOptimiser(Lion{.decay = 2}).text() == "Lion{.beta1 = 0.9, .beta2 = 0.99, .decay = 2.0}");
    REQUIRE(AnyOptimiser(AdamW{}).text() ==
            "AdamW{.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-08, .decay = 0.01}");
    REQUIRE(AnyOptimiser(Sgd{}).text() == "Sgd{.momentum = 0.0, .nesterov = false, .decay = 0.0}");
}

TEST_CASE("optimisers: momentum of a gradient that stays zero ends as zero, and a NaN is kept") {
    float parameters[2] = {1, 1};
    const float gradient[2] = {0, std::numeric_limits<float>::quiet_NaN()};
    float momentum[2] = {1e-3f, 0};
    float* const moments[] = {momentum};
    for (Index step = 1; step <= 1000; ++step)
        Sgd{.momentum = 0.9}(Update<float>{parameters, gradient, moments, 2, 1e-3, step, false});
    REQUIRE(momentum[0] == 0);
    REQUIRE(std::isfinite(parameters[0]));
    REQUIRE(std::isnan(parameters[1]));
}
