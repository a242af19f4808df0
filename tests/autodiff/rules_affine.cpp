// SPDX-License-Identifier: MIT
// Products with parameters, each activation as an epilogue.
#include <vector>

#include "support/instruction_sets.hpp"
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

TEST_CASE("the gradient of a bias, masked by relu, of any number of rows and columns") {
    constexpr Index beyond = 3;
    constexpr float untouched = 1000;
    const auto number = [](Index i, Index j) { return static_cast<float>((i * 7 + j * 5) % 11 - 5); };
    const auto output = [](Index i, Index j) { return static_cast<float>((i * 3 + j) % 4 - 1); };
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet use(set);
        for (Index rows = 1; rows <= 37; ++rows) {
            for (const Index columns : {0, 1, 2, 3, 4, 5, 9}) {
                const Index stride = rows + beyond;
                const auto size = static_cast<std::size_t>(stride * columns);
                std::vector<float> d(size, untouched), y(size, untouched),
                    sums(static_cast<std::size_t>(stride), 1);
                for (Index j = 0; j < columns; ++j) {
                    for (Index i = 0; i < rows; ++i) {
                        d[static_cast<std::size_t>(i + j * stride)] = number(i, j);
                        y[static_cast<std::size_t>(i + j * stride)] = output(i, j);
                    }
                }
                std::vector<float> plain = sums;
                detail::sum_columns<float>(plain.data(), {d.data(), rows, columns, stride}, true);
                detail::run_sum_columns<float, true>(
                    {d.data(), stride, y.data(), stride, rows, columns, sums.data(), false});
                // Whole numbers: every order of adding them gives the same.
                bool is_right = true;
                for (Index i = 0; i < rows + beyond; ++i) {
                    float total = 1;
                    float masked = i < rows ? 0.0f : 1.0f;
                    for (Index j = 0; j < columns; ++j) {
                        const float before = i < rows ? number(i, j) : untouched;
                        const float after = i >= rows || output(i, j) > 0 ? before : 0;
                        is_right = is_right && d[static_cast<std::size_t>(i + j * stride)] == after;
                        if (i < rows) total += before;
                        if (i < rows) masked += after;
                    }
                    const auto place = static_cast<std::size_t>(i);
                    is_right = is_right && plain[place] == total && sums[place] == masked;
                }
                INFO(rows << " rows, " << columns << " columns");
                CHECK(is_right);
            }
        }
    }
}
