// SPDX-License-Identifier: MIT
// Dense layers with each of the activations that have their reference here: values and gradients are PyTorch's.
#include "reference/rules.hpp"

#include "support/torch.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;
using torch::Case;
using torch::check_both;
namespace ref = untoward::reference;

#define DENSE(prefix, batch)                                                                        \
    Case {                                                                                          \
        batch, ref::prefix##_x, {ref::prefix##_weight, ref::prefix##_bias}, ref::prefix##_upstream, \
            ref::prefix##_y, ref::prefix##_dx, {                                                    \
            ref::prefix##_dweight, ref::prefix##_dbias                                              \
        }                                                                                           \
    }

TEST_CASE("dense layers") {
    check_both(Dense<Dynamic, LeakyRelu>{3}, Vec<>(5), DENSE(dense_leaky_relu, 4));
    check_both(Dense<Dynamic, Elu>{3}, Vec<>(5), DENSE(dense_elu, 4));
    check_both(Dense<Dynamic, Gelu>{3}, Vec<>(5), DENSE(dense_gelu, 4));
    check_both(Dense<Dynamic, Silu>{3}, Vec<>(5), DENSE(dense_silu, 4));
}

TEST_CASE("dense layers of one number") {
    check_both(Dense<Dynamic, LeakyRelu>{1}, Vec<>(1), DENSE(dense1_leaky_relu, 1));
    check_both(Dense<Dynamic, Elu>{1}, Vec<>(1), DENSE(dense1_elu, 1));
    check_both(Dense<Dynamic, Gelu>{1}, Vec<>(1), DENSE(dense1_gelu, 1));
    check_both(Dense<Dynamic, Silu>{1}, Vec<>(1), DENSE(dense1_silu, 1));
}
