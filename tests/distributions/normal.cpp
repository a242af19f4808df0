// SPDX-License-Identifier: MIT
#include "untoward/distributions/normal.hpp"

#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

#include "reference/vae.hpp"
#include "support/catch.hpp"
#include "support/property.hpp"
#include "untoward/autodiff/gradient_check.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/rows.hpp"

using namespace untoward;
namespace reference = untoward::reference;

namespace {

using Values = Tensor<const double, Vec<>>;

/// The numbers of one array as one sample.
template <std::size_t N>
Values sample(const double (&values)[N]) {
    return {values, Vec<>(static_cast<Index>(N)), 1};
}

/// Loss: the sum over all elements of a rule; its value and the gradient of every input, by Record.
template <class Rule, class... X>
struct Result {
    Eigen::ArrayXd value;
    std::vector<Eigen::ArrayXd> gradients;
};
template <class Rule, class... X>
Result<Rule, X...> apply_and_go_back(const Rule& rule, const X&... x) {
    Buffer<std::byte> memory(((x.size() + ...) + 100) * 100);
    Arena arena(memory);
    Tape<double> tape(arena, nullptr, nullptr, {}, {});
    Record<double> scope(tape);
    Result<Rule, X...> result;
    [&](const auto&... v) {
        const auto y = scope.apply(rule, v...);
        tape.backward(sum(scope, y));
        result.value = y.value().flat();
        (result.gradients.emplace_back(tape.gradient_of(v).flat()), ...);
    }(scope.variable(x)...);
    return result;
}

template <std::size_t N>
void require_near(const Eigen::ArrayXd& found, const double (&expected)[N]) {
    REQUIRE(found.size() == static_cast<Index>(N));
    for (std::size_t i = 0; i < N; ++i) {
        INFO("element " << i);
        REQUIRE(found(static_cast<Index>(i)) == Approx(expected[i]).epsilon(1e-12).margin(1e-13));
    }
}

}  // namespace

TEST_CASE("normal log density: value and gradients equal PyTorch's") {
    const auto result =
        apply_and_go_back(NormalLogDensity{}, sample(reference::normal_x), sample(reference::normal_mean),
                          sample(reference::normal_log_variance));
    require_near(result.value, reference::normal_log_density);
    require_near(result.gradients[0], reference::normal_dx);
    require_near(result.gradients[1], reference::normal_dmean);
    require_near(result.gradients[2], reference::normal_dlog_variance);
}

TEST_CASE("normal KL: value and gradients equal PyTorch's") {
    const auto result =
        apply_and_go_back(NormalKl{}, sample(reference::kl_mu), sample(reference::kl_log_variance));
    require_near(result.value, reference::kl_value);
    require_near(result.gradients[0], reference::kl_dmu);
    require_near(result.gradients[1], reference::kl_dlog_variance);
    for (const double kl : result.value) REQUIRE(kl >= 0);
}

TEST_CASE("normal: gradients equal central differences, broadcast or not") {
    const GradientCheck options{.batch = 4};
    const Vec<3> d;
    const Vec<1> one;
    REQUIRE(check_gradient_of_rule(NormalLogDensity{}, options, d, d, d).relative < 1e-7);
    REQUIRE(check_gradient_of_rule(NormalLogDensity{}, options, d, d, one).relative < 1e-7);
    REQUIRE(check_gradient_of_rule(NormalLogDensity{}, options, d, one, d).relative < 1e-7);
    REQUIRE(check_gradient_of_rule(NormalKl{}, options, d, d).relative < 1e-7);
    REQUIRE(check_gradient_of_rule(NormalKl{}, options, d, one).relative < 1e-7);
    REQUIRE(check_gradient_of_rule(Reparameterise{}, options, d, d, d).relative < 1e-7);
    REQUIRE(check_gradient_of_rule(Reparameterise{}, options, d, one, d).relative < 1e-7);
}

TEST_CASE(
    "normal log density: a log-variance that all share is that of each, one number or one per feature") {
    const Index features = 3;
    const Index batch = 5;
    Buffer<double> x(features * batch), mean(features * batch), given(features), repeated(features * batch);
    fill_normal(x.data(), x.size(), {.site = 1});
    fill_normal(mean.data(), mean.size(), {.site = 2});
    fill_normal(given.data(), given.size(), {.site = 3});
    for (const Index rows : {Index{1}, features}) {
        for (const Index means : {Index{1}, batch}) {
            for (Index j = 0; j < batch; ++j) {
                for (Index i = 0; i < rows; ++i) repeated[i + j * rows] = given[i];
            }
            const Values of_x(x.data(), Vec<>(features), batch);
            const Values of_mean(mean.data(), Vec<>(features), means);
            const auto shared =
                apply_and_go_back(NormalLogDensity{}, of_x, of_mean, Values(given.data(), Vec<>(rows), 1));
            const auto own = apply_and_go_back(NormalLogDensity{}, of_x, of_mean,
                                               Values(repeated.data(), Vec<>(rows), batch));
            REQUIRE((shared.value - own.value).abs().maxCoeff() < 1e-13);
            for (const std::size_t k : {std::size_t{0}, std::size_t{1}})
                REQUIRE((shared.gradients[k] - own.gradients[k]).abs().maxCoeff() < 1e-13);
            for (Index i = 0; i < rows; ++i) {
                double sum = 0;
                for (Index j = 0; j < batch; ++j) sum += own.gradients[2](i + j * rows);
                REQUIRE(shared.gradients[2](i) == Approx(sum).epsilon(1e-12).margin(1e-13));
            }
        }
    }
}

TEST_CASE("normal log density: one log-variance per feature meets every sample") {
    const Index features = 3;
    const Index batch = 5;
    Buffer<double> x(features * batch), mean(features * batch), log_variance(features);
    fill_normal(x.data(), x.size(), {.site = 1});
    fill_normal(mean.data(), mean.size(), {.site = 2});
    fill_normal(log_variance.data(), log_variance.size(), {.site = 3});
    const auto result = apply_and_go_back(NormalLogDensity{}, Values(x.data(), Vec<>(features), batch),
                                          Values(mean.data(), Vec<>(features), batch),
                                          Values(log_variance.data(), Vec<>(features), 1));
    REQUIRE(result.gradients[2].size() == features);
    for (Index i = 0; i < features; ++i) {
        double slope = 0;
        for (Index j = 0; j < batch; ++j) {
            const double distance = x[i + j * features] - mean[i + j * features];
            const double ratio = distance * distance / std::exp(log_variance[i]);
            REQUIRE(result.value(i + j * features) ==
                    Approx(-0.5 * (ratio + log_variance[i] + std::log(2 * std::numbers::pi))).epsilon(1e-12));
            slope += 0.5 * (ratio - 1);
            const double pull = distance / std::exp(log_variance[i]);
            REQUIRE(result.gradients[0](i + j * features) == Approx(-pull).epsilon(1e-12));
            REQUIRE(result.gradients[1](i + j * features) == Approx(pull).epsilon(1e-12));
        }
        REQUIRE(result.gradients[2](i) == Approx(slope).epsilon(1e-12));
    }
}

TEST_CASE("normal: the density integrates to one, and its score has mean zero") {
    const double mean[] = {0.7};
    for (const double log_variance : {-6.0, 0.0, 1.3, 4.0}) {
        const double l[] = {log_variance};
        const double width = std::exp(log_variance / 2);
        const int steps = 2000;
        double mass = 0;
        double slope = 0;
        for (int i = 0; i <= steps; ++i) {
            const double x[] = {mean[0] + width * (-10 + 20.0 * i / steps)};
            const auto at = apply_and_go_back(NormalLogDensity{}, sample(x), sample(mean), sample(l));
            const double weight = std::exp(at.value(0)) * 20 * width / steps;
            mass += weight;
            slope += weight * at.gradients[2](0);
        }
        REQUIRE(mass == Approx(1).epsilon(1e-9));
        REQUIRE(slope == Approx(0).margin(1e-8));
    }
}

TEST_CASE("normal KL: equals its Monte Carlo estimate, log q - log p under q") {
    struct Case {
        double mean;
        double log_variance;
    };
    const Index n = 40000;
    Buffer<double> noise(n);
    for (const Case& c : {Case{0, 0}, Case{1.5, -2}, Case{-0.3, 1}, Case{3, -6}}) {
        fill_normal(noise.data(), n, {.seed = 11, .site = 5});
        const double mean[] = {c.mean};
        const double log_variance[] = {c.log_variance};
        const double zero[] = {0.0};
        const auto z = apply_and_go_back(Reparameterise{}, sample(mean), sample(log_variance),
                                         Values(noise.data(), Vec<>(n), 1));
        const Values draws(z.value.data(), Vec<>(n), 1);
        const auto log_q = apply_and_go_back(NormalLogDensity{}, draws, sample(mean), sample(log_variance));
        const auto log_p = apply_and_go_back(NormalLogDensity{}, draws, sample(zero), sample(zero));
        const Eigen::ArrayXd ratio = log_q.value - log_p.value;
        const double estimate = ratio.mean();
        const double error = std::sqrt((ratio - estimate).square().mean() / static_cast<double>(n));
        const double kl = apply_and_go_back(NormalKl{}, sample(mean), sample(log_variance)).value(0);
        INFO("mean " << c.mean << ", log-variance " << c.log_variance);
        REQUIRE(std::abs(kl - estimate) <= 4 * error + 1e-12);
    }
}

TEST_CASE("normal log density: one log-variance for everything") {
    property::check_function(
        [](auto& s, const auto& x, const auto& mean) {
            const auto log_variance = s.parameter("log_variance", Vec<1>{}, Constant{-0.7});
            return normal_log_density(s, x, mean, log_variance);
        },
        {.batch = 5}, Vec<7>{}, Vec<7>{});
}

TEST_CASE("mean and log-variance: the two halves, the second kept within bounds") {
    property::check_rule(MeanAndLogVariance<1>{-12, 6, {}}, {}, Vec<2>{});
    property::check_rule(MeanAndLogVariance<3>{-0.4, 0.5, {}}, {.batch = 5}, Vec<>(6));
    property::check_rule(MeanAndLogVariance<Dynamic>{-0.4, 0.5, Vec<>(8)}, {.batch = 1}, Vec<16>{});
    // x is used again: then its gradient is added to.
    property::check_function(
        [](auto& s, const auto& x) {
            const auto [mean, log_variance] = mean_and_log_variance(s, x, Vec<2>{}, -0.4, 0.5);
            const auto both = concatenate(s, log_variance, mean);
            return multiply(s, both, x);
        },
        {.batch = 3}, Vec<4>{});

    // Beyond a bound, and of what is no number, there is no gradient; the value stays no number.
    const double x[] = {1, 2, 3, 4, -20, 20, -12, std::numeric_limits<double>::quiet_NaN()};
    Buffer<std::byte> memory(1 << 14);
    Arena arena(memory);
    Tape<double> tape(arena, nullptr, nullptr, {}, {});
    Record<double> scope(tape);
    const auto v = scope.variable(sample(x));
    const auto [mean, log_variance] = mean_and_log_variance(scope, v, Vec<>(4), -12, 6);
    const auto total = add(scope, mean, log_variance);
    tape.backward(sum(scope, total));
    require_near(mean.value().flat(), {1, 2, 3, 4});
    require_near(log_variance.value().flat().head(3), {-12, 6, -12});
    REQUIRE(std::isnan(log_variance.value()(3, 0)));
    require_near(tape.gradient_of(v).flat(), {1, 1, 1, 1, 0, 0, 1, 0});
}

TEST_CASE("reparameterise: mean + exp(log_variance / 2) noise, one draw for all where there are no ids") {
    const double mean[] = {1, -2, 3, 0.5};
    const double log_variance[] = {0, 2, -2, 1};
    Buffer<std::byte> memory(1 << 12);
    Arena arena(memory);
    const Pass pass{.seed = 9};
    Run<double> scope(nullptr, arena, pass);
    // The same rows twice: two samples of two units.
    const Tensor<const double, Vec<2>> m(mean, {}, 2);
    const Tensor<const double, Vec<2>> l(log_variance, {}, 2);
    const auto z = reparameterise(scope, m, l);
    Run<double> again(nullptr, arena, pass);
    const auto noise = again.normal(Vec<2>{}, 2);
    REQUIRE(noise.batch() == 1);
    for (Index j = 0; j < 2; ++j) {
        for (Index i = 0; i < 2; ++i) {
            REQUIRE(z(i, j) == Approx(m(i, j) + std::exp(l(i, j) / 2) * noise(i, 0)).epsilon(1e-14));
        }
    }
}
