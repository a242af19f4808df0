// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <limits>

#include "../core/options.hpp"
#include "../core/storage.hpp"
#include "update.hpp"

namespace untoward UNTOWARD_SETTING {

/// Stochastic gradient descent with PyTorch's defaults and order of operations: the decay joins the gradient,
/// then momentum b = momentum b + g (Sutskever et al. 2013 in PyTorch's form), and with Nesterov's variant
/// the step is g + momentum b. Its steps grow with the gradient, unlike Adam's: mind the learning rate.
///
///     options.training.optimiser = Sgd{.momentum = 0.9, .nesterov = true};
///     options.training.learning_rate = StepSchedule{.peak = 1e-3};
struct Sgd {
    double momentum = 0;  ///< 0.9 is usual
    bool nesterov = false;
    double decay = 0;

    static constexpr const char* name = "sgd";
    static constexpr void options(auto& self, auto&& visit) {
        visit("momentum", self.momentum, from_below(0, 1));
        visit("nesterov", self.nesterov);
        visit("decay", self.decay, at_least(0));
    }
    static constexpr std::array<const char*, 1> moments{"momentum"};

    template <class S>
    void operator()(const Update<S>& u) const {
        using Map = Eigen::Map<Eigen::Array<S, Dynamic, 1>>;
        Map p(u.parameters, u.size);
        const Eigen::Map<const Eigen::Array<S, Dynamic, 1>> g(u.gradient, u.size);
        Map b(u.moments[0], u.size);
        const auto mu = static_cast<S>(momentum);
        const auto rate = static_cast<S>(u.learning_rate);
        const auto lambda = static_cast<S>(u.decay ? decay : 0);
        // b starts at zero, so the first b is g. Where gradients have gone to zero it fades; what is no normal number any more
        // is zero, since some processors take a hundred times as long for it.
        b = mu * b + (g + lambda * p);
        b = (b.abs() < (std::numeric_limits<S>::min)()).select(S(0), b);
        if (nesterov) {
            p -= rate * ((g + lambda * p) + mu * b);
        } else {
            p -= rate * b;
        }
    }

    /// Where the user gives none: 0.4 over the number of features, at most 0.1, since the gradient of -ELBO
    /// is a sum over features; and less of it with momentum, which adds up 1 / (1 - momentum) steps.
    [[nodiscard]] double learning_rate(Index features) const {
        return (1 - momentum) * (std::min)(0.1, 0.4 / static_cast<double>(std::max<Index>(features, 1)));
    }
};

}  // namespace untoward
