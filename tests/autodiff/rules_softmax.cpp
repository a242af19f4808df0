// SPDX-License-Identifier: MIT
// Softmax and its logarithm: what holds of every rule, and what infinities and NaN do.
#include "untoward/autodiff/rules/softmax.hpp"

#include <limits>

#include "support/property.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

namespace {

template <class S, class Rule>
std::vector<S> values(const Rule& rule, const std::vector<S>& x, Index channels) {
    std::vector<S> y(x.size());
    const Seq<> shape(channels, static_cast<Index>(x.size()) / channels);
    rule.forward(Tensor<S, Seq<>>(y.data(), shape, 1), Tensor<const S, Seq<>>(x.data(), shape, 1));
    return y;
}

template <class S>
void check_extremes() {
    constexpr S inf = std::numeric_limits<S>::infinity();
    constexpr S nan = std::numeric_limits<S>::quiet_NaN();
    constexpr S max = std::numeric_limits<S>::max();
    // Nine channels: Eigen's packets and what is left over.
    for (std::size_t at = 0; at < 9; ++at) {
        INFO("channel " << at);
        std::vector<S> x(9, 0);
        x[at] = max;
        CHECK(values(Softmax{}, x, 9)[at] == 1);
        CHECK(values(LogSoftmax{}, x, 9)[at] == 0);
        CHECK(values(LogSoftmax{}, x, 9)[(at + 1) % 9] == -max);
        x[at] = -inf;
        CHECK(values(Softmax{}, x, 9)[at] == 0);
        CHECK(values(Softmax{}, x, 9)[(at + 1) % 9] == Approx(1.0 / 8));
        CHECK(values(LogSoftmax{}, x, 9)[at] == -inf);
        CHECK(values(LogSoftmax{}, x, 9)[(at + 1) % 9] == Approx(-std::log(8.0)));
        for (const S bad : {nan, inf}) {
            x[at] = bad;
            for (const S y : values(Softmax{}, x, 9)) CHECK(std::isnan(y));
            CHECK(std::isnan(values(LogSoftmax{}, x, 9)[at]));
        }
        x[at] = nan;
        for (const S y : values(LogSoftmax{}, x, 9)) CHECK(std::isnan(y));
        for (const S y : values(LogSoftmax{}, std::vector<S>(9, -inf), 9)) CHECK(std::isnan(y));
    }
    // A position beside one with a NaN knows nothing of it.
    const auto two = values(Softmax{}, std::vector<S>{nan, 0, 1, 1}, 2);
    CHECK((std::isnan(two[0]) && std::isnan(two[1]) && two[2] == S(0.5) && two[3] == S(0.5)));
}

}  // namespace

TEST_CASE("softmax over the channels of each position") {
    check_rule(Softmax{}, {}, Vec<5>{});
    check_rule(Softmax{}, {.batch = 1}, Seq<>(7, 3));
    check_rule(Softmax{}, {}, Vec<1>{});
    check_rule(LogSoftmax{}, {.batch = 1}, Vec<>(5));
    check_rule(LogSoftmax{}, {}, Image<3, 1, 2>{});
    check_rule(LogSoftmax{}, {}, Seq<1, 4>{});
}

TEST_CASE("probabilities sum to one, and their logarithms are the other rule's") {
    std::vector<double> x(6 * 11);
    fill_uniform(x.data(), 66, NoiseKey{.seed = 1});
    for (double& v : x) v = 1000 * v - 500;
    const auto p = values(Softmax{}, x, 11);
    const auto log_p = values(LogSoftmax{}, x, 11);
    for (std::size_t t = 0; t < 6; ++t) {
        double sum = 0;
        for (std::size_t c = 0; c < 11; ++c) {
            sum += p[t * 11 + c];
            CHECK(p[t * 11 + c] == Approx(std::exp(log_p[t * 11 + c])).epsilon(1e-12).margin(1e-300));
        }
        CHECK(sum == Approx(1).epsilon(1e-14));
    }
}

TEST_CASE("a gradient through both, twice from one value") {
    check_function(
        [](auto& s, const auto& x) {
            const auto p = softmax(s, x);
            const auto log_p = log_softmax(s, x);
            return multiply(s, p, log_p);
        },
        {}, Seq<3, 2>{});
}

TEST_CASE("large numbers, infinities and NaN, in double") {
    check_extremes<double>();
}
TEST_CASE("large numbers, infinities and NaN, in float") {
    check_extremes<float>();
}
