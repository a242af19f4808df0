// SPDX-License-Identifier: MIT
// Log densities and divergences of independent elements against torch.distributions (tests/reference/distributions.py).
#include "reference/distributions.hpp"

#include "support/torch_inputs.hpp"
#include "untoward/distributions/laplace.hpp"
#include "untoward/distributions/student_t.hpp"

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

TEST_CASE("Laplace: torch") {
    check_both(density<distributions::Laplace>, {laplace_y, laplace_upstream},
               Input{all, laplace_x, laplace_dx}, Input{all, laplace_location, laplace_dlocation},
               Input{all, laplace_log_scale, laplace_dlog_scale});
    check_both(
        [](auto& s, const auto& m, const auto& b, const auto& n, const auto& c) {
            return distributions::kl(s, distributions::Laplace{m, b}, distributions::Laplace{n, c});
        },
        {laplace_kl_y, laplace_kl_upstream}, Input{all, laplace_kl_m, laplace_kl_dm},
        Input{all, laplace_kl_s, laplace_kl_ds}, Input{all, laplace_kl_n, laplace_kl_dn},
        Input{all, laplace_kl_t, laplace_kl_dt});
}

TEST_CASE("Student's t: torch, degrees of freedom as a value and given") {
    check_both(density<distributions::StudentT>, {student_t_y, student_t_upstream},
               Input{all, student_t_x, student_t_dx}, Input{all, student_t_location, student_t_dlocation},
               Input{all, student_t_log_scale, student_t_dlog_scale},
               Input{all, student_t_degrees, student_t_ddegrees});
    check_both(
        [](auto& s, const auto& x, const auto& m, const auto& l) {
            return distributions::StudentT{m, l, 4}.log_density(s, x);
        },
        {student_t_given_y, student_t_given_upstream}, Input{all, student_t_given_x, student_t_given_dx},
        Input{all, student_t_given_location, student_t_given_dlocation},
        Input{all, student_t_given_log_scale, student_t_given_dlog_scale});
}
