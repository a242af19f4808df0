// SPDX-License-Identifier: MIT
// Entries of a table by their number; assertions throw here.
#include <limits>
#include <stdexcept>
#define UNTOWARD_ASSERT(condition, message)                \
    do {                                                   \
        if (!(condition)) throw std::logic_error(message); \
    } while (false)

#include "support/property.hpp"
#include "untoward/autodiff/rules/gather.hpp"
#include "untoward/autodiff/rules/reduce.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using property::check_function;

namespace {

template <Index E, Index N>
constexpr auto embedding(auto& s, const auto& indices) {
    return gather(s, s.parameter("table", Shape<E, N>{}, UniformFanIn{1}), indices);
}

template <class Sample>
auto lookup(const std::vector<double>& table, Index size, const std::vector<double>& indices,
            const Sample& shape) {
    Buffer<std::byte> memory(1 << 12);
    Arena arena(memory);
    Run<double> scope(table.data(), arena);
    const Shape<Dynamic, Dynamic> of_table(size, static_cast<Index>(table.size()) / size);
    const auto y = gather(scope, Tensor<const double, Shape<Dynamic, Dynamic>>(table.data(), of_table, 1),
                          Tensor<const double, Sample>(indices.data(), shape, 1));
    return std::vector<double>(y.data(), y.data() + y.size());
}

}  // namespace

TEST_CASE("an embedding of every position") {
    // Indices anywhere between two whole numbers are the nearer one's; entries are met more than once.
    check_function([](auto& s, const auto& x) { return embedding<3, 4>(s, x); }, {.low = -0.4, .high = 3.4},
                   Seq<1, 5>{});
    check_function([](auto& s, const auto& x) { return embedding<1, 7>(s, x); },
                   {.batch = 1, .low = -0.4, .high = 6.4}, Vec<1>{});
    check_function([](auto& s, const auto& x) { return embedding<5, 1>(s, x); }, {.low = -0.4, .high = 0.4},
                   Image<1, 2, 3>{});
    STATIC_REQUIRE(std::is_same_v<decltype(Gather{}.shape(Shape<8, 100>{}, Seq<1, 32>{})), Seq<8, 32>>);
}

TEST_CASE("entries are the table's, and each use gives its gradient") {
    const std::vector<double> table{1, 2, 3, 4, 5, 6};
    CHECK(lookup(table, 2, {2, 0, 2}, Seq<>(1, 3)) == std::vector<double>{5, 6, 1, 2, 5, 6});

    std::vector<double> gradient(6);
    const double indices[] = {2, 0, 2};
    Buffer<std::byte> memory(1 << 12);
    Arena arena(memory);
    const auto layer = [](auto& s, const auto& x) { return embedding<2, 3>(s, x); };
    Tape<double> tape(arena, table.data(), gradient.data(),
                      measure(property::Calling<decltype(layer)>{layer}, Seq<1, 3>{}), Pass{});
    Record<double> scope(tape);
    const auto y = layer(scope, scope.input(Tensor<const double, Seq<1, 3>>(indices, {}, 1)));
    tape.backward(sum(scope, y));
    CHECK(gradient == std::vector<double>{1, 1, 0, 0, 2, 2});
}

TEST_CASE("a NaN gives NaN, and nothing is learned from it") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const auto y = lookup({1, 2, 3, 4}, 2, {1, nan}, Seq<>(1, 2));
    CHECK((y[0] == 3 && y[1] == 4 && std::isnan(y[2]) && std::isnan(y[3])));

    std::vector<double> gradient(4, 7);
    const double table[] = {1, 2, 3, 4};
    const double indices[] = {1, nan};
    Gradient<double> slot{gradient.data(), false};
    const Tensor<const double, Shape<2, 2>> t(table, {}, 1);
    const Tensor<const double, Seq<1, 2>> x(indices, {}, 1);
    std::vector<double> ones(4, 1);
    const Tensor<double, Seq<2, 2>> dy(ones.data(), {}, 1);
    Gather{}.backward(dy, dy, t, x, Sink(&slot, t.shape(), 1), Sink<double, Seq<1, 2>>(nullptr, {}, 1));
    CHECK(gradient == std::vector<double>{0, 0, 1, 1});
}

TEST_CASE("an index out of range is misuse") {
    constexpr double inf = std::numeric_limits<double>::infinity();
    for (const double index : {3.0, -1.0, 2.6, -0.6, 1e300, inf, -inf}) {
        INFO(index);
        CHECK_THROWS_WITH(lookup({1, 2, 3}, 1, {index}, Vec<1>{}), ContainsSubstring("number of an entry"));
    }
    CHECK_THROWS_WITH(lookup({1, 2, 3}, 1, {1, 1}, Vec<>(2)), ContainsSubstring("one channel"));
}
