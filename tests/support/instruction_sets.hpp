// SPDX-License-Identifier: MIT
// The instruction sets that this processor has, to compute with each.
#pragma once

#include <vector>

#include "untoward/core/instruction_set.hpp"

inline std::vector<untoward::InstructionSet> available_instruction_sets() {
    using untoward::InstructionSet;
    std::vector<InstructionSet> sets;
    for (const InstructionSet set :
         {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512}) {
        if (set <= untoward::available_instruction_set()) sets.push_back(set);
    }
    return sets;
}

/// Uses one as long as it lives.
class WithInstructionSet {
public:
    explicit WithInstructionSet(untoward::InstructionSet set) : before_(untoward::instruction_set()) {
        untoward::use_instruction_set(set);
    }
    ~WithInstructionSet() { untoward::use_instruction_set(before_); }
    WithInstructionSet(const WithInstructionSet&) = delete;
    WithInstructionSet& operator=(const WithInstructionSet&) = delete;

private:
    untoward::InstructionSet before_;
};
