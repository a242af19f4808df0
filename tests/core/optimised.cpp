// SPDX-License-Identifier: MIT
// The kernels and a training as consumers compile them: at -O3, CMake's Release. Other settings: tests/settings/settings.py.
#include "elementwise.cpp"
#include "math.cpp"
#include "packed.cpp"
#include "product.cpp"
#include "random.cpp"
#include "self_check.cpp"

#include "nn/instruction_sets.cpp"
#include "train/adam.cpp"
#include "train/reference_training.cpp"
