// SPDX-License-Identifier: MIT
// Products with parameters, each activation as an epilogue.
#include "support/property.hpp"
#include "untoward/autodiff/rules/affine.hpp"
#include "untoward/autodiff/rules/rows.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

namespace {

template <class Activation, Index Out>
constexpr auto dense(auto& s, const auto& x) {
    const Index in = x.shape().channels();
    const auto w = s.parameter("w", Shape<Dynamic, Out>(in, Out), UniformFanIn{in});
    const auto b = s.parameter("b", Vec<Out>{}, UniformFanIn{in});
    return affine<Activation>(s, x, w, b);
}

}  // namespace

TEST_CASE("affine with each activation, small and blocked") {
    check_function([](auto& s, const auto& x) { return dense<Identity, 9>(s, x); }, {.batch = 5}, Vec<13>{});
    check_function([](auto& s, const auto& x) { return dense<Relu, 3>(s, x); }, {.batch = 2}, Seq<>(5, 3));
    check_function([](auto& s, const auto& x) { return dense<Tanh, 1>(s, x); }, {.batch = 8}, Vec<>(17));
    check_function([](auto& s, const auto& x) { return dense<Sigmoid, 4>(s, x); }, {.batch = 1}, Seq<1, 7>{});
    check_function([](auto& s, const auto& x) { return dense<Softplus, 2>(s, x); }, {}, Vec<1>{});
}

TEST_CASE("a product without bias, and its weight used twice") {
    check_function(
        [](auto& s, const auto& x) {
            const auto w = s.parameter("w", Shape<5, 5>{}, UniformFanIn{5});
            const auto y = product_of(s, w, x);
            return product_of(s, w, y);
        },
        {.batch = 4}, Seq<5, 3>{});
}

TEST_CASE("affine of a slice of its own output and of a sequence's position") {
    check_function(
        [](auto& s, const auto& x) {
            const auto w = s.parameter("w", Shape<6, 6>{}, UniformFanIn{6});
            const auto b = s.parameter("b", Vec<6>{}, UniformFanIn{6});
            const auto first = position(s, x, 1);
            const auto y = affine<Tanh>(s, first, w, b);
            const auto v = s.parameter("v", Shape<4, 3>{}, UniformFanIn{4});
            const auto part = slice(s, y, 2, Vec<4>{});
            return product_of(s, v, part);
        },
        {.batch = 3}, Seq<6, 2>{});
}
