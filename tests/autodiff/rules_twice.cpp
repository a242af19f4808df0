// SPDX-License-Identifier: MIT
// Two uses of one value: what the second gives back is added to what the first did.
#include "support/property.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/groups.hpp"
#include "untoward/autodiff/rules/layout.hpp"
#include "untoward/autodiff/rules/pooling.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/autodiff/rules/softmax.hpp"

using namespace untoward;

namespace {

// The product of what a rule makes of x and of x again.
template <class Rule, class Sample>
void check_twice(const Rule& rule, const Sample& shape) {
    property::check_function(
        [rule](auto& s, const auto& x) {
            const auto a = s.apply(rule, x);
            const auto b = s.apply(rule, x);
            return multiply(s, a, b);
        },
        {.batch = 2}, shape);
}

}  // namespace

TEST_CASE("rules of one value, twice") {
    check_twice(Softmax{}, Seq<3, 2>{});
    check_twice(LogSoftmax{}, Seq<3, 2>{});
    check_twice(LogSumExp<OverChannels>{}, Seq<3, 2>{});
    check_twice(Extreme<OverChannels, true>{}, Seq<3, 2>{});
    check_twice(Permute<1, 0>{}, Seq<3, 2>{});
    check_twice(ReverseRule{}, Seq<3, 2>{});
    check_twice(Reshape<Vec<6>>{}, Seq<3, 2>{});
}

TEST_CASE("windows, twice") {
    check_twice(MaxPool<Shape<2>, Shape<1>>{}, Seq<2, 3>{});
    check_twice(AveragePool<Shape<2>>{}, Seq<2, 4>{});
    check_twice(Upsample<Shape<2>>{}, Seq<2, 2>{});
    check_twice(Concatenate{}, Seq<2, 2>{});
}
