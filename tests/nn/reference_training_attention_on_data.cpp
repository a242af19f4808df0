// SPDX-License-Identifier: MIT
// A VAE of transformer blocks with four heads and dropout learns windows of real data step by step as PyTorch
// does.
#include "training.hpp"
#include "untoward/nn/positional.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/transformer.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

auto model_for(const Windows& windows) {
    const TransformerBlock<4, 32> block{.dropout = 0.1};
    const Chain encoder{Dense<16>{}, PositionalEncoding{}, block, Flatten{}};
    const Chain decoder{Dense<16>{}, Repeat<64>{}, PositionalEncoding{}, block};
    return Vae{Seq<Dynamic, 64>(windows.channels), encoder, Latent<4>{}, decoder, Gaussian{}};
}

}  // namespace

TEST_CASE("attention of four heads on SKAB") {
    const Windows windows = skab_windows();
    check_training(model_for(windows), windows, EXPECTED_TRAINING(attention_skab));
}

TEST_CASE("attention of four heads on NAB") {
    const Windows windows = nab_windows();
    check_training(model_for(windows), windows, EXPECTED_TRAINING(attention_nab));
}
