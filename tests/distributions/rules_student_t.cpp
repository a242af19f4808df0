// SPDX-License-Identifier: MIT
// The rules of Student's t keep the promises of support/property.hpp, with degrees of freedom given or learned.
#include "support/property.hpp"
#include "untoward/autodiff/rules/elementwise.hpp"
#include "untoward/distributions/student_t.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

TEST_CASE("t density: degrees of freedom given") {
    check_rule(StudentTLogDensity{4}, {}, Vec<5>{}, Vec<5>{}, Vec<1>{});
    check_rule(StudentTLogDensity{2.5}, {.batch = 1}, Seq<1, 3>{}, Seq<1, 3>{}, Seq<1, 3>{});
}

TEST_CASE("t density: degrees of freedom learned") {
    const auto density = [](auto& s, const auto& x, const auto& m, const auto& l, const auto& raw) {
        const auto over = exp(s, raw);
        const auto two = s.constant(Vec<1>{}, 1, 2);
        const auto degrees = add(s, over, two);
        return s.apply(StudentTLogDensity{}, x, m, l, degrees);
    };
    check_function(density, {}, Vec<3>{}, Vec<3>{}, Vec<3>{}, Vec<3>{});
    check_function(density, {.batch = 1}, Vec<>(5), Vec<>(5), Vec<1>{}, Vec<1>{});
}

TEST_CASE("t draws: a gradient for learned degrees of freedom") {
    const auto draw = [](auto& s, const auto& raw) {
        const auto over = exp(s, raw);
        const auto two = s.constant(Vec<1>{}, 1, 2);
        const auto degrees = add(s, over, two);
        const auto radius = s.uniform(raw.shape(), raw.batch());
        const auto angle = s.uniform(raw.shape(), raw.batch());
        return s.apply(StudentTNoise{}, radius, angle, degrees);
    };
    check_function(draw, {}, Vec<5>{});
    check_function(draw, {.batch = 1}, Vec<>(1));
    check_rule(StudentTNoise{4}, {.low = 0.05, .high = 0.95}, Vec<3>{}, Vec<3>{});
    check_rule(StudentTNoise{}, {.low = 0.5, .high = 0.95}, Vec<1>{}, Vec<3>{}, Vec<>(3));
}
