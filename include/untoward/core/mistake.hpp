// SPDX-License-Identifier: MIT
#pragma once

#include "../config.hpp"

// Wrong sizes as compile errors that name them. A message in a static_assert is a literal and cannot say who
// refuses which size; the name of a type can. So each mistake is a class template that is never defined, and
// the first line of the one error is its name, as in
//
//     error: incomplete type 'mistake::SizesDiffer<Residual<Dense<3>>, Expected<4>, Found<3>>' used in ...
//     error: implicit instantiation of undefined template 'mistake::SizesDiffer<Residual<Dense<3>>, ...>'
//
// Whoever checks returns something harmless afterwards, so that nothing else fails for the same reason:
//
//     if constexpr (Expected != Found) {
//         return detail::Refuse<mistake::SizesDiffer<Who, mistake::Expected<E>, mistake::Found<F>>>::value;
//     }
//
// What lacks a member is refused by a static_assert whose text spells that member. The tables
// tests/*/*_must_not_compile.txt have what the compilers print.

namespace untoward UNTOWARD_SETTING {

/// What a program can get wrong. `Who` is the layer or rule that refuses; extents are written channels first,
/// and -1 is one that is known at run time only.
namespace mistake {

template <Index... Extents>
struct Expected;
template <Index... Extents>
struct Found;
template <Index N>
struct Channels;
template <Index N>
struct Heads;

// clang++ shows the line of the declaration, comment and all.
// clang-format off
template <class Who, class What, class Instead>
struct SizesDiffer;  // two sizes that have to be equal
template <class Who, class What, class Instead>
struct SizesDoNotBroadcast;  // each extent is equal or one, and ranks are equal where neither has one element
template <class Who, class... What>
struct PositionsDiffer;  // what is concatenated has the same positions
template <class Who, class What>
struct InputIsNoSequence;  // the input has channels and steps, Seq<C, T>: Repeat makes one of a vector
template <class Who, class What>
struct InputIsNoVector;  // the input is a Vec<N>: Flatten or LastStep makes one of a sequence
template <class Who, class What, class Into>
struct DoesNotDivide;  // the heads of an attention share its channels equally
template <class Who, class What, class Instead>
struct InputIsShorter;  // the kernel of a convolution fits into its padded input
template <class Decoded, class Sample>
struct DecoderDoesNotFitSample;  // the decoder ends at the positions that the model's sample has
template <class Latent, class Encoded, class Way>
struct EncoderEndsInNoVector;  // the latent units are made of a Vec<N>
struct AddLastStepOrFlatten;
template <class Expected, class Found>
struct SamplesAreColumns;  // features x n: rows.transpose() where samples are rows
template <class Rule, class... Inputs>
struct RuleHasNoShapeFor;  // constexpr auto shape(const auto&... of_inputs) const
// clang-format on

}  // namespace mistake

namespace detail {

// An error that names the mistake, and one only: inside of a class both compilers go on as if nothing had
// happened, in constant expressions too.
template <class Mistake>
struct Refuse {
    static_assert(Mistake::value);
    static constexpr bool value = false;
};

}  // namespace detail

}  // namespace untoward
