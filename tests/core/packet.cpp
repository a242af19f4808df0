// SPDX-License-Identifier: MIT
// Loops over packets: right to rounding, and the same bits at every address, place and length.
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "untoward/core/packet.hpp"

using namespace untoward;

namespace {

// sigmoid(x) - 2 tanh(x) of n numbers, from x to y.
template <class S>
void compute(Index n, const S* x, S* y) {
    packet::for_each<S>(n, [&](Index i, const auto& at) {
        const auto value = at.load(x + i);
        at.store(y + i, packet::sigmoid<S>(value) - packet::same(S(2)) * packet::tanh<S>(value));
    });
}

template <class S>
void check() {
    constexpr Index most = 41;
    std::vector<S> x(most);
    for (Index i = 0; i < most; ++i) x[static_cast<std::size_t>(i)] = static_cast<S>(i - 20) * S(0.7);
    x[30] = std::numeric_limits<S>::quiet_NaN();
    std::vector<S> alone(most);
    for (std::size_t i = 0; i < alone.size(); ++i) {
        compute<S>(1, &x[i], &alone[i]);
        const S expected = 1 / (1 + std::exp(-x[i])) - 2 * std::tanh(x[i]);
        if (std::isnan(x[i])) {
            CHECK(std::isnan(alone[i]));
        } else {
            CHECK(std::abs(alone[i] - expected) < 8 * std::numeric_limits<S>::epsilon());
        }
    }
    for (Index begin = 0; begin < 5; ++begin) {
        for (Index n = 0; n + begin <= most; ++n) {
            std::vector<S> y(most, S(7));
            compute(n, x.data() + begin, y.data() + begin);
            std::vector<S> expected(most, S(7));  // nothing else is written
            std::copy_n(alone.begin() + begin, n, expected.begin() + begin);
            REQUIRE(std::memcmp(y.data(), expected.data(), y.size() * sizeof(S)) == 0);
        }
    }
}

}  // namespace

TEST_CASE("packets of float") {
    check<float>();
}
TEST_CASE("packets of double") {
    check<double>();
}
