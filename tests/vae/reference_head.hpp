// SPDX-License-Identifier: MIT
#pragma once

// Likelihood heads against PyTorch (tests/reference/distributions.py): log densities, expectations, and the gradient
// for the decoder's output, the data and every parameter, with clamps active in some elements.

#include "reference/distributions.hpp"
#include "support/torch_inputs.hpp"
#include "untoward/vae/likelihood.hpp"

namespace untoward_test {

using namespace untoward;
using torch::Expected;
using torch::Input;
using torch::Numbers;

template <class Likelihood>
struct Density {
    Likelihood likelihood{};
    template <class Scope, class Hidden, class X>
    constexpr auto operator()(Scope& scope, const Hidden& hidden, const X& x) const {
        const auto output = scope.call("likelihood", likelihood.layer(x.shape()), hidden);
        return likelihood.log_density(scope, x, output);
    }
};

template <class Likelihood>
void check_head(const Expected& expected, Numbers h, Numbers dh, Numbers x, Numbers dx, Numbers expectation) {
    const Vec<4> hidden;
    const Vec<3> features;
    torch::check_both(Density<Likelihood>{}, expected, Input{hidden, h, dh}, Input{features, x, dx});

    std::vector<double> parameters;
    for (const auto& p : expected.parameters)
        parameters.insert(parameters.end(), p.values.begin(), p.values.end());
    Buffer<std::byte> memory(1 << 14);
    Arena arena(memory);
    Run<double> scope(parameters.data(), arena);
    const Likelihood likelihood;
    const auto output = scope.call("likelihood", likelihood.layer(features),
                                   Tensor<const double, Vec<4>>(h.data(), hidden, 5));
    const auto found = likelihood.expectation(scope, output);
    REQUIRE(found.size() == static_cast<Index>(expectation.size()));
    torch::require_equal(found.data(), expectation, 1e-10);
}

}  // namespace untoward_test

// A likelihood's head against the reference of this name; more parameters than weight and bias follow.
#define UNTOWARD_TEST_HEAD(Likelihood, name, ...)                                                    \
    untoward_test::check_head<Likelihood>(                                                           \
        {name##_y,                                                                                   \
         name##_upstream,                                                                            \
         {{name##_weight, name##_dweight}, {name##_bias, name##_dbias} __VA_OPT__(, ) __VA_ARGS__}}, \
        name##_h, name##_dh, name##_x, name##_dx, name##_expectation)
