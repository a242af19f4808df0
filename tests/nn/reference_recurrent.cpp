// SPDX-License-Identifier: MIT
// Recurrent layers, in one direction and in both: values and gradients are PyTorch's.
#include "reference/layers.hpp"
#include "support/torch.hpp"
#include "untoward/nn/bidirectional.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"

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

TEST_CASE("long short-term memory") {
    check_both(Lstm<>{5}, Seq<>(3, 9), CASE(lstm));
    check<double>(Lstm<1>{}, Seq<>(1, 1), CASE(lstm1));
}

TEST_CASE("both directions") {
    check_both(Bidirectional{Lstm<2>{}}, Seq<>(3, 5), CASE(both_lstm));
    check<double>(Bidirectional<Gru<3>>{}, Seq<>(1, 4), CASE(both_gru));
    check<double>(Chain<Bidirectional<Lstm<3>>, LastStates>{}, Seq<>(2, 5), CASE(last_states));
}
