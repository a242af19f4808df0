// SPDX-License-Identifier: MIT
// A VAE of LSTMs over 64 steps learns windows of real data step by step as PyTorch does.
#include "training.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

auto model_for(const Windows& windows) {
    return Vae<Seq<Dynamic, 64>, Encoder<Lstm<16>, LastStep>, Latent<4>, Decoder<Repeat<64>, Lstm<16>>,
               Gaussian>{.sample = Seq<Dynamic, 64>(windows.channels)};
}

}  // namespace

TEST_CASE("LSTMs over 64 steps on SKAB") {
    const Windows windows = skab_windows();
    check_training(model_for(windows), windows, EXPECTED_TRAINING(lstm_skab));
}

TEST_CASE("LSTMs over 64 steps on NAB") {
    const Windows windows = nab_windows();
    check_training(model_for(windows), windows, EXPECTED_TRAINING(lstm_nab));
}
