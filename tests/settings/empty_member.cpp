// SPDX-License-Identifier: MIT
// A fault of clang 16 without the library: a member is an aggregate that begins with an empty [[no_unique_address]] member;
// initialised in its place, its other values are stored nowhere, and what follows is taken for unreachable. 16.0.6 prints
// nothing at -O1, and at -O0 it fills the memory and is killed. clang 14 and 19 and g++ 12 print "1 2".
#include <cstdio>

namespace {

struct Empty {};
struct Aggregate {
    [[no_unique_address]] Empty empty;
    double first = 0;
    double second = 0;
};
struct Owner {
    Aggregate aggregate;
    Owner(const Empty& empty, double second) : aggregate{empty, 1, second} {}
};

}  // namespace

int main(int count, char**) {
    const Owner owner(Empty{}, 1.0 + count);
    std::printf("%g %g\n", owner.aggregate.first, owner.aggregate.second);
}
