// SPDX-License-Identifier: MIT
// Rules of two values and embeddings: values and gradients are PyTorch's.
#include "reference/rules.hpp"

#include "support/torch.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/gather.hpp"
#include "untoward/autodiff/rules/layout.hpp"
#include "untoward/autodiff/rules/matrices.hpp"
#include "untoward/autodiff/rules/rows.hpp"

using namespace untoward;
using torch::Case;
using torch::check_both;
namespace ref = untoward::reference;

namespace {

// A function of a scope and a value, as a layer.
template <class Function>
struct Layer {
    Function function;
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return function(scope, x);
    }
};
template <class Function>
Layer(Function) -> Layer<Function>;

// function(scope, a, b) of the two parts of x.
template <class Function, class A, class B>
auto of_two(const Function& function, const A& a, const B& b) {
    return Layer{[=](auto& s, const auto& x) {
        const auto first = slice(s, x, 0, Vec<>(a.size()));
        const auto second = slice(s, x, a.size(), Vec<>(b.size()));
        const auto left = reshape(s, first, a);
        const auto right = reshape(s, second, b);
        return function(s, left, right);
    }};
}

template <bool TransposeA, bool TransposeB>
void check_product(Index m, Index k, Index n, double factor, const Case& c) {
    const Shape<Dynamic, Dynamic> a(TransposeA ? k : m, TransposeA ? m : k);
    const Shape<Dynamic, Dynamic> b(TransposeB ? n : k, TransposeB ? k : n);
    const auto product = [=](auto& s, const auto& left, const auto& right) {
        return matrix_product<TransposeA, TransposeB>(s, left, right, factor);
    };
    check_both(of_two(product, a, b), Vec<>(a.size() + b.size()), c);
}

}  // namespace

#define CASE(prefix, batch)                                                                       \
    Case {                                                                                        \
        batch, ref::prefix##_x, {}, ref::prefix##_upstream, ref::prefix##_y, ref::prefix##_dx, {} \
    }

TEST_CASE("two values, element by element") {
    const Vec<> five(5);
    const Vec<> seven(7);
    check_both(of_two([](auto& s, const auto& a, const auto& b) { return divide(s, a, b); }, five, five),
               Vec<>(10), CASE(divide, 3));
    check_both(of_two([](auto& s, const auto& a, const auto& b) { return maximum(s, a, b); }, seven, seven),
               Vec<>(14), CASE(maximum, 3));
    check_both(of_two([](auto& s, const auto& a, const auto& b) { return minimum(s, a, b); }, seven, seven),
               Vec<>(14), CASE(minimum, 3));
}

TEST_CASE("products of matrices") {
    check_product<false, false>(4, 3, 5, -0.75, CASE(product_nn, 2));
    check_product<false, true>(4, 3, 5, -0.75, CASE(product_nt, 2));
    check_product<true, false>(4, 3, 5, -0.75, CASE(product_tn, 2));
    check_product<true, true>(4, 3, 5, -0.75, CASE(product_tt, 2));
    check_product<false, false>(9, 16, 7, 0.5, CASE(large_product_nn, 1));
    check_product<false, true>(9, 16, 7, 0.5, CASE(large_product_nt, 1));
    check_product<true, false>(9, 16, 7, 0.5, CASE(large_product_tn, 1));
    check_product<true, true>(9, 16, 7, 0.5, CASE(large_product_tt, 1));
}

TEST_CASE("several matrices in a sample") {
    const auto product = [](auto& s, const auto& a, const auto& b) {
        return matrix_product<true>(s, a, b, 1 / std::sqrt(3.0));
    };
    check_both(of_two(product, Shape<3, 4, 2>{}, Shape<3, 5, 2>{}), Vec<>(24 + 30), CASE(product_heads, 2));
}

namespace {

template <Index E, Index N>
const auto embedding = Layer{[](auto& s, const auto& x) {
    const auto table = s.parameter("table", Shape<E, N>{}, Constant{0});
    return gather(s, table, x);
}};

}  // namespace

TEST_CASE("embeddings") {
    check_both(embedding<3, 5>, Seq<>(1, 4),
               Case{3,
                    ref::embedding_x,
                    {ref::embedding_table},
                    ref::embedding_upstream,
                    ref::embedding_y,
                    ref::embedding_dx,
                    {ref::embedding_dtable}});
    check_both(embedding<1, 1>, Vec<>(1),
               Case{1,
                    ref::embedding1_x,
                    {ref::embedding1_table},
                    ref::embedding1_upstream,
                    ref::embedding1_y,
                    ref::embedding1_dx,
                    {ref::embedding1_dtable}});
}
