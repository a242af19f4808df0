// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "../config.hpp"

// Optimisers. An optimiser is a plain struct: its members are its options, and its one function changes
// parameters by their gradient, in place. What it remembers of earlier steps lies in moments, vectors as long
// as the parameters that begin as zeros and belong to whoever trains; so an optimiser is copied like a
// number, needs no heap, and is resumed from a checkpoint to the same bits. A complete one, Lion (Chen et al.
// 2023):
//
//     struct Lion {
//         double beta1 = 0.9;
//         double beta2 = 0.99;
//         double decay = 0;  // this very name: parameters that decay then come by themselves
//
//         static constexpr const char* name = "lion";
//         static constexpr void options(auto& self, auto&& visit) {
//             visit("beta1", self.beta1);
//             visit("beta2", self.beta2);
//             visit("decay", self.decay);
//         }
//         static constexpr std::array<const char*, 1> moments{"momentum"};
//
//         template <class S>
//         void operator()(const untoward::Update<S>& u) const {
//             S* const m = u.moments[0];
//             for (untoward::Index i = 0; i < u.size; ++i) {
//                 const double direction = beta1 * m[i] + (1 - beta1) * u.gradient[i];
//                 const double sign = direction > 0 ? 1 : direction < 0 ? -1 : 0;
//                 const double shrink = u.decay ? decay * u.parameters[i] : 0;
//                 u.parameters[i] -= static_cast<S>(u.learning_rate * (sign + shrink));
//                 m[i] = static_cast<S>(beta2 * m[i] + (1 - beta2) * u.gradient[i]);
//             }
//         }
//         // Optional: the peak learning rate where the user gives none. Without it: default_learning_rate,
//         // which suits Adam and its kin.
//         double learning_rate(untoward::Index) const { return 3e-4; }
//     };
//
//     options.training.optimiser = Lion{.decay = 0.01};

namespace untoward UNTOWARD_SETTING {

/// One step of an optimiser on a stretch of the parameter vector whose parameters have equal attributes. In
/// one step of training an optimiser is called once for each stretch.
template <class S>
struct Update {
    S* parameters;      ///< to be changed
    const S* gradient;  ///< of the loss, clipped
    S* const* moments;  ///< one pointer for each name in the optimiser's `moments`, to be changed
    Index size;         ///< of each of these vectors
    double learning_rate;
    std::int64_t step;  ///< from 1
    bool decay;         ///< whether weight decay applies to these parameters
};

}  // namespace untoward
