// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <tuple>

#include "../autodiff/rules/elementwise.hpp"
#include "distribution.hpp"

// The diagonal normal distribution, parametrised by its mean and the logarithm of its variance. Densities
// keep all their constants; everything is in nats.

namespace untoward UNTOWARD_SETTING {

/// log N(x; mean, exp(log_variance)), element by element:
///     -1/2 ((x - mean)^2 / exp(log_variance) + log_variance + log(2 pi))
class NormalLogDensity {
public:
    constexpr auto shape(const auto& x, const auto& mean, const auto& log_variance) const {
        return broadcast<NormalLogDensity>(x, mean, log_variance);
    }
    /// The precisions, where a batch may share them.
    constexpr Index saved(Index batch, const auto&, const auto&, const auto& log_variance) const {
        return may_share(batch) ? log_variance.size() : 0;
    }
    template <class S>
    void forward(S* saved, auto y, auto x, auto mean, auto log_variance) const {
        const S log_two_pi = static_cast<S>(1.8378770664093454835606594728112);
        const auto density = [log_two_pi](auto a, auto m, auto l, auto precision) {
            return S(-0.5) * (math::square(a - m) * precision + l + log_two_pi);
        };
        if (is_number(log_variance)) {
            const S l = log_variance(0, 0);
            assign(
                y,
                [density, l, precision = FromLog{}(l)](auto a, auto m) {
                    return density(a, m, l, precision);
                },
                x, mean);
            return;
        }
        if (!shared(y, log_variance)) {
            assign(
                y, [density](auto a, auto m, auto l) { return density(a, m, l, FromLog{}(l)); }, x, mean,
                log_variance);
            return;
        }
        const Tensor precisions(saved, log_variance.shape(), 1);
        assign(precisions, FromLog{}, log_variance);
        assign(y, density, x, mean, log_variance, precisions);
    }
    template <class S>
    void backward(S* saved, auto dy, auto y, auto x, auto mean, auto log_variance, auto dx, auto dmean,
                  auto dlog_variance) const {
        const auto gradients = [&](auto precision, const auto& p) {
            const auto toward = [precision](auto d, auto from, auto to, auto of) {
                return d * (to - from) * precision(of);
            };
            dx.add(toward, dy, x, mean, p);
            dmean.add(toward, dy, mean, x, p);
            dlog_variance.add(
                [precision](auto d, auto a, auto m, auto of) {
                    return S(0.5) * d * (math::square(a - m) * precision(of) - 1);
                },
                dy, x, mean, p);
        };
        if (is_number(log_variance)) {
            const S number = FromLog{}(log_variance(0, 0));
            return gradients([number](auto) { return number; }, mean);
        }
        if (!shared(y, log_variance)) return gradients(FromLog{}, log_variance);
        gradients(Given{}, Tensor<const S, std::remove_cvref_t<decltype(log_variance.shape())>>(
                               saved, log_variance.shape(), 1));
    }

private:
    // An exponential for every element costs more than all else: where the samples of a batch share the variances, it is
    // taken once for all of them.
    struct FromLog {
        auto operator()(auto log_variance) const { return math::exp(-log_variance); }
    };
    struct Given {
        auto operator()(auto precision) const { return precision; }
    };
    // One for everything: then all else lies one after another.
    static constexpr bool is_number(const auto& log_variance) {
        return log_variance.rows() == 1 && log_variance.batch() == 1;
    }
    static constexpr bool may_share(Index batch) { return !detail::small_code && batch > 1; }
    static constexpr bool shared(const auto& y, const auto& log_variance) {
        return may_share(y.batch()) && log_variance.batch() == 1;
    }
};

/// KL(N(mean, exp(log_variance)) || N(0, 1)), element by element: 1/2 (mean^2 + e^l - 1 - l)
struct NormalKl {
    constexpr auto shape(const auto& mean, const auto& log_variance) const {
        return broadcast<NormalKl>(mean, log_variance);
    }
    void forward(auto y, auto mean, auto log_variance) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y, [](auto m, auto l) { return S(0.5) * (m * m + math::exp(l) - 1 - l); }, mean, log_variance);
    }
    void backward(auto dy, auto, auto mean, auto log_variance, auto dmean, auto dlog_variance) const {
        using S = typename decltype(mean)::Scalar;
        dmean.add([](auto d, auto m) { return d * m; }, dy, mean);
        dlog_variance.add([](auto d, auto l) { return S(0.5) * d * (math::exp(l) - 1); }, dy, log_variance);
    }
};

/// KL(N(m, exp(l)) || N(n, exp(k))), element by element:
///     1/2 (e^(l - k) - 1 - (l - k) + (m - n)^2 e^-k)
struct NormalPairKl {
    constexpr auto shape(const auto& m, const auto& l, const auto& n, const auto& k) const {
        return broadcast<NormalPairKl>(m, l, n, k);
    }
    void forward(auto y, auto m, auto l, auto n, auto k) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](auto a, auto b, auto c, auto d) {
                return S(0.5) * (math::expm1(b - d) - (b - d) + math::square(a - c) * math::exp(-d));
            },
            m, l, n, k);
    }
    void backward(auto dy, auto, auto m, auto l, auto n, auto k, auto dm, auto dl, auto dn, auto dk) const {
        using S = typename decltype(m)::Scalar;
        const auto of_means = [](auto u, auto a, auto c, auto d) { return u * (a - c) * math::exp(-d); };
        dm.add(of_means, dy, m, n, k);
        dn.add(of_means, dy, n, m, k);
        dl.add([](auto u, auto b, auto d) { return S(0.5) * u * math::expm1(b - d); }, dy, l, k);
        dk.add(
            [](auto u, auto a, auto b, auto c, auto d) {
                return S(-0.5) * u * (math::expm1(b - d) + math::square(a - c) * math::exp(-d));
            },
            dy, m, l, n, k);
    }
};

/// The first K elements of a vector of 2 K as means, the others as log-variances kept in [low, high] as by `Clamp`.
/// Copies, not views: what is done with columns of few numbers is quicker where they lie one after another.
template <Index K>
struct MeanAndLogVariance {
    double low;
    double high;
    [[no_unique_address]] Vec<K> units;

    template <Index N>
    constexpr auto shape(const Shape<N>& x) const {
        UNTOWARD_ASSERT(x.size() == 2 * units.size(), "untoward: as many log-variances as means");
        static_cast<void>(x);
        return std::tuple(units, units);
    }
    void forward(auto y, auto x) const {
        const auto& [mean, log_variance] = y;
        const Index k = units.size();
        for (Index j = 0; j < x.batch(); ++j) {
            const auto* const from = x.data() + j * x.stride();
            std::copy_n(from, k, mean.data() + j * k);
            std::copy_n(from + k, k, log_variance.data() + j * k);
        }
        Clamp{low, high}.forward(log_variance, log_variance);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        using S = typename decltype(x)::Scalar;
        const auto pull = Clamp{low, high}.template pull<S>();
        const Index k = units.size();
        const S* mean = std::get<0>(dy).data();
        const S* log_variance = std::get<1>(dy).data();
        dx.write([&](const auto& to, bool accumulate) {
            for (Index j = 0; j < to.batch(); ++j, mean += k, log_variance += k) {
                S* const sum = to.data() + j * to.stride();
                const S* const raw = x.data() + j * x.stride() + k;
                if (!accumulate) std::fill_n(sum, 2 * k, S(0));
                for (Index i = 0; i < k; ++i) sum[i] += mean[i];
                for (Index i = 0; i < k; ++i) sum[k + i] += pull(log_variance[i], raw[i]);
            }
        });
    }
};

/// A sample by the reparameterisation trick (Kingma and Welling 2014): mean + exp(log_variance / 2) noise.
struct Reparameterise {
    constexpr auto shape(const auto& mean, const auto& log_variance, const auto& noise) const {
        return broadcast<Reparameterise>(mean, log_variance, noise);
    }
    void forward(auto y, auto mean, auto log_variance, auto noise) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y, [](auto m, auto l, auto e) { return m + math::exp(S(0.5) * l) * e; }, mean, log_variance,
            noise);
    }
    void backward(auto dy, auto, auto, auto log_variance, auto noise, auto dmean, auto dlog_variance,
                  auto dnoise) const {
        using S = typename decltype(log_variance)::Scalar;
        dmean.add([](auto d) { return d; }, dy);
        dlog_variance.add([](auto d, auto l, auto e) { return S(0.5) * d * math::exp(S(0.5) * l) * e; }, dy,
                          log_variance, noise);
        dnoise.add([](auto d, auto l) { return d * math::exp(S(0.5) * l); }, dy, log_variance);
    }
};

/// log N(x; mean, exp(log_variance)) of every element
template <class Scope, class X, class M, class L>
constexpr auto normal_log_density(Scope& scope, const X& x, const M& mean, const L& log_variance) {
    return scope.apply(NormalLogDensity{}, x, mean, log_variance);
}
/// KL to the standard normal of every element
template <class Scope, class M, class L>
constexpr auto normal_kl(Scope& scope, const M& mean, const L& log_variance) {
    return scope.apply(NormalKl{}, mean, log_variance);
}
/// The mean and the log-variance of every element of `units`, of x, which has twice as many.
template <class Scope, class X, Index K>
constexpr auto mean_and_log_variance(Scope& scope, const X& x, const Vec<K>& units, double low, double high) {
    return scope.apply(MeanAndLogVariance<K>{low, high, units}, x);
}
/// a draw from N(mean, exp(log_variance))
template <class Scope, class M, class L>
constexpr auto reparameterise(Scope& scope, const M& mean, const L& log_variance) {
    const auto noise = scope.normal(mean.shape(), mean.batch());
    return scope.apply(Reparameterise{}, mean, log_variance, noise);
}

namespace distributions {

/// The prior of latent units: independent standard normals, as many as x has elements. A density only: draws
/// are `scope.normal(shape, batch)`.
struct StandardNormal {
    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        const auto zero = scope.constant(Vec<1>{}, 1, 0);
        return normal_log_density(scope, x, zero, zero);
    }
};

/// Independent normals: mean and log-variance have the shape of x or broadcast to it. Draws are
/// reparameterised, and have the mean's shape.
///
///     distributions::Normal q{mean, log_variance};
template <class Mean, class LogVariance>
struct Normal {
    Mean mean;
    LogVariance log_variance;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        return normal_log_density(scope, x, mean, log_variance);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        return reparameterise(scope, mean, log_variance);
    }
    template <class Scope>
    constexpr auto expectation(Scope&) const {
        return mean;
    }
    /// KL to the standard normal of every element.
    template <class Scope>
    constexpr auto kl(Scope& scope, const StandardNormal&) const {
        return normal_kl(scope, mean, log_variance);
    }
    /// KL to another normal of every element.
    template <class Scope, class M, class L>
    constexpr auto kl(Scope& scope, const Normal<M, L>& p) const {
        return scope.apply(NormalPairKl{}, mean, log_variance, p.mean, p.log_variance);
    }
};

template <class Mean, class LogVariance>
Normal(const Mean&, const LogVariance&) -> Normal<Mean, LogVariance>;

}  // namespace distributions

}  // namespace untoward
