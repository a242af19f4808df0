// SPDX-License-Identifier: MIT
#pragma once

// What every header includes first: the macros a user may set before including the library.
//
//   UNTOWARD_ASSERT(condition, message)
//       Called where the caller broke a documented requirement. Default: assert(), so it is off with NDEBUG.
//       Define it before the first include to log, trap or throw instead. Nothing that depends on data
//       (a NaN, an empty cell, an infinity) is ever an assertion.
//   UNTOWARD_FIXED_KERNELS
//       Keep compile-time extents down to Eigen's kernels. Smaller and faster code for one small model on a
//       microcontroller, larger and slower to compile on a host; off by default.
//
//   UNTOWARD_NO_DISPATCH
//       Products and functions over arrays use the instructions that the compiler was told to use, and products are
//       Eigen's. By default a program on x86-64 finds out when it runs what its processor has, whatever it was
//       compiled for: see core/instruction_set.hpp.
//
//   UNTOWARD_PLAIN
//       Plain loops in one fixed order instead of Eigen's kernels and of vector instructions: small code, little stack,
//       no malloc, and, with -ffp-contract=off, the same bits on every processor. Defined by itself where there is no
//       operating system; define it on a host too where a device's numbers are to be met bit for bit. It implies
//       UNTOWARD_FIXED_KERNELS and UNTOWARD_NO_DISPATCH.
//
// The last three change what inline functions do, and so the names of all that is compiled with them: objects that were
// compiled with different ones can be linked to one program, and each does what it would do alone. A detector of one
// cannot be handed to a function of another; its file can. On a host no macro of Eigen's is defined, so that Eigen is
// one thing in all of them.

// Whether there is an operating system to print to, and a heap.
#if defined(__unix__) || defined(__APPLE__) || defined(_WIN32)
#define UNTOWARD_HOSTED 1
#else
#define UNTOWARD_HOSTED 0
#endif

#if !defined(UNTOWARD_PLAIN) && !UNTOWARD_HOSTED
#define UNTOWARD_PLAIN
#endif

#ifdef UNTOWARD_PLAIN
#ifndef UNTOWARD_FIXED_KERNELS
#define UNTOWARD_FIXED_KERNELS
#endif
#ifndef UNTOWARD_NO_DISPATCH
#define UNTOWARD_NO_DISPATCH
#endif
#endif

#if defined(UNTOWARD_PLAIN)
#define UNTOWARD_SETTING ::inline plain_loops
#elif defined(UNTOWARD_NO_DISPATCH) && defined(UNTOWARD_FIXED_KERNELS)
#define UNTOWARD_SETTING ::inline no_dispatch_fixed_kernels
#elif defined(UNTOWARD_NO_DISPATCH)
#define UNTOWARD_SETTING ::inline no_dispatch
#elif defined(UNTOWARD_FIXED_KERNELS)
#define UNTOWARD_SETTING ::inline fixed_kernels
#else
#define UNTOWARD_SETTING  // names as they are written
#endif

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
