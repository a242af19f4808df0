// SPDX-License-Identifier: MIT
// On a host: prints windows of the normal signal as a CSV, to fit a detector to.
//     windows SEED ROWS > normal.csv
#include <cstdio>
#include <cstdlib>

#include <untoward/stream/window.hpp>

#include "signal.hpp"

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    vibration::Accelerometer accelerometer(std::strtoull(argv[1], nullptr, 10));
    untoward::SlidingWindow<float, 1, vibration::window, vibration::hop> window;
    for (int i = 0; i < vibration::window; ++i) std::printf("%sx%d", i == 0 ? "" : ",", i);
    std::puts("");
    for (long rows = std::strtol(argv[2], nullptr, 10); rows > 0;) {
        if (!window.push(accelerometer.next(false))) continue;
        float sample[vibration::window];
        window.copy_to(sample);
        for (int i = 0; i < vibration::window; ++i)
            std::printf("%s%.9g", i == 0 ? "" : ",", static_cast<double>(sample[i]));
        std::puts("");
        --rows;
    }
}
