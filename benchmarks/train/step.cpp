// SPDX-License-Identifier: MIT
// A whole training step: batch, noise, forward, backward, clipping, Adam. Workloads W1, W2 and W5.
#include "support/workloads.hpp"

int main(int argc, char** argv) {
    using namespace bench;
    for (const Index batch : {32, 64, 256}) {
        add({"W1 training, batch " + std::to_string(batch),
             2 * table_training * static_cast<double>(batch),
             {training(TableModel{}, batch)}});
    }
    add({"W2 training, batch 128", 2 * image_training * 128, {training(ImageModel{}, 128)}});
    add({"W5 training, batch 64", 2 * window_training * 64, {training(WindowModel{}, 64)}});
    return run(argc, argv);
}
