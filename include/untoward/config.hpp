// SPDX-License-Identifier: MIT
#pragma once

// What every header that knows Eigen includes first: the macros a user may set before including the library,
//
//   UNTOWARD_ASSERT(condition, message)
//       Called where the caller broke a documented requirement. Default: assert(), so it is off with NDEBUG.
//       Define it before the first include to log, trap or throw instead. Nothing that depends on data
//       (a NaN, an empty cell, an infinity) is ever an assertion.
//
// and those of setting.hpp.

#include "setting.hpp"

#if !UNTOWARD_HOSTED
#ifndef EIGEN_DONT_VECTORIZE
#define EIGEN_DONT_VECTORIZE
#endif
// An assert() of the C library prints, and prints with half of that library: a device stops instead.
#ifndef UNTOWARD_ASSERT
#ifdef NDEBUG
#define UNTOWARD_ASSERT(condition, message) static_cast<void>(0)
#else
#define UNTOWARD_ASSERT(condition, message) ((condition) ? static_cast<void>(0) : __builtin_trap())
#endif
#ifndef eigen_assert
#define eigen_assert(condition) UNTOWARD_ASSERT(condition, "Eigen")
#endif
#endif
// Eigen knows no alloca without an operating system and would take its packing buffers from the heap; the library cuts
// its products so that they fit the stack.
#if !defined(EIGEN_ALLOCA) && defined(__GNUC__)
#define EIGEN_ALLOCA __builtin_alloca
#endif
#endif

#include <Eigen/Core>

#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "untoward needs Eigen 3.4 or 5"
#endif

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "untoward must see NaN and infinity: build without -ffast-math, -Ofast and -ffinite-math-only"
#endif

#ifndef UNTOWARD_ASSERT
#include <cassert>
#define UNTOWARD_ASSERT(condition, message) assert((condition) && (message))
#endif

// For small functions in hot loops that a compiler would rather call.
#define UNTOWARD_ALWAYS_INLINE __attribute__((always_inline))
#define UNTOWARD_INLINE inline UNTOWARD_ALWAYS_INLINE
// For what many places call, also from a function into which everything else is drawn (`flatten`).
#define UNTOWARD_NO_INLINE __attribute__((noinline))
// For a function of numbers that many loops have: called where code is to be small.
#if defined(UNTOWARD_PLAIN) && defined(__OPTIMIZE_SIZE__)
#define UNTOWARD_CALLED_IF_SMALL inline UNTOWARD_NO_INLINE
#else
#define UNTOWARD_CALLED_IF_SMALL UNTOWARD_INLINE
#endif
// For a device's one pass through a model: drawn together its shapes are constants, and most of the code is gone.
#ifdef UNTOWARD_PLAIN
#define UNTOWARD_FLATTEN __attribute__((flatten)) UNTOWARD_NO_INLINE
#else
#define UNTOWARD_FLATTEN
#endif

namespace untoward UNTOWARD_SETTING {

/// Sizes and positions, as in Eigen: signed.
using Index = Eigen::Index;

/// An extent that is known at run time only: Eigen's own, so that a program may use both namespaces.
using Eigen::Dynamic;

namespace detail {

/// Whether code is to be small before it is fast.
#ifdef UNTOWARD_PLAIN
inline constexpr bool small_code = true;
#else
inline constexpr bool small_code = false;
#endif

}  // namespace detail

}  // namespace untoward
