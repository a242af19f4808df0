// SPDX-License-Identifier: MIT
#pragma once

#include "../config.hpp"

namespace untoward UNTOWARD_SETTING {

/// What the numbers behind a scaler are: a likelihood says which kind it is for, a scaler which kinds come
/// through it as they are.
enum class DataKind {
    any,      ///< any finite number
    unit,     ///< within [0, 1]
    one_hot,  ///< the channels of every position are 0 but for a single 1
    counts,   ///< 0, 1, 2, ...
};

}  // namespace untoward
