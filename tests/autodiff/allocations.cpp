// SPDX-License-Identifier: MIT
// Once its arena is there, a pass allocates nothing: whatever Eigen does inside counts too.
#include <vector>

#include "support/allocation.hpp"
#include "support/catch.hpp"
#include "untoward/autodiff/count.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/reduce.hpp"
#include "untoward/autodiff/run.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/dropout.hpp"

using namespace untoward;

namespace {

using Layers = Chain<Dense<Dynamic, Relu>, Dropout, Dense<Dynamic, Softplus>, Dense<>>;

struct Loss {
    Layers layers;
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto y = scope.call("layers", layers, x);
        const auto difference = subtract(scope, y, x);
        const auto squared = square(scope, difference);
        return mean(scope, squared);
    }
};

template <class S>
void check(Index width, Index batch) {
    INFO("width " << width << ", batch " << batch);
    const Loss loss{
        Layers{Dense<Dynamic, Relu>{width}, Dropout{0.1}, Dense<Dynamic, Softplus>{width}, Dense<>{width}}};
    const Vec<> shape(width);
    const Counts counts = count<S>(loss, batch, shape);
    Buffer<S> parameters(counts.parameters);
    Buffer<S> gradient(counts.parameters);
    initialise(parameters.data(), 1, loss, shape);
    Buffer<S> data(width * batch);
    fill_uniform(data.data(), data.size(), NoiseKey{});
    std::vector<std::uint32_t> ids(static_cast<std::size_t>(batch), 5);
    Buffer<std::byte> memory(static_cast<Index>(std::max(counts.run_bytes, counts.record_bytes)));
    Arena arena(memory);
    const Tensor<const S, Vec<>> x(data.data(), shape, batch);

    const AllocationCount count;
    Run<S> run(parameters.data(), arena);
    static_cast<void>(loss(run, run.input(x)));
    arena.rewind();
    Tape<S> tape(arena, parameters.data(), gradient.data(), measure(loss, shape),
                 Pass{.training = true, .samples = ids.data()});
    Record<S> record(tape);
    tape.backward(loss(record, record.input(x)));
    CHECK(count.since() == 0);
    CHECK(gradient.array().isFinite().all());
    CHECK(arena.peak() == std::max(counts.run_bytes, counts.record_bytes));
}

}  // namespace

TEST_CASE("no pass allocates memory, at any size") {
    for (const Index width : {1, 3, 16, 31, 64, 128, 300, 700}) {
        for (const Index batch : {1, 2, 7, 32, 128}) {
            check<float>(width, batch);
            check<double>(width, batch);
        }
    }
}

TEST_CASE("the count sees operator new and malloc") {
    const AllocationCount count;
    const std::vector<int> some(100);
    Eigen::MatrixXf matrix(30, 30);
    // Seen by something that the compiler knows nothing of: or it would drop both.
    asm volatile("" : : "r"(some.data()), "r"(matrix.data()) : "memory");
    if (AllocationCount::counts()) CHECK(count.since() >= 2);
}
