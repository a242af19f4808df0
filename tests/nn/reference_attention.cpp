// SPDX-License-Identifier: MIT
// Attention, layer norm, embeddings and positions: values and gradients are PyTorch's.
#include "reference/layers.hpp"
#include "support/torch.hpp"
#include "untoward/nn/attention.hpp"
#include "untoward/nn/embedding.hpp"
#include "untoward/nn/layer_norm.hpp"
#include "untoward/nn/positional.hpp"
#include "untoward/nn/transformer.hpp"

using namespace untoward;
using torch::check;
using torch::check_both;
namespace ref = untoward::reference;

#define CASE(prefix)                                                                              \
    torch::Case {                                                                                 \
        ref::prefix##_batch, ref::prefix##_x, {ref::prefix##_parameters}, ref::prefix##_upstream, \
            ref::prefix##_y, ref::prefix##_dx, {                                                  \
            ref::prefix##_gradient                                                                \
        }                                                                                         \
    }

TEST_CASE("layer norm") {
    check_both(LayerNorm{}, Seq<>(5, 3), CASE(layer_norm));
    check<double>(LayerNorm{1e-2}, Seq<>(1, 1), CASE(layer_norm1));
}

TEST_CASE("self-attention") {
    check_both(MultiHeadSelfAttention<>{.heads = Vec<>(3)}, Seq<>(6, 5), CASE(attention));
    check_both(MultiHeadSelfAttention<>{.heads = Vec<>(2), .causal = true}, Seq<>(4, 7),
               CASE(attention_causal));
    check<double>(MultiHeadSelfAttention<>{.heads = Vec<>(1)}, Seq<>(1, 1), CASE(attention1));
}

TEST_CASE("a transformer's block") {
    check_both(TransformerBlock<2, 7>{}, Seq<4, 5>{}, CASE(transformer));
}

TEST_CASE("embeddings") {
    const torch::Case expected{ref::embedding_batch,     ref::embedding_x, {ref::embedding_parameters},
                               ref::embedding_upstream,  ref::embedding_y, {},
                               {ref::embedding_gradient}};
    check_both(Embedding<5, 3>{}, Vec<7>{}, expected);
    check<double>(Embedding<>{.entries = Vec<>(5), .units = Vec<>(3)}, Seq<>(1, 7), expected);
}

TEST_CASE("sines and cosines of positions") {
    const Index channels = 5;
    const Index steps = 7;
    const std::vector<double> x(std::size(ref::sinusoids), 0.0);
    Buffer<std::byte> memory(1 << 12);
    Arena arena(memory);
    Run<double> scope(nullptr, arena);
    const auto y =
        PositionalEncoding{}(scope, Tensor<const double, Seq<>>(x.data(), Seq<>(channels, steps), 1));
    torch::require_equal(y.data(), ref::sinusoids, 1e-14);
}
