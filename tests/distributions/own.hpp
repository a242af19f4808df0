// SPDX-License-Identifier: MIT
#pragma once

// A distribution written outside of the library, as distributions/distribution.hpp shows it.

#include <cmath>

#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/elementwise.hpp"

namespace own {

/// A normal distribution of one given deviation.
template <class Centre>
struct Bell {
    Centre centre;
    double deviation;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        const auto difference = subtract(scope, x, centre);
        const auto squares = square(scope, difference);
        const auto exponent = scale(scope, -0.5 / (deviation * deviation), squares);
        const auto constant =
            scope.constant(untoward::Vec<1>{}, 1, -std::log(deviation * 2.5066282746310002));
        return add(scope, exponent, constant);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto noise = scope.normal(centre.shape(), centre.batch());
        const auto step = scale(scope, deviation, noise);
        return add(scope, centre, step);
    }
};

template <class Centre>
Bell(const Centre&, double) -> Bell<Centre>;

}  // namespace own
