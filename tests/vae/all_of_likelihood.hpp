// SPDX-License-Identifier: MIT
#pragma once

// All that a likelihood is asked for, as one layer, and the promises of support/property.hpp for it.

#include "support/property.hpp"
#include "untoward/vae/likelihood.hpp"

namespace untoward_test {

using namespace untoward;

/// All that a likelihood is asked for, of a decoder's output and of data.
template <class Likelihood, bool Draws>
struct All {
    Likelihood likelihood{};

    template <class Scope, class Hidden, class X>
    constexpr auto operator()(Scope& scope, const Hidden& hidden, const X& x) const {
        const auto output = scope.call("likelihood", likelihood.layer(x.shape()), hidden);
        const auto log_density = likelihood.log_density(scope, x, output);
        const auto expectation = likelihood.expectation(scope, output);
        if constexpr (Draws) {
            const auto draw = likelihood.sample(scope, output);
            return std::tuple(log_density, expectation, draw);
        } else {
            return std::tuple(log_density, expectation);
        }
    }
};

template <class Likelihood, bool Draws = true>
void check_likelihood(const property::Options& options = {}) {
    static_assert(Likelihood::has_variance);
    property::check_properties(All<Likelihood, Draws>{}, options, Vec<4>{}, Vec<3>{});
    property::check_function(All<Likelihood, Draws>{}, options, Seq<>(3, 2), Seq<>(1, 2));
}

}  // namespace untoward_test
