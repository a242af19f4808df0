// SPDX-License-Identifier: MIT
// The layer alone: values, gradients, and all that is promised of a layer.
#include "extension/highway.hpp"

#include <cmath>
#include <string>

#include "support/property.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/dropout.hpp"

using namespace untoward;
using extension::Highway;
using property::check_properties;

TEST_CASE("highway: the library's promises") {
    check_properties(Highway<Dense<5, Tanh>>{}, {}, Vec<5>{});
    check_properties(Highway<Chain<Dense<3, Tanh>, Dropout>>{{{}, Dropout{.rate = 0.5}}}, {}, Vec<3>{});
}

TEST_CASE("highway: the library's promises over time") {
    check_properties(Highway<CausalConvolution1d<3, 2>>{}, {}, Seq<3, 5>{});
    check_properties(Highway{Highway<Dense<1, Sigmoid>>{}}, {.batch = 1}, Seq<1, 3>{});
}

TEST_CASE("highway: its parameters, and their first values") {
    const Highway<Dense<2, Tanh>> layer;
    std::string layout;
    describe(
        [&](const ParameterInfo& p) {
            layout += std::string(p.path) + (p.attributes.decay ? " decays" : "") + "; ";
        },
        layer, Vec<2>{});
    CHECK(layout == "layer.weight decays; layer.bias; weight decays; bias; ");

    double p[12];
    initialise(p, 4, layer, Vec<2>{});
    for (int i = 6; i < 10; ++i) CHECK(std::abs(p[i]) < 1 / std::sqrt(2.0));
    CHECK(p[10] == -1);
    CHECK(p[11] == -1);
}

TEST_CASE("highway: its formula, by hand") {
    // The layer is 2 x1 - 3, 0.5 x0; the gates are sigmoid(log 3) = 3/4 at x = (1, 2), and 1/2.
    const double three = std::log(3.0);
    const double p[] = {0, 2, 0.5, 0, -3, 0, three, 0, 0, 0, 0, 0};
    const double x[] = {1, 2};
    Buffer<std::byte> memory(4096);
    Arena arena(memory);
    Run<double> scope(p, arena, Pass{});
    const auto y = Highway<Dense<2>>{}(scope, Tensor<const double, Vec<2>>(x, Vec<2>{}, 1));
    CHECK(y(0, 0) == Approx(1.0 / 4 * 1 + 3.0 / 4 * 1));
    CHECK(y(1, 0) == Approx(1.0 / 2 * 2 + 1.0 / 2 * 0.5));
}

TEST_CASE("highway: its gradient") {
    const auto error =
        check_gradient(Highway<Dense<Dynamic, Gelu>>{Dense<Dynamic, Gelu>(4)}, {.batch = 4}, Vec<>(4));
    INFO(error.where << " [" << error.index << "]: " << error.backward << ", should be " << error.difference);
    CHECK(error.relative < 1e-8);
}
