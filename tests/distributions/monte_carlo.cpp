// SPDX-License-Identifier: MIT
// KL without a closed form, for the library's distributions and for one of a user's own.
#include "distributions/own.hpp"
#include "distributions/statistics.hpp"
#include "untoward/distributions/laplace.hpp"
#include "untoward/distributions/mixture.hpp"
#include "untoward/distributions/multivariate_normal.hpp"
#include "untoward/distributions/student_t.hpp"

using namespace untoward;
using untoward_test::Draws;
using untoward_test::made;
using untoward_test::Numbers;
using untoward_test::total;

namespace {

constexpr auto normal = [](const auto& m, const auto& l) { return distributions::Normal{m, l}; };
constexpr auto laplace = [](const auto& m, const auto& s) { return distributions::Laplace{m, s}; };
constexpr auto bell = [](const auto& m) { return own::Bell{m, 0.5}; };
constexpr auto multivariate = [](const auto& m, const auto& f) {
    return distributions::MultivariateNormal{m, f};
};

// The mean of `kl` over passes with noise of their own is the truth, within four standard errors.
template <class Q, class P>
void check(const Q& of_q, const P& of_p, double truth) {
    constexpr Index n = 4000;
    Draws draws(n);
    auto scope = draws.scope(3);
    const auto q = of_q.in(scope, draws.arena(), n);
    const auto p = of_p.in(scope, draws.arena(), n);
    static_assert(!distributions::HasClosedFormKl<Run<double>, decltype(q), decltype(p)>);
    const auto kl = distributions::kl(scope, q, p);
    REQUIRE(kl.batch() == n);
    Eigen::ArrayXd values(n);
    for (Index j = 0; j < n; ++j) values(j) = total(kl, j);
    const double error = std::sqrt((values - values.mean()).square().mean() / static_cast<double>(n));
    INFO("truth " << truth << ", estimate " << values.mean() << " +- " << error);
    REQUIRE(std::abs(values.mean() - truth) <= 4 * error + 1e-12);

    // Sixteen draws are sixteen single ones.
    auto again = draws.scope(3);
    const auto sixteen = distributions::kl_monte_carlo(again, q, p, 16);
    REQUIRE(sixteen.matrix() == kl.matrix());
    auto one_by_one = draws.scope(3);
    Eigen::MatrixXd sum = distributions::kl_monte_carlo(one_by_one, q, p, 1).matrix();
    for (Index i = 1; i < distributions::kl_draws; ++i) {
        sum += distributions::kl_monte_carlo(one_by_one, q, p, 1).matrix();
    }
    REQUIRE((sum / 16 - kl.matrix()).cwiseAbs().maxCoeff() < 1e-12);
}

// By numerical integration of q log(q / p) over [-40, 40].
template <class Q, class P>
double integrated_kl(const Q& of_q, const P& of_p) {
    constexpr Index cells = 100000;
    Draws grid(cells);
    auto scope = grid.scope();
    double* const places = grid.arena().allocate<double>(cells);
    for (Index i = 0; i < cells; ++i) places[i] = -40 + 80 * (static_cast<double>(i) + 0.5) / cells;
    const Tensor<const double, Vec<1>> x(places, {}, cells);
    const auto log_q = of_q.in(scope, grid.arena(), cells).log_density(scope, x);
    const auto log_p = of_p.in(scope, grid.arena(), cells).log_density(scope, x);
    double sum = 0;
    for (Index i = 0; i < cells; ++i) {
        sum += std::exp(total(log_q, i)) * (total(log_q, i) - total(log_p, i)) * 80 / cells;
    }
    return sum;
}

}  // namespace

TEST_CASE("KL between kinds equals integration") {
    const auto l = made(laplace, Numbers<1>{0.5}, Numbers<1>{-0.3});
    const auto n = made(normal, Numbers<1>{-0.5}, Numbers<1>{0.7});
    const auto t = made(
        [](const auto& m, const auto& s) {
            return distributions::StudentT{m, s, 5};
        },
        Numbers<1>{0.2}, Numbers<1>{0.1});
    check(l, n, integrated_kl(l, n));
    check(n, l, integrated_kl(n, l));
    check(n, t, integrated_kl(n, t));
    check(t, n, integrated_kl(t, n));
    const auto mixture = made(
        [](const auto& w, const auto& m, const auto& v, const auto& c) {
            return distributions::Mixture(w, distributions::Normal{m, v}, own::Bell{c, 0.5});
        },
        Numbers<2>{0.4, -0.2}, Numbers<1>{-2}, Numbers<1>{0.5}, Numbers<1>{1.5});
    check(mixture, n, integrated_kl(mixture, n));
    check(n, mixture, integrated_kl(n, mixture));
}

TEST_CASE("a user's own distribution: densities, draws and KL to and from the library's") {
    const Numbers<3> centre{0.5, -1, 2};
    const double l = 2 * std::log(0.5);
    const Numbers<3> m{0, 0.3, 1}, v{0.4, -1, 0};
    double truth = 0;
    double back = 0;
    for (int i = 0; i < 3; ++i) {
        const double squares = std::pow(centre.values[i] - m.values[i], 2);
        truth += 0.5 * (std::exp(l - v.values[i]) - 1 - l + v.values[i] + squares * std::exp(-v.values[i]));
        back += 0.5 * (std::exp(v.values[i] - l) - 1 - v.values[i] + l + squares * std::exp(-l));
    }
    check(made(bell, centre), made(normal, m, v), truth);
    check(made(normal, m, v), made(bell, centre), back);
}

TEST_CASE("KL of independent elements to a joint distribution is per sample") {
    // The same distribution, once of independent elements and once as a whole without correlation.
    const Numbers<3> m{0.5, -1, 2}, l{0.4, -1, 0}, n{0, 0.3, 1};
    const Numbers<6> f{0.2, -0.1, 0.3, 0, 0, 0};
    double truth = 0;
    for (int i = 0; i < 3; ++i) {
        const double k = 2 * f.values[i];
        truth += 0.5 * (std::exp(l.values[i] - k) - 1 - l.values[i] + k +
                        std::pow(m.values[i] - n.values[i], 2) * std::exp(-k));
    }
    Draws draws(1, 1 << 14);
    auto scope = draws.scope();
    const auto kl = distributions::kl(scope, made(normal, m, l).in(scope, draws.arena(), 1),
                                      made(multivariate, n, f).in(scope, draws.arena(), 1));
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(kl.shape())>, Vec<1>>);
    check(made(normal, m, l), made(multivariate, n, f), truth);
}
