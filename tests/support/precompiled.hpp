// SPDX-License-Identifier: MIT
// Compiled once for nearly all tests (tests/CMakeLists.txt): what comes from elsewhere, and no header of the library,
// so that a test may define the library's macros before it includes it.
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
