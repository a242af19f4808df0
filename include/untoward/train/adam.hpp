// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>

#include "../core/kernels.hpp"
#include "../core/options.hpp"
#include "update.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// parameter -= rate * (corrected first moment) / (root of corrected second moment + epsilon), after `keep` is left of
// it.
template <class S>
void adam_step(const Update<S>& u, double beta1, double beta2, double epsilon, double keep) {
    const auto steps = static_cast<double>(u.step);
    const AdamVectors<S> vectors{.size = u.size,
                                 .parameters = u.parameters,
                                 .gradient = u.gradient,
                                 .first = u.moments[0],
                                 .second = u.moments[1],
                                 .beta1 = static_cast<S>(beta1),
                                 .beta2 = static_cast<S>(beta2),
                                 .rate = static_cast<S>(u.learning_rate / (1 - std::pow(beta1, steps))),
                                 .root_factor = static_cast<S>(1 / std::sqrt(1 - std::pow(beta2, steps))),
                                 .epsilon = static_cast<S>(epsilon),
                                 .keep = static_cast<S>(keep)};
    run_adam<S>(vectors);
}

}  // namespace detail

/// Adam (Kingma and Ba 2015), with PyTorch's defaults and order of operations: the epsilon is added to the
/// bias-corrected root. Without weight decay.
struct Adam {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;

    static constexpr const char* name = "adam";
    static constexpr void options(auto& self, auto&& visit) {
        visit("beta1", self.beta1, from_below(0, 1));
        visit("beta2", self.beta2, from_below(0, 1));
        visit("epsilon", self.epsilon, at_least(0));
    }
    static constexpr std::array<const char*, 2> moments{"first", "second"};

    template <class S>
    void operator()(const Update<S>& u) const {
        detail::adam_step(u, beta1, beta2, epsilon, 1);
    }
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), with PyTorch's defaults: parameters whose
/// attributes say so shrink by the share learning_rate * decay before each step.
struct AdamW {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double decay = 0.01;

    static constexpr const char* name = "adam-w";
    static constexpr void options(auto& self, auto&& visit) {
        visit("beta1", self.beta1, from_below(0, 1));
        visit("beta2", self.beta2, from_below(0, 1));
        visit("epsilon", self.epsilon, at_least(0));
        visit("decay", self.decay, at_least(0));
    }
    static constexpr std::array<const char*, 2> moments{"first", "second"};

    template <class S>
    void operator()(const Update<S>& u) const {
        detail::adam_step(u, beta1, beta2, epsilon, u.decay ? 1 - u.learning_rate * decay : 1);
    }
};

}  // namespace untoward
