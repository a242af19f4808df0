// SPDX-License-Identifier: MIT
// What core/kernels.hpp compiles for one instruction set; empty on its own.
#ifdef UNTOWARD_KERNEL_SET

#ifdef UNTOWARD_KERNEL_TILES
#include "packet.hpp"
#endif

#include "apply.hpp"

#include "roots.hpp"

#include "adam.hpp"
#include "columns.hpp"
#include "noise.hpp"
#include "unpack.hpp"
#ifdef UNTOWARD_KERNEL_TILES
#include "tile.hpp"

#include "few_rows.hpp"
#include "rows_times.hpp"
#endif

#endif
