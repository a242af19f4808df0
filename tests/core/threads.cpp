// SPDX-License-Identifier: MIT
// Threads: every task once, whatever is thrown. Run again with ThreadSanitizer.
#include <untoward/core/threads.hpp>

#include "support/catch.hpp"

#include <numeric>
#include <stdexcept>

using untoward::Index;
using untoward::Threads;

TEST_CASE("every task is done once, and threads tell themselves apart") {
    for (const Index count : {1, 2, 3, 7}) {
        Threads threads(count);
        REQUIRE(threads.count() == count);
        for (const Index tasks : {0, 1, 2, 5, 64, 1000}) {
            std::vector<int> done(static_cast<std::size_t>(tasks));
            std::vector<Index> by(static_cast<std::size_t>(count));
            threads.run(tasks, [&](Index i, Index thread) {
                done[static_cast<std::size_t>(i)] += 1;
                by[static_cast<std::size_t>(thread)] += 1;  // a race, if two had the same number at once
            });
            CHECK(std::all_of(done.begin(), done.end(), [](int n) { return n == 1; }));
            CHECK(std::accumulate(by.begin(), by.end(), Index{0}) == tasks);
        }
    }
}

TEST_CASE("all threads work at once") {
    constexpr Index count = 4;
    Threads threads(count);
    for (int round = 0; round < 50; ++round) {
        std::atomic<Index> begun{0};
        std::vector<Index> results(count);
        threads.run(count, [&](Index i, Index thread) {
            ++begun;
            while (begun < count) std::this_thread::yield();  // for ever, if one thread did two
            results[static_cast<std::size_t>(i)] = 10 * i + thread;
        });
        std::vector<bool> seen(count);
        for (Index i = 0; i < count; ++i) {
            const Index thread = results[static_cast<std::size_t>(i)] - 10 * i;
            REQUIRE((thread >= 0 && thread < count));
            seen[static_cast<std::size_t>(thread)] = true;
        }
        CHECK(std::all_of(seen.begin(), seen.end(), [](bool s) { return s; }));
    }
}

TEST_CASE("what a task throws arrives, and the threads go on") {
    Threads threads(3);
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> begun{0};
        try {
            threads.run(1000, [&](Index i, Index) {
                ++begun;
                if (i == 10) throw std::runtime_error("task 10");
            });
            FAIL("nothing was thrown");
        } catch (const std::runtime_error& e) {
            CHECK(std::string(e.what()) == "task 10");
        }
        CHECK(begun >= 11);
        std::atomic<Index> sum{0};
        threads.run(100, [&](Index i, Index) { sum += i; });
        CHECK(sum == 4950);
    }
}

TEST_CASE("numbers of threads that make no sense") {
    CHECK_THROWS_AS(Threads(-1), untoward::Error);
    CHECK_THROWS_AS(Threads(1000000), untoward::Error);
    CHECK(Threads(0).count() >= 1);
}
