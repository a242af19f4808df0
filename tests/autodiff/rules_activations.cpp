// SPDX-License-Identifier: MIT
// Activations behind a product, in one rule and in two, and a user's own.
#include <cmath>

#include "support/property.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;
using property::check_properties;
using property::check_rule;

namespace {

// Written as a user would.
struct Sine {
    static auto value(auto x) { return std::sin(x); }
    static auto slope(auto x) { return std::cos(x); }
};

// Neither of the two derivatives.
struct Cube {
    static auto value(auto x) { return x * x * x; }
};

}  // namespace

TEST_CASE("what an activation is") {
    STATIC_REQUIRE(HasSlopeFromOutput<Elu>);
    STATIC_REQUIRE(!HasSlopeFromOutput<Gelu>);
    STATIC_REQUIRE((ActivationFunction<Relu> && ActivationFunction<Silu> && ActivationFunction<Sine>));
    STATIC_REQUIRE(!ActivationFunction<Cube>);
    STATIC_REQUIRE(!ActivationFunction<Vec<1>>);
}

TEST_CASE("activations are known by name") {
    const auto name_of = [](auto activation) { return std::string(decltype(activation)::name); };
    CHECK(name_of(LeakyRelu{}) == "leaky-relu");
    CHECK(name_of(Elu{}) == "elu");
    CHECK(name_of(Gelu{}) == "gelu");
    CHECK(name_of(Silu{}) == "silu");
}

TEST_CASE("activations as rules") {
    check_rule(Activate<Identity>{}, {}, Vec<2>{});
    check_rule(Activate<LeakyRelu>{}, {}, Vec<>(7));
    check_rule(Activate<Elu>{}, {}, Seq<3, 3>{});
    check_rule(Activate<Gelu>{}, {}, Vec<7>{});
    check_rule(Activate<Silu>{}, {.batch = 1}, Seq<>(3, 5));
}

TEST_CASE("dense layers whose activation needs its input, and others") {
    check_properties(Dense<4, Gelu>{}, {}, Seq<3, 2>{});
    check_rule(Activate<Sine>{}, {}, Vec<1>{});
    property::check_subject(property::Subject(Dense<1, Silu>{}, Vec<>(5)), {.batch = 1});
    property::check_subject(property::Subject(Dense<3, Sine>{}, Vec<1>{}), {});
    property::check_subject(property::Subject(Dense<3, Elu>{}, Vec<2>{}), {});
    property::check_subject(property::Subject(Dense<3, LeakyRelu>{}, Vec<2>{}), {});
}
