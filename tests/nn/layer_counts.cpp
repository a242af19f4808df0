// SPDX-License-Identifier: MIT
// The compiler knows what a layer of fixed sizes costs: its parameters are as many as PyTorch says.
#include <string>

#include "support/catch.hpp"
#include "untoward/autodiff/count.hpp"
#include "untoward/nn/batch_norm.hpp"
#include "untoward/nn/bidirectional.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/embedding.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/heads.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/positional.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/temporal_block.hpp"
#include "untoward/nn/tied.hpp"
#include "untoward/nn/transformer.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;

namespace {

template <class Layer, class... Shapes>
constexpr Index parameters(const Layer& layer, const Shapes&... shapes) {
    return count<float>(layer, 1, shapes...).parameters;
}

// sum(p.numel() for p in torch.nn.LSTM(3, 5).parameters()), and so on.
static_assert(parameters(Lstm<5>{}, Seq<3, 7>{}) == 200);
static_assert(parameters(Bidirectional<Lstm<5>>{}, Seq<3, 7>{}) == 400);
static_assert(parameters(Bidirectional<Gru<5>>{}, Seq<3, 7>{}) == 300);
static_assert(parameters(MultiHeadSelfAttention<4>{}, Seq<16, 9>{}) == 1088);
static_assert(parameters(TransformerBlock<4, 32>{}, Seq<16, 9>{}) == 2224);
static_assert(parameters(LayerNorm{}, Seq<16, 9>{}) == 32);
static_assert(parameters(BatchNorm{}, Seq<16, 9>{}) == 64);  // with the running averages
static_assert(parameters(Embedding<12, 4>{}, Vec<5>{}) == 48);
static_assert(parameters(Convolution1d<16, 4, 2, 1>{}, Seq<8, 64>{}) == 528);
static_assert(parameters(TransposedConvolution1d<8, 4, 2, 1>{}, Seq<16, 32>{}) == 520);
static_assert(parameters(TemporalBlock<16, 3>{}, Seq<8, 32>{}) ==
              3 * 8 * 16 + 16 + 3 * 16 * 16 + 16 + 8 * 16 + 16);
static_assert(parameters(PositionalEncoding{}, Seq<16, 9>{}) == 0);
static_assert(parameters(LearnedPositionalEncoding{}, Seq<16, 9>{}) == 144);

// Products: 4 x 5 rows of 3 and of 5 numbers, at 7 steps.
static_assert(count<float>(Lstm<5>{}, 2, Seq<3, 7>{}).multiply_adds == 2 * 7 * 20 * (3 + 5));
// 16 to 48 and 16 to 16 at 9 steps; scores and results 9 x 9 x 16 each.
static_assert(count<float>(MultiHeadSelfAttention<4>{}, 1, Seq<16, 9>{}).multiply_adds ==
              9 * 16 * (48 + 16) + 2 * 9 * 9 * 16);
// 32 steps of 4 matrices 16 x 8, those outside of the sequence included.
static_assert(count<float>(Convolution1d<16, 4, 2, 1>{}, 1, Seq<8, 64>{}).multiply_adds == 32 * 4 * 16 * 8);
static_assert(count<float>(TransposedConvolution1d<8, 4, 2, 1>{}, 1, Seq<16, 32>{}).multiply_adds ==
              32 * 4 * 16 * 8);

// Lengths stay in the type.
template <class Layer, class Sample, class Expected>
constexpr bool gives = std::is_same_v<decltype(output_shape(Layer{}, Sample{})), Expected>;
static_assert(gives<Convolution1d<16, 4, 2, 1>, Seq<8, 64>, Seq<16, 32>>);
static_assert(gives<Convolution1d<1, 3, 2, 0, 2>, Seq<1, 9>, Seq<1, 3>>);
static_assert(gives<TransposedConvolution1d<8, 4, 2, 1>, Seq<16, 32>, Seq<8, 64>>);
static_assert(gives<Chain<Lstm<5>, LastStep, Repeat<7>, Gru<2>, Flatten>, Seq<3, 9>, Vec<14>>);
static_assert(gives<Chain<Bidirectional<Gru<5>>, LastStates>, Seq<3, 9>, Vec<10>>);
static_assert(gives<TemporalBlock<16, 3>, Seq<8, 32>, Seq<16, 32>>);
static_assert(gives<TransformerBlock<4, 32>, Seq<16, 9>, Seq<16, 9>>);
static_assert(gives<Embedding<12, 4>, Vec<5>, Seq<4, 5>>);

// A layer of fixed sizes takes no room in another.
static_assert(sizeof(Chain<Lstm<5>, LastStep, Repeat<7>, Flatten>) == 1);

struct Visited {
    std::string text;
    template <class T>
    void operator()(const char* name, const T&, const OptionRange& = {}) {
        text += text.empty() ? name : std::string(" ") + name;
    }
};

template <class Layer>
std::string options_of(const Layer& layer) {
    Visited visited;
    Layer::options(layer, visited);
    return std::string(Layer::name) + ": " + visited.text;
}

}  // namespace

TEST_CASE("layers say their names and options") {
    CHECK(options_of(Lstm<>{}) == "lstm: hidden");
    CHECK(options_of(Bidirectional<Gru<>>{}) == "bidirectional: layer");
    CHECK(options_of(BatchNorm{}) == "batch-norm: epsilon");
    CHECK(options_of(LayerNorm{}) == "layer-norm: epsilon");
    CHECK(options_of(Dropout{}) == "dropout: rate monte_carlo");
    CHECK(options_of(Embedding<>{}) == "embedding: entries units");
    CHECK(options_of(PositionalEncoding{}) == "positional-encoding: base");
    CHECK(options_of(MultiHeadSelfAttention<>{}) == "multi-head-self-attention: heads causal");
    CHECK(options_of(TransformerBlock<>{}) ==
          "transformer-block: heads feed_forward activation causal dropout");
    CHECK(options_of(TemporalBlock<>{}) == "temporal-block: outputs kernel activation dilation dropout");
    CHECK(options_of(CausalConvolution1d<>{}) == "causal-convolution1d: dilation outputs kernel");
    CHECK(options_of(Convolution1d<>{}) == "convolution1d: outputs kernel stride padding dilation");
    CHECK(options_of(TransposedConvolution1d<>{}) ==
          "transposed-convolution1d: outputs kernel stride padding output_padding dilation");
    CHECK(options_of(Repeat<>{}) == "repeat: steps");
}
