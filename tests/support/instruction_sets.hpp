// SPDX-License-Identifier: MIT
// The instruction sets that this processor has, to compute with each.
#pragma once

#include <cstdlib>
#include <string_view>
#include <vector>

#include "untoward/core/instruction_set.hpp"

/// All of them, or the one that the environment variable UNTOWARD_TEST_SET names.
inline std::vector<untoward::InstructionSet> available_instruction_sets() {
    using untoward::InstructionSet;
    constexpr const char* names[] = {"baseline", "avx2", "avx512"};
    const char* const only = std::getenv("UNTOWARD_TEST_SET");
    std::vector<InstructionSet> sets;
    for (const InstructionSet set :
         {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512}) {
        const bool is_meant = only == nullptr || only == std::string_view(names[static_cast<int>(set)]);
        if (is_meant && set <= untoward::available_instruction_set()) sets.push_back(set);
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
