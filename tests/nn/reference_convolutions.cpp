// SPDX-License-Identifier: MIT
// Convolutions over time, temporal blocks and tied weights: values and gradients are PyTorch's.
#include "reference/layers.hpp"
#include "support/torch.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/temporal_block.hpp"
#include "untoward/nn/tied.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;
using torch::check;
using torch::check_both;
namespace ref = untoward::reference;

#define CASE(prefix)                                                                              \
    torch::Case {                                                                                 \
        ref::prefix##_batch, ref::prefix##_x, {ref::prefix##_parameters}, ref::prefix##_upstream, \
            ref::prefix##_y, ref::prefix##_dx, {                                                  \
            ref::prefix##_gradient                                                                \
        }                                                                                         \
    }

namespace {

struct TiedAutoencoder {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto wide = scope.child("wide", TiedDense<7, 5, Tanh>{}, Vec<7>{});
        auto narrow = scope.child("narrow", TiedDense<5, 2, Tanh, Tanh>{}, Vec<5>{});
        const auto h = wide(x);
        const auto code = narrow(h);
        const auto g = narrow(code, transposed);
        return wide(g, transposed);
    }
};

}  // namespace

TEST_CASE("convolutions with stride, padding and dilation") {
    check_both(Convolution1d<4, 3, 2, 1>{}, Seq<>(3, 9), CASE(conv));
    check<double>(Convolution1d<Dynamic, Dynamic, Dynamic, Dynamic, Dynamic>{.outputs = Vec<>(1),
                                                                             .kernel = Vec<>(2),
                                                                             .stride = Vec<>(3),
                                                                             .padding = Vec<>(4),
                                                                             .dilation = Vec<>(5)},
                  Seq<>(2, 7), CASE(conv_wide));
    check<double>(Convolution1d<>{.outputs = Vec<>(1), .kernel = Vec<>(1)}, Seq<>(1, 1), CASE(conv_one));
}

TEST_CASE("transposed convolutions") {
    check_both(TransposedConvolution1d<4, 3, 2, 1, 1>{}, Seq<>(3, 5), CASE(transposed));
    check<double>(TransposedConvolution1d<1, 2, 3, 2, 3, 5>{}, Seq<>(2, 4), CASE(transposed_wide));
    check<double>(TransposedConvolution1d<1, 1>{}, Seq<>(1, 1), CASE(transposed_one));
}

TEST_CASE("temporal blocks") {
    check_both(TemporalBlock<>{.dilation = 2, .outputs = Vec<>(5), .kernel = Vec<>(3)}, Seq<>(3, 9),
               CASE(temporal));
    check<double>(TemporalBlock<>{.dilation = 4, .outputs = Vec<>(1), .kernel = Vec<>(2)}, Seq<>(1, 3),
                  CASE(temporal_same));
}

TEST_CASE("an autoencoder whose decoder has the weights of its encoder") {
    check_both(TiedAutoencoder{}, Vec<7>{}, CASE(tied));
}
