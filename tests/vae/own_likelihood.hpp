// SPDX-License-Identifier: MIT
#pragma once

// A likelihood written outside of the library: the example of vae/likelihood.hpp, word for word.

#include <untoward/distributions/normal.hpp>
#include <untoward/vae/likelihood.hpp>

namespace own {

using namespace untoward;

template <class Mean, class LogVariance>
struct LogNormal {  // a distribution
    distributions::Normal<Mean, LogVariance> of_log;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        const auto positive = clamp(scope, x, 1e-6, 1e6);
        const auto logarithm = log(scope, positive);
        const auto density = of_log.log_density(scope, logarithm);
        return subtract(scope, density, logarithm);  // |d log x / dx| = 1 / x
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto logarithm = of_log.sample(scope);
        return exp(scope, logarithm);
    }
    template <class Scope>
    constexpr auto expectation(Scope& scope) const {  // exp(mean + variance / 2)
        const auto variance = exp(scope, of_log.log_variance);
        const auto half = scale(scope, 0.5, variance);
        const auto exponent = add(scope, of_log.mean, half);
        return exp(scope, exponent);
    }
};

template <class Sample>
struct LogNormalHead {  // the layer that makes it
    [[no_unique_address]] Sample sample;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto mean = scope.call("mean", head_for(sample), x);
        const auto raw = scope.parameter("log_variance", sample, Constant{0}, Attributes{.decay = false});
        const auto log_variance = clamp(scope, raw, -6, 4);
        const distributions::Normal of_log{mean, log_variance};
        return LogNormal<decltype(of_log.mean), decltype(of_log.log_variance)>{of_log};
    }
};

struct LogNormalLikelihood : DistributionLikelihood {
    static constexpr const char* name = "log-normal";

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return LogNormalHead<Sample>{sample};
    }
};

}  // namespace own
