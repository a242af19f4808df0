// SPDX-License-Identifier: MIT
// Prints the version, and where the headers were found. __has_include lets this work on a partial checkout.
#include <untoward/version.hpp>
#if __has_include(<untoward/untoward.hpp>)
#include <untoward/untoward.hpp>
#else
#include <untoward/config.hpp>
#endif

#include <cstdio>

int main() {
    static_assert(untoward::Dynamic == Eigen::Dynamic);
    std::puts("untoward " UNTOWARD_VERSION);
}
