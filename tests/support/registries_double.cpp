// SPDX-License-Identifier: MIT
#include "registries.hpp"

namespace untoward {
UNTOWARD_TEST_REGISTRIES(template, double);
}  // namespace untoward
