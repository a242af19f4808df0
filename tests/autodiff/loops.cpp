// SPDX-License-Identifier: MIT
// Loops: parameters and noise inside them, states of several parts.
#include "support/property.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/dropout.hpp"

using namespace untoward;
using property::check_function;
using property::check_properties;

namespace {

// A loop with its own cell in it, a state of two parts, and noise in every step.
struct Loop {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto zero = scope.constant(Vec<3>{}, x.batch(), 0);
        const auto unrolled = scope.repeat(
            x.shape().positions(), std::tuple(zero, zero), [&](auto& s, Index t, const auto& state) {
                const auto input = position(s, x, t);
                const auto both = concatenate(s, input, std::get<0>(state));
                const auto h = s.call("cell", Dense<3, Tanh>{}, both);
                const auto gate = s.parameter("gate", Vec<3>{}, UniformFanIn{1});
                const auto kept = s.call("dropout", Dropout{0.25}, h);
                const auto gated = multiply(s, gate, kept);
                const auto c = add(s, gated, std::get<1>(state));
                return std::tuple(h, c);
            });
        const auto last = scope.call("head", Dense<2>{}, std::get<1>(unrolled.last));
        return std::tuple(unrolled.all, last);
    }
};

}  // namespace

TEST_CASE("a loop over a state of two parts") {
    check_properties(Loop{}, {.batch = 3}, Seq<2, 5>{});
}

TEST_CASE("a shift register: the gradient reaches the last part of the state only after some steps") {
    check_function(
        [](auto& scope, const auto& x) {
            const auto zero = scope.constant(Vec<2>{}, x.batch(), 0);
            const auto unrolled =
                scope.repeat(6, std::tuple(zero, zero, zero), [&](auto& s, Index t, const auto& state) {
                    const auto input = position(s, x, t);
                    const auto p = s.parameter("p", Vec<2>{}, UniformFanIn{1});
                    const auto fresh = multiply(s, input, p);
                    const auto y = add(s, fresh, std::get<2>(state));
                    return std::tuple(y, std::get<0>(state), std::get<1>(state));
                });
            return unrolled.all;
        },
        {.batch = 2}, Seq<2, 6>{});
}

TEST_CASE("a loop of one step that gives its state back") {
    check_function(
        [](auto& scope, const auto& x) {
            const auto zero = scope.constant(Vec<2>{}, x.batch(), 0);
            const auto unrolled =
                scope.repeat(1, zero, [](auto&, Index, const auto& state) { return state; });
            const auto first = position(scope, unrolled.all, 0);
            return add(scope, first, x);
        },
        {}, Vec<2>{});
}
