// SPDX-License-Identifier: MIT
#include "shared.cpp"
