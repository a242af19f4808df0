// SPDX-License-Identifier: MIT
// Products of two values, sample by sample.
#include "untoward/autodiff/rules/matrices.hpp"

#include "support/property.hpp"
#include "untoward/autodiff/rules/layout.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/autodiff/rules/softmax.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

TEST_CASE("each operand transposed or not, small") {
    check_rule(MatrixProduct<false, false>{}, {}, Shape<3, 2>{}, Shape<2, 5>{});
    check_rule(MatrixProduct<true, false>{-0.5}, {.batch = 1}, Shape<2, 1>{}, Shape<2, 5>{});
    check_rule(MatrixProduct<false, true>{2}, {}, Shape<Dynamic, Dynamic>(3, 2), Shape<5, 2>{});
    check_rule(MatrixProduct<true, true>{}, {}, Shape<2, 3>{}, Shape<5, 2>{});
}

TEST_CASE("each operand transposed or not, in blocks") {
    check_rule(MatrixProduct<false, false>{}, {.batch = 2}, Shape<9, 7>{}, Shape<7, 11>{});
    check_rule(MatrixProduct<true, false>{}, {.batch = 2}, Shape<7, 9>{}, Shape<7, 11>{});
    check_rule(MatrixProduct<false, true>{}, {.batch = 2}, Shape<9, 7>{}, Shape<11, 7>{});
    check_rule(MatrixProduct<true, true>{}, {.batch = 2}, Shape<7, 9>{}, Shape<11, 7>{});
}

TEST_CASE("extents of one: rows, columns and numbers") {
    check_rule(MatrixProduct<false, false>{}, {}, Shape<1, 4>{}, Shape<4, 1>{});
    check_rule(MatrixProduct<false, false>{}, {}, Shape<4, 1>{}, Shape<1, 3>{});
    check_rule(MatrixProduct<true, false>{}, {}, Shape<1, 1>{}, Shape<1, 3>{});
    check_rule(MatrixProduct<false, true>{}, {}, Shape<1, 4>{}, Shape<3, 4>{});
    check_rule(MatrixProduct<true, true>{}, {}, Shape<1, 3>{}, Shape<1, 1>{});
}

TEST_CASE("several matrices in a sample") {
    check_rule(MatrixProduct<true, false>{0.7}, {}, Shape<3, 2, 4>{}, Shape<3, 5, 4>{});
    check_rule(MatrixProduct<false, true>{}, {}, Shape<2, 3, 1, 2>{}, Shape<5, 3, 1, 2>{});
}

TEST_CASE("a matrix that is the same for all samples, on either side") {
    check_function(
        [](auto& s, const auto& x) {
            const auto a = s.parameter("a", Shape<3, 2>{}, UniformFanIn{1});
            const auto y = matrix_product<false, true>(s, a, x);  // 3 x 4
            const auto b = s.parameter("b", Shape<4, 5>{}, UniformFanIn{1});
            return matrix_product(s, y, b);
        },
        {.batch = 4}, Shape<4, 2>{});
}

TEST_CASE("one value on both sides") {
    check_function([](auto& s, const auto& x) { return matrix_product<true>(s, x, x); }, {}, Seq<3, 4>{});
    check_function([](auto& s, const auto& x) { return matrix_product(s, x, x, 0.5); }, {}, Shape<3, 3>{});
}

TEST_CASE("attention with two heads, from views of one sequence") {
    check_function(
        [](auto& s, const auto& x) {
            constexpr Index heads = 2, width = 3, steps = 5;
            const auto split = [&](const auto& of_all) {
                const auto apart = reshape(s, of_all, Shape<width, heads, steps>{});
                return permute<0, 2, 1>(s, apart);
            };
            const auto queries = split(x);
            const auto back = reverse(s, x);
            const auto keys = split(back);
            const auto scores = matrix_product<true, false>(s, keys, queries, 1 / std::sqrt(3.0));
            const auto weights = softmax(s, scores);
            const auto result = matrix_product(s, keys, weights);
            const auto together = permute<0, 2, 1>(s, result);
            return reshape(s, together, Seq<heads * width, steps>{});
        },
        {}, Seq<6, 5>{});
}

TEST_CASE("shapes and costs are known to the compiler") {
    constexpr auto y = MatrixProduct<true, false>{}.shape(Shape<8, 5, 4>{}, Shape<8, 7, 4>{});
    STATIC_REQUIRE(std::is_same_v<decltype(y), const Shape<5, 7, 4>>);
    STATIC_REQUIRE(MatrixProduct<true, false>::multiply_adds(Shape<8, 5, 4>{}, Shape<8, 7, 4>{}) ==
                   8 * 5 * 7 * 4);
    constexpr auto z = MatrixProduct<>{}.shape(Shape<8, Dynamic>(5), Shape<5, 7>{});
    STATIC_REQUIRE(std::is_same_v<decltype(z), const Shape<8, 7>>);
}
