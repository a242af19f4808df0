// SPDX-License-Identifier: MIT
#pragma once

// How inline functions do what they do: macros a user may set before including the library.
//
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
// They change what inline functions do, and so the names of all that is compiled with them: objects that were
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

// The library is made of members that are aggregates and begin with an empty member (tests/settings/empty_member.cpp).
#if defined(__clang__) && !defined(__apple_build_version__) && __clang_major__ == 16
#error "untoward: clang 16 translates members wrongly that are aggregates; clang 14 and 19 do not"
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
