// SPDX-License-Identifier: MIT
// Two translation units that include everything must link into one program: linked with odr_other.cpp.
#include "everything.hpp"

#include <cstdio>
#include <string>

const char* version_elsewhere();

int main() {
    std::printf("untoward %s, linked twice\n", version_elsewhere());
    return UNTOWARD_VERSION == std::string(version_elsewhere()) ? 0 : 1;
}
