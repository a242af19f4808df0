// SPDX-License-Identifier: MIT
// Arithmetic with every form of broadcasting.
#include "support/property.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

namespace {

// A parameter: batch one.
template <class Sample>
constexpr auto parameter(auto& scope, const Sample& shape) {
    return scope.parameter("p", shape, UniformFanIn{1});
}

}  // namespace

TEST_CASE("operands of equal shape") {
    check_rule(Add{}, {}, Vec<5>{}, Vec<>(5));
    check_rule(AddScaled{-1.5}, {}, Vec<5>{}, Vec<>(5));
    check_rule(Subtract{}, {.batch = 1}, Seq<3, 2>{}, Seq<3, 2>{});
    check_rule(Multiply{}, {.batch = 9}, Vec<>(1), Vec<1>{});
}

TEST_CASE("one number per sample meets a column") {
    check_rule(Multiply{}, {}, Vec<131>{}, Vec<1>{});
    check_rule(Subtract{}, {}, Vec<1>{}, Seq<2, 3>{});
}

TEST_CASE("one column meets every sample") {
    check_function([](auto& s, const auto& x) { return multiply(s, parameter(s, Vec<7>{}), x); },
                   {.batch = 5}, Vec<7>{});
}

TEST_CASE("one number meets everything") {
    check_function([](auto& s, const auto& x) { return subtract(s, x, parameter(s, Vec<1>{})); }, {},
                   Seq<3, 2>{});
}

TEST_CASE("a column of parameters and a row of numbers make a matrix") {
    check_function([](auto& s, const auto& x) { return multiply(s, parameter(s, Vec<6>{}), x); },
                   {.batch = 4}, Vec<1>{});
}

TEST_CASE("quotients") {
    check_rule(Divide{}, {.low = 0.5, .high = 2}, Vec<5>{}, Vec<>(5));
    check_rule(Divide{}, {.batch = 1, .low = 0.5, .high = 2}, Seq<2, 3>{}, Vec<1>{});
    check_function([](auto& s, const auto& x) { return divide(s, parameter(s, Vec<3>{}), x); },
                   {.low = -2, .high = -0.5}, Vec<3>{});
}

TEST_CASE("the larger and the smaller of two") {
    check_rule(Maximum{}, {}, Vec<7>{}, Vec<>(7));
    check_rule(Minimum{}, {}, Seq<3, 3>{}, Seq<3, 3>{});
    check_rule(Maximum{}, {.batch = 1}, Seq<3, 3>{}, Vec<1>{});
    check_function([](auto& s, const auto& x) { return minimum(s, parameter(s, Vec<5>{}), x); },
                   {.batch = 4, .low = -1, .high = 1}, Vec<5>{});
}

TEST_CASE("one value twice in one rule") {
    check_function(
        [](auto& s, const auto& x) {
            const auto y = multiply(s, x, x);
            return add(s, y, y);
        },
        {}, Vec<5>{});
}
