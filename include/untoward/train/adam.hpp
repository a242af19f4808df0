// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "../core/storage.hpp"

namespace untoward {

/// Adam (Kingma and Ba 2015) on a flat parameter vector, with PyTorch's defaults and order of operations: the
/// epsilon is added to the bias-corrected root.
template <class S>
class Adam {
public:
    struct Options {
        double beta1 = 0.9;
        double beta2 = 0.999;
        double epsilon = 1e-8;
    };

    explicit Adam(Index parameters, const Options& options = {})
        : options_(options), first_(parameters), second_(parameters) {}

    /// parameters -= learning_rate * (corrected first moment) / (root of corrected second moment + epsilon)
    void step(S* parameters, const S* gradient, double learning_rate) {
        ++steps_;
        const auto b1 = static_cast<S>(options_.beta1);
        const auto b2 = static_cast<S>(options_.beta2);
        const auto rate = static_cast<S>(learning_rate / (1 - std::pow(options_.beta1, steps_)));
        const auto root = static_cast<S>(1 / std::sqrt(1 - std::pow(options_.beta2, steps_)));
        const auto epsilon = static_cast<S>(options_.epsilon);
        Eigen::Map<Eigen::Array<S, Dynamic, 1>> p(parameters, first_.size());
        const Eigen::Map<const Eigen::Array<S, Dynamic, 1>> g(gradient, first_.size());
        auto m = first_.array();
        auto v = second_.array();
        m = b1 * m + (1 - b1) * g;
        v = b2 * v + (1 - b2) * g.square();
        p -= rate * m / (v.sqrt() * root + epsilon);
    }

private:
    Options options_;
    Buffer<S> first_;
    Buffer<S> second_;
    int steps_ = 0;
};

/// Scales a gradient so that its Euclidean norm is at most `max_norm`; returns the norm before. Like
/// PyTorch's clip_grad_norm_, the factor is max_norm / (norm + 1e-6).
template <class S>
S clip_norm(S* gradient, Index n, double max_norm) {
    Eigen::Map<Eigen::Array<S, Dynamic, 1>> g(gradient, n);
    const S norm = g.matrix().stableNorm();
    const S factor = static_cast<S>(max_norm) / (norm + S(1e-6));
    if (factor < 1) g *= factor;
    return norm;
}

}  // namespace untoward
