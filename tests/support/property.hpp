// SPDX-License-Identifier: MIT
#pragma once

// What must hold of every rule and every layer, checked on random numbers:
//
//   gradient       backward equals central differences, for every parameter and input
//   one meaning    Run equals Record bit for bit; fixed and run-time shapes give the same bits
//   batch          the gradient of a batch is the sum of those of its samples; an output does not depend on
//                  its neighbours
//   views          strided inputs give what contiguous ones give
//   layout         describe, measure, count, the hash, Initialise, Run and Record agree
//   memory         count() gives Arena::peak() to the byte, and nothing else is allocated
//
//     check_properties(Dense<5, Tanh>{}, {}, Vec<3>{});

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "allocation.hpp"
#include "catch.hpp"
#include "untoward/autodiff/gradient_check.hpp"

namespace property {

using namespace untoward;

struct Options {
    Index batch = 3;
    double low = -2;
    double high = 2;
    bool independent = true;  ///< whether an output of a sample depends on that sample only
    double tolerance = 1e-7;  ///< of the gradient check
};

/// What one pass gave.
struct Outcome {
    double loss = 0;
    std::vector<double> outputs;  ///< of all samples, one sample after another for each output
    std::vector<double> gradient;
    std::vector<std::vector<double>> input_gradients;
    std::size_t peak = 0;
    Cursor cursor{};
    long allocations = 0;
};

/// The inputs of a pass, each a buffer with room between its samples.
struct Inputs {
    Index batch;
    Index gap;
    std::vector<std::vector<double>> values;
    std::vector<std::uint32_t> ids;
};

inline Inputs random_inputs(const std::vector<Index>& sizes, Index batch, double low, double high) {
    Inputs inputs{batch, 0, {}, {}};
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        std::vector<double> x(static_cast<std::size_t>(sizes[i] * batch));
        fill_uniform(x.data(), static_cast<Index>(x.size()), NoiseKey{.seed = 3, .site = i});
        for (double& v : x) v = low + (high - low) * v;
        inputs.values.push_back(x);
    }
    for (Index j = 0; j < batch; ++j) inputs.ids.push_back(static_cast<std::uint32_t>(100 + 7 * j));
    return inputs;
}

// n samples from `begin`, with `gap` unused numbers (NaN) behind each.
inline Inputs part(const Inputs& all, Index begin, Index n, Index gap) {
    Inputs result{n, gap, {}, {all.ids.begin() + begin, all.ids.begin() + begin + n}};
    for (const auto& x : all.values) {
        const Index size = static_cast<Index>(x.size()) / all.batch;
        std::vector<double> y(static_cast<std::size_t>((size + gap) * n),
                              std::numeric_limits<double>::quiet_NaN());
        for (Index j = 0; j < n; ++j) {
            std::copy_n(x.begin() + (begin + j) * size, size, y.begin() + j * (size + gap));
        }
        result.values.push_back(y);
    }
    return result;
}

template <class Result>
void append_output(std::vector<double>& to, const Result& result) {
    const auto append = [&to](const auto& value) {
        const auto& x = [&]() -> const auto& {
            if constexpr (requires { value.value(); }) {
                return value.value();
            } else {
                return value;
            }
        }
        ();
        for (Index j = 0; j < x.batch(); ++j) {
            for (Index i = 0; i < x.rows(); ++i) to.push_back(x(i, j));
        }
    };
    if constexpr (detail::is_tuple<Result>) {
        std::apply([&](const auto&... each) { (append(each), ...); }, result);
    } else {
        append(result);
    }
}

/// A layer and input shapes, to checks that are compiled once.
class AnySubject {
public:
    [[nodiscard]] virtual std::vector<Index> sizes() const = 0;
    [[nodiscard]] virtual Counts counts(Index batch) const = 0;
    [[nodiscard]] virtual Cursor size() const = 0;
    [[nodiscard]] virtual std::vector<double> first_parameters() const = 0;
    /// Which scalars a gradient is for: not running averages, and not what is frozen.
    [[nodiscard]] virtual std::vector<bool> differentiable() const = 0;
    /// "path extents offset" of every parameter.
    [[nodiscard]] virtual std::vector<std::string> names() const = 0;
    [[nodiscard]] virtual Outcome run(const std::vector<double>& parameters, const Inputs& inputs,
                                      bool training) const = 0;
    [[nodiscard]] virtual Outcome record(const std::vector<double>& parameters, const Inputs& inputs,
                                         bool training, bool input_gradients,
                                         Index first_sample = 0) const = 0;

protected:
    ~AnySubject() = default;
};

template <class Layer, class... Shapes>
class Subject final : public AnySubject {
public:
    Subject(const Layer& layer, const Shapes&... shapes) : model_{layer}, shapes_(shapes...) {}

    [[nodiscard]] std::vector<Index> sizes() const override {
        return std::apply([](const auto&... s) { return std::vector<Index>{s.size()...}; }, shapes_);
    }
    [[nodiscard]] Counts counts(Index batch) const override {
        return with_shapes([&](const auto&... s) { return count<double>(model_, batch, s...); });
    }
    [[nodiscard]] Cursor size() const override {
        return with_shapes([&](const auto&... s) { return measure(model_, s...); });
    }
    [[nodiscard]] std::vector<double> first_parameters() const override {
        std::vector<double> p(static_cast<std::size_t>(size().scalars),
                              std::numeric_limits<double>::quiet_NaN());
        with_shapes([&](const auto&... s) { initialise(p.data(), 5, model_, s...); });
        return p;
    }
    [[nodiscard]] std::vector<bool> differentiable() const override {
        std::vector<bool> result;
        with_shapes([&](const auto&... s) {
            describe(
                [&](const ParameterInfo& p) {
                    result.insert(result.end(), static_cast<std::size_t>(p.size), p.attributes.trainable);
                },
                model_, s...);
        });
        return result;
    }
    [[nodiscard]] std::vector<std::string> names() const override {
        std::vector<std::string> result;
        with_shapes([&](const auto&... s) {
            describe(
                [&](const ParameterInfo& p) {
                    std::string text = p.path;
                    for (Index i = 0; i < p.rank; ++i) text += " " + std::to_string(p.extents[i]);
                    result.push_back(text + " @" + std::to_string(p.offset));
                },
                model_, s...);
        });
        return result;
    }
    [[nodiscard]] Outcome run(const std::vector<double>& parameters, const Inputs& inputs,
                              bool training) const override {
        Outcome outcome;
        const Pass pass = pass_for(inputs, training);
        const Counts c = counts(inputs.batch);
        Buffer<std::byte> memory(static_cast<Index>(c.run_bytes + 2 * c.record_bytes));
        Arena arena(memory);
        const AllocationCount count;
        Run<double> scope(parameters.data(), arena, pass);
        const auto projected = with_tensors(inputs, [&](const auto&... x) { return model_(scope, x...); });
        outcome.allocations = count.since();
        outcome.loss = *projected.loss.data();
        append_output(outcome.outputs, projected.result);
        outcome.peak = arena.peak();
        outcome.cursor = scope.cursor();
        return outcome;
    }
    [[nodiscard]] Outcome record(const std::vector<double>& parameters, const Inputs& inputs, bool training,
                                 bool input_gradients, Index first_sample = 0) const override {
        Outcome outcome;
        const Pass pass = pass_for(inputs, training);
        Index input_bytes = 0;
        for (const auto& x : inputs.values)
            input_bytes += static_cast<Index>(x.size() * sizeof(double)) + 256;
        Buffer<std::byte> memory(static_cast<Index>(2 * counts(inputs.batch).record_bytes) +
                                 16 * input_bytes);
        Arena arena(memory);
        outcome.gradient.assign(parameters.size(), std::numeric_limits<double>::quiet_NaN());
        const AllocationCount count;
        Tape<double> tape(arena, parameters.data(), outcome.gradient.data(), size(), pass);
        Record<double> scope(tape);
        const auto back = [&](const auto&... v) {
            auto model = model_;
            model.projection.first_sample = first_sample;
            const auto projected = model(scope, v...);
            tape.backward(projected.loss);
            outcome.allocations = count.since();
            outcome.loss = projected.loss.scalar();
            append_output(outcome.outputs, projected.result);
            if (input_gradients) {
                const auto keep = [&](const auto& variable) {
                    outcome.input_gradients.emplace_back();
                    append_output(outcome.input_gradients.back(), tape.gradient_of(variable));
                };
                (keep(v), ...);
            }
        };
        with_tensors(inputs, [&](const auto&... x) {
            if (input_gradients) {
                const std::tuple variables{scope.variable(x)...};
                std::apply(back, variables);
            } else {
                back(scope.input(x)...);
            }
        });
        outcome.peak = arena.peak();
        outcome.cursor = scope.cursor();
        return outcome;
    }

private:
    template <class Function>
    auto with_shapes(const Function& function) const {
        return std::apply(function, shapes_);
    }
    template <class Function>
    auto with_tensors(const Inputs& inputs, const Function& function) const {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return function(Tensor<const double, Shapes>(inputs.values[I].data(), std::get<I>(shapes_),
                                                         inputs.batch,
                                                         std::get<I>(shapes_).size() + inputs.gap)...);
        }
        (std::index_sequence_for<Shapes...>{});
    }
    static Pass pass_for(const Inputs& inputs, bool training) {
        return Pass{
            .training = training, .seed = 9, .epoch = 2, .samples = training ? inputs.ids.data() : nullptr};
    }

    detail::ProjectedLayer<Layer> model_;
    std::tuple<Shapes...> shapes_;
};

inline bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = std::abs(a[i] - b[i]) / std::max({1.0, std::abs(a[i]), std::abs(b[i])});
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

// Central differences over every element of `values`, which the loss depends on.
template <class Loss>
double worst_gradient_error(std::vector<double>& values, const std::vector<double>& gradient,
                            const std::vector<bool>& differentiable, const Loss& loss) {
    constexpr double step = 1e-5;
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!differentiable[i]) continue;
        const double value = values[i];
        values[i] = value + step;
        const double above = loss();
        values[i] = value - step;
        const double difference = (above - loss()) / (2 * step);
        values[i] = value;
        const double error =
            std::abs(difference - gradient[i]) / std::max({1.0, std::abs(difference), std::abs(gradient[i])});
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

inline std::vector<double> check_subject(const AnySubject& subject, const Options& options) {
    const Index batch = options.batch;
    const std::vector<double> parameters = subject.first_parameters();
    const Inputs inputs = random_inputs(subject.sizes(), batch, options.low, options.high);

    const Outcome scored = subject.run(parameters, inputs, false);
    const Outcome trained = subject.run(parameters, inputs, true);
    const Outcome recorded = subject.record(parameters, inputs, true, false);
    CHECK(same_bits(trained.outputs, recorded.outputs));
    CHECK(same_bits(scored.outputs, subject.record(parameters, inputs, false, false).outputs));
    for (const Outcome* outcome : {&scored, &recorded}) {
        for (const double y : outcome->outputs) CHECK(std::isfinite(y));
    }

    const Counts counts = subject.counts(batch);
    const Cursor size = subject.size();
    CHECK(scored.cursor == size);
    CHECK(recorded.cursor == size);
    CHECK(counts.parameters == size.scalars);
    CHECK(counts.tensors == size.tensors);
    CHECK(counts.run_bytes == scored.peak);
    CHECK(counts.record_bytes == recorded.peak);
    for (const double p : parameters) CHECK(std::isfinite(p));
    CHECK(scored.allocations == 0);
    CHECK(trained.allocations == 0);
    CHECK(recorded.allocations == 0);

    const Outcome whole = subject.record(parameters, inputs, true, true);
    REQUIRE(whole.input_gradients.size() == inputs.values.size());
    {
        std::vector<double> p = parameters;
        Inputs x = inputs;
        const auto loss = [&] { return subject.run(p, x, true).loss; };
        CHECK(worst_gradient_error(p, whole.gradient, subject.differentiable(), loss) < options.tolerance);
        for (std::size_t i = 0; i < x.values.size(); ++i) {
            INFO("input " << i);
            const std::vector<bool> all(x.values[i].size(), true);
            CHECK(worst_gradient_error(x.values[i], whole.input_gradients[i], all, loss) < options.tolerance);
        }
    }
    CHECK(distance(whole.gradient, recorded.gradient) < 1e-13);
    const Outcome strided = subject.record(parameters, part(inputs, 0, batch, 3), true, true);
    CHECK(distance(strided.outputs, whole.outputs) < 1e-13);
    CHECK(distance(strided.gradient, whole.gradient) < 1e-12);
    REQUIRE(strided.input_gradients.size() == whole.input_gradients.size());
    for (std::size_t i = 0; i < whole.input_gradients.size(); ++i) {
        CHECK(distance(strided.input_gradients[i], whole.input_gradients[i]) < 1e-12);
    }

    if (options.independent) {
        std::vector<double> gradient(parameters.size(), 0);
        std::vector<std::vector<double>> input_gradients(whole.input_gradients.size());
        for (Index j = 0; j < batch; ++j) {
            const Outcome one = subject.record(parameters, part(inputs, j, 1, 0), true, true, j);
            for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += one.gradient[i];
            for (std::size_t i = 0; i < input_gradients.size(); ++i) {
                const auto& g = one.input_gradients[i];
                input_gradients[i].insert(input_gradients[i].end(), g.begin(), g.end());
            }
        }
        CHECK(distance(gradient, whole.gradient) < 1e-12);
        for (std::size_t i = 0; i < input_gradients.size(); ++i) {
            CHECK(distance(input_gradients[i], whole.input_gradients[i]) < 1e-12);
        }
    }
    return recorded.outputs;
}

/// Checks everything for inputs of these shapes, as they are and with all extents known at run time only.
template <class Layer, class... Shapes>
void check_properties(const Layer& layer, const Options& options, const Shapes&... shapes) {
    const Subject fixed(layer, shapes...);
    const Subject erased(layer, shapes.erased()...);
    const auto outputs = check_subject(fixed, options);
    CHECK(same_bits(outputs, check_subject(erased, options)));
    CHECK(fixed.names() == erased.names());
    CHECK(same_bits(fixed.first_parameters(), erased.first_parameters()));
    const Counts a = fixed.counts(options.batch);
    const Counts b = erased.counts(options.batch);
    CHECK(a.layout_hash == b.layout_hash);
    CHECK(a.run_bytes == b.run_bytes);
    CHECK(a.record_bytes == b.record_bytes);
    CHECK(a.multiply_adds == b.multiply_adds);
}

/// The same for one rule, for inputs of these shapes as they are: kernels know no fixed extents, so fixed and
/// run-time shapes take turns in the tests.
template <class Rule, class... Shapes>
void check_rule(const Rule& rule, const Options& options, const Shapes&... shapes) {
    check_subject(Subject(detail::RuleLayer<Rule>{rule}, shapes...), options);
}

/// The same for a function of a scope and values.
template <class Function>
struct Calling {
    Function function;
    template <class Scope, class... X>
    constexpr auto operator()(Scope& scope, const X&... x) const {
        return function(scope, x...);
    }
};
template <class Function, class... Shapes>
void check_function(const Function& function, const Options& options, const Shapes&... shapes) {
    check_subject(Subject(Calling<Function>{function}, shapes...), options);
}

}  // namespace property
