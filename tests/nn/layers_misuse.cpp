// SPDX-License-Identifier: MIT
// Layers whose sizes do not fit, where they are known at run time: assertions, which throw here.
#include <stdexcept>
#define UNTOWARD_ASSERT(condition, message)                \
    do {                                                   \
        if (!(condition)) throw std::logic_error(message); \
    } while (false)

#include "support/catch.hpp"
#include "untoward/nn/batch_norm.hpp"
#include "untoward/nn/dropout.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/transformer.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("convolutions that leave no step") {
    const auto convolution = [](Index kernel, Index stride) {
        return Convolution1d<Dynamic, Dynamic, Dynamic>{
            .outputs = Vec<>(2), .kernel = Vec<>(kernel), .stride = Vec<>(stride)};
    };
    CHECK(output_shape(convolution(4, 1), Seq<>(3, 4)) == Seq<>(2, 1));
    CHECK_THROWS_WITH(measure(convolution(5, 1), Seq<>(3, 4)), ContainsSubstring("kernel fits"));
    CHECK_THROWS_WITH(measure(convolution(2, 0), Seq<>(3, 4)), ContainsSubstring("stride"));

    const auto transposed = [](Index padding, Index output_padding) {
        return TransposedConvolution1d<2, 2, 2, Dynamic, Dynamic>{.padding = Vec<>(padding),
                                                                  .output_padding = Vec<>(output_padding)};
    };
    CHECK(output_shape(transposed(1, 1), Seq<>(3, 2)) == Seq<>(2, 3));
    CHECK_THROWS_WITH(measure(transposed(2, 0), Seq<>(3, 2)), ContainsSubstring("leaves no step"));
    CHECK_THROWS_WITH(measure(transposed(0, 2), Seq<>(3, 2)), ContainsSubstring("output padding"));
}

TEST_CASE("heads that do not share the channels equally") {
    const TransformerBlock<> block{.heads = Vec<>(4), .feed_forward = Vec<>(3)};
    CHECK_NOTHROW(measure(block, Seq<>(8, 5)));
    CHECK_THROWS_WITH(measure(block, Seq<>(10, 5)), ContainsSubstring("heads of an attention"));
    CHECK_THROWS_WITH(measure(MultiHeadSelfAttention<>{}, Seq<>(8, 5)), ContainsSubstring("heads"));
}

TEST_CASE("shapes between sequences and vectors") {
    CHECK_THROWS_WITH(measure(LastStates{}, Seq<>(3, 2)), ContainsSubstring("halves its channels"));
    CHECK_THROWS_WITH(measure(Repeat<>{0}, Vec<>(3)), ContainsSubstring("at least one step"));
    CHECK_THROWS_WITH(measure(ReshapeTo{Seq<>(2, 3)}, Vec<>(7)), ContainsSubstring("keeps its size"));
}

TEST_CASE("numbers out of range") {
    CHECK_THROWS_WITH(measure(LayerNorm{0}, Vec<3>{}), ContainsSubstring("LayerNorm"));
    CHECK_THROWS_WITH(measure(BatchNorm{-1}, Vec<3>{}), ContainsSubstring("BatchNorm"));
    CHECK_THROWS_WITH(measure(Dropout{1}, Vec<3>{}), ContainsSubstring("Dropout.rate is 1"));
}
