// SPDX-License-Identifier: MIT
// 100 steps against PyTorch: optimisers.cpp here, and with a VAE in tests/vae/elbo.cpp.
#include "untoward/train/adam.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"
#include "support/random_numbers.hpp"
#include "support/worst.hpp"
#include "untoward/train/optimiser.hpp"

using namespace untoward;

TEST_CASE("Adam: the first step goes one learning rate against the sign, whatever the gradient's size") {
    Optimiser<double> adam(Adam{}, 4);
    double parameters[] = {1, 1, 1, 1};
    const double gradient[] = {1e-3, -5, 1e6, 0};
    adam.step(parameters, gradient, 0.01);
    REQUIRE(parameters[0] == Approx(0.99).epsilon(1e-6));
    REQUIRE(parameters[1] == Approx(1.01).epsilon(1e-8));
    REQUIRE(parameters[2] == Approx(0.99).epsilon(1e-8));
    REQUIRE(parameters[3] == 1);
}

TEST_CASE("Adam: two steps by the formula of the paper") {
    Optimiser<double> adam(Adam{.beta1 = 0.5, .beta2 = 0.75, .epsilon = 0.1}, 1);
    double p = 2;
    const double g1 = 3;
    const double g2 = -1;
    adam.step(&p, &g1, 0.1);
    double m = 0.5 * g1;
    double v = 0.25 * g1 * g1;
    double expected = 2 - 0.1 * (m / 0.5) / (std::sqrt(v / 0.25) + 0.1);
    REQUIRE(p == Approx(expected).epsilon(1e-14));
    adam.step(&p, &g2, 0.2);
    m = 0.5 * m + 0.5 * g2;
    v = 0.75 * v + 0.25 * g2 * g2;
    expected -= 0.2 * (m / (1 - 0.25)) / (std::sqrt(v / (1 - 0.5625)) + 0.1);
    REQUIRE(p == Approx(expected).epsilon(1e-14));
}

TEST_CASE("Adam: floats follow doubles") {
    Optimiser<double> wide(Adam{}, 1);
    Optimiser<float> narrow(Adam{}, 1);
    double p = 1;
    float q = 1;
    for (int i = 0; i < 1000; ++i) {
        const double g = std::sin(0.1 * i) + 0.2 * p;
        const auto h = static_cast<float>(g);
        wide.step(&p, &g, 0.01);
        narrow.step(&q, &h, 0.01);
    }
    REQUIRE(q == Approx(p).epsilon(1e-3));
}

TEST_CASE("AdamW: every number of floats follows doubles") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (Index n = 1; n <= 40; ++n) {
            INFO(static_cast<int>(set) << ": " << n);
            const AdamW rule{.beta1 = 0.5, .beta2 = 0.75, .decay = 0.1};  // floats, too
            Optimiser<double> wide(rule, n);
            Optimiser<float> narrow(rule, n);
            auto q = random_numbers<float>(n + 1, 1);
            const float beyond = q.back();
            std::vector<double> p(q.begin(), q.end());
            for (std::uint64_t step = 0; step < 3; ++step) {
                const auto gradient = random_numbers<float>(n, 2 + step);
                narrow.step(q.data(), gradient.data(), 0.1);
                wide.step(p.data(), std::vector<double>(gradient.begin(), gradient.end()).data(), 0.1);
            }
            double worst = 0;
            for (std::size_t i = 0; i < q.size(); ++i)
                worst = larger_error(worst, std::abs(static_cast<double>(q[i]) - p[i]));
            CHECK(worst < 1e-6);
            CHECK(q.back() == beyond);
        }
    }
}

TEST_CASE("Adam: what is left of a gradient that stays zero ends as zero") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        constexpr Index n = 19;
        std::vector<float> parameters(n, 1);
        std::vector<float> gradient(n, 0);
        std::vector<float> first(n, 1e-3f);
        std::vector<float> second(n, 1e-6f);
        gradient[n - 1] = std::numeric_limits<float>::quiet_NaN();
        for (Index step = 1; step <= 2000; ++step) {
            float* const moments[] = {first.data(), second.data()};
            Adam{.beta2 =
                     0.9}(Update<float>{parameters.data(), gradient.data(), moments, n, 1e-3, step, false});
        }
        for (std::size_t i = 0; i + 1 < n; ++i) {
            REQUIRE(first[i] == 0);
            REQUIRE(second[i] == 0);
            REQUIRE(std::isfinite(parameters[i]));
        }
        REQUIRE(std::isnan(parameters[n - 1]));
    }
}

TEST_CASE("clip_norm: scales to the limit, leaves shorter gradients alone, returns the norm before") {
    double g[] = {3, 4, 0};
    REQUIRE(clip_norm(g, 3, 10) == Approx(5));
    REQUIRE(g[0] == 3);
    REQUIRE(clip_norm(g, 3, 1) == Approx(5));
    REQUIRE(g[0] == Approx(0.6).epsilon(1e-6));
    REQUIRE(g[1] == Approx(0.8).epsilon(1e-6));
    double none[] = {0, 0};
    REQUIRE(clip_norm(none, 2, 1) == 0);
    REQUIRE(none[0] == 0);
    // The square of this norm is no float.
    float huge[] = {3e25f, 4e25f};
    REQUIRE(clip_norm(huge, 2, 1) == Approx(5e25));
    REQUIRE(huge[1] == Approx(0.8));
    // Nor are these squares.
    float small[] = {3e-30f, 4e-30f};
    REQUIRE(clip_norm(small, 2, 1) == Approx(5e-30));
    float bad[] = {1, std::numeric_limits<float>::quiet_NaN()};
    REQUIRE_FALSE(std::isfinite(clip_norm(bad, 2, 1)));
    float infinite[] = {1, std::numeric_limits<float>::infinity()};
    REQUIRE_FALSE(std::isfinite(clip_norm(infinite, 2, 1)));
}

TEST_CASE("clip_norm: several stretches have one norm, and what lies between is not touched") {
    double g[] = {3, 100, 4, 12, 100};
    const ParameterRange ranges[] = {{0, 1, true}, {2, 2, false}};
    REQUIRE(clip_norm(g, std::span(ranges), 6.5) == Approx(13));
    const double expected[] = {1.5, 100, 2, 6, 100};
    for (int i = 0; i < 5; ++i) REQUIRE(g[i] == Approx(expected[i]).epsilon(1e-6));
    float huge[] = {3e25f, 0, 4e25f};
    const ParameterRange wide[] = {{0, 1, true}, {2, 1, true}};
    REQUIRE(clip_norm(huge, std::span(wide), 1) == Approx(5e25));
    float bad[] = {std::numeric_limits<float>::quiet_NaN(), 0, 1};
    REQUIRE_FALSE(std::isfinite(clip_norm(bad, std::span(wide), 1)));
    REQUIRE(clip_norm(bad, std::span<const ParameterRange>(), 1) == 0);
}
