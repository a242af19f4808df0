// SPDX-License-Identifier: MIT
#pragma once

// A latent written outside of the library: the example of vae/latent.hpp, word for word.

#include <untoward/distributions/laplace.hpp>
#include <untoward/vae/latent.hpp>

namespace own {

using namespace untoward;

template <Index K>
struct LaplaceLatent {
    Vec<K> units{};

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& hidden) const {
        const auto location = scope.call("location", Dense<K>(units), hidden);
        const auto raw = scope.call("log_scale", Dense<K>(units), hidden);
        const auto log_scale = clamp(scope, raw, -6, 3);
        return distributions::Laplace{location, log_scale};
    }
    template <class Scope, class Posterior>
    constexpr auto sample(Scope& scope, const Posterior& q) const {
        return q.sample(scope);
    }
    template <class Scope, class Posterior>
    constexpr auto mean(Scope&, const Posterior& q) const {
        return q.location;
    }
    template <class Scope, class Posterior>
    constexpr auto log_variance(Scope& scope, const Posterior& q) const {  // of 2 scale^2
        const auto twice = scale(scope, 2, q.log_scale);
        const auto log_two = scope.constant(Vec<1>{}, 1, 0.6931471805599453);
        return add(scope, twice, log_two);
    }
    template <class Scope, class Posterior>
    constexpr auto kl(Scope& scope, const Posterior& q) const {
        const auto zero = scope.constant(Vec<1>{}, 1, 0);
        return distributions::kl(scope, q, distributions::Laplace{zero, zero});
    }
    template <class Scope, class Posterior, class Z>
    constexpr auto sampled_kl(Scope& scope, const Posterior& q, const Z& z) const {
        const auto zero = scope.constant(Vec<1>{}, 1, 0);
        return distributions::log_ratio(scope, q, distributions::Laplace{zero, zero}, z);
    }
    template <class Scope, class Z>
    constexpr auto within_prior(Scope& scope, const Z& mean) const {
        return clamp(scope, mean, -6, 6);
    }
    template <class Scope>
    constexpr auto prior(Scope& scope, Index batch) const {
        const auto zero = scope.constant(units, batch, 0);
        return distributions::Laplace{zero, zero}.sample(scope);
    }
};

}  // namespace own
