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

//   UNTOWARD_NO_DISPATCH
//       Products and functions over arrays use the instructions that the compiler was told to use, and products are
//       Eigen's. By default a program on x86-64 finds out when it runs what its processor has, whatever it was
//       compiled for: see core/instruction_set.hpp.

// Without an operating system Eigen knows no alloca and would take its packing buffers from the heap; the
// library cuts its products so that they fit the stack.
#if !defined(EIGEN_ALLOCA) && defined(__GNUC__)
#define EIGEN_ALLOCA __builtin_alloca
#endif

#include <Eigen/Core>

#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "untoward needs Eigen 3.4"
#endif

#if defined(__FAST_MATH__)
#error "untoward must see NaN and infinity: build without -ffast-math"
#endif

#ifndef UNTOWARD_ASSERT
#include <cassert>
#define UNTOWARD_ASSERT(condition, message) assert((condition) && (message))
#endif

// For small functions in hot loops that a compiler would rather call.
#define UNTOWARD_ALWAYS_INLINE __attribute__((always_inline))
#define UNTOWARD_INLINE inline UNTOWARD_ALWAYS_INLINE

namespace untoward {

/// Sizes and positions, as in Eigen: signed.
using Index = Eigen::Index;

/// An extent that is known at run time only.
inline constexpr Index Dynamic = Eigen::Dynamic;

}  // namespace untoward
