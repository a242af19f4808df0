// SPDX-License-Identifier: MIT
#include "shards.cpp"
