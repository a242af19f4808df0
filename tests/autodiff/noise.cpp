// SPDX-License-Identifier: MIT
// Noise depends on (seed, epoch, sample id, place in the model, element) and on nothing else.
#include <set>
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/describe.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/autodiff/run.hpp"
#include "untoward/nn/dropout.hpp"

using namespace untoward;

namespace {

struct Noisy {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return scope.normal(Vec<4>{}, x.batch());
    }
};

// Two children, one of them called twice, a request of the layer's own, and a loop: five different draws.
struct Places {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto a = scope.child("a", Noisy{}, x.shape());
        auto b = scope.child("b", Noisy{}, x.shape());
        const auto a1 = a(x);
        const auto b1 = b(x);
        const auto a2 = a(x);
        const auto own = scope.normal(Vec<4>{}, x.batch());
        const auto loop = scope.repeat(
            2, own, [&](auto& s, Index, const auto& state) { return s.call("in_loop", Noisy{}, state); });
        return std::tuple(a1, b1, a2, own, loop.all);
    }
};

std::vector<std::vector<double>> draws(const Pass& pass, Index batch, bool record = false) {
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    const double x[64] = {};
    const Tensor<const double, Vec<1>> input(x, {}, batch);
    std::vector<std::vector<double>> result;
    const auto keep = [&](const auto& value) {
        for (Index j = 0; j < value.batch(); ++j) {
            const auto column = value.column(j);
            result.emplace_back(column.data(), column.data() + column.size());
        }
    };
    if (record) {
        Tape<double> tape(arena, nullptr, nullptr, {}, pass);
        Record<double> scope(tape);
        std::apply([&](const auto&... v) { (keep(v.value()), ...); }, Places{}(scope, scope.input(input)));
    } else {
        Run<double> scope(nullptr, arena, pass);
        std::apply([&](const auto&... v) { (keep(v), ...); }, Places{}(scope, scope.input(input)));
    }
    return result;
}

}  // namespace

TEST_CASE("every place has noise of its own, and both readers draw the same") {
    const std::uint32_t ids[] = {3, 9};
    const Pass pass{.training = true, .seed = 1, .epoch = 2, .samples = ids};
    const auto all = draws(pass, 2);
    std::set<double> different;
    std::size_t count = 0;
    for (const auto& column : all) {
        different.insert(column.begin(), column.end());
        count += column.size();
    }
    CHECK(count == 2 * (4 * 4 + 8));
    CHECK(different.size() == count);
    CHECK(all == draws(pass, 2, true));
}

TEST_CASE("a sample's noise follows its id through any batch") {
    const std::uint32_t here[] = {3, 9, 4};
    const std::uint32_t there[] = {9};
    const auto many = draws({.seed = 1, .samples = here}, 3);
    const auto one = draws({.seed = 1, .samples = there}, 1);
    REQUIRE(many.size() == 3 * one.size());
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(one[i] == many[3 * i + 1]);
}

TEST_CASE("seed and epoch change it") {
    const std::uint32_t ids[] = {0};
    const auto first = draws({.seed = 1, .samples = ids}, 1);
    CHECK(first == draws({.seed = 1, .samples = ids}, 1));
    CHECK(first != draws({.seed = 2, .samples = ids}, 1));
    CHECK(first != draws({.seed = 1, .epoch = 1, .samples = ids}, 1));
}

TEST_CASE("without ids all samples meet the same draws, as sample 0 does") {
    const std::uint32_t ids[] = {0};
    const auto shared = draws({.seed = 1}, 5);
    CHECK(shared == draws({.seed = 1, .samples = ids}, 1));
}
