// SPDX-License-Identifier: MIT
#include "untoward/stream/window.hpp"

#include "support/catch.hpp"

using namespace untoward;

TEST_CASE("window: is due when full and every hop afterwards, oldest reading first") {
    SlidingWindow<float, 2, 5, 3> window;
    int due = 0;
    for (int t = 0; t < 20; ++t) {
        const float reading[] = {static_cast<float>(t), static_cast<float>(-t)};
        const bool is_due = window.push(reading);
        REQUIRE(is_due == (t >= 4 && (t - 4) % 3 == 0));
        if (!is_due) continue;
        ++due;
        float out[10];
        window.copy_to(out);
        for (int i = 0; i < 5; ++i) {
            REQUIRE(out[2 * i] == static_cast<float>(t - 4 + i));
            REQUIRE(out[2 * i + 1] == static_cast<float>(-(t - 4 + i)));
        }
    }
    REQUIRE(due == 6);
    window.reset();
    for (int t = 0; t < 5; ++t) {
        const float reading[] = {0, 0};
        REQUIRE(window.push(reading) == (t == 4));
    }
}

TEST_CASE("window: hops longer than itself pass readings over") {
    SlidingWindow<double, 1, 2, 5> window;
    for (int t = 0; t < 30; ++t) REQUIRE(window.push(t) == (t % 5 == 1));
}
