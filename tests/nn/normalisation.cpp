// SPDX-License-Identifier: MIT
// Normalising layers keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/nn/batch_norm.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/layer_norm.hpp"

using namespace untoward;
using property::check_properties;

TEST_CASE("layer norm") {
    check_properties(LayerNorm{}, {.batch = 3}, Seq<5, 3>{});
    property::check_subject(property::Subject(LayerNorm{1e-2}, Vec<1>{}), {.batch = 1});
}

TEST_CASE("batch norm") {
    check_properties(BatchNorm{}, {.batch = 5, .independent = false}, Vec<3>{});
}

TEST_CASE("batch norm over positions") {
    property::check_subject(property::Subject(BatchNorm{}, Image<2, 3, 1>{}),
                            {.batch = 2, .independent = false});
}
