// SPDX-License-Identifier: MIT
#pragma once

#include "distribution.hpp"

namespace untoward UNTOWARD_SETTING::distributions {

/// All mass at one point: what a deterministic code is as a posterior. It has no density.
template <class Value>
struct Point {
    Value value;

    template <class Scope>
    constexpr auto sample(Scope&) const {
        return value;
    }
    template <class Scope>
    constexpr auto expectation(Scope&) const {
        return value;
    }
};

template <class Value>
Point(const Value&) -> Point<Value>;

}  // namespace untoward::distributions
