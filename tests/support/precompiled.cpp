// SPDX-License-Identifier: MIT
// For precompiled.hpp, which needs a source file of its own.
