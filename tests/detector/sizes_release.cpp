// SPDX-License-Identifier: MIT
// The same as a release build is: without assertions, the library's and Eigen's.
#ifndef NDEBUG
#define NDEBUG
#endif
#include "sizes.cpp"

TEST_CASE("this test has no assertions") {
    bool asked = false;
    UNTOWARD_ASSERT((asked = true), "untoward: off");
    CHECK_FALSE(asked);
}
