// SPDX-License-Identifier: MIT
// Recurrent layers in both directions, and what joins them to vectors, keep the promises of
// support/property.hpp.
#include "support/property.hpp"
#include "untoward/nn/bidirectional.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"

using namespace untoward;
using property::check_properties;
using property::check_subject;
using property::Subject;

TEST_CASE("long short-term memory") {
    check_properties(Lstm<5>{}, {.batch = 3}, Seq<3, 7>{});
}

TEST_CASE("long short-term memory of one of everything") {
    check_subject(Subject(Lstm<>{1}, Seq<1, 1>{}), {.batch = 1});
}

TEST_CASE("both directions, and their last states") {
    check_properties(Chain<Bidirectional<Lstm<2>>, LastStates>{}, {.batch = 2}, Seq<3, 4>{});
}
