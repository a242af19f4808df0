// SPDX-License-Identifier: MIT
// A VAE of twelve residual layers learns windows of real data step by step as PyTorch does.
#include "training.hpp"
#include "untoward/nn/residual.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

using Block = Residual<Dense<32, Tanh>>;
using Side = Chain<Dense<32, Tanh>, Block, Block, Block, Block, Block, Block>;

auto model_for(const Windows& windows) {
    return Vae<Vec<>, Side, Latent<4>, Side, Gaussian>{
        .sample = Vec<>(windows.channels * reference::training_length)};
}

}  // namespace

TEST_CASE("noise is the reference's") {
    // The site of a noise request in layer encoder.2.dropout1.
    std::uint64_t site = 0;
    for (const Name& name : {Name("encoder"), Name::index(2), Name("dropout1")})
        site = detail::combine(detail::combine(site, name.hash()), 0);
    const NoiseKey key{
        .seed = reference::training_noise_seed, .site = detail::combine(site, 1), .epoch = 2, .sample = 3};
    double values[8];
    fill_uniform(values, 8, key);
    CHECK(values[6] == reference::training_uniform);
    fill_normal(values, 8, key);
    CHECK(values[6] == Approx(reference::training_normal).epsilon(1e-14));
}

TEST_CASE("twelve residual layers on SKAB") {
    const Windows windows = skab_windows();
    check_training(model_for(windows), windows, EXPECTED_TRAINING(residual_skab));
}

TEST_CASE("twelve residual layers on NAB") {
    const Windows windows = nab_windows();
    check_training(model_for(windows), windows, EXPECTED_TRAINING(residual_nab));
}
