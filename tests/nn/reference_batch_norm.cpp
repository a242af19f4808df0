// SPDX-License-Identifier: MIT
// Batch norm: values, gradients and running averages are PyTorch's.
#include "reference/layers.hpp"
#include "support/torch.hpp"
#include "untoward/autodiff/rules/reduce.hpp"
#include "untoward/nn/batch_norm.hpp"

using namespace untoward;
using torch::as;
using torch::Numbers;
using torch::require_equal;
namespace ref = untoward::reference;

namespace {

struct Expected {
    Index batch, channels, steps;
    Numbers x, parameters, running, upstream, y, dx, gradient, running_new;
};

template <class S>
void check(const Expected& e, bool training) {
    const double tolerance = sizeof(S) == 8 ? 1e-10 : 1e-5;
    const Seq<> shape(e.channels, e.steps);
    std::vector<S> parameters = as<S>(e.parameters);
    parameters.insert(parameters.end(), e.running.begin(), e.running.end());
    std::vector<S> gradient(parameters.size());
    const auto x = as<S>(e.x);
    const auto upstream = as<S>(e.upstream);

    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    Tape<S> tape(arena, parameters.data(), gradient.data(), measure(BatchNorm{}, shape),
                 Pass{.training = training});
    Record<S> scope(tape);
    const auto input = scope.variable(Tensor<const S, Seq<>>(x.data(), shape, e.batch));
    const auto y = BatchNorm{}(scope, input);
    require_equal(y.value().data(), e.y, tolerance);
    const auto weights = scope.input(Tensor<const S, Seq<>>(upstream.data(), shape, e.batch));
    tape.backward(torch::Weighted{}(scope, y, weights));
    require_equal(tape.gradient_of(input).data(), e.dx, tolerance);
    require_equal(gradient.data(), e.gradient, tolerance);

    // PyTorch's new ones are (1 - momentum) old + momentum batch's = old - momentum (old - batch's).
    std::vector<S> running(parameters.begin() + 2 * e.channels, parameters.end());
    for (std::size_t i = 0; i < running.size(); ++i)
        running[i] -= S(0.1) * gradient[i + static_cast<std::size_t>(2 * e.channels)];
    require_equal(running.data(), e.running_new, tolerance);
}

#define EXPECTED(prefix, channels, steps)                                                     \
    Expected {                                                                                \
        ref::prefix##_batch, channels, steps, ref::prefix##_x, ref::prefix##_parameters,      \
            ref::prefix##_running, ref::prefix##_upstream, ref::prefix##_y, ref::prefix##_dx, \
            ref::prefix##_gradient, ref::prefix##_running_new                                 \
    }

}  // namespace

TEST_CASE("in training by the batch's mean and variance") {
    check<double>(EXPECTED(batch_norm, 4, 5), true);
    check<float>(EXPECTED(batch_norm, 4, 5), true);
    check<double>(EXPECTED(batch_norm2, 1, 1), true);
}

TEST_CASE("in scoring by the running averages, which stay") {
    check<double>(EXPECTED(batch_norm_scoring, 4, 1), false);
    check<float>(EXPECTED(batch_norm_scoring, 4, 1), false);
}

TEST_CASE("a batch of one value per channel gives the bias and no new variance") {
    const std::vector<double> parameters{2, 3, 0.25, -0.5, 1, 1, 4, 4};  // weight, bias, mean, variance
    const std::vector<double> x{7, -9};
    std::vector<double> gradient(parameters.size());
    Buffer<std::byte> memory(1 << 14);
    Arena arena(memory);
    Tape<double> tape(arena, parameters.data(), gradient.data(), measure(BatchNorm{}, Vec<2>{}),
                      Pass{.training = true});
    Record<double> scope(tape);
    const auto input = scope.variable(Tensor<const double, Vec<2>>(x.data(), {}, 1));
    const auto y = BatchNorm{}(scope, input);
    CHECK(y.value()(0, 0) == 0.25);
    CHECK(y.value()(1, 0) == -0.5);
    const auto loss = scope.apply(Sum{}, y);
    tape.backward(loss);
    const std::vector<double> expected{0, 0, 1, 1, 1 - 7, 1 + 9, 0, 0};
    CHECK(gradient == expected);
    CHECK(tape.gradient_of(input)(0, 0) == 0);
    CHECK(tape.gradient_of(input)(1, 0) == 0);
}
