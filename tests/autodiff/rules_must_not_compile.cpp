// SPDX-License-Identifier: MIT
// Shapes that rules refuse, each with a message that says why.
#include "untoward/autodiff/describe.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/gather.hpp"
#include "untoward/autodiff/rules/groups.hpp"
#include "untoward/autodiff/rules/layout.hpp"
#include "untoward/autodiff/rules/matrices.hpp"
#include "untoward/autodiff/rules/pooling.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/autodiff/rules/softmax.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;

struct Cube {
    static auto value(auto x) { return x * x * x; }
};

// What each case gets wrong, right.
constexpr auto matrices = MatrixProduct<>{}.shape(Shape<3, 4>{}, Shape<4, 5>{});
constexpr auto entries = Gather{}.shape(Shape<3, 4>{}, Seq<1, 5>{});
constexpr auto reshaped = Reshape<Vec<6>>{}.shape(Shape<2, 3>{});
constexpr auto permuted = Permute<1, 0>{}.shape(Shape<2, 3>{});
constexpr auto reversed = ReverseRule{}.shape(Seq<2, 3>{});
constexpr auto pooled = MaxPool<Shape<2, 2>>{}.shape(Image<1, 4, 4>{});
constexpr auto repeated = Upsample<Shape<2>>{}.shape(Seq<1, 4>{});
constexpr auto beside = Concatenate{}.shape(Seq<2, 3>{}, Seq<5, 3>{});
using Layer = decltype(Dense<3, Gelu>{}.outputs);

// A product of 3 x 4 and 5 x 4.
#if CASE == 1  // expect-regex: SizesDiffer<MatrixProduct<(false, false)?>, Expected<4>, Found<5>>
using Bad = decltype(MatrixProduct<>{}.shape(Shape<3, 4>{}, Shape<5, 4>{}));
#endif
// A matrix times a vector.
#if CASE == 2  // expect: untoward: both factors of a product are matrices, and as many on either side
using Bad = decltype(MatrixProduct<>{}.shape(Shape<3, 4>{}, Vec<4>{}));
#endif
// Indices without a channel of their own.
#if CASE == 3  // expect: untoward: indices have one channel
using Bad = decltype(Gather{}.shape(Shape<3, 4>{}, Vec<5>{}));
#endif
// A table that is a vector.
#if CASE == 4  // expect: untoward: a table is Shape<E, N>: N entries of E numbers
using Bad = decltype(Gather{}.shape(Vec<4>{}, Vec<1>{}));
#endif
// 6 numbers as 5.
#if CASE == 5  // expect: SizesDiffer<Reshape<Shape<5>>, Expected<5>, Found<6>>
using Bad = decltype(Reshape<Vec<5>>{}.shape(Shape<2, 3>{}));
#endif
// One extent twice.
#if CASE == 6  // expect: untoward: a permutation names every extent of its input once
using Bad = decltype(Permute<0, 0>{}.shape(Shape<2, 3>{}));
#endif
// Two of three extents.
#if CASE == 7  // expect: untoward: a permutation names every extent of its input once
using Bad = decltype(Permute<1, 0>{}.shape(Shape<2, 3, 4>{}));
#endif
// An image reversed in time.
#if CASE == 8  // expect: InputIsNoSequence<ReverseRule, Shape<2, 3, 4>>
using Bad = decltype(ReverseRule{}.shape(Image<2, 3, 4>{}));
#endif
// A window over time on an image.
#if CASE == 9  // expect: untoward: a window has an extent for each extent of the positions
using Bad = decltype(MaxPool<Shape<2>>{}.shape(Image<1, 4, 4>{}));
#endif
// A window longer than its sequence.
#if CASE == 10  // expect: untoward: a window is inside its input
using Bad = decltype(AveragePool<Shape<5>>{}.shape(Seq<1, 4>{}));
#endif
// A factor for one of two extents.
#if CASE == 11  // expect: untoward: up-sampling has a factor for each extent of the positions
using Bad = decltype(Upsample<Shape<2>>{}.shape(Image<1, 4, 4>{}));
#endif
// A sequence beside a vector.
#if CASE == 12  // expect: PositionsDiffer<Concatenate, Shape<2, 3>, Shape<2>>
using Bad = decltype(Concatenate{}.shape(Seq<2, 3>{}, Vec<2>{}));
#endif
// Three steps beside four.
#if CASE == 13  // expect: SizesDiffer<Concatenate, Expected<3>, Found<4>>
using Bad = decltype(Concatenate{}.shape(Seq<2, 3>{}, Seq<5, 4>{}));
#endif
// An activation without a slope.
#if CASE == 14  // expect: untoward: an activation has value(x), and slope_from_output(y) or slope(x)
using Bad = decltype(output_shape(Dense<3, Cube>{}, Vec<4>{}));
#endif
