// SPDX-License-Identifier: MIT
// How a training step and scoring grow with the width of the network, the batch, the number of rows and of threads.
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
    // By the clock on the wall; the first of each row is the work of one thread.
    for (const Index batch : {128, 1024}) {
        add({"training by threads, width 256, batch " + std::to_string(batch),
             training_flops(256, batch),
             {training_by_threads(network(256), batch, 1, 1), training_by_threads(network(256), batch, 4, 1),
              training_by_threads(network(256), batch, 4, 2), training_by_threads(network(256), batch, 4, 4)},
             wall_seconds});
    }
    add({"scoring by threads, width 64, rows 100000",
         2 * forward(64) * 1e5,
         {scoring_by_threads(network(64), 100000, 1), scoring_by_threads(network(64), 100000, 2),
          scoring_by_threads(network(64), 100000, 4)},
         wall_seconds});
    return run(argc, argv);
}
