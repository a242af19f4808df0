// SPDX-License-Identifier: MIT
// Attention keeps the promises of support/property.hpp.
#include "untoward/nn/attention.hpp"
#include "support/property.hpp"
#include "untoward/autodiff/rules/reduce.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/positional.hpp"

using namespace untoward;
using property::check_properties;
using property::check_subject;
using property::Subject;

namespace {

// The gradient of one step's output reaches this step's input.
bool reaches(bool causal, Index from, Index to) {
    const MultiHeadSelfAttention<2> layer{.causal = causal};
    const Seq<4, 5> shape;
    std::vector<double> parameters(static_cast<std::size_t>(measure(layer, shape).scalars));
    initialise(parameters.data(), 3, layer, shape);
    const auto inputs = property::random_inputs({shape.size()}, 1, -1, 1);
    std::vector<double> gradient(parameters.size());
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    Tape<double> tape(arena, parameters.data(), gradient.data(), measure(layer, shape), Pass{});
    Record<double> scope(tape);
    const auto x = scope.variable(Tensor<const double, Seq<4, 5>>(inputs.values[0].data(), shape, 1));
    const auto y = layer(scope, x);
    const auto step = position(scope, y, to);
    tape.backward(sum(scope, step));
    const auto dx = tape.gradient_of(x);
    return (dx.sample(0).col(from).array() != 0).any();
}

}  // namespace

TEST_CASE("self-attention") {
    check_properties(MultiHeadSelfAttention<3>{}, {.batch = 2}, Seq<6, 5>{});
    check_subject(Subject(MultiHeadSelfAttention<>{.heads = Vec<>(1)}, Seq<1, 1>{}), {.batch = 1});
}

TEST_CASE("causal self-attention") {
    check_subject(Subject(MultiHeadSelfAttention<2>{.causal = true}, Seq<4, 7>{}), {.batch = 3});
    for (Index from = 0; from < 5; ++from) {
        for (Index to = 0; to < 5; ++to) {
            INFO("from " << from << " to " << to);
            CHECK(reaches(true, from, to) == (from <= to));
            CHECK(reaches(false, from, to));
        }
    }
}

TEST_CASE("a NaN reaches every step that sees it, and no other") {
    const MultiHeadSelfAttention<1> layer{.causal = true};
    std::vector<double> parameters(static_cast<std::size_t>(measure(layer, Seq<2, 4>{}).scalars), 0.5);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double x[] = {1, 2, 3, 4, nan, 6, 7, 8};
    Buffer<std::byte> memory(1 << 14);
    Arena arena(memory);
    Run<double> scope(parameters.data(), arena);
    const auto y = layer(scope, Tensor<const double, Seq<2, 4>>(x, {}, 1));
    for (Index t = 0; t < 4; ++t) {
        CHECK(std::isnan(y(2 * t, 0)) == (t >= 2));
        CHECK(std::isnan(y(2 * t + 1, 0)) == (t >= 2));
    }
}

TEST_CASE("positions") {
    check_properties(Chain<PositionalEncoding, LearnedPositionalEncoding>{}, {.batch = 2}, Seq<5, 3>{});
}
