// SPDX-License-Identifier: MIT
// Convolutions over time keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/temporal_block.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;
using property::check_properties;
using property::check_subject;
using property::Subject;

TEST_CASE("convolutions with strides, padding and dilation, and their transposes") {
    check_properties(Chain<Convolution1d<4, 3, 2, 1>, TransposedConvolution1d<2, 3, 2, 1, 1>>{}, {.batch = 2},
                     Seq<3, 9>{});
    check_subject(Subject(Convolution1d<1, 2, 3, 4, 5>{}, Seq<2, 7>{}), {.batch = 2});
    check_subject(Subject(TransposedConvolution1d<1, 2, 3, 1, 2, 4>{}, Seq<2, 1>{}), {.batch = 1});
}

TEST_CASE("a temporal block") {
    check_properties(TemporalBlock<4, 2, Tanh>{.dilation = 2, .dropout = 0.3}, {.batch = 2}, Seq<3, 5>{});
    check_properties(TemporalBlock<3, 2, Tanh>{.dilation = 2}, {.batch = 1}, Seq<3, 2>{});
}
