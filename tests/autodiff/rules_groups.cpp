// SPDX-License-Identifier: MIT
// One number for a sample or a position: logsumexp, maximum, minimum.
#include "untoward/autodiff/rules/groups.hpp"

#include "support/property.hpp"

using namespace untoward;
using property::check_function;
using property::check_rule;

TEST_CASE("over each sample") {
    check_rule(LogSumExp<OverSample>{}, {}, Vec<5>{});
    check_rule(LogSumExp<OverSample>{}, {.batch = 1}, Seq<>(3, 3));
    check_rule(LogSumExp<OverSample>{}, {}, Vec<1>{});
    check_rule(Extreme<OverSample, true>{}, {}, Seq<3, 2>{});
    check_rule(Extreme<OverSample, false>{}, {.batch = 1}, Vec<>(7));
}

TEST_CASE("over the channels of each position") {
    check_rule(LogSumExp<OverChannels>{}, {}, Seq<3, 2>{});
    check_rule(LogSumExp<OverChannels>{}, {.batch = 1}, Image<Dynamic, 1, 3>(5));
    check_rule(Extreme<OverChannels, true>{}, {}, Seq<>(5, 3));
    check_rule(Extreme<OverChannels, false>{}, {}, Image<3, 2, 1>{});
    check_rule(Extreme<OverChannels, true>{}, {}, Vec<1>{});
    STATIC_REQUIRE(std::is_same_v<decltype(LogSumExp<OverChannels>{}.shape(Image<3, 5, Dynamic>(7))),
                                  Image<1, 5, Dynamic>>);
}

TEST_CASE("softmax as x less its logsumexp") {
    check_function(
        [](auto& s, const auto& x) {
            const auto total = log_sum_exp_per_sample(s, x);
            const auto rest = subtract(s, x, total);
            const auto largest = max_per_sample(s, rest);
            return multiply(s, rest, largest);
        },
        {}, Vec<6>{});
}
