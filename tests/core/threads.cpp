// SPDX-License-Identifier: MIT
// Threads: every task once, whatever is thrown and whoever calls. Run again with ThreadSanitizer.
#include <untoward/core/threads.hpp>

#include "support/catch.hpp"

#include <array>
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

TEST_CASE("callers that share an object do not meet") {
    constexpr int callers = 4;
    constexpr std::size_t tasks = 40;
    Threads threads(3);
    std::atomic<int> wrong{0};
    std::vector<std::thread> all;
    for (int caller = 0; caller < callers; ++caller) {
        all.emplace_back([&, caller] {
            for (int round = 0; round < 2000; ++round) {
                std::vector<int> done(tasks);                   // a race, if two did the same task
                std::array<int, 3> by{};                        // or if two had the same number at once
                const bool throws = (round + caller) % 7 == 0;  // some of them
                try {
                    threads.run(static_cast<Index>(tasks), [&](Index i, Index thread) {
                        done[static_cast<std::size_t>(i)] += 1;
                        by[static_cast<std::size_t>(thread)] += 1;
                        if (throws && i == 20) throw caller;
                    });
                    wrong += throws ? 1 : 0;
                    wrong += std::count(done.begin(), done.end(), 1) == tasks ? 0 : 1;
                    wrong += by[0] + by[1] + by[2] == tasks ? 0 : 1;
                } catch (int whose) {
                    wrong += throws && whose == caller ? 0 : 1;
                    wrong +=
                        std::count(done.begin(), done.end(), 0) + std::count(done.begin(), done.end(), 1) ==
                                tasks
                            ? 0
                            : 1;
                }
            }
        });
    }
    for (std::thread& one : all) one.join();
    CHECK(wrong == 0);
}

TEST_CASE("who finds the helpers busy works alone, and gets them when they are free") {
    Threads threads(2);
    std::atomic<bool> begun{false};
    std::atomic<bool> over{false};
    std::thread other([&] {
        threads.run(2, [&](Index, Index) {
            begun = true;
            while (!over) std::this_thread::yield();
        });
    });
    while (!begun) std::this_thread::yield();
    const auto me = std::this_thread::get_id();
    Index alone = 0;
    threads.run(8, [&](Index, Index thread) {  // for ever, if it waited for the helpers
        if (thread == 0 && std::this_thread::get_id() == me) ++alone;
    });
    CHECK(alone == 8);
    // The helper comes in the middle of a call; two tasks that wait for each other need it.
    std::atomic<int> met{0};
    threads.run(3, [&](Index i, Index) {
        if (i == 0) {
            over = true;
            other.join();
            return;
        }
        ++met;
        while (met < 2) std::this_thread::yield();
    });
    CHECK(met == 2);
}

TEST_CASE("a task may call the object that it is a task of, and others that call it") {
    Threads first(3);
    Threads second(2);
    for (int round = 0; round < 100; ++round) {
        std::vector<int> done(6 * 5 * 4);
        first.run(6, [&](Index i, Index) {
            second.run(5, [&](Index j, Index) {
                first.run(4,
                          [&](Index k, Index) { done[static_cast<std::size_t>((i * 5 + j) * 4 + k)] += 1; });
            });
        });
        CHECK(std::all_of(done.begin(), done.end(), [](int n) { return n == 1; }));
    }
    // What is thrown within goes through every call, and both go on.
    for (int round = 0; round < 20; ++round) {
        CHECK_THROWS_AS(first.run(6,
                                  [&](Index i, Index) {
                                      first.run(5, [&](Index j, Index) {
                                          if (i == 3 && j == 2) throw std::runtime_error("within");
                                      });
                                  }),
                        std::runtime_error);
        std::atomic<Index> sum{0};
        first.run(50, [&](Index i, Index) { sum += i; });
        second.run(50, [&](Index i, Index) { sum += i; });
        CHECK(sum == 2 * 1225);
    }
}

TEST_CASE("numbers of threads that make no sense") {
    CHECK_THROWS_AS(Threads(-1), untoward::Error);
    CHECK_THROWS_AS(Threads(1000000), untoward::Error);
    CHECK(Threads(0).count() >= 1);
}
