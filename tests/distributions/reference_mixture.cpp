// SPDX-License-Identifier: MIT
// Densities of whole samples against torch.distributions (tests/reference/distributions.py).
#include "reference/distributions.hpp"
#include "support/torch_inputs.hpp"
#include "untoward/distributions/laplace.hpp"
#include "untoward/distributions/mixture.hpp"
#include "untoward/distributions/normal.hpp"
#include "untoward/distributions/student_t.hpp"

using namespace untoward;
using namespace untoward::reference;
using torch::check_both;
using torch::Input;

TEST_CASE("mixture of three kinds: torch") {
    const Vec<2> d;
    check_both(
        [](auto& s, const auto& x, const auto& logits, const auto& a, const auto& b, const auto& c,
           const auto& e, const auto& f, const auto& g) {
            const distributions::Mixture mixture(logits, distributions::Normal{a, b},
                                                 distributions::Laplace{c, e},
                                                 distributions::StudentT{f, g, 4});
            return mixture.log_density(s, x);
        },
        {mixture_y, mixture_upstream}, Input{d, mixture_x, mixture_dx},
        Input{Vec<3>{}, mixture_logits, mixture_dlogits}, Input{d, mixture_mean, mixture_dmean},
        Input{d, mixture_log_variance, mixture_dlog_variance}, Input{d, mixture_location, mixture_dlocation},
        Input{d, mixture_log_scale, mixture_dlog_scale}, Input{d, mixture_centre, mixture_dcentre},
        Input{d, mixture_log_width, mixture_dlog_width});
}
