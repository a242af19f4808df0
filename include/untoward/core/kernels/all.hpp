// SPDX-License-Identifier: MIT
// What core/kernels.hpp compiles for one instruction set; empty on its own.
#ifdef UNTOWARD_KERNEL_SET

#include "apply.hpp"
#if !defined(UNTOWARD_KERNELS_ELSEWHERE) || defined(UNTOWARD_KERNELS_HERE)
#include "packet.hpp"
#include "tile.hpp"
#endif

#endif
