// SPDX-License-Identifier: MIT
// Every elementwise rule keeps the promises of support/property.hpp.
#include <cmath>

#include "support/property.hpp"
#include "untoward/autodiff/rules/elementwise.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

TEST_CASE("activations as rules") {
    check_rule(Activate<Relu>{}, {}, Vec<7>{});
    check_rule(Activate<Tanh>{}, {.batch = 1}, Seq<>(3, 5));
    check_rule(Activate<Sigmoid>{}, {.batch = 17}, Vec<1>{});
    check_rule(Activate<Softplus>{}, {.batch = 5}, Vec<>(3));
}

TEST_CASE("functions of one value") {
    check_rule(Exp{}, {}, Vec<5>{});
    check_rule(Log{}, {.batch = 4, .low = 0.5, .high = 3}, Vec<>(3));
    check_rule(Square{}, {.batch = 1}, Vec<1>{});
    check_rule(Sqrt{}, {.batch = 1, .low = 0.5, .high = 3}, Seq<1, 3>{});
    check_rule(Abs{}, {}, Vec<>(9));
    check_rule(Scale{-2.5}, {}, Seq<2, 3>{});
    check_rule(Clamp{-0.7, 0.9}, {.batch = 6}, Vec<>(11));
}

TEST_CASE("a user's function through map") {
    check_function(
        [](auto& scope, const auto& x) {
            return map(
                scope, x, [](auto a) { return std::sin(a); }, [](auto a) { return std::cos(a); });
        },
        {}, Vec<130>{});
}
