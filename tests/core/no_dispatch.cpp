// SPDX-License-Identifier: MIT
// What is tested with every instruction set, where none is chosen at run time.
#define UNTOWARD_NO_DISPATCH
#include "elementwise.cpp"
#include "math.cpp"
#include "packed.cpp"
#include "product.cpp"
#include "random.cpp"

#include "nn/instruction_sets.cpp"
#include "train/adam.cpp"
