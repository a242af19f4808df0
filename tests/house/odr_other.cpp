// SPDX-License-Identifier: MIT
#include "everything.hpp"

const char* version_elsewhere();
const char* version_elsewhere() {
    return UNTOWARD_VERSION;
}
