// SPDX-License-Identifier: MIT
#include "untoward/stream/alarm.hpp"

#include <cstdint>
#include <vector>

#include "support/catch.hpp"

using namespace untoward;

TEST_CASE("alarm: counts the last n verdicts") {
    const Index n = GENERATE(1, 3, 8, 64);
    const Index k = n == 1 ? 1 : n / 2 + 1;
    const Index release = k / 2;
    KOfN alarm(k, n, release);
    std::vector<bool> verdicts;
    bool is_on = false;
    std::uint32_t noise = 7;
    int changes = 0;
    for (int t = 0; t < 2000; ++t) {
        noise = noise * 1664525u + 1013904223u;
        // Calm and wild times by turns.
        verdicts.push_back((noise >> 24) < (t / 200 % 2 == 0 ? 40u : 200u));
        Index count = 0;
        for (Index i = 0; i < n && i < static_cast<Index>(verdicts.size()); ++i)
            count += verdicts[verdicts.size() - 1 - static_cast<std::size_t>(i)] ? 1 : 0;
        const bool was_on = is_on;
        is_on = count >= k || (is_on && count > release);
        changes += is_on != was_on ? 1 : 0;
        REQUIRE(alarm.push(verdicts.back()) == is_on);
        REQUIRE(alarm.count() == count);
        REQUIRE(alarm.is_on() == is_on);
    }
    REQUIRE(changes >= 2);
    alarm.reset();
    REQUIRE_FALSE(alarm.is_on());
    REQUIRE(alarm.count() == 0);
}

static_assert([] {
    KOfN alarm(2, 3);
    alarm.push(true);
    return !alarm.is_on() && alarm.push(true) && alarm.push(false) && !alarm.push(false);
}());
