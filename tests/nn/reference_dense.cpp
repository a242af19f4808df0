// SPDX-License-Identifier: MIT
// Dense layers: values and gradients are PyTorch's.
#include "reference/nn.hpp"
#include "support/torch.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;
using torch::Case;
using torch::check_both;
namespace ref = untoward::reference;

#define LINEAR(prefix, batch, activation)                                                                    \
    Case {                                                                                                   \
        batch, ref::prefix##activation##_x,                                                                  \
            {ref::prefix##activation##_weight, ref::prefix##activation##_bias},                              \
            ref::prefix##activation##_upstream, ref::prefix##activation##_y, ref::prefix##activation##_dx, { \
            ref::prefix##activation##_dweight, ref::prefix##activation##_dbias                               \
        }                                                                                                    \
    }

TEST_CASE("dense layers") {
    check_both(Dense<>{3}, Vec<>(5), LINEAR(linear_, 4, identity));
    check_both(Dense<Dynamic, Relu>{3}, Vec<>(5), LINEAR(linear_, 4, relu));
    check_both(Dense<Dynamic, Tanh>{3}, Vec<>(5), LINEAR(linear_, 4, tanh));
    check_both(Dense<Dynamic, Sigmoid>{3}, Vec<>(5), LINEAR(linear_, 4, sigmoid));
    check_both(Dense<Dynamic, Softplus>{3}, Vec<>(5), LINEAR(linear_, 4, softplus));
    check_both(Dense<>{1}, Vec<>(1), LINEAR(linear1_, 1, identity));
    check_both(Dense<Dynamic, Relu>{1}, Vec<>(1), LINEAR(linear1_, 1, relu));
    check_both(Dense<Dynamic, Tanh>{1}, Vec<>(1), LINEAR(linear1_, 1, tanh));
    check_both(Dense<Dynamic, Sigmoid>{1}, Vec<>(1), LINEAR(linear1_, 1, sigmoid));
    check_both(Dense<Dynamic, Softplus>{1}, Vec<>(1), LINEAR(linear1_, 1, softplus));
}
