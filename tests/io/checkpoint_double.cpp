// SPDX-License-Identifier: MIT
#include "io/resumed.hpp"
#include "support/catch.hpp"

TEST_CASE("checkpoint: double, with every optimiser") {
    untoward_test::check_resuming<double>();
}
