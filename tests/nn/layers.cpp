// SPDX-License-Identifier: MIT
// Layers without a memory keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/dropout.hpp"
#include "untoward/nn/residual.hpp"

using namespace untoward;
using property::check_properties;

TEST_CASE("a dense layer of as many units as a number says") {
    check_properties(Dense<Dynamic, Sigmoid>{7}, {.batch = 9}, Vec<13>{});
}

TEST_CASE("dense layers over sequences, a residual and dropout") {
    check_properties(
        Chain<Dense<6, Relu>, Residual<Dense<6, Tanh>>, Dropout, Dense<2>>{{}, {}, Dropout{0.3}, {}},
        {.batch = 4}, Seq<5, 3>{});
}

TEST_CASE("a layer that returns its input") {
    check_properties(Chain<Dropout, Chain<>>{Dropout{0}, {}}, {.batch = 2}, Vec<3>{});
}
