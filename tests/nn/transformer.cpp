// SPDX-License-Identifier: MIT
// Transformer blocks keep the promises of support/property.hpp.
#include "untoward/nn/transformer.hpp"
#include "support/property.hpp"

using namespace untoward;
using property::check_properties;

TEST_CASE("a transformer's block") {
    check_properties(TransformerBlock<2, 5, Tanh>{.causal = true, .dropout = 0.2}, {.batch = 2}, Seq<4, 3>{});
}
