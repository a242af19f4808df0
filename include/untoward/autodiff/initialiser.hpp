// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "../core/random.hpp"
#include "describe.hpp"

namespace untoward UNTOWARD_SETTING {

/// All values equal.
struct Constant {
    double value = 0;
    template <class S>
    void fill(S* out, Index n, const NoiseKey&) const {
        for (Index i = 0; i < n; ++i) out[i] = static_cast<S>(value);
    }
};

/// Uniform on (-1/sqrt(fan_in), 1/sqrt(fan_in)): PyTorch's default for the weights and biases of its linear,
/// convolutional and recurrent layers.
struct UniformFanIn {
    Index fan_in;
    template <class S>
    void fill(S* out, Index n, const NoiseKey& key) const {
        fill_uniform(out, n, key);
        const S bound = S(1) / std::sqrt(static_cast<S>(fan_in > 0 ? fan_in : 1));
        for (Index i = 0; i < n; ++i) out[i] = bound * (2 * out[i] - 1);
    }
};

/// The reader that writes the first parameter values. Each tensor's values depend on the seed, its path and
/// its own size only, not on the layers around it.
template <class S>
class Initialise : public SymbolicScope<Initialise<S>> {
public:
    Initialise(S* parameters, std::uint64_t seed) : parameters_(parameters), seed_(seed) {}

    template <class Sample, class Initialiser>
    void on_parameter(const Name& name, const Sample& shape, const Initialiser& initialiser,
                      const Attributes&, const Cursor& place) {
        initialiser.fill(parameters_ + place.scalars, shape.size(),
                         NoiseKey{.seed = seed_, .site = this->path_hash(name)});
    }

private:
    S* parameters_;
    std::uint64_t seed_;
};

/// Writes the first values of all parameters of `layer`, for inputs of these shapes.
template <class S, class Layer, class... Shapes>
void initialise(S* parameters, std::uint64_t seed, const Layer& layer, const Shapes&... shapes) {
    Initialise<S> scope(parameters, seed);
    static_cast<void>(layer(scope, Symbol<Shapes>(shapes, 1)...));
}

}  // namespace untoward
