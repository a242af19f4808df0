// SPDX-License-Identifier: MIT
// Layers in float, with every instruction set that this processor has, against the same in double.
#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"
#include "support/random_numbers.hpp"
#include "support/worst.hpp"
#include "untoward/autodiff/gradient_check.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/vae/elbo.hpp"

using namespace untoward;

namespace {

/// What a layer gives: with a way back, and without, which takes other memory.
struct Given {
    std::vector<double> recorded;
    std::vector<double> run;
    std::vector<double> gradient;
    std::vector<double> input_gradient;
};

template <class Tensor>
std::vector<double> numbers_of(const Tensor& x) {
    std::vector<double> numbers;
    for (Index j = 0; j < x.batch(); ++j) {
        for (Index i = 0; i < x.rows(); ++i) numbers.push_back(static_cast<double>(x(i, j)));
    }
    return numbers;
}

template <class S, class Layer, class Shape>
Given given(const Layer& layer, const Shape& shape, Index batch, const std::vector<float>& numbers,
            const std::vector<float>& inputs) {
    const detail::ProjectedLayer<Layer> model{layer};
    const std::vector<S> parameters(numbers.begin(), numbers.end());
    const std::vector<S> in(inputs.begin(), inputs.end());
    const Tensor<const S, Shape> x(in.data(), shape, batch);
    std::vector<std::uint32_t> ids;
    for (Index j = 0; j < batch; ++j) ids.push_back(static_cast<std::uint32_t>(3 * j));
    const Pass pass{.training = true, .seed = 2, .samples = ids.data()};
    const Counts counts = count<S>(model, batch, shape);
    Buffer<std::byte> memory(
        static_cast<Index>(counts.run_bytes + 2 * counts.record_bytes + 2 * in.size() * sizeof(S) + 1024));
    Arena arena(memory);
    Given result;
    {
        Run<S> scope(parameters.data(), arena, pass);
        result.run = numbers_of(model(scope, x).result);
    }
    arena.rewind();
    std::vector<S> gradient(parameters.size());
    Tape<S> tape(arena, parameters.data(), gradient.data(), measure(model, shape), pass);
    Record<S> scope(tape);
    const auto variable = scope.variable(x);
    const auto projected = model(scope, variable);
    tape.backward(projected.loss);
    result.recorded = numbers_of(projected.result.value());
    result.gradient.assign(gradient.begin(), gradient.end());
    result.input_gradient = numbers_of(tape.gradient_of(variable));
    return result;
}

/// The largest distance, as a share of the largest number.
double distance(const std::vector<double>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());
    double largest = 0;
    double worst = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        largest = std::max(largest, std::abs(expected[i]));
        const double apart = std::abs(found[i] - expected[i]);
        worst = larger_error(worst, apart);
    }
    return worst / largest;
}

// Six times the largest distance that was found.
constexpr double tolerance = 2e-6;

template <class Layer, class Shape>
void check_in_float(const Layer& layer, const Shape& shape) {
    const detail::ProjectedLayer<Layer> model{layer};
    std::vector<float> parameters(static_cast<std::size_t>(measure(model, shape).scalars));
    initialise(parameters.data(), 5, model, shape);
    for (const Index batch : {1, 3, 9, 65}) {
        const auto inputs = random_numbers<float>(shape.size() * batch, 3);
        const Given expected = given<double>(layer, shape, batch, parameters, inputs);
        for (const InstructionSet set : available_instruction_sets()) {
            INFO("batch " << batch << ", instruction set " << static_cast<int>(set));
            const WithInstructionSet with(set);
            const Given found = given<float>(layer, shape, batch, parameters, inputs);
            CHECK(distance(found.recorded, expected.recorded) < tolerance);
            CHECK(distance(found.run, expected.run) < tolerance);
            CHECK(distance(found.gradient, expected.gradient) < tolerance);
            CHECK(distance(found.input_gradient, expected.input_gradient) < tolerance);
        }
    }
}

// Widths that leave lanes empty, and some that do not; inputs narrower and wider than them.
template <class Make>
void check_recurrence(const Make& make) {
    const Index sizes[][2] = {{7, 1}, {7, 16}, {16, 5}, {33, 19}};
    for (const auto& [hidden, channels] : sizes) {
        INFO(hidden << " units, " << channels << " channels");
        check_in_float(make(hidden), Seq<>(channels, 5));
    }
}

// The loss of a training step, noise and all.
template <class Model>
struct Loss {
    Model model;
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return NegativeElboLoss<Model>{model}(scope, x).loss;
    }
};

}  // namespace

TEST_CASE("gated recurrent units in float") {
    check_recurrence([](Index hidden) { return Gru<>{hidden}; });
}

TEST_CASE("long short-term memory in float") {
    check_recurrence([](Index hidden) { return Lstm<>{hidden}; });
}

TEST_CASE("recurrences in float of which the last state is wanted, and over the same vector") {
    check_in_float(Chain{Lstm<>{9}, LastStep{}}, Seq<>(3, 6));
    check_in_float(Chain{Repeat<>{4}, Lstm<>{9}, Gru<>{7}}, Vec<>(5));
}

TEST_CASE("a training step in float") {
    using Model = Vae<Vec<7>, Encoder<Dense<19, Tanh>, Dense<9, Relu>>, Latent<3>,
                      Decoder<Dense<19, Softplus>>, Gaussian>;
    check_in_float(Loss<Model>{}, Vec<7>{});
}
