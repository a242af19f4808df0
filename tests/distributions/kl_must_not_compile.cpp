// SPDX-License-Identifier: MIT
// KL(Q || P) without a closed form, a draw or a density: one error that names both and what is missing.
#include "untoward/distributions/laplace.hpp"
#include "untoward/distributions/normal.hpp"
#include "untoward/distributions/point.hpp"

#ifndef CASE
#define CASE 0
#endif

#include "untoward/autodiff/run.hpp"

using namespace untoward;

using Value = Tensor<const float, Vec<3>>;

template <class Q, class P>
void use(Run<float>& scope, const Q& q, const P& p) {
    const auto kl = distributions::kl(scope, q, p);
    sum(scope, kl);
}

struct DensityOnly {
    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        return normal_log_density(scope, x, x, x);
    }
};

template void use(Run<float>&, const distributions::Normal<Value, Value>&, const DensityOnly&);

// A first distribution that cannot be drawn from.
#if CASE == 1  // expect: untoward: KL(Q || P) has no closed form, and the first distribution no sample(scope)
template void use(Run<float>&, const DensityOnly&, const distributions::Normal<Value, Value>&);
#endif
// A first distribution without a density.
#if CASE == 2  // expect: untoward: KL(Q || P) has no closed form, and the first distribution no log_density(scope, x)
template void use(Run<float>&, const distributions::Point<Value>&, const distributions::Normal<Value, Value>&);
#endif
// A second distribution without a density.
#if CASE == 3  // expect: untoward: KL(Q || P) has no closed form, and the second distribution no log_density(scope, x)
template void use(Run<float>&, const distributions::Laplace<Value, Value>&, const distributions::Point<Value>&);
#endif
