// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/rows.hpp"
#include "../distributions/normal.hpp"
#include "../nn/dense.hpp"

namespace untoward {

/// The range of a posterior's log-variance, in value and gradient alike.
inline constexpr double posterior_log_variance_low = -12;
inline constexpr double posterior_log_variance_high = 6;

/// The parameters of q(z|x), diagonal normal: both K x batch.
template <class Mean, class LogVariance>
struct Posterior {
    Mean mean;
    LogVariance log_variance;
};

template <class Mean, class LogVariance>
Posterior(const Mean&, const LogVariance&) -> Posterior<Mean, LogVariance>;

/// K latent units with a diagonal normal posterior and a standard normal prior. As a layer it turns the
/// encoder's output into a `Posterior`: one product, parameters `weight` (2 K, in) and `bias` (2 K), the
/// first K rows for the mean and the others for the log-variance, which is kept in [-12, 6].
template <Index K = Dynamic>
struct Latent {
    [[no_unique_address]] Vec<K> units{};

    constexpr Latent() = default;
    constexpr explicit Latent(Index k) requires(K == Dynamic) : units(k) {}

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        constexpr Index both = K == Dynamic ? Dynamic : 2 * K;
        const auto heads = Dense<both>(Vec<both>(2 * units.size()))(scope, x);
        const auto mean = slice(scope, heads, 0, units);
        const auto raw = slice(scope, heads, units.size(), units);
        const auto log_variance = clamp(scope, raw, posterior_log_variance_low, posterior_log_variance_high);
        return Posterior{mean, log_variance};
    }
};

}  // namespace untoward
