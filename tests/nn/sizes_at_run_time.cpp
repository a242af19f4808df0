// SPDX-License-Identifier: MIT
// A layer whose sizes are known at run time is the layer whose sizes are in its type: the same layout, the same
// costs, the same bits.
#include <cmath>
#include <cstring>
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/count.hpp"
#include "untoward/autodiff/initialiser.hpp"
#include "untoward/autodiff/run.hpp"
#include "untoward/nn/bidirectional.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/embedding.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/temporal_block.hpp"
#include "untoward/nn/tied.hpp"
#include "untoward/nn/transformer.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;

namespace {

constexpr Index batch = 3;

template <class Layer, class Sample>
std::vector<double> outputs(const Layer& layer, const Sample& shape, Index n = batch) {
    const Counts counts = count<double>(layer, n, shape);
    Buffer<double> parameters(counts.parameters);
    initialise(parameters.data(), 1, layer, shape);
    Buffer<double> x(shape.size() * n);
    fill_uniform(x.data(), x.size(), NoiseKey{.seed = 2});
    Buffer<std::byte> memory(static_cast<Index>(counts.run_bytes));
    Arena arena(memory);
    Run<double> scope(parameters.data(), arena);
    const auto y = layer(scope, Tensor<const double, Sample>(x.data(), shape, n));
    std::vector<double> result;
    for (Index j = 0; j < n; ++j) {
        for (Index i = 0; i < y.rows(); ++i) result.push_back(y(i, j));
    }
    return result;
}

template <class Fixed, class AtRunTime, class Sample>
void check_same(const Fixed& fixed, const AtRunTime& at_run_time, const Sample& shape) {
    static_assert(!std::is_same_v<Fixed, AtRunTime>);
    const auto a = outputs(fixed, shape);
    const auto b = outputs(at_run_time, shape.erased());
    REQUIRE(a.size() == b.size());
    CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
    CHECK(output_shape(fixed, shape) == output_shape(at_run_time, shape.erased()));
    const Counts c = count<double>(fixed, batch, shape);
    const Counts d = count<double>(at_run_time, batch, shape.erased());
    CHECK(c.layout_hash == d.layout_hash);
    CHECK(c.run_bytes == d.run_bytes);
    CHECK(c.record_bytes == d.record_bytes);
    CHECK(c.multiply_adds == d.multiply_adds);
}

// In this, a chain does not recognise a layer.
template <class Layer>
struct Apart {
    Layer layer{};
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return layer(scope, x);
    }
};

template <class Together, class OneByOne, class Sample>
void check_same_numbers(const Together& together, const OneByOne& one_by_one, const Sample& shape) {
    CHECK(layout_hash(together, shape) == layout_hash(one_by_one, shape));
    CHECK(output_shape(together, shape) == output_shape(one_by_one, shape));
    for (const Index n : {1, 3, 9, 70}) {
        const auto a = outputs(together, shape, n);
        const auto b = outputs(one_by_one, shape, n);
        REQUIRE(a.size() == b.size());
        for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) < 1e-14);
    }
}

}  // namespace

TEST_CASE("layers that a chain runs together, and one by one") {
    check_same_numbers(Chain<Repeat<6>, Gru<3>>{}, Chain<Apart<Repeat<6>>, Gru<3>>{}, Vec<2>{});
    check_same_numbers(Chain<Dense<2>, Repeat<6>, Lstm<3>, Dense<2>>{},
                       Chain<Dense<2>, Apart<Repeat<6>>, Lstm<3>, Dense<2>>{}, Vec<4>{});
    check_same_numbers(Chain<Gru<3>, LastStep>{}, Chain<Gru<3>, Apart<LastStep>>{}, Seq<2, 6>{});
    check_same_numbers(Chain<Gru<2>, Lstm<3>, LastStep, Dense<2>>{},
                       Chain<Gru<2>, Lstm<3>, Apart<LastStep>, Dense<2>>{}, Seq<2, 1>{});
    // Nothing of the steps between is kept for later layers.
    CHECK(count<double>(Chain<Gru<3>, LastStep>{}, 9, Seq<2, 50>{}).run_bytes <
          count<double>(Chain<Gru<3>, Apart<LastStep>>{}, 9, Seq<2, 50>{}).run_bytes);
}

TEST_CASE("recurrent layers") {
    check_same(Lstm<5>{}, Lstm<>{5}, Seq<3, 7>{});
    check_same(Bidirectional<Gru<2>>{}, Bidirectional{Gru<>{2}}, Seq<3, 5>{});
    check_same(Repeat<4>{}, Repeat<>{4}, Vec<3>{});
    check_same(ReshapeTo<Seq<2, 3>>{}, ReshapeTo{Seq<>(2, 3)}, Vec<6>{});
}

TEST_CASE("attention") {
    check_same(MultiHeadSelfAttention<2>{}, MultiHeadSelfAttention<>{.heads = Vec<>(2)}, Seq<4, 5>{});
    check_same(TransformerBlock<2, 7>{.causal = true},
               TransformerBlock<>{.heads = Vec<>(2), .feed_forward = Vec<>(7), .causal = true}, Seq<4, 5>{});
    check_same(Embedding<3, 4>{}, Embedding<>{.entries = Vec<>(3), .units = Vec<>(4)}, Vec<5>{});
}

TEST_CASE("convolutions") {
    check_same(Convolution1d<4, 3, 2, 1>{},
               Convolution1d<Dynamic, Dynamic, Dynamic, Dynamic>{
                   .outputs = Vec<>(4), .kernel = Vec<>(3), .stride = Vec<>(2), .padding = Vec<>(1)},
               Seq<3, 6>{});
    check_same(
        TransposedConvolution1d<4, 3, 2, 1, 1>{},
        TransposedConvolution1d<Dynamic, Dynamic, Dynamic, Dynamic, Dynamic>{.outputs = Vec<>(4),
                                                                             .kernel = Vec<>(3),
                                                                             .stride = Vec<>(2),
                                                                             .padding = Vec<>(1),
                                                                             .output_padding = Vec<>(1)},
        Seq<3, 6>{});
    check_same(TemporalBlock<4, 2>{.dilation = 2},
               TemporalBlock<>{.dilation = 2, .outputs = Vec<>(4), .kernel = Vec<>(2)}, Seq<3, 6>{});
    check_same(TemporalBlock<3, 2>{}, TemporalBlock<>{.outputs = Vec<>(3), .kernel = Vec<>(2)}, Seq<3, 6>{});
    const Chain<Dense<3>, TemporalBlock<3, 2>> behind;
    check_same(behind, Chain{Dense<>(3), TemporalBlock<>{.outputs = Vec<>(3), .kernel = Vec<>(2)}},
               Seq<2, 6>{});
    check_same(TiedDense<3, 2, Tanh>{},
               TiedDense<Dynamic, Dynamic, Tanh>{.inputs = Vec<>(3), .outputs = Vec<>(2)}, Seq<3, 4>{});
}
