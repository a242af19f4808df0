// SPDX-License-Identifier: MIT
#pragma once

// Distributions against their own mathematics: total probability, draws against densities, KL against Monte Carlo.
// A distribution is made by make(scope, numbers of every sample...), where the numbers are equal in every sample of
// a batch, so that a batch is as many draws.

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/run.hpp"
#include "untoward/distributions/distribution.hpp"

namespace untoward_test {

using namespace untoward;

/// The numbers of one value of a distribution, for every sample of a batch.
template <Index N>
struct Numbers {
    double values[static_cast<std::size_t>(N)];

    Tensor<const double, Vec<N>> in(Arena& arena, Index batch) const {
        double* const data = arena.allocate<double>(N * batch);
        for (Index i = 0; i < N * batch; ++i) data[i] = values[i % N];
        return {data, Vec<N>{}, batch};
    }
};

/// A function of the values of a distribution that gives it, and these values.
template <class Make, Index... N>
struct Made {
    Make make;
    std::tuple<Numbers<N>...> numbers;

    template <class Scope>
    auto in(Scope& scope, Arena& arena, Index batch) const {
        static_cast<void>(scope);
        return std::apply([&](const auto&... n) { return make(n.in(arena, batch)...); }, numbers);
    }
};
template <class Make, Index... N>
Made<Make, N...> made(const Make& make, const Numbers<N>&... numbers) {
    return {make, {numbers...}};
}

/// `batch` independent passes over noise of their own.
class Draws {
public:
    explicit Draws(Index batch, Index bytes = 1 << 26)
        : memory_(bytes), arena_(memory_), ids_(static_cast<std::size_t>(batch)) {
        for (std::size_t i = 0; i < ids_.size(); ++i) ids_[i] = static_cast<std::uint32_t>(i);
    }
    Arena& arena() { return arena_; }
    Run<double> scope(std::uint64_t seed = 1) {
        return Run<double>(nullptr, arena_, Pass{.training = true, .seed = seed, .samples = ids_.data()});
    }

private:
    Buffer<std::byte> memory_;
    Arena arena_;
    std::vector<std::uint32_t> ids_;
};

/// The sum over a sample's elements.
inline double total(const auto& values, Index sample) {
    return values.column(detail::broadcast_column(values, sample)).sum();
}

/// KL(q || p) as `kl` says equals the mean of log q(x) - log p(x) over draws of q, within four standard errors.
template <class Q, class P>
void check_kl(const Q& of_q, const P& of_p) {
    constexpr Index n = 20000;
    Draws draws(n);
    auto scope = draws.scope();
    const auto q = of_q.in(scope, draws.arena(), n);
    const auto p = of_p.in(scope, draws.arena(), n);
    const auto x = distributions::sample(scope, q);
    REQUIRE(x.batch() == n);
    const auto log_q = distributions::log_density(scope, q, x);
    const auto log_p = distributions::log_density(scope, p, x);
    Eigen::ArrayXd ratio(n);
    for (Index j = 0; j < n; ++j) ratio(j) = total(log_q, j) - total(log_p, j);
    const double estimate = ratio.mean();
    const double error = std::sqrt((ratio - estimate).square().mean() / static_cast<double>(n));
    static_assert(distributions::HasClosedFormKl<Run<double>, decltype(q), decltype(p)>);
    const auto closed = distributions::kl(scope, q, p);
    INFO("closed form " << total(closed, 0) << ", estimate " << estimate << " +- " << error);
    REQUIRE(total(closed, 0) >= -1e-12);
    REQUIRE(std::abs(total(closed, 0) - estimate) <= 4 * error + 1e-12);
}

/// On [low, high], all but nothing of a distribution of one number: the density integrates to 1, draws fall into
/// 25 bins as often as it says, within 4.5 standard errors each, and their mean is the expectation.
template <class D>
void check_continuous(const D& of_d, double low, double high) {
    constexpr Index bins = 25;
    constexpr Index cells = 4000 * bins;
    constexpr Index n = 100000;
    Eigen::ArrayXd mass = Eigen::ArrayXd::Zero(bins);
    double mean = 0;
    double square = 0;
    {
        Draws grid(cells);
        auto scope = grid.scope();
        double* const places = grid.arena().template allocate<double>(cells);
        for (Index i = 0; i < cells; ++i)
            places[i] = low + (high - low) * (static_cast<double>(i) + 0.5) / static_cast<double>(cells);
        const Tensor<const double, Vec<1>> x(places, {}, cells);
        const auto d = of_d.in(scope, grid.arena(), cells);
        const auto density = distributions::log_density(scope, d, x);
        for (Index i = 0; i < cells; ++i) {
            const double m = std::exp(total(density, i)) * (high - low) / static_cast<double>(cells);
            mass(i / (cells / bins)) += m;
            mean += m * places[i];
            square += m * places[i] * places[i];
        }
    }
    CHECK(mass.sum() == Approx(1).epsilon(2e-5));
    Draws draws(n);
    auto scope = draws.scope();
    const auto d = of_d.in(scope, draws.arena(), n);
    const auto x = distributions::sample(scope, d);
    const auto expectation = distributions::expectation(scope, d);
    Eigen::ArrayXd count = Eigen::ArrayXd::Zero(bins);
    double drawn = 0;
    for (Index j = 0; j < n; ++j) {
        drawn += x(0, j) / static_cast<double>(n);
        const double bin = std::floor((x(0, j) - low) / (high - low) * static_cast<double>(bins));
        if (bin >= 0 && bin < static_cast<double>(bins)) count(static_cast<Index>(bin)) += 1;
    }
    for (Index b = 0; b < bins; ++b) {
        INFO("bin " << b << " of mass " << mass(b));
        const double error = std::sqrt(mass(b) * (1 - mass(b)) / static_cast<double>(n));
        CHECK(std::abs(count(b) / static_cast<double>(n) - mass(b)) <= 4.5 * error + 1e-5);
    }
    const double spread = std::sqrt((square - mean * mean) / static_cast<double>(n));
    CHECK(std::abs(drawn - total(expectation, 0)) <= 4.5 * spread);
    CHECK(std::abs(mean - total(expectation, 0)) <= 0.002 * std::sqrt(square - mean * mean));
}

}  // namespace untoward_test
