// SPDX-License-Identifier: MIT
// Layers whose sizes do not fit, where the compiler knows both; see house/must_not_compile.py.
#include "untoward/autodiff/describe.hpp"
#include "untoward/nn/attention.hpp"
#include "untoward/nn/bidirectional.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/embedding.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/heads.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/positional.hpp"
#include "untoward/nn/residual.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/temporal_block.hpp"
#include "untoward/nn/tied.hpp"
#include "untoward/nn/transformer.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;

#ifndef CASE
#define CASE 0
#endif

#if CASE == 1  // expect: Channels = 10; .*Heads = 4|require_heads_divide_channels<10L, 4L>
using Bad = decltype(output_shape(MultiHeadSelfAttention<4>{}, Seq<10, 5>{}));
#endif
#if CASE == 2  // expect: PaddedSteps = 4; .*Reach = 5|require_reach<4L, 5L>
using Bad = decltype(output_shape(Convolution1d<8, 5>{}, Seq<3, 4>{}));
#endif
#if CASE == 3  // expect: a TransposedConvolution1d's padding leaves no step
using Bad = decltype(output_shape(TransposedConvolution1d<8, 2, 1, 3>{}, Seq<3, 4>{}));
#endif
#if CASE == 4  // expect: an output padding is smaller than the stride or the dilation
using Bad = decltype(output_shape(TransposedConvolution1d<8, 2, 2, 0, 2>{}, Seq<3, 4>{}));
#endif
#if CASE == 5  // expect: an LSTM's input is a sequence
using Bad = decltype(output_shape(Lstm<4>{}, Vec<3>{}));
#endif
#if CASE == 6  // expect: what a Repeat repeats is a vector
using Bad = decltype(output_shape(Repeat<4>{}, Seq<3, 2>{}));
#endif
#if CASE == 7  // expect: a reshaped sample keeps its size
using Bad = decltype(output_shape(ReshapeTo<Seq<2, 3>>{}, Vec<7>{}));
#endif
#if CASE == 8  // expect: a LastStates halves its channels
using Bad = decltype(output_shape(LastStates{}, Seq<3, 2>{}));
#endif
#if CASE == 9  // expect: a TransformerBlock's input is a sequence
using Bad = decltype(output_shape(TransformerBlock<2, 8>{}, Vec<4>{}));
#endif
#if CASE == 10  // expect: Expected = 5; .*Found = 4|require_same_extent<5L, 4L>
using Bad = decltype(output_shape(TiedDense<5, 3>{}, Vec<4>{}));
#endif
#if CASE == 11  // expect: a trunk has at least one head
using Bad = decltype(output_shape(Heads<Dense<3>>{}, Vec<4>{}));
#endif
#if CASE == 12  // expect: indices have one channel
using Bad = decltype(output_shape(Embedding<5, 3>{}, Seq<2, 4>{}));
#endif
#if CASE == 13  // expect: extents neither equal nor one
using Bad = decltype(output_shape(Residual<Dense<3>>{}, Vec<4>{}));
#endif
#if CASE == 14  // expect: a Bidirectional layer's input is a sequence
using Bad = decltype(output_shape(Bidirectional<Gru<3>>{}, Vec<4>{}));
#endif
#if CASE == 15  // expect: a TemporalBlock's input is a sequence
using Bad = decltype(output_shape(TemporalBlock<4, 2>{}, Vec<4>{}));
#endif
#if CASE == 16  // expect: the stride of a convolution is at least one
using Bad = decltype(output_shape(Convolution1d<4, 2, 0>{}, Seq<3, 4>{}));
#endif
