// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "../autodiff/initialiser.hpp"

namespace untoward UNTOWARD_SETTING {

/// Normal with mean 0: PyTorch's default for embeddings has a deviation of 1.
struct NormalInitial {
    double deviation = 1;
    template <class S>
    void fill(S* out, Index n, const NoiseKey& key) const {
        fill_normal(out, n, key);
        for (Index i = 0; i < n; ++i) out[i] *= static_cast<S>(deviation);
    }
};

/// Uniform on +-sqrt(6 / (fan_in + fan_out)), which keeps the variance of values and of gradients alike
/// (Glorot and Bengio 2010); PyTorch's xavier_uniform_.
struct UniformGlorot {
    Index fan_in;
    Index fan_out;
    template <class S>
    void fill(S* out, Index n, const NoiseKey& key) const {
        fill_uniform(out, n, key);
        const S bound = std::sqrt(S(6) / static_cast<S>(fan_in + fan_out > 0 ? fan_in + fan_out : 1));
        for (Index i = 0; i < n; ++i) out[i] = bound * (2 * out[i] - 1);
    }
};

}  // namespace untoward
