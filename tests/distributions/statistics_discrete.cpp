// SPDX-License-Identifier: MIT
#include "distributions/statistics.hpp"

#include "untoward/distributions/bernoulli.hpp"
#include "untoward/distributions/categorical.hpp"
#include "untoward/distributions/mixture.hpp"
#include "untoward/distributions/poisson.hpp"

using namespace untoward;
using untoward_test::check_kl;
using untoward_test::Draws;
using untoward_test::made;
using untoward_test::Numbers;

namespace {

constexpr auto bernoulli = [](const auto& l) { return distributions::Bernoulli{l}; };
constexpr auto categorical = [](const auto& l) { return distributions::Categorical{l}; };
constexpr auto poisson = [](const auto& l) { return distributions::Poisson{l}; };

// log d(x) of one sample, with the parameters l.
template <Index N, class Make>
double log_density(const Make& make, const Numbers<N>& l, const Numbers<N>& x) {
    Draws one(1, 1 << 14);
    auto scope = one.scope();
    const auto d = make(l.in(one.arena(), 1));
    return untoward_test::total(d.log_density(scope, x.in(one.arena(), 1)), 0);
}

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("closed forms of KL equal Monte Carlo") {
    check_kl(made(bernoulli, Numbers<3>{0.5, -1, 4}), made(bernoulli, Numbers<3>{-0.5, 0, 2}));
    check_kl(made(categorical, Numbers<4>{0.5, -1, 2, 0}), made(categorical, Numbers<4>{-0.5, 0, 1, 2}));
    check_kl(made(poisson, Numbers<3>{0.5, -1, 4}), made(poisson, Numbers<3>{-0.5, 0, 4.2}));
}

TEST_CASE("probabilities add up to 1, and draws follow them") {
    constexpr Index n = 100000;
    const auto near = [](double share, double probability) {
        return std::abs(share - probability) <= 4.5 * std::sqrt(probability * (1 - probability) / n) + 1e-5;
    };
    for (const double l : {-6.0, -0.4, 0.0, 3.0}) {
        const double one = std::exp(log_density(bernoulli, Numbers<1>{l}, Numbers<1>{1}));
        CHECK(one + std::exp(log_density(bernoulli, Numbers<1>{l}, Numbers<1>{0})) ==
              Approx(1).epsilon(1e-14));
        Draws draws(n);
        auto scope = draws.scope();
        const auto d = bernoulli(Numbers<1>{l}.in(draws.arena(), n));
        CHECK(near(d.sample(scope).matrix().mean(), one));
        CHECK(d.expectation(scope)(0, 0) == Approx(one).epsilon(1e-14));
    }
    {
        Draws draws(n);
        auto scope = draws.scope();
        const Numbers<4> l{0.5, -3, 2, -1};
        const auto d = categorical(l.in(draws.arena(), n));
        const auto x = d.sample(scope);
        const auto expectation = d.expectation(scope);
        double sum = 0;
        for (Index c = 0; c < 4; ++c) {
            Numbers<4> hot{};
            hot.values[c] = 1;
            const double probability = std::exp(log_density(categorical, l, hot));
            sum += probability;
            CHECK(near(x.matrix().row(c).mean(), probability));
            CHECK(expectation(c, 0) == Approx(probability).epsilon(1e-13));
        }
        CHECK(sum == Approx(1).epsilon(1e-14));
        CHECK((x.matrix().colwise().sum().array() == 1).all());
    }
    for (const double l : {-10.0, -1.0, 1.3, 4.0, 7.0}) {
        INFO("log-rate " << l);
        const double rate = std::exp(l);
        Draws draws(n);
        auto scope = draws.scope();
        const auto d = poisson(Numbers<1>{l}.in(draws.arena(), n));
        const auto x = d.sample(scope);
        const auto last = static_cast<Index>(rate + 12 * std::sqrt(rate) + 30);
        std::vector<double> counts(static_cast<std::size_t>(last) + 1, 0.0);
        for (Index j = 0; j < n; ++j) {
            REQUIRE((x(0, j) >= 0 && x(0, j) <= static_cast<double>(last) && x(0, j) == std::floor(x(0, j))));
            counts[static_cast<std::size_t>(x(0, j))] += 1.0 / n;
        }
        double sum = 0;
        for (Index k = 0; k <= last; ++k) {
            const double probability =
                std::exp(log_density(poisson, Numbers<1>{l}, Numbers<1>{static_cast<double>(k)}));
            sum += probability;
            CHECK(near(counts[static_cast<std::size_t>(k)], probability));
        }
        CHECK(sum == Approx(1).epsilon(1e-11));
        CHECK(std::abs(x.matrix().mean() - rate) <= 4.5 * std::sqrt(rate / n));
        CHECK(d.expectation(scope)(0, 0) == Approx(rate).epsilon(1e-14));
    }
}

TEST_CASE(
    "a mixture of switches and one-hot classes: probabilities of whole samples add up to 1, draws follow "
    "them") {
    constexpr Index n = 50000;
    constexpr auto mixture = [](const auto& weights, const auto& a, const auto& b) {
        return distributions::Mixture(weights, distributions::Bernoulli{a}, distributions::Categorical{b});
    };
    const Numbers<2> weights{0.3, -0.4};
    const Numbers<3> a{0.5, -1, 2}, b{1, 0, -0.5};
    Draws draws(n);
    auto scope = draws.scope();
    const auto d = mixture(weights.in(draws.arena(), n), a.in(draws.arena(), n), b.in(draws.arena(), n));
    const auto x = d.sample(scope);
    const auto expectation = d.expectation(scope);
    double sum = 0;
    Eigen::Vector3d mean = Eigen::Vector3d::Zero();
    for (int outcome = 0; outcome < 8; ++outcome) {
        Numbers<3> switches{};
        for (int i = 0; i < 3; ++i) switches.values[i] = (outcome >> i) & 1;
        const bool one_hot = outcome == 1 || outcome == 2 || outcome == 4;
        // By hand: the categorical has mass on one-hot outcomes only.
        const double share = 1 / (1 + std::exp(-0.4 - 0.3));
        const double of_switches = std::exp(log_density(bernoulli, a, switches));
        const double of_classes = one_hot ? std::exp(log_density(categorical, b, switches)) : 0;
        const double probability = share * of_switches + (1 - share) * of_classes;
        const auto found = d.log_density(scope, switches.in(draws.arena(), 1));
        REQUIRE(found.rows() == 1);
        CHECK(std::exp(found(0, 0)) == Approx(probability).margin(1e-9));
        Index count = 0;
        for (Index j = 0; j < n; ++j) {
            count += x(0, j) == switches.values[0] && x(1, j) == switches.values[1] &&
                     x(2, j) == switches.values[2];
        }
        CHECK(std::abs(static_cast<double>(count) / n - probability) <=
              4.5 * std::sqrt(probability * (1 - probability) / n));
        sum += probability;
        for (Index i = 0; i < 3; ++i) mean(i) += probability * switches.values[i];
    }
    CHECK(sum == Approx(1).epsilon(1e-14));
    for (Index i = 0; i < 3; ++i) CHECK(expectation(i, 0) == Approx(mean(i)).epsilon(1e-13));
}

TEST_CASE("draws of counts end whatever the rate") {
    Draws draws(1000);
    auto scope = draws.scope();
    for (const double l : {-800.0, 13.8, 100.0, std::numeric_limits<double>::infinity()}) {
        const auto x = poisson(Numbers<1>{l}.in(draws.arena(), 1000)).sample(scope);
        CHECK(x.matrix().allFinite());
        const double rate = std::min(std::exp(l), PoissonDraw::largest_rate);
        CHECK(std::abs(x.matrix().mean() - rate) <= 4.5 * std::sqrt(rate / 1000) + 1e-9);
    }
    CHECK(std::isnan(poisson(Numbers<1>{missing}.in(draws.arena(), 1)).sample(scope)(0, 0)));
}

TEST_CASE(
    "what is outside of the support is less normal than the edge, and the less the farther; NaN stays") {
    for (const double l : {-8.0, -1.0, 0.0, 1.0, 8.0}) {
        INFO("parameter " << l);
        const Numbers<1> p{l};
        double above = log_density(bernoulli, p, Numbers<1>{1});
        double below = log_density(bernoulli, p, Numbers<1>{0});
        double negative = log_density(poisson, p, Numbers<1>{0});
        for (const double distance : {0.001, 0.1, 1.0, 30.0, 1000.0}) {
            const double beyond_one = log_density(bernoulli, p, Numbers<1>{1 + distance});
            const double under_zero = log_density(bernoulli, p, Numbers<1>{-distance});
            const double count = log_density(poisson, p, Numbers<1>{-distance});
            CHECK(beyond_one < above);
            CHECK(under_zero < below);
            CHECK(count < negative);
            CHECK(std::isfinite(beyond_one + under_zero + count));
            above = beyond_one;
            below = under_zero;
            negative = count;
        }
        CHECK(std::isnan(log_density(bernoulli, p, Numbers<1>{missing})));
        CHECK(std::isnan(log_density(poisson, p, Numbers<1>{missing})));
    }
    // The most likely class by far is the first.
    const Numbers<3> l{9, 0, -2};
    const double usual = log_density(categorical, l, Numbers<3>{1, 0, 0});
    const double rare = log_density(categorical, l, Numbers<3>{0, 0, 1});
    CHECK(rare < usual);
    CHECK(log_density(categorical, l, Numbers<3>{0, 0, 0}) < rare);  // no class
    CHECK(log_density(categorical, l, Numbers<3>{1, 0, 1}) < rare);  // two classes
    CHECK(log_density(categorical, l, Numbers<3>{2, 0, 0}) < rare);
    CHECK(log_density(categorical, l, Numbers<3>{1, 0, -1}) < usual);  // a bare product would gain
    CHECK(log_density(categorical, l, Numbers<3>{1, 0, -2}) <
          log_density(categorical, l, Numbers<3>{1, 0, -1}));
    CHECK(std::isnan(log_density(categorical, l, Numbers<3>{1, missing, 0})));
}
