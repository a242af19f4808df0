// SPDX-License-Identifier: MIT
// A VAE of dense layers learns made-up samples step by step as PyTorch does, with every instruction set.
#include "nn/training.hpp"
#include "support/instruction_sets.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/vae/gaussian.hpp"
#include "untoward/vae/vae.hpp"

using namespace untoward;
using namespace untoward_test;

TEST_CASE(
    "training: 100 steps of a dense VAE equal PyTorch's, in double and in float, with every instruction "
    "set") {
    using Model = Vae<Vec<30>, Encoder<Dense<64, Relu>, Dense<32, Relu>>, Latent<4>,
                      Decoder<Dense<32, Relu>, Dense<64, Relu>>, Gaussian>;
    const Windows samples = made_up_windows();
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        CAPTURE(static_cast<int>(set));
        check_training<double>(Model{}, samples, EXPECTED_TRAINING(relu_made_up));
        check_training<float>(Model{}, samples, EXPECTED_TRAINING(relu_made_up));
    }
}
