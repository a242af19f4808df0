// SPDX-License-Identifier: MIT
// The same numbers in another order or shape, and channels beside each other.
#include "untoward/autodiff/rules/layout.hpp"

#include "support/property.hpp"
#include "untoward/autodiff/rules/reduce.hpp"
#include "untoward/autodiff/rules/rows.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

namespace {

// What a rule makes of 0, 1, 2, ...
template <class Rule, class Sample>
std::vector<double> of_numbers(const Rule& rule, const Sample& shape, Index batch) {
    std::vector<double> x(static_cast<std::size_t>(shape.size() * batch));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
    const auto to = rule.shape(shape);
    std::vector<double> y(x.size(), -1);
    rule.forward(Tensor(y.data(), to.erased(), batch),
                 Tensor<const double, Sample>(x.data(), shape, batch).erased());
    return y;
}

}  // namespace

TEST_CASE("reshape") {
    check_rule(Reshape<Shape<2, 3>>{}, {}, Vec<6>{});
    check_rule(Reshape<Vec<>>{Vec<>(6)}, {.batch = 1}, Vec<>(6));
    check_rule(Reshape<Shape<1, Dynamic, 3>>{Shape<1, Dynamic, 3>(5)}, {}, Shape<Dynamic, 3>(5));
}

TEST_CASE("permutations have no errors of their own") {
    check_rule(Permute<1, 0>{}, {}, Shape<3, 4>{});
    check_rule(Permute<0, 1>{}, {}, Shape<4, Dynamic>(3));
    check_rule(Permute<0, 2, 1>{}, {.batch = 1}, Shape<Dynamic, 3, 1>(5));
    check_rule(Permute<2, 0, 1>{}, {}, Shape<2, 3, 4>{});
    check_rule(Permute<3, 1, 0, 2>{}, {}, Shape<2, 3, 1, 2>{});
}

TEST_CASE("permutations put elements where NumPy does") {
    // (extents 2, 3, 4 with the first fastest)
    const auto at = [](Index a, Index b, Index c) { return static_cast<double>(a + 2 * (b + 3 * c)); };
    const auto y = of_numbers(Permute<2, 0, 1>{}, Shape<2, 3, 4>{}, 2);
    std::size_t i = 0;
    for (Index j = 0; j < 2; ++j) {
        for (Index b = 0; b < 3; ++b) {
            for (Index a = 0; a < 2; ++a) {
                for (Index c = 0; c < 4; ++c) CHECK(y[i++] == at(a, b, c) + 24 * static_cast<double>(j));
            }
        }
    }
    STATIC_REQUIRE(std::is_same_v<decltype(Permute<2, 0, 1>{}.shape(Shape<2, 3, 4>{})), Shape<4, 2, 3>>);
    CHECK(of_numbers(Permute<1, 0>{}, Shape<2, 3>{}, 1) == std::vector<double>{0, 2, 4, 1, 3, 5});
}

TEST_CASE("a sequence backwards") {
    check_rule(ReverseRule{}, {}, Seq<3, 4>{});
    check_rule(ReverseRule{}, {.batch = 1}, Seq<>(1, 5));
    CHECK(of_numbers(ReverseRule{}, Seq<2, 3>{}, 2) ==
          std::vector<double>{4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7});
    check_function(
        [](auto& s, const auto& x) {
            const auto back = reverse(s, x);
            const auto product = multiply(s, x, back);
            const auto again = reverse(s, product);
            return add(s, again, x);
        },
        {}, Seq<2, 3>{});
}

TEST_CASE("nothing is learned through a stopped gradient") {
    // d/dx of x stop(x) is x, not 2 x.
    const double x[] = {1, -2, 3};
    Buffer<std::byte> memory(1 << 14);
    Arena arena(memory);
    Tape<double> tape(arena, nullptr, nullptr, {}, Pass{});
    Record<double> scope(tape);
    const auto v = scope.variable(Tensor<const double, Vec<3>>(x, {}, 1));
    const auto other = scope.variable(Tensor<const double, Vec<3>>(x, {}, 1));
    const auto e = exp(scope, other);
    const auto constant = stop_gradient(scope, e);
    const auto stopped = stop_gradient(scope, v);
    const auto square = multiply(scope, v, stopped);
    const auto both = add(scope, square, constant);
    CHECK(both.value()(1, 0) == 4 + std::exp(-2.0));
    tape.backward(sum(scope, both));
    for (Index i = 0; i < 3; ++i) {
        CHECK(tape.gradient_of(v)(i, 0) == x[i]);
        CHECK(tape.gradient_of(other)(i, 0) == 0);
    }
}

TEST_CASE("channels beside each other, at each position") {
    check_function(
        [](auto& s, const auto& a, const auto& b) {
            const auto p = s.parameter("p", Seq<2, 3>{}, UniformFanIn{1});
            return concatenate(s, a, p, b, a);
        },
        {}, Seq<3, 3>{}, Seq<>(1, 3));
    check_rule(Concatenate{}, {.batch = 1}, Image<1, 2, 2>{}, Image<Dynamic, 2, Dynamic>(2, 2));
    check_rule(Concatenate{}, {}, Seq<2, 1>{}, Seq<3, 1>{});
    check_rule(Concatenate{}, {}, Seq<2, 3>{});
    STATIC_REQUIRE(std::is_same_v<decltype(Concatenate{}.shape(Seq<2, Dynamic>(5), Seq<3, 5>{})), Seq<5, 5>>);
    STATIC_REQUIRE(std::is_same_v<decltype(Concatenate{}.shape(Vec<2>{}, Vec<>(5))), Vec<>>);
}
