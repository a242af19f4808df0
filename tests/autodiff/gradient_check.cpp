// SPDX-License-Identifier: MIT
// The public gradient check: silent where a gradient is right, and precise where it is wrong.
#include "untoward/autodiff/gradient_check.hpp"

#include <string>

#include "support/catch.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;

namespace {

// The example of the header.
struct Cube {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return a * a * a; }, x);
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        dx.add([](auto d, auto a) { return d * 3 * a * a; }, dy, x);
    }
};

// Wrong for the second input, at one element.
struct WrongProduct {
    constexpr auto shape(const auto& a, const auto& b) const { return broadcast(a, b); }
    void forward(auto y, auto a, auto b) const {
        assign(
            y, [](auto p, auto q) { return p * q; }, a, b);
    }
    void backward(auto dy, auto, auto a, auto b, auto da, auto db) const {
        da.add([](auto d, auto q) { return d * q; }, dy, b);
        db.write([&](const auto& to, bool) {
            assign(
                to, [](auto d, auto p) { return d * p; }, dy, a);
            to(1, 2) *= 1.01;
        });
    }
};

// A rule that gives NaN back.
struct NotANumber {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return a + 0; }, x);
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.add([](auto d) { return d * std::numeric_limits<double>::quiet_NaN(); }, dy);
    }
};

}  // namespace

TEST_CASE("a right gradient") {
    CHECK(check_gradient_of_rule(Cube{}, {.batch = 4}, Vec<3>{}).relative < 1e-7);
    CHECK(check_gradient(Chain<Dense<5, Tanh>, Dense<2>>{}, {}, Vec<>(3)).relative < 1e-8);
}

TEST_CASE("a wrong gradient is found where it is") {
    const GradientError error = check_gradient_of_rule(WrongProduct{}, {}, Vec<3>{}, Vec<3>{});
    CHECK(error.where == std::string("input 1"));
    CHECK(error.index == 1 + 2 * 3);
    CHECK(error.absolute > 1e-5);
    CHECK(error.backward == Approx(1.01 * error.difference));
}

TEST_CASE("a gradient that is not a number is the worst error") {
    CHECK_FALSE(check_gradient_of_rule(NotANumber{}, {}, Vec<2>{}).relative < 1e300);
}
