// SPDX-License-Identifier: MIT
// Log densities and divergences of independent elements against torch.distributions (tests/reference/distributions.py).
#include "reference/distributions.hpp"

#include "support/torch_inputs.hpp"
#include "untoward/distributions/bernoulli.hpp"
#include "untoward/distributions/normal.hpp"
#include "untoward/distributions/poisson.hpp"
#include "untoward/distributions/special.hpp"

using namespace untoward;
using namespace untoward::reference;
using torch::check_both;
using torch::Input;

namespace {

constexpr Vec<12> all;

/// log d(x)
template <template <class...> class D>
constexpr auto density = [](auto& s, const auto& x, const auto&... parameters) {
    return distributions::log_density(s, D<std::remove_cvref_t<decltype(parameters)>...>{parameters...}, x);
};

}  // namespace

TEST_CASE("Bernoulli: torch") {
    check_both(density<distributions::Bernoulli>, {bernoulli_y, bernoulli_upstream},
               Input{all, bernoulli_x, bernoulli_dx}, Input{all, bernoulli_logits, bernoulli_dlogits});
    check_both(
        [](auto& s, const auto& p, const auto& q) {
            return distributions::kl(s, distributions::Bernoulli{p}, distributions::Bernoulli{q});
        },
        {bernoulli_kl_y, bernoulli_kl_upstream}, Input{all, bernoulli_kl_p, bernoulli_kl_dp},
        Input{all, bernoulli_kl_q, bernoulli_kl_dq});
}

TEST_CASE("Poisson: torch") {
    check_both(density<distributions::Poisson>, {poisson_y, poisson_upstream},
               Input{all, poisson_x, poisson_dx}, Input{all, poisson_log_rate, poisson_dlog_rate});
    check_both(
        [](auto& s, const auto& p, const auto& q) {
            return distributions::kl(s, distributions::Poisson{p}, distributions::Poisson{q});
        },
        {poisson_kl_y, poisson_kl_upstream}, Input{all, poisson_kl_p, poisson_kl_dp},
        Input{all, poisson_kl_q, poisson_kl_dq});
}

TEST_CASE("KL of two normals: torch") {
    check_both(
        [](auto& s, const auto& m, const auto& l, const auto& n, const auto& k) {
            return distributions::kl(s, distributions::Normal{m, l}, distributions::Normal{n, k});
        },
        {normal_pair_kl_y, normal_pair_kl_upstream}, Input{all, normal_pair_kl_m, normal_pair_kl_dm},
        Input{all, normal_pair_kl_l, normal_pair_kl_dl}, Input{all, normal_pair_kl_n, normal_pair_kl_dn},
        Input{all, normal_pair_kl_k, normal_pair_kl_dk});
}

TEST_CASE("log gamma and digamma: SciPy") {
    for (std::size_t i = 0; i < std::size(special_x); ++i) {
        INFO("x = " << special_x[i]);
        REQUIRE(detail::log_gamma(special_x[i]) == Approx(special_log_gamma[i]).epsilon(1e-14).margin(2e-14));
        REQUIRE(detail::digamma(special_x[i]) == Approx(special_digamma[i]).epsilon(1e-14).margin(1e-14));
    }
}
