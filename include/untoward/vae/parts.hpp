// SPDX-License-Identifier: MIT
#pragma once

#include "gaussian.hpp"
#include "latent.hpp"

// What a model asks of its likelihood and its latent, in one place: where a part lacks a member, one error says
// so and something harmless stands for its result, so that nothing else fails for the same reason. Each error is
// in a function that does not depend on the reader, and is said once for all of them.

namespace untoward UNTOWARD_SETTING::detail {

template <class Likelihood, bool Has>
constexpr void require_part_layer() {
    static_assert(Has, "untoward: a likelihood has layer(sample_shape) const");
}
template <class Likelihood, class Sample>
constexpr auto layer_of(const Likelihood& part, const Sample& sample) {
    constexpr bool has = requires {
        part.layer(sample);
    };
    require_part_layer<Likelihood, has>();
    if constexpr (has) {
        return part.layer(sample);
    } else {
        return Gaussian{}.layer(sample);
    }
}

template <class Likelihood, bool Has>
constexpr void require_part_log_density() {
    static_assert(Has, "untoward: a likelihood has log_density(scope, x, output) const");
}
template <class Likelihood, class Scope, class X, class Output>
constexpr auto log_density_of(const Likelihood& part, Scope& scope, const X& x, const Output& output) {
    constexpr bool has = requires {
        part.log_density(scope, x, output);
    };
    require_part_log_density<Likelihood, has>();
    if constexpr (has) {
        return part.log_density(scope, x, output);
    } else {
        return x;
    }
}

template <class Likelihood, bool Has>
constexpr void require_part_expectation() {
    static_assert(Has, "untoward: a likelihood has expectation(scope, output) const");
}
template <class Likelihood, class Scope, class Output, class Sample>
constexpr auto expectation_of(const Likelihood& part, Scope& scope, const Output& output,
                              const Sample& sample) {
    constexpr bool has = requires {
        part.expectation(scope, output);
    };
    require_part_expectation<Likelihood, has>();
    if constexpr (has) {
        return part.expectation(scope, output);
    } else {
        return scope.constant(sample, 1, 0);
    }
}

template <class Latent, bool Has>
constexpr void require_part_draw() {
    static_assert(Has, "untoward: a latent has sample(scope, posterior) const");
}
template <class Latent, class Scope, class Posterior>
constexpr auto draw_of(const Latent& part, Scope& scope, const Posterior& posterior) {
    constexpr bool has = requires {
        part.sample(scope, posterior);
    };
    require_part_draw<Latent, has>();
    if constexpr (has) {
        return part.sample(scope, posterior);
    } else {
        return scope.constant(part.units, 1, 0);
    }
}

template <class Latent, bool Has>
constexpr void require_part_mean() {
    static_assert(Has, "untoward: a latent has mean(scope, posterior) const");
}
template <class Latent, class Scope, class Posterior>
constexpr auto mean_of(const Latent& part, Scope& scope, const Posterior& posterior) {
    constexpr bool has = requires {
        part.mean(scope, posterior);
    };
    require_part_mean<Latent, has>();
    if constexpr (has) {
        return part.mean(scope, posterior);
    } else {
        return scope.constant(part.units, 1, 0);
    }
}

template <class Latent, bool Has>
constexpr void require_part_log_variance() {
    static_assert(Has, "untoward: a latent has log_variance(scope, posterior) const");
}
template <class Latent, class Scope, class Posterior>
constexpr auto log_variance_of(const Latent& part, Scope& scope, const Posterior& posterior) {
    constexpr bool has = requires {
        part.log_variance(scope, posterior);
    };
    require_part_log_variance<Latent, has>();
    if constexpr (has) {
        return part.log_variance(scope, posterior);
    } else {
        return scope.constant(part.units, 1, 0);
    }
}

template <class Latent, bool Has>
constexpr void require_part_kl() {
    static_assert(Has, "untoward: a latent has kl(scope, posterior) const");
}
template <class Latent, class Scope, class Posterior>
constexpr auto kl_of(const Latent& part, Scope& scope, const Posterior& posterior) {
    constexpr bool has = requires {
        part.kl(scope, posterior);
    };
    require_part_kl<Latent, has>();
    if constexpr (has) {
        return part.kl(scope, posterior);
    } else {
        return scope.constant(part.units, 1, 0);
    }
}

template <class Latent, bool Has>
constexpr void require_part_sampled_kl() {
    static_assert(Has,
                  "untoward: this score weighs draws of z by their densities, and the latent has no "
                  "sampled_kl(scope, posterior, z): use another latent, or NegativeElbo");
}
// NaN where there is none and it is not `Required`.
template <bool Required, class Latent, class Scope, class Posterior, class Z>
constexpr auto sampled_kl_of(const Latent& part, Scope& scope, const Posterior& posterior, const Z& z) {
    constexpr bool has = requires {
        part.sampled_kl(scope, posterior, z);
    };
    require_part_sampled_kl<Latent, has || !Required>();
    if constexpr (has) {
        return part.sampled_kl(scope, posterior, z);
    } else {
        return scope.constant(Vec<1>{}, 1, std::numeric_limits<double>::quiet_NaN());
    }
}

template <class Latent, bool Has>
constexpr void require_part_within_prior() {
    static_assert(Has, "untoward: a latent has within_prior(scope, mean) const");
}
template <class Latent, class Scope, class Z>
constexpr auto within_prior_of(const Latent& part, Scope& scope, const Z& mean) {
    constexpr bool has = requires {
        part.within_prior(scope, mean);
    };
    require_part_within_prior<Latent, has>();
    if constexpr (has) {
        return part.within_prior(scope, mean);
    } else {
        return mean;
    }
}

}  // namespace untoward::detail
