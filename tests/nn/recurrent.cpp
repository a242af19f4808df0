// SPDX-License-Identifier: MIT
// Recurrent layers in both directions, and what joins them to vectors, keep the promises of
// support/property.hpp.
#include "support/property.hpp"
#include "untoward/nn/bidirectional.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"

using namespace untoward;
using property::check_function;
using property::check_properties;
using property::check_subject;
using property::Subject;

TEST_CASE("long short-term memory") {
    check_properties(Lstm<5>{}, {.batch = 3}, Seq<3, 7>{});
}

TEST_CASE("long short-term memory of one of everything") {
    check_subject(Subject(Lstm<>{1}, Seq<1, 1>{}), {.batch = 1});
}

TEST_CASE("a batch whose steps are kept one after another") {
    check_subject(Subject(Lstm<2>{}, Seq<>(1, 3)), {.batch = 9});
    check_subject(Subject(Lstm<2>{}, Seq<>(1, 1)), {.batch = 9});
}

TEST_CASE("recurrences that share an input, weights and a bias") {
    check_function(
        [](auto& scope, const auto& x) {
            const auto weight_in = scope.parameter("weight_in", Shape<2, 12>{}, UniformFanIn{2});
            const auto weight = scope.parameter("weight", Shape<3, 12>{}, UniformFanIn{3});
            const auto bias = scope.parameter("bias", Vec<12>{}, UniformFanIn{3});
            const auto wide = scope.parameter("wide", Shape<4, 12>{}, UniformFanIn{4});
            const auto first = scope.apply(Recurrence<LstmCell>{}, x, weight_in, weight, bias, bias);
            const auto second = scope.apply(Recurrence<GruCell>{}, x, weight_in, wide, bias, bias);
            const auto third = scope.apply(Recurrence<LstmCell>{}, x, weight_in, weight, bias, bias);
            return concatenate(scope, first, second, third);
        },
        {.batch = 2}, Seq<2, 3>{});
}

TEST_CASE("a vector that is the input of every step") {
    check_properties(Chain<Repeat<5>, Lstm<3>>{}, {.batch = 3}, Vec<2>{});
    check_subject(Subject(Chain{Repeat<>{3}, Gru<>{2}}, Vec<>(3)), {.batch = 1});
    check_subject(Subject(Chain<Repeat<2>, Gru<3>, Gru<2>>{}, Vec<2>{}), {.batch = 9});
}

TEST_CASE("more steps than are one product of the weights") {
    check_subject(Subject(Chain<Gru<2>, Lstm<2>>{}, Seq<1, 6>{}), {.batch = 65});
}

TEST_CASE("both directions, and their last states") {
    check_properties(Chain<Bidirectional<Lstm<2>>, LastStates>{}, {.batch = 2}, Seq<3, 4>{});
}
