// SPDX-License-Identifier: MIT
// The order of extents, pools and up-sampling: values and gradients are PyTorch's.
#include "reference/rules.hpp"

#include "support/torch.hpp"
#include "untoward/autodiff/rules/layout.hpp"
#include "untoward/autodiff/rules/pooling.hpp"

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

#define RULE(call, shape, prefix, batch) \
    check_both(Layer{[](auto& s, const auto& x) { return call; }}, shape, CASE(prefix, batch))

TEST_CASE("the order of extents and of steps") {
    // PyTorch has (batch, 4, 3, 5), and makes it (batch, 3, 5, 4).
    RULE((permute<2, 0, 1>(s, x)), (Shape<5, 3, 4>{}), permute, 2);
    RULE(reverse(s, x), Seq<>(3, 5), flip, 2);
}

TEST_CASE("the largest of each window") {
    RULE(max_pool(s, x, Shape<3>{}, Shape<2>{}), Seq<>(3, 8), max_pool1d, 2);
    RULE(max_pool(s, x, Shape<2, 3>{}, Shape<2, 1>{}), Image<>(3, 5, 4), max_pool2d, 2);
    RULE(max_pool(s, x, Shape<1, 2, 3>{}, Shape<1, 1, 2>{}), Volume<>(2, 2, 3, 5), max_pool3d, 1);
    RULE(max_pool(s, x, Shape<Dynamic>(1)), Seq<>(1, 1), max_pool1, 1);
}

TEST_CASE("the mean of each window") {
    RULE(average_pool(s, x, Shape<3>{}, Shape<2>{}), Seq<>(3, 8), average_pool1d, 2);
    RULE(average_pool(s, x, Shape<2, 3>{}, Shape<2, 1>{}), Image<>(3, 5, 4), average_pool2d, 2);
    RULE(average_pool(s, x, Shape<1, 2, 3>{}, Shape<1, 1, 2>{}), Volume<>(2, 2, 3, 5), average_pool3d, 1);
    RULE(average_pool(s, x, Shape<Dynamic>(1)), Seq<>(1, 1), average_pool1, 1);
}

TEST_CASE("every position repeated") {
    RULE(upsample(s, x, Shape<3>{}), Seq<>(3, 3), upsample1d, 2);
    RULE(upsample(s, x, Shape<2, 3>{}), Image<>(3, 3, 2), upsample2d, 1);
    RULE(upsample(s, x, Shape<2, 1, 3>{}), Volume<>(2, 1, 3, 2), upsample3d, 1);
}
