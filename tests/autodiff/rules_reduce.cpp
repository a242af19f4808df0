// SPDX-License-Identifier: MIT
// Sums and means.
#include "support/property.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/reduce.hpp"

using namespace untoward;
using property::check_function;

TEST_CASE("over everything") {
    check_function([](auto& s, const auto& x) { return mean(s, x); }, {.independent = false}, Seq<3, 5>{});
    check_function(
        [](auto& s, const auto& x) {
            const auto total = scaled_sum(s, -0.25, x);
            const auto square = multiply(s, x, x);
            return add(s, square, total);  // x has two gradients
        },
        {.independent = false}, Vec<19>{});
}

TEST_CASE("over each sample") {
    check_function([](auto& s, const auto& x) { return mean_per_sample(s, x); }, {.batch = 5}, Vec<>(7));
}

TEST_CASE("over the batch") {
    check_function([](auto& s, const auto& x) { return mean_over_batch(s, x); },
                   {.batch = 4, .independent = false}, Vec<3>{});
}

TEST_CASE("a value that is summed in three ways") {
    check_function(
        [](auto& s, const auto& x) {
            const auto a = sum_over_batch(s, x);
            const auto b = multiply(s, x, a);
            const auto c = sum_per_sample(s, b);
            const auto d = sum(s, x);
            return add(s, c, d);
        },
        {.independent = false}, Vec<4>{});
}
