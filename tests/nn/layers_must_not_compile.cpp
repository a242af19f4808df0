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

// Four heads cannot share ten channels.
#if CASE == 1  // expect: DoesNotDivide<MultiHeadSelfAttention<4>, Heads<4>, Channels<10>>
using Bad = decltype(output_shape(MultiHeadSelfAttention<4>{}, Seq<10, 5>{}));
#endif
// A kernel of 5 on 4 steps.
#if CASE == 2  // expect-regex: InputIsShorter<Convolution1d<8, 5(, 1, 0, 1)?>, Expected<5>, Found<4>>
using Bad = decltype(output_shape(Convolution1d<8, 5>{}, Seq<3, 4>{}));
#endif
// More padding than there are steps.
#if CASE == 3  // expect: a TransposedConvolution1d's padding leaves no step
using Bad = decltype(output_shape(TransposedConvolution1d<8, 2, 1, 3>{}, Seq<3, 4>{}));
#endif
// An output padding as large as the stride.
#if CASE == 4  // expect: a TransposedConvolution1d's output padding is less than its stride or dilation
using Bad = decltype(output_shape(TransposedConvolution1d<8, 2, 2, 0, 2>{}, Seq<3, 4>{}));
#endif
// An LSTM over a vector.
#if CASE == 5  // expect: InputIsNoSequence<Lstm<4>, Shape<3>>
using Bad = decltype(output_shape(Lstm<4>{}, Vec<3>{}));
#endif
// A sequence is repeated.
#if CASE == 6  // expect: InputIsNoVector<Repeat<4>, Shape<3, 2>>
using Bad = decltype(output_shape(Repeat<4>{}, Seq<3, 2>{}));
#endif
// 7 numbers as 2 x 3.
#if CASE == 7  // expect: SizesDiffer<Reshape<Shape<2, 3>>, Expected<6>, Found<7>>
using Bad = decltype(output_shape(ReshapeTo<Seq<2, 3>>{}, Vec<7>{}));
#endif
// Halves of three channels.
#if CASE == 8  // expect: a LastStates halves its channels
using Bad = decltype(output_shape(LastStates{}, Seq<3, 2>{}));
#endif
// A transformer over a vector.
#if CASE == 9  // expect: InputIsNoSequence<TransformerBlock<2, 8>, Shape<4>>
using Bad = decltype(output_shape(TransformerBlock<2, 8>{}, Vec<4>{}));
#endif
// A tied layer from 5 features on 4 of them.
#if CASE == 10  // expect: SizesDiffer<TiedDense<5, 3>, Expected<5>, Found<4>>
using Bad = decltype(output_shape(TiedDense<5, 3>{}, Vec<4>{}));
#endif
// Heads without a head.
#if CASE == 11  // expect: a trunk has at least one head
using Bad = decltype(output_shape(Heads<Dense<3>>{}, Vec<4>{}));
#endif
// An embedding of two channels of indices.
#if CASE == 12  // expect: SizesDiffer<Embedding<5, 3>, Expected<1>, Found<2>>
using Bad = decltype(output_shape(Embedding<5, 3>{}, Seq<2, 4>{}));
#endif
// A Residual around a layer that changes the size.
#if CASE == 13  // expect: SizesDiffer<Residual<Dense<3>>, Expected<4>, Found<3>>
using Bad = decltype(output_shape(Residual<Dense<3>>{}, Vec<4>{}));
#endif
// Both directions of a vector.
#if CASE == 14  // expect: InputIsNoSequence<Bidirectional<Gru<3>>, Shape<4>>
using Bad = decltype(output_shape(Bidirectional<Gru<3>>{}, Vec<4>{}));
#endif
// A temporal block over a vector.
#if CASE == 15  // expect: InputIsNoSequence<TemporalBlock<4, 2>, Shape<4>>
using Bad = decltype(output_shape(TemporalBlock<4, 2>{}, Vec<4>{}));
#endif
// A stride of zero.
#if CASE == 16  // expect: the stride of a Convolution1d is at least one
using Bad = decltype(output_shape(Convolution1d<4, 2, 0>{}, Seq<3, 4>{}));
#endif
