// SPDX-License-Identifier: MIT
#include "untoward/train/schedule.hpp"

#include "support/catch.hpp"

using namespace untoward;

TEST_CASE("cosine schedule: warm-up is linear and ends at the peak, the cosine ends at the last share") {
    const CosineSchedule rate{.peak = 0.1, .warmup = 0.1, .last = 0.0};
    for (Index t = 0; t < 10; ++t) REQUIRE(rate(t, 100) == Approx(0.01 * static_cast<double>(t + 1)));
    REQUIRE(rate(10, 100) == Approx(0.1));
    REQUIRE(rate(55, 100) == Approx(0.05));   // half way: cos(pi / 2)
    REQUIRE(rate(40, 100) == Approx(0.075));  // a third: (1 + cos(pi / 3)) / 2 = 3/4
    REQUIRE(rate(70, 100) == Approx(0.025));
    REQUIRE(rate(99, 100) > 0);
    REQUIRE(rate(99, 100) < 1e-4);
    for (Index t = 11; t < 100; ++t) REQUIRE(rate(t, 100) < rate(t - 1, 100));
}

TEST_CASE("cosine schedule: no warm-up, a last share, few steps") {
    const CosineSchedule rate{.peak = 2, .warmup = 0, .last = 0.25};
    REQUIRE(rate(0, 10) == Approx(2));
    REQUIRE(rate(5, 10) == Approx(2 * (0.25 + 0.75 * 0.5)));
    REQUIRE(rate(9, 10) > 0.5);
    REQUIRE(rate(0, 1) == Approx(2));
    // Two percent of ten steps is no step of warm-up.
    REQUIRE(CosineSchedule{.peak = 2, .warmup = 0.02, .last = 0}(0, 10) == Approx(2));
    for (Index t = 0; t < 4; ++t)
        REQUIRE(CosineSchedule{.peak = 1, .warmup = 1, .last = 0}(t, 4) ==
                Approx(0.25 * static_cast<double>(t + 1)));
}

TEST_CASE("beta schedule: a ramp that never is 0, then constant") {
    const BetaSchedule ramp{.beta = 2, .ramp = 0.5};
    REQUIRE(ramp(0, 100) == Approx(2.0 / 51));
    REQUIRE(ramp(24, 100) == Approx(2 * 25.0 / 51));
    REQUIRE(ramp(49, 100) < 2);
    REQUIRE(ramp(50, 100) == 2);
    REQUIRE(ramp(99, 100) == 2);
    REQUIRE_FALSE(ramp.complete(49, 100));
    REQUIRE(ramp.complete(50, 100));
    const BetaSchedule constant{.beta = 0.5, .ramp = 0};
    for (const Index t : {Index{0}, Index{1}, Index{99}}) {
        REQUIRE(constant(t, 100) == 0.5);
        REQUIRE(constant.complete(t, 100));
    }
    REQUIRE(BetaSchedule{.beta = 0, .ramp = 0.3}(10, 100) == 0);
}
