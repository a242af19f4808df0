// SPDX-License-Identifier: MIT
#pragma once

// A likelihood of a user's own: all of it is in this file, none of it in the library.

#include <cmath>
#include <type_traits>

#include <untoward/autodiff/initialiser.hpp>
#include <untoward/distributions/special.hpp>
#include <untoward/vae/likelihood.hpp>

namespace extension {

using namespace untoward;

/// log p(x) of counts x of mean m = e^l and size r = e^k, which have the variance m + m^2 / r, element by
/// element:
///
///     log Gamma(x + r) - log Gamma(r) - log Gamma(x + 1) - r softplus(l - k) - x softplus(k - l)
///
/// where softplus(l - k) = log((r + m) / r). Below 0 it is that of 0 less 50 times the square of the distance.
struct NegativeBinomialLogDensity {
    constexpr auto shape(const auto& x, const auto& log_mean, const auto& log_size) const {
        return broadcast(broadcast(x, log_mean), log_size);
    }
    void forward(auto y, auto x, auto log_mean, auto log_size) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y, [](S a, S l, S k) { return in_double(value, a, l, k); }, x, log_mean, log_size);
    }
    void backward(auto dy, auto, auto x, auto log_mean, auto log_size, auto dx, auto dmean,
                  auto dsize) const {
        using S = typename decltype(x)::Scalar;
        dx.add([](S d, S a, S l, S k) { return d * in_double(slope_in_x, a, l, k); }, dy, x, log_mean,
               log_size);
        dmean.add([](S d, S a, S l, S k) { return d * in_double(slope_in_log_mean, a, l, k); }, dy, x,
                  log_mean, log_size);
        dsize.add([](S d, S a, S l, S k) { return d * in_double(slope_in_log_size, a, l, k); }, dy, x,
                  log_mean, log_size);
    }

private:
    static constexpr double outside = 100;  // curvature of the density below 0

    // Whatever the scalar: a density is a difference of large numbers.
    template <class S>
    static S in_double(double (*function)(double, double, double), S a, S l, S k) {
        return static_cast<S>(
            function(static_cast<double>(a), static_cast<double>(l), static_cast<double>(k)));
    }
    static double at_least_zero(double x) { return x < 0 ? 0 : x; }  // NaN stays one

    static double value(double x, double l, double k) {
        const double count = at_least_zero(x);
        const double size = std::exp(k);
        return distributions::log_gamma(count + size) - distributions::log_gamma(size) -
               distributions::log_gamma(count + 1) - size * math::softplus(l - k) -
               count * math::softplus(k - l) - outside / 2 * (x - count) * (x - count);
    }
    static double slope_in_x(double x, double l, double k) {
        if (x < 0) return -outside * x;
        return distributions::digamma(x + std::exp(k)) - distributions::digamma(x + 1) -
               math::softplus(k - l);
    }
    static double slope_in_log_mean(double x, double l, double k) {
        return at_least_zero(x) * math::sigmoid(k - l) - std::exp(k) * math::sigmoid(l - k);
    }
    static double slope_in_log_size(double x, double l, double k) {
        const double count = at_least_zero(x);
        const double size = std::exp(k);
        return size * (distributions::digamma(count + size) - distributions::digamma(size) -
                       math::softplus(l - k) + math::sigmoid(l - k)) -
               count * math::sigmoid(k - l);
    }
};

/// A count of uniform noise: the probabilities of the mode and of its neighbours, the nearer first, are added
/// up until they reach u. No gradient.
struct NegativeBinomialDraw {
    constexpr auto shape(const auto& noise, const auto& log_mean, const auto& log_size) const {
        return broadcast(broadcast(noise, log_mean), log_size);
    }
    void forward(auto y, auto noise, auto log_mean, auto log_size) const {
        using S = typename decltype(y)::Scalar;
        assign(
            y,
            [](S u, S l, S k) {
                return static_cast<S>(
                    count_at(static_cast<double>(u), static_cast<double>(l), static_cast<double>(k)));
            },
            noise, log_mean, log_size);
    }
    void backward(auto, auto, auto, auto, auto, auto, auto, auto) const {}

private:
    static double count_at(double u, double log_mean, double log_size) {
        const double mean = std::exp(log_mean);
        const double size = std::exp(log_size);
        if (!std::isfinite(mean) || !std::isfinite(size)) return mean * size;  // NaN stays
        const double log_ratio = -std::log1p(size / mean);                     // log(mean / (mean + size))
        const double ratio = std::exp(log_ratio);
        const double mode = size > 1 ? std::floor(mean * (size - 1) / size) : 0;
        double above =
            std::exp(distributions::log_gamma(mode + size) - distributions::log_gamma(size) -
                     distributions::log_gamma(mode + 1) - size * std::log1p(mean / size) + mode * log_ratio);
        double below = above;
        double reached = above;
        if (u < reached) return mode;
        // As far as a hundred millionth of the probability of the tail, which falls at least like a Gamma's.
        const auto most =
            static_cast<Index>(40 + 12 * std::sqrt(mean + mean * mean / size) + 18 * mean / size);
        for (Index i = 1; i <= most; ++i) {
            const double next = mode + static_cast<double>(i);
            above *= ratio * (next - 1 + size) / next;
            reached += above;
            if (u < reached) return next;
            const double last = mode - static_cast<double>(i);
            if (last < 0) continue;
            below *= (last + 1) / ((last + size) * ratio);
            reached += below;
            if (u < reached) return last;
        }
        return mode;  // rounding at the end of the sum
    }
};

/// Independent counts of mean exp(log_mean) and variance mean + mean^2 / exp(log_size): a Poisson whose rate
/// is itself of a Gamma distribution. The density is of every element; draws have no gradient.
template <class LogMean, class LogSize>
struct NegativeBinomialDistribution {
    LogMean log_mean;
    LogSize log_size;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        return scope.apply(NegativeBinomialLogDensity{}, x, log_mean, log_size);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto noise = scope.uniform(log_mean.shape(), log_mean.batch());
        return scope.apply(NegativeBinomialDraw{}, noise, log_mean, log_size);
    }
    template <class Scope>
    constexpr auto expectation(Scope& scope) const {
        return exp(scope, log_mean);
    }
};

/// The layer from a decoder's output to counts: their log-mean, and a log-size of every feature's own.
template <class Sample>
struct NegativeBinomialHead {
    [[no_unique_address]] Sample sample;
    double first_size;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto raw_mean = scope.call("log_mean", head_for(sample), x);
        const auto log_mean = clamp(scope, raw_mean, -10, 7);
        const auto raw_size =
            scope.parameter("log_size", sample, Constant{std::log(first_size)}, Attributes{.decay = false});
        const auto log_size = clamp(scope, raw_size, -4, 7);
        using LogMean = std::remove_const_t<decltype(log_mean)>;
        using LogSize = std::remove_const_t<decltype(log_size)>;
        return NegativeBinomialDistribution<LogMean, LogSize>{log_mean, log_size};
    }
};

/// Features that are counts and vary more than a Poisson's: its mean by the decoder, kept within e^-10 and
/// e^7, its size one parameter for every feature, kept within e^-4 and e^7. A feature whose counts are
/// Poisson's after all gets a large size. Behind IdentityScaler. Parameters `log_mean.weight`,
/// `log_mean.bias` and `log_size`.
struct NegativeBinomial : DistributionLikelihood {
    double first_size = 4;  ///< what every size starts from

    static constexpr DataKind data = DataKind::counts;
    static constexpr const char* name = "negative-binomial";
    static constexpr void options(auto& self, auto&& visit) {
        visit("first_size", self.first_size, OptionRange{0.02, 1000});
    }

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return NegativeBinomialHead<Sample>{sample, first_size};
    }
};

}  // namespace extension
