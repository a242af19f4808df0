// SPDX-License-Identifier: MIT
#pragma once

// Counts every allocation of the program: operator new, and malloc itself, which is what Eigen calls. allocation.cpp,
// which is linked to a test that includes this, puts itself in malloc's place.
//
//     AllocationCount count;
//     work();
//     REQUIRE(count.since() == 0);

#include <atomic>

namespace allocation {

extern std::atomic<long> so_far;
/// False where malloc cannot be replaced: nothing is counted then.
extern const bool is_counted;

}  // namespace allocation

class AllocationCount {
public:
    static bool counts() { return allocation::is_counted; }
    [[nodiscard]] long since() const { return allocation::so_far - start_; }

private:
    long start_ = allocation::so_far;
};
