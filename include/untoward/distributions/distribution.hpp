// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/arithmetic.hpp"
#include "../autodiff/rules/reduce.hpp"

// Distributions are small structs of a reader's values: what a layer returns, and what likelihoods, latent
// units and priors are made of. A distribution has
//
//     log_density(scope, x)    log p(x) in nats with all constants. Where the elements are independent, of
//                              every element; else one number per sample (Vec<1>), and the header says so
//     sample(scope)            a draw, from the scope's keyed noise. Its gradient reaches the distribution's
//                              numbers where the draw is reparameterised: the header says whether it is
//     expectation(scope)       E[x]
//     kl(scope, p)             KL(this || p) in closed form, one overload for every kind of p that has one
//
// each where it exists: `log_density` alone makes a prior, `sample` and `log_density` all that Monte Carlo
// needs. Numbers are taken as they are; whoever makes them keeps a scale or a rate in a range where nothing
// overflows (the heads of vae/ do, and say which). A distribution of your own has the same rights:
//
//     // A normal distribution of one given deviation.
//     template <class Centre>
//     struct Bell {
//         Centre centre;
//         double deviation;
//
//         template <class Scope, class X>
//         constexpr auto log_density(Scope& scope, const X& x) const {
//             const auto difference = subtract(scope, x, centre);
//             const auto squares = square(scope, difference);
//             const auto exponent = scale(scope, -0.5 / (deviation * deviation), squares);
//             const auto constant = scope.constant(Vec<1>{}, 1, -std::log(deviation * 2.5066282746310002));
//             return add(scope, exponent, constant);
//         }
//         template <class Scope>
//         constexpr auto sample(Scope& scope) const {
//             const auto noise = scope.normal(centre.shape(), centre.batch());
//             const auto step = scale(scope, deviation, noise);
//             return add(scope, centre, step);
//         }
//     };
//     auto divergence = distributions::kl(scope, Bell<...>{...}, distributions::Laplace{...});

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Scope, class Q>
concept CanSample = requires(Scope& scope, const Q& q) {
    q.sample(scope);
};
template <class Scope, class P, class X>
concept HasLogDensity = requires(Scope& scope, const P& p, const X& x) {
    p.log_density(scope, x);
};

// Of every element where both are, else per sample.
template <class Scope, class LogQ, class LogP>
constexpr auto log_ratio(Scope& scope, const LogQ& log_q, const LogP& log_p) {
    constexpr bool q_is_joint = LogQ::SampleShape::static_size == 1;
    constexpr bool p_is_joint = LogP::SampleShape::static_size == 1;
    if constexpr (q_is_joint == p_is_joint) {
        return subtract(scope, log_q, log_p);
    } else if constexpr (q_is_joint) {
        const auto total = sum_per_sample(scope, log_p);
        return subtract(scope, log_q, total);
    } else {
        const auto total = sum_per_sample(scope, log_q);
        return subtract(scope, total, log_p);
    }
}

}  // namespace detail

namespace distributions {

/// log q(x) - log p(x), whose mean over draws x ~ q is KL(q || p): of every element where both densities are, else
/// per sample.
template <class Scope, class Q, class P, class X>
constexpr auto log_ratio(Scope& scope, const Q& q, const P& p, const X& x) {
    const auto log_q = q.log_density(scope, x);
    const auto log_p = p.log_density(scope, x);
    return detail::log_ratio(scope, log_q, log_p);
}

}  // namespace distributions

namespace detail {

template <class Scope, class Q, class P>
constexpr auto log_ratio_of_draw(Scope& scope, const Q& q, const P& p) {
    const auto x = q.sample(scope);
    return distributions::log_ratio(scope, q, p, x);
}

// The one place that says what KL by Monte Carlo needs: its template arguments name the two distributions.
template <class Q, class P, class Scope>
constexpr bool require_kl_between() {
    if constexpr (!CanSample<Scope, Q>) {
        static_assert(CanSample<Scope, Q>,
                      "untoward: KL(Q || P) has no closed form, and the first distribution no sample(scope)");
        return false;
    } else {
        using X = decltype(std::declval<const Q&>().sample(std::declval<Scope&>()));
        constexpr bool q_has = HasLogDensity<Scope, Q, X>;
        constexpr bool p_has = HasLogDensity<Scope, P, X>;
        static_assert(q_has,
                      "untoward: KL(Q || P) has no closed form, and the first distribution no "
                      "log_density(scope, x)");
        static_assert(p_has || !q_has,
                      "untoward: KL(Q || P) has no closed form, and the second distribution no "
                      "log_density(scope, x)");
        return q_has && p_has;
    }
}

}  // namespace detail

namespace distributions {

/// Draws that `kl` takes where there is no closed form.
inline constexpr Index kl_draws = 16;

/// Whether KL(q || p) has a closed form for this reader.
template <class Scope, class Q, class P>
concept HasClosedFormKl = requires(Scope& scope, const Q& q, const P& p) {
    q.kl(scope, p);
};

/// KL(q || p) by Monte Carlo, the mean of log q(x) - log p(x) over `draws` draws x ~ q: unbiased, and
/// negative at times. Of every element where both densities are of every element, else per sample. The
/// gradient is unbiased where q's draws are reparameterised; elsewhere it lacks what comes through the draws.
template <class Scope, class Q, class P>
constexpr auto kl_monte_carlo(Scope& scope, const Q& q, const P& p, Index draws = kl_draws) {
    if constexpr (!detail::require_kl_between<Q, P, Scope>()) {
        return scope.constant(Vec<1>{}, 1, 0);  // the error has been said: what follows compiles
    } else {
        UNTOWARD_ASSERT(draws >= 1, "untoward: Monte Carlo takes at least one draw");
        auto total = detail::log_ratio_of_draw(scope, q, p);
        for (Index draw = 1; draw < draws; ++draw) {
            const auto ratio = detail::log_ratio_of_draw(scope, q, p);
            total = add(scope, total, ratio);
        }
        return scale(scope, 1.0 / static_cast<double>(draws), total);
    }
}

/// KL(q || p) in nats: in closed form where `q.kl(scope, p)` is one, else by `kl_draws` draws.
template <class Scope, class Q, class P>
constexpr auto kl(Scope& scope, const Q& q, const P& p) {
    if constexpr (HasClosedFormKl<Scope, Q, P>) {
        return q.kl(scope, p);
    } else {
        return kl_monte_carlo(scope, q, p);
    }
}

/// log d(x); see the contract above.
template <class Scope, class D, class X>
constexpr auto log_density(Scope& scope, const D& d, const X& x) {
    return d.log_density(scope, x);
}
/// a draw x ~ d
template <class Scope, class D>
constexpr auto sample(Scope& scope, const D& d) {
    return d.sample(scope);
}
/// E[x], x ~ d
template <class Scope, class D>
constexpr auto expectation(Scope& scope, const D& d) {
    return d.expectation(scope);
}

}  // namespace distributions

}  // namespace untoward
