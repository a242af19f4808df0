// SPDX-License-Identifier: MIT
// Catch2 v2 keeps its implementation in the header: it is compiled here, once. With v3 this file is not built.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
