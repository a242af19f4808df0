// SPDX-License-Identifier: MIT
// What UNTOWARD_PLAIN changes, on a host: tests/CMakeLists.txt defines it. The bits of devices are compared in
// tests/house/embedded.py.
#include "embedded/agreement.hpp"
#include "untoward/autodiff/gradient_check.hpp"
#include "untoward/vae/elbo.hpp"

using namespace untoward;
using namespace untoward_test;

#ifndef UNTOWARD_PLAIN
#error "this test is for UNTOWARD_PLAIN"
#endif

TEST_CASE("plain loops: a detector in flash says what a detector with the same numbers says") {
    check_agreement<Constants<NegativeElbo>>();
    check_arena<Constants<NegativeElbo>>();
}

TEST_CASE("plain loops: products are sums in order") {
    constexpr Index rows = 6, depth = 5, columns = 3;
    Eigen::Matrix<float, rows, depth, Eigen::RowMajor> w;
    Eigen::Matrix<float, depth, columns> x;
    Eigen::Matrix<float, rows, 1> bias;
    fill_normal(w.data(), w.size(), {.seed = 1});
    fill_normal(x.data(), x.size(), {.seed = 2});
    fill_normal(bias.data(), bias.size(), {.seed = 3});
    Eigen::Matrix<float, rows, columns> y = Eigen::Matrix<float, rows, columns>::Ones();
    const bool add = GENERATE(false, true);
    const bool rectify = GENERATE(false, true);
    product::forward<float>({y.data(), rows, columns, rows}, w.data(), {x.data(), depth, columns, depth}, add,
                            bias.data(), rectify);
    for (Index j = 0; j < columns; ++j) {
        for (Index i = 0; i < rows; ++i) {
            float sum = bias(i);
            for (Index k = 0; k < depth; ++k) sum += w(i, k) * x(k, j);
            if (add) sum += 1;
            REQUIRE(y(i, j) == (rectify && sum < 0 ? 0 : sum));
        }
    }
}

TEST_CASE("plain loops: layers keep their gradients") {
    REQUIRE(check_gradient(Chain{Dense<5, Tanh>{}, Dense<4, Relu>{}}, {.batch = 3}, Vec<3>{}).relative <
            1e-7);
    REQUIRE(check_gradient(Chain{LayerNorm{}, LastStep{}}, {.batch = 2}, Seq<4, 3>{}).relative < 1e-6);
}

TEST_CASE("plain loops: a training step takes the memory that is promised") {
    constexpr auto model = Constants<NegativeElbo>::model;
    constexpr Index n = Constants<NegativeElbo>::features;
    constexpr NegativeElboLoss<std::remove_const_t<decltype(model)>> loss{model};
    constexpr Counts counts = count<float>(loss, 4, Vec<n>{});
    Buffer<float> parameters(counts.parameters);
    Buffer<float> gradient(counts.parameters);
    Buffer<float> x(4 * n);
    fill_normal(parameters.data(), parameters.size(), {.seed = 1});
    fill_normal(x.data(), x.size(), {.seed = 2});
    Buffer<std::byte> memory(static_cast<Index>(counts.record_bytes));
    Arena arena(memory);
    const std::uint32_t ids[] = {0, 1, 2, 3};
    const AllocationCount allocations;
    Tape<float> tape(arena, parameters.data(), gradient.data(), measure(loss, Vec<n>{}),
                     {.training = true, .samples = ids});
    Record<float> scope(tape);
    tape.backward(loss(scope, scope.input(Tensor<const float, Vec<n>>(x.data(), {}, 4))).loss);
    REQUIRE(allocations.since() == 0);
    REQUIRE(arena.peak() == counts.record_bytes);
    REQUIRE(gradient.array().isFinite().all());
    REQUIRE(gradient.array().abs().maxCoeff() > 0);
}
