// SPDX-License-Identifier: MIT
#pragma once

// CMake reads the version from these three lines.
#define UNTOWARD_VERSION_MAJOR 0
#define UNTOWARD_VERSION_MINOR 1
#define UNTOWARD_VERSION_PATCH 0

#define UNTOWARD_STRINGIFY_(x) #x
#define UNTOWARD_STRINGIFY(x) UNTOWARD_STRINGIFY_(x)

/// "major.minor.patch"
#define UNTOWARD_VERSION                       \
    UNTOWARD_STRINGIFY(UNTOWARD_VERSION_MAJOR) \
    "." UNTOWARD_STRINGIFY(UNTOWARD_VERSION_MINOR) "." UNTOWARD_STRINGIFY(UNTOWARD_VERSION_PATCH)
