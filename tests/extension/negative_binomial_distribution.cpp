// SPDX-License-Identifier: MIT
// The likelihood's distribution against SciPy and its own mathematics.
#include "distributions/statistics.hpp"
#include "extension/negative_binomial.hpp"
#include "reference/extension.hpp"

using namespace untoward;
using untoward_test::Draws;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

Tensor<const double, Vec<1>> row(const double* values, Index n) {
    return {values, Vec<1>{}, n};
}

// Of numbers that outlive it.
extension::NegativeBinomialDistribution<Tensor<const double, Vec<1>>, Tensor<const double, Vec<1>>> of(
    const double& log_mean, const double& log_size) {
    return {row(&log_mean, 1), row(&log_size, 1)};
}

}  // namespace

TEST_CASE("negative binomial: SciPy's density") {
    constexpr Index n = std::size(reference::extension_counts);
    Draws one(n);
    auto scope = one.scope();
    const auto log_means = row(reference::extension_log_means, n);
    const auto log_sizes = row(reference::extension_log_sizes, n);
    const extension::NegativeBinomialDistribution<decltype(log_means), decltype(log_sizes)> d{log_means,
                                                                                              log_sizes};
    const auto density = d.log_density(scope, row(reference::extension_counts, n));
    for (Index j = 0; j < n; ++j) {
        INFO("count " << reference::extension_counts[j] << ", log-mean " << log_means(0, j) << ", log-size "
                      << log_sizes(0, j));
        CHECK(density(0, j) == Approx(reference::extension_log_density[j]).epsilon(1e-10).margin(1e-10));
    }
}

TEST_CASE("negative binomial: probabilities add up to 1, and mean and variance are as said") {
    for (const double log_mean : {-3.0, 0.0, 1.5, 4.0}) {
        for (const double log_size : {-1.5, 0.0, 2.0, 7.0}) {
            INFO("log-mean " << log_mean << ", log-size " << log_size);
            constexpr Index n = 40000;
            Draws all(n);
            auto scope = all.scope();
            std::vector<double> counts(n);
            for (Index i = 0; i < n; ++i) counts[static_cast<std::size_t>(i)] = static_cast<double>(i);
            const auto d = of(log_mean, log_size);
            const auto density = d.log_density(scope, row(counts.data(), n));
            double mass = 0;
            double mean = 0;
            double square = 0;
            for (Index i = 0; i < n; ++i) {
                const double p = std::exp(density(0, i));
                const auto x = static_cast<double>(i);
                mass += p;
                mean += p * x;
                square += p * x * x;
            }
            const double expected = d.expectation(scope)(0, 0);
            CHECK(mass == Approx(1).epsilon(1e-10));
            CHECK(mean == Approx(expected).epsilon(1e-9));
            CHECK(square - mean * mean ==
                  Approx(expected + expected * expected / std::exp(log_size)).epsilon(1e-8));
        }
    }
}

TEST_CASE("negative binomial: draws follow the density") {
    constexpr Index n = 100000;
    for (const double log_mean : {-1.0, 1.5, 5.0}) {
        for (const double log_size : {-1.5, 0.0, 3.0}) {
            INFO("log-mean " << log_mean << ", log-size " << log_size);
            Draws draws(n);
            auto scope = draws.scope();
            const std::vector<double> log_means(n, log_mean);
            const std::vector<double> log_sizes(n, log_size);
            const auto many = row(log_means.data(), n);
            const auto sizes = row(log_sizes.data(), n);
            const extension::NegativeBinomialDistribution<decltype(many), decltype(sizes)> d{many, sizes};
            const auto x = d.sample(scope);
            REQUIRE(x.batch() == n);

            constexpr Index most = 4000;
            std::vector<double> seen(most, 0);
            for (Index j = 0; j < n; ++j) {
                const double count = x(0, j);
                REQUIRE(count >= 0);
                REQUIRE(count == std::floor(count));
                if (count < static_cast<double>(most)) ++seen[static_cast<std::size_t>(count)];
            }
            // Counts in stretches of a hundredth of the probability or more, each within 4.5 standard errors.
            std::vector<double> counts(most);
            for (Index i = 0; i < most; ++i) counts[static_cast<std::size_t>(i)] = static_cast<double>(i);
            const auto density = of(log_mean, log_size).log_density(scope, row(counts.data(), most));
            double mass = 0;
            double found = 0;
            Index stretches = 0;
            for (Index i = 0; i < most; ++i) {
                mass += std::exp(density(0, i));
                found += seen[static_cast<std::size_t>(i)] / static_cast<double>(n);
                if (mass < 0.01) continue;
                CHECK(std::abs(found - mass) <=
                      4.5 * std::sqrt(mass * (1 - mass) / static_cast<double>(n)) + 1e-12);
                mass = found = 0;
                ++stretches;
            }
            CHECK(stretches >= 3);
        }
    }
}

TEST_CASE("negative binomial: what is no count, and what is missing") {
    Draws one(1);
    auto scope = one.scope();
    const double log_mean = 1;
    const double log_size = 0.5;
    const auto d = of(log_mean, log_size);
    const auto at = [&](double x) { return d.log_density(scope, row(&x, 1))(0, 0); };
    CHECK(at(-2) == Approx(at(0) - 200).epsilon(1e-13));
    CHECK(std::isnan(at(missing)));
    CHECK(std::isfinite(at(1e30)));
    CHECK(at(1e30) < -1e28);
    CHECK(std::isnan(of(missing, log_size).sample(scope)(0, 0)));
}
