// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "count.hpp"
#include "initialiser.hpp"
#include "record.hpp"
#include "rules/arithmetic.hpp"
#include "run.hpp"

namespace untoward UNTOWARD_SETTING {

/// How a gradient is checked.
struct GradientCheck {
    Index batch = 3;
    double low = -2;  ///< inputs are uniform on [low, high]
    double high = 2;
    double step = 1e-5;  ///< of the central differences
    std::uint64_t seed = 1;
    bool training = true;  ///< whether dropout and the like are on
};

/// The worst disagreement that a gradient check met.
struct GradientError {
    double relative = 0;  ///< |backward - difference| / max(1, |backward|, |difference|)
    double absolute = 0;  ///< |backward - difference|, there
    double backward = 0;
    double difference = 0;
    char where[256] = {};  ///< the path of the parameter, or "input 0", "input 1", ...
    Index index = 0;       ///< the element of it
};

namespace detail {

// The sum of all elements, each times a weight of its own: a loss in which no two errors cancel.
struct Projection {
    Index first_sample = 0;  // weights go with the sample's number

    constexpr Vec<1> shape(const auto&) const { return {}; }
    constexpr Index batch(Index) const { return 1; }
    void forward(auto y, auto x) const {
        y(0, 0) = 0;
        for (Index j = 0; j < x.batch(); ++j) {
            for (Index i = 0; i < x.rows(); ++i) y(0, 0) += weight<decltype(y)>(i, j) * x(i, j);
        }
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.write([&](const auto& to, bool accumulate) {
            for (Index j = 0; j < to.batch(); ++j) {
                for (Index i = 0; i < to.rows(); ++i) {
                    to(i, j) = (accumulate ? to(i, j) : 0) + weight<decltype(dy)>(i, j) * dy(0, 0);
                }
            }
        });
    }

private:
    template <class T>
    auto weight(Index i, Index j) const {
        const double turns = 0.6180339887498949 * static_cast<double>(1 + i + 7 * (j + first_sample));
        return static_cast<typename T::Scalar>(turns - std::floor(turns) - 0.4);
    }
};

template <class Loss, class Result>
struct Projected {
    Loss loss;
    Result result;
};

// A layer, and the projection of what it returns: one value or a tuple of values.
template <class Layer>
struct ProjectedLayer {
    Layer layer;
    Projection projection{};

    template <class Scope, class... X>
    constexpr auto operator()(Scope& scope, const X&... x) const {
        const auto result = layer(scope, x...);
        const auto loss = project(scope, result);
        return Projected<std::remove_const_t<decltype(loss)>, std::remove_const_t<decltype(result)>>{loss,
                                                                                                     result};
    }

private:
    template <std::size_t I = 0, class Scope, class Result>
    constexpr auto project(Scope& scope, const Result& result) const {
        if constexpr (!is_tuple<Result>) {
            return scope.apply(projection, result);
        } else if constexpr (I + 1 == std::tuple_size_v<Result>) {
            return scope.apply(projection, std::get<I>(result));
        } else {
            const auto first = scope.apply(projection, std::get<I>(result));
            const auto others = project<I + 1>(scope, result);
            return add(scope, first, others);
        }
    }
};

// One rule as a layer.
template <class Rule>
struct RuleLayer {
    Rule rule;
    template <class Scope, class... X>
    constexpr auto operator()(Scope& scope, const X&... x) const {
        return scope.apply(rule, x...);
    }
};

inline void compare_gradients(GradientError& worst, const char* where, Index index, double backward,
                              double difference) {
    const double absolute = std::abs(backward - difference);
    const double relative = absolute / (std::max)({1.0, std::abs(backward), std::abs(difference)});
    // Written so that a NaN is the worst of all.
    if (relative <= worst.relative || std::isnan(worst.relative)) return;
    worst = GradientError{relative, absolute, backward, difference, {}, index};
    for (std::size_t i = 0; i + 1 < sizeof worst.where && where[i] != '\0'; ++i) worst.where[i] = where[i];
}

}  // namespace detail

/// Compares `Tape::backward` in double with central differences, for every parameter and every input of a
/// layer (at inputs of these shapes, random numbers, parameters moved off their first values), and returns
/// the worst disagreement: about 1e-9 where the gradient is right, unless an input lies on a kink. The layer
/// returns one value or a std::tuple of values.
///
///     #include <untoward/autodiff/gradient_check.hpp>
///
///     struct Cube {
///         constexpr auto shape(const auto& x) const { return x; }
///         void forward(auto y, auto x) const {
///             untoward::assign(y, [](auto a) { return a * a * a; }, x);
///         }
///         void backward(auto dy, auto, auto x, auto dx) const {
///             dx.add([](auto d, auto a) { return d * 3 * a * a; }, dy, x);
///         }
///     };
///
///     int main() {
///         const auto error = untoward::check_gradient_of_rule(Cube{}, {.batch = 4}, untoward::Vec<3>{});
///         if (error.relative < 1e-7) return 0;
///         std::printf("%s [%ld]: %g, should be %g\n", error.where, long(error.index), error.backward,
///                     error.difference);
///         return 1;
///     }
template <class Layer, class... Shapes>
GradientError check_gradient(const Layer& layer, const GradientCheck& options, const Shapes&... shapes) {
    const detail::ProjectedLayer<Layer> model{layer};
    const Index batch = options.batch;
    const Pass pass{.training = options.training, .seed = options.seed};
    const Counts counts = count<double>(model, batch, shapes...);

    Buffer<double> parameters(counts.parameters);
    initialise(parameters.data(), options.seed, model, shapes...);
    Buffer<double> shift(counts.parameters);
    fill_uniform(shift.data(), shift.size(), NoiseKey{.seed = options.seed, .site = 1});
    parameters.array() += 0.5 * shift.array() - 0.25;

    Buffer<double> inputs[] = {Buffer<double>(shapes.size() * batch)...};
    for (std::size_t i = 0; i < sizeof...(Shapes); ++i) {
        fill_uniform(inputs[i].data(), inputs[i].size(), NoiseKey{.seed = options.seed, .site = 2 + i});
        inputs[i].array() = options.low + (options.high - options.low) * inputs[i].array();
    }

    // Run with dropout may draw for each sample, and inputs have gradients of their own: room for both.
    Index input_size = 64 * (1 + static_cast<Index>(sizeof...(Shapes)));
    for (const auto& input : inputs) input_size += input.size();
    Buffer<std::byte> memory(static_cast<Index>(2 * counts.record_bytes + counts.run_bytes) + 4096 +
                             8 * 16 * input_size);
    Arena arena(memory);

    const auto with_inputs = [&](auto function) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return function(Tensor<const double, Shapes>(inputs[I].data(), shapes, batch)...);
        }
        (std::index_sequence_for<Shapes...>{});
    };
    const auto loss = [&]() -> double {
        arena.rewind();
        Run<double> scope(parameters.data(), arena, pass);
        return with_inputs([&](const auto&... x) { return *model(scope, x...).loss.data(); });
    };
    GradientError worst;
    const auto compare = [&](const char* where, double* values, const double* backward, Index n) {
        for (Index i = 0; i < n; ++i) {
            const double value = values[i];
            values[i] = value + options.step;
            const double above = loss();
            values[i] = value - options.step;
            const double below = loss();
            values[i] = value;
            detail::compare_gradients(worst, where, i, backward[i], (above - below) / (2 * options.step));
        }
    };

    Buffer<double> gradient(counts.parameters);
    Buffer<double> input_gradients[] = {Buffer<double>(shapes.size() * batch)...};
    {
        Tape<double> tape(arena, parameters.data(), gradient.data(), measure(model, shapes...), pass);
        Record<double> scope(tape);
        with_inputs([&](const auto&... x) {
            const std::tuple variables{scope.variable(x)...};
            tape.backward(std::apply([&](const auto&... v) { return model(scope, v...).loss; }, variables));
            std::size_t i = 0;
            std::apply(
                [&](const auto&... v) {
                    ((input_gradients[i].array() = tape.gradient_of(v).flat(), ++i), ...);
                },
                variables);
        });
    }

    describe(
        [&](const ParameterInfo& parameter) {
            if (!parameter.attributes.trainable) return;
            compare(parameter.path, parameters.data() + parameter.offset, gradient.data() + parameter.offset,
                    parameter.size);
        },
        model, shapes...);
    for (std::size_t i = 0; i < sizeof...(Shapes); ++i) {
        char name[] = "input 0";
        name[6] = static_cast<char>('0' + i % 10);
        compare(name, inputs[i].data(), input_gradients[i].data(), inputs[i].size());
    }
    return worst;
}

/// The same for one rule with inputs of these shapes.
template <class Rule, class... Shapes>
GradientError check_gradient_of_rule(const Rule& rule, const GradientCheck& options,
                                     const Shapes&... shapes) {
    return check_gradient(detail::RuleLayer<Rule>{rule}, options, shapes...);
}

}  // namespace untoward
