// SPDX-License-Identifier: MIT
#pragma once

// A function of several values against a reference: its values, and the gradient of sum(y * upstream) for every
// input and every parameter, in double and in float.

#include "support/torch.hpp"

namespace torch {

/// An input of every sample of the batch, and the gradient for it.
template <class Sample>
struct Input {
    Sample shape;
    Numbers values;
    Numbers gradient;
};
template <class Sample>
Input(const Sample&, const Numbers&, const Numbers&) -> Input<Sample>;

/// One parameter, and the gradient for it.
struct Parameter {
    Numbers values;
    Numbers gradient;
};

struct Expected {
    Numbers y;
    Numbers upstream;
    std::vector<Parameter> parameters{};  // in layout order
};

template <class S, class Layer, class... Samples>
void check(const Layer& layer, const Expected& expected, const Input<Samples>&... inputs) {
    const double tolerance = sizeof(S) == 8 ? 1e-10 : 1e-5;
    const Cursor size = measure(layer, inputs.shape...);
    std::vector<S> parameters;
    for (const Parameter& p : expected.parameters)
        parameters.insert(parameters.end(), p.values.begin(), p.values.end());
    REQUIRE(static_cast<Index>(parameters.size()) == size.scalars);
    std::vector<S> gradient(parameters.size());
    const std::tuple numbers{as<S>(inputs.values)...};
    const auto upstream = as<S>(expected.upstream);

    Buffer<std::byte> memory(1 << 22);
    Arena arena(memory);
    Tape<S> tape(arena, parameters.data(), gradient.data(), size, Pass{});
    Record<S> scope(tape);
    const auto batch_of = [](const auto& input) {
        return static_cast<Index>(input.values.size()) / input.shape.size();
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const std::tuple variables{scope.variable(
            Tensor<const S, Samples>(std::get<I>(numbers).data(), inputs.shape, batch_of(inputs)))...};
        const auto y = layer(scope, std::get<I>(variables)...);
        require_equal(y.value().data(), expected.y, tolerance);
        REQUIRE(y.value().size() == static_cast<Index>(expected.y.size()));
        using Output = std::remove_cvref_t<decltype(y.shape())>;
        const auto weights = scope.input(Tensor<const S, Output>(upstream.data(), y.shape(), y.batch()));
        tape.backward(Weighted{}(scope, y, weights));
        const auto check_gradient = [&](const auto& variable, const auto& input, std::size_t number) {
            INFO("input " << number);
            REQUIRE(input.gradient.size() == input.values.size());
            require_equal(tape.gradient_of(variable).data(), input.gradient, tolerance);
        };
        (check_gradient(std::get<I>(variables), inputs, I), ...);
    }
    (std::index_sequence_for<Samples...>{});
    const S* g = gradient.data();
    for (const Parameter& p : expected.parameters) {
        REQUIRE(p.gradient.size() == p.values.size());
        require_equal(g, p.gradient, tolerance);
        g += p.values.size();
    }
}

template <class Layer, class... Samples>
void check_both(const Layer& layer, const Expected& expected, const Input<Samples>&... inputs) {
    check<double>(layer, expected, inputs...);
    check<float>(layer, expected, inputs...);
}

}  // namespace torch
