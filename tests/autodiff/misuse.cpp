// SPDX-License-Identifier: MIT
// What a caller does wrong is an assertion; here assertions throw.
#include <stdexcept>
#define UNTOWARD_ASSERT(condition, message)                \
    do {                                                   \
        if (!(condition)) throw std::logic_error(message); \
    } while (false)

#include "support/catch.hpp"
#include "untoward/autodiff/count.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/autodiff/rules/affine.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/reduce.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/autodiff/run.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Workplace {
    Buffer<std::byte> memory{1 << 14};
    Buffer<double> numbers{256};
    Arena arena{memory};
    Run<double> scope{numbers.data(), arena};

    template <class Sample>
    Tensor<const double, Sample> value(const Sample& shape, Index batch = 2) {
        return {numbers.data(), shape, batch};
    }
};

struct TwiceTheName {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto y = scope.call("a", Dense<2>{}, x);
        const auto p = scope.parameter("a", Vec<2>{}, Constant{1});
        return add(scope, y, p);
    }
};

struct SameNamesInDifferentLayers {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto y = scope.call("a", Dense<2>{}, x);
        auto again = scope.child("b", Dense<2>{}, Vec<2>{});
        const auto z = again(y);
        return again(z);
    }
};

const auto ignore = [](const ParameterInfo&) {};

}  // namespace

TEST_CASE("one name is asked for once") {
    CHECK_THROWS_WITH(describe(ignore, TwiceTheName{}, Vec<3>{}), ContainsSubstring("twice"));
    CHECK_NOTHROW(describe(ignore, SameNamesInDifferentLayers{}, Vec<3>{}));
}

TEST_CASE("an arena that is too small says so") {
    Workplace w;
    Buffer<std::byte> memory(256);
    Arena arena(memory);
    Run<double> scope(w.numbers.data(), arena);
    CHECK_THROWS_WITH(exp(scope, w.value(Vec<>(17))), ContainsSubstring("arena is too small"));
    CHECK_NOTHROW(exp(scope, w.value(Vec<>(16))));
}

TEST_CASE("a slice and a position lie inside") {
    Workplace w;
    const auto x = w.value(Vec<>(5));
    CHECK_NOTHROW(slice(w.scope, x, 2, Vec<3>{}));
    CHECK_THROWS_WITH(slice(w.scope, x, 3, Vec<3>{}), ContainsSubstring("slice"));
    CHECK_THROWS_WITH(slice(w.scope, x, -1, Vec<>(2)), ContainsSubstring("slice"));
    CHECK_THROWS_WITH(position(w.scope, w.value(Seq<>(3, 4)), 4), ContainsSubstring("position"));
}

TEST_CASE("run-time extents of a product agree") {
    Workplace w;
    const auto weight = w.value(Shape<Dynamic, Dynamic>(5, 3), 1);
    CHECK_NOTHROW(affine(w.scope, w.value(Vec<>(5)), weight, w.value(Vec<>(3), 1)));
    CHECK_THROWS_WITH(affine(w.scope, w.value(Vec<>(4)), weight, w.value(Vec<>(3), 1)),
                      ContainsSubstring("differ"));
    CHECK_THROWS_WITH(affine(w.scope, w.value(Vec<>(5)), weight, w.value(Vec<>(4), 1)),
                      ContainsSubstring("differ"));
    CHECK_THROWS_WITH(affine(w.scope, w.value(Vec<>(5)), weight, w.value(Vec<>(3), 2)),
                      ContainsSubstring("same for all"));
}

TEST_CASE("operands broadcast") {
    Workplace w;
    CHECK_THROWS_WITH(add(w.scope, w.value(Vec<>(5)), w.value(Vec<>(4))),
                      ContainsSubstring("neither equal nor one"));
    CHECK_THROWS_WITH(add(w.scope, w.value(Vec<>(5), 3), w.value(Vec<>(5), 2)),
                      ContainsSubstring("neither equal nor one"));
}

TEST_CASE("a tape goes back once, from one number, over the parameters it was made for") {
    Workplace w;
    Tape<double> tape(w.arena, w.numbers.data(), w.numbers.data() + 128, measure(Dense<2>{}, Vec<3>{}),
                      Pass{});
    Record<double> scope(tape);
    const auto y = Dense<2>{}(scope, scope.input(w.value(Vec<3>{})));
    CHECK_THROWS_WITH(tape.backward(y), ContainsSubstring("one element"));
    const auto loss = sum(scope, y);
    tape.backward(loss);
    CHECK_THROWS_WITH(tape.backward(loss), ContainsSubstring("once"));
    CHECK_THROWS_WITH(scope.parameter("more", Vec<1>{}, Constant{1}), ContainsSubstring("do not belong"));
}

TEST_CASE("a loop has a step") {
    Workplace w;
    const auto start = w.value(Vec<2>{});
    CHECK_THROWS_WITH(w.scope.repeat(0, start, [](auto&, Index, const auto& s) { return s; }),
                      ContainsSubstring("at least one step"));
}

TEST_CASE("an empty batch computes nothing and gives zero gradients") {
    Workplace w;
    Buffer<double> gradient(8);
    gradient.array() = 7;
    Tape<double> tape(w.arena, w.numbers.data(), gradient.data(), measure(Dense<2, Tanh>{}, Vec<3>{}),
                      Pass{});
    Record<double> scope(tape);
    const auto y = Dense<2, Tanh>{}(scope, scope.input(w.value(Vec<3>{}, 0)));
    const auto p = square(scope, y);
    const auto loss = sum(scope, p);
    CHECK(loss.scalar() == 0);
    tape.backward(loss);
    CHECK(gradient.array().isZero(0));
}
