// SPDX-License-Identifier: MIT
// Layers over time: values and gradients are PyTorch's.
#include "reference/nn.hpp"
#include "support/torch.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/gru.hpp"

using namespace untoward;
using torch::Case;
using torch::check;
using torch::check_both;
namespace ref = untoward::reference;

#define GRU(prefix)                                                                     \
    Case {                                                                              \
        ref::prefix##_batch, ref::prefix##_x,                                           \
            {ref::prefix##_weight_ih, ref::prefix##_weight_hh, ref::prefix##_bias_ih,   \
             ref::prefix##_bias_hh},                                                    \
            ref::prefix##_upstream, ref::prefix##_y, ref::prefix##_dx, {                \
            ref::prefix##_dweight_ih, ref::prefix##_dweight_hh, ref::prefix##_dbias_ih, \
                ref::prefix##_dbias_hh                                                  \
        }                                                                               \
    }

TEST_CASE("gated recurrent units") {
    check_both(Gru<ref::gru_hidden>{}, Seq<>(ref::gru_channels, ref::gru_steps), GRU(gru));
    check<double>(Gru<>(ref::gru1_hidden), Seq<>(ref::gru1_channels, ref::gru1_steps), GRU(gru1));
}

#define CONVOLUTION(prefix)                                                               \
    Case {                                                                                \
        ref::prefix##_batch, ref::prefix##_x, {ref::prefix##_weight, ref::prefix##_bias}, \
            ref::prefix##_upstream, ref::prefix##_y, ref::prefix##_dx, {                  \
            ref::prefix##_dweight, ref::prefix##_dbias                                    \
        }                                                                                 \
    }

TEST_CASE("causal convolutions") {
    const Seq<> shape(ref::conv_d1_inputs, ref::conv_d1_steps);
    check_both(CausalConvolution1d<5, 3>{ref::conv_d1_dilation}, shape, CONVOLUTION(conv_d1));
    check_both(CausalConvolution1d<5, 3>{ref::conv_d2_dilation}, shape, CONVOLUTION(conv_d2));
    check_both(CausalConvolution1d<5, 3>{ref::conv_d4_dilation}, shape, CONVOLUTION(conv_d4));
    check<double>(
        CausalConvolution1d<>{.dilation = ref::conv1_dilation, .outputs = Vec<>(2), .kernel = Vec<>(2)},
        Seq<>(ref::conv1_inputs, ref::conv1_steps), CONVOLUTION(conv1));
}
