// SPDX-License-Identifier: MIT
#include "distributions/statistics.hpp"

#include "untoward/distributions/laplace.hpp"
#include "untoward/distributions/mixture.hpp"
#include "untoward/distributions/multivariate_normal.hpp"
#include "untoward/distributions/student_t.hpp"

using namespace untoward;
using untoward_test::check_continuous;
using untoward_test::check_kl;
using untoward_test::Draws;
using untoward_test::made;
using untoward_test::Numbers;

namespace {

constexpr auto normal = [](const auto& m, const auto& l) { return distributions::Normal{m, l}; };
constexpr auto laplace = [](const auto& m, const auto& s) { return distributions::Laplace{m, s}; };
constexpr auto multivariate = [](const auto& m, const auto& f) {
    return distributions::MultivariateNormal{m, f};
};

}  // namespace

TEST_CASE("densities of one number integrate to 1, and draws follow them") {
    check_continuous(made(normal, Numbers<1>{0.7}, Numbers<1>{-1.5}), -3, 4);
    check_continuous(made(laplace, Numbers<1>{-1}, Numbers<1>{0.4}), -20, 18);
    check_continuous(made(
                         [](const auto& m, const auto& s) {
                             return distributions::StudentT{m, s, 4};
                         },
                         Numbers<1>{1}, Numbers<1>{-1}),
                     -14, 16);
    check_continuous(made(
                         [](const auto& m, const auto& s, const auto& v) {
                             return distributions::StudentT{m, s, v};
                         },
                         Numbers<1>{1}, Numbers<1>{-1}, Numbers<1>{7.5}),
                     -8, 10);
    check_continuous(made(multivariate, Numbers<1>{2}, Numbers<1>{-0.5}), -3, 7);
    check_continuous(
        made(
            [](const auto& w, const auto& m, const auto& l, const auto& a, const auto& s) {
                return distributions::Mixture(w, distributions::Normal{m, l}, distributions::Laplace{a, s});
            },
            Numbers<2>{0.3, -0.6}, Numbers<1>{-2}, Numbers<1>{-1}, Numbers<1>{3}, Numbers<1>{-0.5}),
        -8, 14);
}

TEST_CASE("closed forms of KL equal Monte Carlo") {
    const Numbers<3> a{0.5, -1, 2}, b{0.3, -2, 1}, c{-0.5, 0, 1.5}, d{-0.7, 1, -0.2};
    const Numbers<6> f{0.2, -0.5, 0.1, 0.7, -0.4, 1.1}, g{-0.1, 0.4, -0.3, -0.6, 0.2, 0.3};
    constexpr auto standard = [] { return distributions::StandardNormal{}; };
    check_kl(made(normal, a, b), made(normal, c, d));
    check_kl(made(normal, a, b), made(standard));
    check_kl(made(normal, a, b), made(normal, a, b));
    check_kl(made(laplace, a, b), made(laplace, c, d));
    check_kl(made(multivariate, a, f), made(multivariate, c, g));
    check_kl(made(multivariate, a, f), made(standard));
}

TEST_CASE(
    "multivariate normal: the density integrates to 1, draws have its covariance, and its variances are "
    "right") {
    const Numbers<2> m{0.5, -1};
    const Numbers<3> f{-0.3, 0.2, 0.8};  // log L_00, log L_11, L_10
    const double l00 = std::exp(-0.3), l11 = std::exp(0.2), l10 = 0.8;
    const auto of_d = made(multivariate, m, f);
    constexpr Index side = 300;
    Draws grid(side * side);
    auto scope = grid.scope();
    double* const places = grid.arena().allocate<double>(2 * side * side);
    const auto place = [](Index i) { return -9 + 18 * (static_cast<double>(i) + 0.5) / side; };
    for (Index i = 0; i < side * side; ++i) {
        places[2 * i] = place(i % side);
        places[2 * i + 1] = place(i / side);
    }
    const auto d = of_d.in(scope, grid.arena(), side * side);
    const auto density = d.log_density(scope, Tensor<const double, Vec<2>>(places, {}, side * side));
    double mass = 0;
    for (Index i = 0; i < side * side; ++i) mass += std::exp(density(0, i)) * (18.0 / side) * (18.0 / side);
    REQUIRE(mass == Approx(1).epsilon(1e-7));

    const auto x = d.sample(scope);
    const double n = side * side;
    const Eigen::Vector2d mean = x.matrix().rowwise().mean();
    const Eigen::MatrixXd centred = x.matrix().colwise() - mean;
    const Eigen::Matrix2d covariance = centred * centred.transpose() / n;
    const double expected[] = {l00 * l00, l10 * l00, l10 * l10 + l11 * l11};
    REQUIRE(std::abs(mean(0) - 0.5) < 4 * std::sqrt(expected[0] / n));
    REQUIRE(std::abs(mean(1) + 1) < 4 * std::sqrt(expected[2] / n));
    REQUIRE(covariance(0, 0) == Approx(expected[0]).epsilon(4 * std::sqrt(2 / n)));
    REQUIRE(covariance(1, 1) == Approx(expected[2]).epsilon(4 * std::sqrt(2 / n)));
    REQUIRE(std::abs(covariance(0, 1) - expected[1]) <
            4 * std::sqrt((expected[0] * expected[2] + expected[1] * expected[1]) / n));
    const auto variances = scope.apply(MarginalLogVariance<2>{}, d.factor);
    REQUIRE(variances(0, 0) == Approx(std::log(expected[0])).epsilon(1e-12));
    REQUIRE(variances(1, 0) == Approx(std::log(expected[2])).epsilon(1e-12));
    // Shares of the KL: none is negative, their sum is the KL, and the first is that of the first unit alone.
    const auto shares = scope.apply(MultivariateNormalKl{}, d.mean, d.factor);
    REQUIRE(shares.matrix().minCoeff() >= 0);
    REQUIRE(shares(0, 0) == Approx(0.5 * (0.25 + expected[0] - 1 - std::log(expected[0]))).epsilon(1e-12));
    REQUIRE(shares(0, 0) + shares(1, 0) ==
            Approx(d.kl(scope, distributions::StandardNormal{})(0, 0)).epsilon(1e-12));
}
