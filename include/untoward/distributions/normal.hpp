// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/reduce.hpp"

// The diagonal normal distribution, parametrised by its mean and the logarithm of its variance. Densities
// keep all their constants; everything is in nats.

namespace untoward {

/// log N(x; mean, exp(log_variance)), element by element:
///     -1/2 ((x - mean)^2 / exp(log_variance) + log_variance + log(2 pi))
struct NormalLogDensity {
    constexpr auto shape(const auto& x, const auto& mean, const auto& log_variance) const {
        return broadcast(broadcast(x, mean), log_variance);
    }
    void forward(auto y, auto x, auto mean, auto log_variance) const {
        using S = typename decltype(y)::Scalar;
        const S log_two_pi = static_cast<S>(1.8378770664093454835606594728112);
        assign(
            y,
            [log_two_pi](const auto& a, const auto& m, const auto& l) {
                return S(-0.5) * ((a - m).square() * (-l).exp() + l + log_two_pi);
            },
            x, mean, log_variance);
    }
    void backward(auto dy, auto, auto x, auto mean, auto log_variance, auto dx, auto dmean,
                  auto dlog_variance) const {
        using S = typename decltype(x)::Scalar;
        dx.add([](const auto& d, const auto& a, const auto& m,
                  const auto& l) { return d * (m - a) * (-l).exp(); },
               dy, x, mean, log_variance);
        dmean.add([](const auto& d, const auto& a, const auto& m,
                     const auto& l) { return d * (a - m) * (-l).exp(); },
                  dy, x, mean, log_variance);
        dlog_variance.add([](const auto& d, const auto& a, const auto& m,
                             const auto& l) { return S(0.5) * d * ((a - m).square() * (-l).exp() - S(1)); },
                          dy, x, mean, log_variance);
    }
};

/// KL(N(mean, exp(log_variance)) || N(0, 1)), element by element: 1/2 (mean^2 + e^l - 1 - l)
struct NormalKl {
    constexpr auto shape(const auto& mean, const auto& log_variance) const {
        return broadcast(mean, log_variance);
    }
    void forward(auto y, auto mean, auto log_variance) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y, [](const auto& m, const auto& l) { return S(0.5) * (m.square() + l.exp() - S(1) - l); }, mean,
            log_variance);
    }
    void backward(auto dy, auto, auto mean, auto log_variance, auto dmean, auto dlog_variance) const {
        using S = typename decltype(mean)::Scalar;
        dmean.add([](const auto& d, const auto& m) { return d * m; }, dy, mean);
        dlog_variance.add([](const auto& d, const auto& l) { return S(0.5) * d * (l.exp() - S(1)); }, dy,
                          log_variance);
    }
};

/// A sample by the reparameterisation trick (Kingma and Welling 2014): mean + exp(log_variance / 2) noise.
struct Reparameterise {
    constexpr auto shape(const auto& mean, const auto& log_variance, const auto& noise) const {
        return broadcast(broadcast(mean, log_variance), noise);
    }
    void forward(auto y, auto mean, auto log_variance, auto noise) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y, [](const auto& m, const auto& l, const auto& e) { return m + (S(0.5) * l).exp() * e; }, mean,
            log_variance, noise);
    }
    void backward(auto dy, auto, auto, auto log_variance, auto noise, auto dmean, auto dlog_variance,
                  auto dnoise) const {
        using S = typename decltype(log_variance)::Scalar;
        dmean.add([](const auto& d) { return d; }, dy);
        dlog_variance.add(
            [](const auto& d, const auto& l, const auto& e) { return S(0.5) * d * (S(0.5) * l).exp() * e; },
            dy, log_variance, noise);
        dnoise.add([](const auto& d, const auto& l) { return d * (S(0.5) * l).exp(); }, dy, log_variance);
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
/// a draw from N(mean, exp(log_variance))
template <class Scope, class M, class L>
constexpr auto reparameterise(Scope& scope, const M& mean, const L& log_variance) {
    const auto noise = scope.normal(mean.shape(), mean.batch());
    return scope.apply(Reparameterise{}, mean, log_variance, noise);
}

}  // namespace untoward
