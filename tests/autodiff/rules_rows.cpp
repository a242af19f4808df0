// SPDX-License-Identifier: MIT
// Parts of samples, rules with several outputs, and a rule of a user's own.
#include <cmath>

#include "support/property.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/rows.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

namespace {

// Written as a user would: two outputs, and what both need saved by forward.
struct SineAndCosine {
    constexpr auto shape(const auto& x) const { return std::tuple(x, x); }
    constexpr Index saved(Index batch, const auto& x) const { return 2 * x.size() * batch; }
    void forward(auto* saved, auto y, auto x) const {
        const auto& [sine, cosine] = y;
        assign(
            sine, [](auto a) { return std::sin(a); }, x);
        assign(
            cosine, [](auto a) { return std::cos(a); }, x);
        for (Index j = 0; j < x.batch(); ++j) {
            for (Index i = 0; i < x.rows(); ++i) {
                *saved++ = sine(i, j);
                *saved++ = cosine(i, j);
            }
        }
    }
    void backward(auto* saved, auto dy, auto, auto, auto dx) const {
        dx.write([&](const auto& to, bool accumulate) {
            const auto* s = saved;
            for (Index j = 0; j < to.batch(); ++j) {
                for (Index i = 0; i < to.rows(); ++i, s += 2) {
                    to(i, j) = (accumulate ? to(i, j) : 0) + std::get<0>(dy)(i, j) * s[1] -
                               std::get<1>(dy)(i, j) * s[0];
                }
            }
        });
    }
};

}  // namespace

TEST_CASE("slices") {
    check_rule(Slice<3>{1, {}}, {}, Vec<5>{});
    check_rule(Slice<7>{1, {}}, {}, Vec<9>{});
    check_rule(Slice<Dynamic>{0, Vec<>(1)}, {.batch = 1}, Vec<>(1));
}

TEST_CASE("positions of a sequence, one of them twice") {
    check_function(
        [](auto& s, const auto& x) {
            const auto a = position(s, x, 2);
            const auto b = position(s, x, 0);
            const auto c = position(s, x, 2);
            const auto d = multiply(s, a, b);
            return add(s, c, d);
        },
        {}, Seq<3, 4>{});
}

TEST_CASE("concatenation of an input, a slice of it and a parameter") {
    check_function(
        [](auto& s, const auto& x) {
            const auto p = s.parameter("p", Vec<4>{}, UniformFanIn{1});
            const auto part = slice(s, p, 1, Vec<2>{});
            const auto own = slice(s, x, 0, Vec<>(2));
            return concatenate(s, own, x, part);
        },
        {.batch = 4}, Vec<3>{});
}

TEST_CASE("a rule with two outputs, both used and one unused") {
    check_rule(SineAndCosine{}, {}, Vec<5>{});
    check_function([](auto& s, const auto& x) { return std::get<1>(s.apply(SineAndCosine{}, x)); },
                   {.batch = 2}, Vec<>(3));
}
