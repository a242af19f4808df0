// SPDX-License-Identifier: MIT
// How a training step and scoring grow with the width of the network, the batch, and the number of rows. Threads
// come here when there is an option for them: rows with `.clock = wall_seconds`.
#include "support/workloads.hpp"

namespace {

using namespace bench;

// W1's network with layers of 2 w, w, (8), w, 2 w, in sizes that only the running program knows.
using Hidden = u::Dense<u::Dynamic, u::Relu>;
using Network =
    u::Vae<u::Vec<>, u::Encoder<Hidden, Hidden>, u::Latent<>, u::Decoder<Hidden, Hidden>, u::FixedGaussian>;

constexpr Index features = 32;
constexpr Index units = 8;

Network network(Index width) {
    return {u::Vec<>(features),
            {Hidden(2 * width), Hidden(width)},
            u::Latent<>(units),
            {Hidden(width), Hidden(2 * width)},
            {}};
}

double forward(Index width) {
    return static_cast<double>(u::count<float>(network(width), 1, u::Vec<>(features)).multiply_adds);
}
double training_flops(Index width, Index batch) {
    const auto first = static_cast<double>(features * 2 * width);
    return 2 * static_cast<double>(batch) * (3 * forward(width) - first);
}

}  // namespace

int main(int argc, char** argv) {
    for (const Index width : {16, 32, 64, 128, 256, 512}) {
        add({"training, batch 128, width " + std::to_string(width),
             training_flops(width, 128),
             {training(network(width), 128)}});
    }
    for (const Index batch : {8, 16, 32, 64, 128, 256, 512, 1024}) {
        add({"training, width 64, batch " + std::to_string(batch),
             training_flops(64, batch),
             {training(network(64), batch)}});
    }
    for (const Index rows : {1, 4, 16, 64, 256, 1024, 10000, 100000}) {
        add({"scoring, width 64, rows " + std::to_string(rows),
             2 * forward(64) * static_cast<double>(rows),
             {scoring(network(64), rows)}});
    }
    return run(argc, argv);
}
