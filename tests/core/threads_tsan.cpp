// SPDX-License-Identifier: MIT
#include "threads.cpp"
