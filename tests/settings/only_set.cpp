// SPDX-License-Identifier: MIT
// Linked into the programs of settings.py: what tests do not choose themselves is computed with the instruction set that
// UNTOWARD_TEST_SET names.
#include "support/instruction_sets.hpp"

namespace {

const bool is_chosen = [] {
    const auto sets = available_instruction_sets();
    if (sets.size() == 1) untoward::use_instruction_set(sets[0]);
    return true;
}();

}  // namespace
