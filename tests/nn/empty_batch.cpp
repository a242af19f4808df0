// SPDX-License-Identifier: MIT
// A batch of no samples computes nothing and teaches nothing: every gradient is zero, running averages stay.
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/initialiser.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/autodiff/rules/reduce.hpp"
#include "untoward/nn/batch_norm.hpp"
#include "untoward/nn/embedding.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/tied.hpp"
#include "untoward/nn/transformer.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;

namespace {

template <class Layer, class Sample>
void check_empty(const Layer& layer, const Sample& shape) {
    const Cursor size = measure(layer, shape);
    const auto scalars = static_cast<std::size_t>(size.scalars);
    std::vector<double> parameters(scalars + 1);
    initialise(parameters.data(), 1, layer, shape);
    std::vector<double> gradient(scalars, 7);
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    Tape<double> tape(arena, parameters.data(), gradient.data(), size, Pass{.training = true});
    Record<double> scope(tape);
    const auto x = scope.variable(Tensor<const double, Sample>(parameters.data(), shape, 0));
    const auto y = layer(scope, x);
    CHECK(y.batch() == 0);
    tape.backward(sum(scope, y));
    CHECK(tape.gradient_of(x).size() == 0);
    CHECK(gradient == std::vector<double>(scalars, 0));
}

}  // namespace

TEST_CASE("layers over a batch of no samples") {
    check_empty(LayerNorm{}, Seq<3, 4>{});
    check_empty(BatchNorm{}, Seq<3, 4>{});
    check_empty(Lstm<2>{}, Seq<3, 4>{});
    check_empty(MultiHeadSelfAttention<2>{.causal = true}, Seq<4, 3>{});
    check_empty(Convolution1d<2, 3, 2, 1>{}, Seq<3, 4>{});
    check_empty(TransposedConvolution1d<2, 3, 2, 1>{}, Seq<3, 4>{});
    check_empty(Embedding<5, 2>{}, Vec<3>{});
    check_empty(TiedDense<3, 2, Tanh>{}, Seq<3, 4>{});
    check_empty(Repeat<3>{}, Vec<2>{});
}
