// SPDX-License-Identifier: MIT
// Layers over time keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/gru.hpp"

using namespace untoward;
using property::check_properties;

TEST_CASE("gated recurrent units") {
    check_properties(Gru<5>{}, {.batch = 2}, Seq<3, 32>{});
}

TEST_CASE("a gated recurrent unit of one of everything") {
    property::check_subject(property::Subject(Gru<1>{}, Seq<1, 1>{}), {.batch = 1});
}

TEST_CASE("causal convolutions") {
    check_properties(CausalConvolution1d<5, 3>{4}, {.batch = 2}, Seq<3, 32>{});
    property::check_subject(property::Subject(CausalConvolution1d<2, 2>{3}, Seq<1, 2>{}), {.batch = 1});
}
