// SPDX-License-Identifier: MIT
#include "vae/own_likelihood.hpp"

#include "support/property.hpp"

using namespace untoward;

namespace {

/// All that a likelihood is asked for, of a decoder's output and of data.
struct All {
    template <class Scope, class Hidden, class X>
    constexpr auto operator()(Scope& scope, const Hidden& hidden, const X& x) const {
        const own::LogNormalLikelihood likelihood;
        const auto output = scope.call("likelihood", likelihood.layer(x.shape()), hidden);
        const auto log_density = likelihood.log_density(scope, x, output);
        const auto expectation = likelihood.expectation(scope, output);
        const auto draw = likelihood.sample(scope, output);
        return std::tuple(log_density, expectation, draw);
    }
};

}  // namespace

TEST_CASE("a likelihood of a user's own keeps the library's promises") {
    property::check_function(All{}, {.low = 0.05, .high = 2}, Vec<4>{}, Vec<3>{});
}
