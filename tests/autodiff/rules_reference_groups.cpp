// SPDX-License-Identifier: MIT
// Softmax, logsumexp and extremes: values and gradients are PyTorch's.
#include "reference/rules.hpp"

#include "support/torch.hpp"
#include "untoward/autodiff/rules/groups.hpp"
#include "untoward/autodiff/rules/softmax.hpp"

using namespace untoward;
using torch::Case;
using torch::check_both;
namespace ref = untoward::reference;

namespace {

// A function of a scope and a value, as a layer.
template <class Function>
struct Layer {
    Function function;
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return function(scope, x);
    }
};
template <class Function>
Layer(Function) -> Layer<Function>;

}  // namespace

#define CASE(prefix, batch)                                                                       \
    Case {                                                                                        \
        batch, ref::prefix##_x, {}, ref::prefix##_upstream, ref::prefix##_y, ref::prefix##_dx, {} \
    }

#define RULE(function, shape, prefix, batch) \
    check_both(Layer{[](auto& s, const auto& x) { return function(s, x); }}, shape, CASE(prefix, batch))

TEST_CASE("over the channels of each position") {
    RULE(softmax, Seq<>(5, 3), softmax, 2);
    RULE(softmax, Vec<>(1), softmax1, 1);
    RULE(log_softmax, Seq<>(5, 3), log_softmax, 2);
    RULE(log_softmax, Vec<>(1), log_softmax1, 1);
    RULE(log_sum_exp_over_channels, Seq<>(5, 3), logsumexp, 2);
    RULE(log_sum_exp_over_channels, Vec<>(1), logsumexp1, 1);
    RULE(max_over_channels, Seq<>(5, 3), max, 2);
    RULE(max_over_channels, Vec<>(1), max1, 1);
    RULE(min_over_channels, Seq<>(5, 3), min, 2);
    RULE(min_over_channels, Vec<>(1), min1, 1);
}

TEST_CASE("over each sample") {
    RULE(log_sum_exp_per_sample, Seq<>(5, 3), logsumexp_sample, 3);
    RULE(max_per_sample, Seq<>(5, 3), max_sample, 3);
    RULE(min_per_sample, Seq<>(5, 3), min_sample, 3);
}
