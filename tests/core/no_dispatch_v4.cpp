// SPDX-License-Identifier: MIT
#include "no_dispatch.cpp"
