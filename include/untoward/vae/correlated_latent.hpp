// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/rows.hpp"
#include "../distributions/multivariate_normal.hpp"
#include "latent.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// A factor's logarithms of the diagonal, the first rows, kept in [low, high] in value and gradient alike; the
// other rows as they are.
struct BoundDiagonal {
    Index units;
    double low;
    double high;

    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        using S = typename decltype(y)::Scalar;
        const S l = static_cast<S>(low);
        const S h = static_cast<S>(high);
        for (Index j = 0; j < y.batch(); ++j) {
            for (Index i = 0; i < y.rows(); ++i) y(i, j) = i < units ? kept_within(x(i, j), l, h) : x(i, j);
        }
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        using S = typename decltype(x)::Scalar;
        const S l = static_cast<S>(low);
        const S h = static_cast<S>(high);
        add_by_sample(dx, dy.batch(), [&](Index j, auto to) {
            for (Index i = 0; i < dy.rows(); ++i) {
                const bool within = i >= units || (x(i, j) >= l && x(i, j) <= h);
                to[i] += within ? dy(i, j) : 0;
            }
        });
    }
};

}  // namespace detail

/// K latent units whose posterior is a normal distribution with a full covariance; the prior is standard
/// normal. For few units: the encoder says K (K + 3) / 2 numbers. As a layer it turns the encoder's output
/// into a `distributions::MultivariateNormal`: one product, parameters `weight` (K + K (K + 1) / 2, in) and
/// `bias`, the first K rows for the mean and the others for the packed factor, whose logarithms of the
/// diagonal are kept in [-6, 3]. A unit's share of the KL is what it alone is away from the prior, plus what
/// it shares with the units before it.
template <Index K = Dynamic>
struct CorrelatedLatent {
    [[no_unique_address]] Vec<K> units{};

    static constexpr const char* name = "correlated-latent";
    static constexpr void options(auto& self, auto&& visit) { visit("units", self.units); }

    constexpr CorrelatedLatent() = default;
    constexpr explicit CorrelatedLatent(Index k) requires(K == Dynamic) : units(k) {}

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& encoded) const {
        const auto& x = detail::require_encoded<CorrelatedLatent>(scope, encoded);
        constexpr Index both = K == Dynamic ? Dynamic : K + factor_size(K);
        const auto packed = factor_shape(units);
        const auto heads = Dense<both>(Vec<both>(units.size() + packed.size()))(scope, x);
        const auto mean = slice(scope, heads, 0, units);
        const auto raw = slice(scope, heads, units.size(), packed);
        const auto factor = scope.apply(detail::BoundDiagonal{units.size(), posterior_log_variance_low / 2,
                                                              posterior_log_variance_high / 2},
                                        raw);
        return distributions::MultivariateNormal{mean, factor};
    }
    template <class Scope, class Posterior>
    constexpr auto sample(Scope& scope, const Posterior& posterior) const {
        return posterior.sample(scope);
    }
    template <class Scope, class Posterior>
    constexpr auto mean(Scope&, const Posterior& posterior) const {
        return posterior.mean;
    }
    template <class Scope, class Posterior>
    constexpr auto log_variance(Scope& scope, const Posterior& posterior) const {
        return scope.apply(MarginalLogVariance<K>{units}, posterior.factor);
    }
    template <class Scope, class Posterior>
    constexpr auto kl(Scope& scope, const Posterior& posterior) const {
        return scope.apply(MultivariateNormalKl{}, posterior.mean, posterior.factor);
    }
    template <class Scope, class Posterior, class Z>
    constexpr auto sampled_kl(Scope& scope, const Posterior& posterior, const Z& z) const {
        return distributions::log_ratio(scope, posterior, distributions::StandardNormal{}, z);
    }
    template <class Scope, class Z>
    constexpr auto within_prior(Scope& scope, const Z& mean) const {
        return clamp(scope, mean, -prior_bulk, prior_bulk);
    }
    template <class Scope>
    constexpr auto prior(Scope& scope, Index batch) const {
        return scope.normal(units, batch);
    }
};

}  // namespace untoward
