// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "describe.hpp"
#include "tape.hpp"

namespace untoward UNTOWARD_SETTING {

/// What a model costs for one batch. Usable in static_assert where the shapes are static.
struct Counts {
    Index parameters = 0;           ///< scalars
    Index tensors = 0;              ///< parameter tensors
    std::uint64_t layout_hash = 0;  ///< of (path, shape) of every parameter, in order
    Index multiply_adds = 0;        ///< of one forward pass
    std::size_t run_bytes = 0;      ///< arena for `Run` in scoring (no sample ids), to the byte
    std::size_t record_bytes = 0;   ///< arena for `Record` in training, forward and backward, to the byte
};

namespace detail {

// What a pass allocates and multiplies.
struct Tally {
    bool recording = false;
    Index multiply_adds = 0;
    std::size_t used = 0;
    std::size_t peak = 0;
    constexpr std::size_t allocate(std::size_t bytes) {
        const std::size_t address = used;
        used += align_up(bytes);
        if (used > peak) peak = used;
        return address;
    }
};

// Follows the arena of `Run` or of `Record` allocation by allocation.
template <class S>
class Counter : public Scope<Counter<S>> {
public:
    constexpr explicit Counter(Tally& tally) : tally_(&tally) {}

    template <class Sample, class Initialiser>
    constexpr auto parameter(const Name&, const Sample& shape, const Initialiser&,
                             const Attributes& attributes = {}) {
        this->advance(shape.size());
        const Attributes a = this->effective(attributes);
        return Symbol<Sample>(shape, 1, Symbol<Sample>::outside, a.trainable || a.statistic);
    }

    template <class Rule, class... V>
    constexpr auto apply(const Rule& rule, const V&... values) {
        if constexpr (has_shape_for<Rule, V...>) {
            return applied(rule, values...);
        } else {
            return stand_in(values...);
        }
    }

    template <class State, class Body>
    constexpr auto repeat(Index steps, State state, const Body& body) {
        using Sample = typename std::remove_cvref_t<decltype(output_of_state(state))>::SampleShape;
        using Recorded = Var<S, ErasedShape<Sample>>;
        using Computed = Tensor<const S, ErasedShape<Sample>>;
        tally_->allocate(static_cast<std::size_t>(steps) *
                         (tally_->recording ? sizeof(Recorded) : sizeof(Computed)));
        const auto loop = this->begin_loop(steps);
        // A step costs what the one before did as soon as the same parts of the state need a gradient.
        for (Index t = 0; t < steps; ++t) {
            const Tally before = *tally_;
            const State incoming = state;
            tally_->peak = before.used;
            state = this->step(loop, t, incoming, body);
            compact(before.used, state, true);
            const Index others = alike(incoming, state) ? steps - 1 - t : 0;
            const std::size_t growth = static_cast<std::size_t>(others) * (tally_->used - before.used);
            tally_->used += growth;
            tally_->peak = (std::max)(before.peak, tally_->peak + growth);
            tally_->multiply_adds += (tally_->multiply_adds - before.multiply_adds) * others;
            t += others;
        }
        this->end_loop(loop);
        const auto all = apply(Stack{}, SymbolList<Sample>(output_of_state(state), steps));
        return Unrolled<State, std::remove_const_t<decltype(all)>>{state, all};
    }

    template <class Sample>
    constexpr auto constant(const Sample& shape, Index batch, double) {
        return Symbol<Sample>(shape, batch, tally_->allocate(bytes(shape.size() * batch)));
    }
    template <class Sample>
    constexpr auto normal(const Sample& shape, Index batch) {
        return constant(shape, tally_->recording ? batch : 1, 0);
    }
    template <class Sample>
    constexpr auto uniform(const Sample& shape, Index batch) {
        return normal(shape, batch);
    }
    [[nodiscard]] constexpr bool training() const { return tally_->recording; }

    template <class Layer, class... V>
    constexpr std::size_t enter(const Name&, const Layer&, const V&...) {
        return tally_->used;
    }
    template <class Layer, class Result>
    constexpr void leave(std::size_t mark, const Layer&, Result& result) {
        compact(mark, result, false);
    }

private:
    template <class Result>
    constexpr void compact(std::size_t mark, Result& result, bool always) {
        if constexpr (is_symbol<Result>) {
            const Index numbers = result.shape().size() * result.batch();
            if (tally_->recording || result.address() == Result::outside || result.address() < mark) return;
            if (!always && !is_worth_moving(tally_->used - mark, numbers, sizeof(S), result.batch())) return;
            tally_->used = mark;
            result.move_to(tally_->allocate(bytes(numbers)));
        }
    }

    template <class Rule, class... V>
    constexpr auto applied(const Rule& rule, const V&... values) {
        const Index batch = batch_of_output(rule, values...);
        const auto shapes = rule.shape(shape_of(values)...);
        if constexpr (requires { rule.multiply_adds(shape_of(values)...); }) {
            tally_->multiply_adds += rule.multiply_adds(shape_of(values)...) * batch;
        }
        const bool needs_gradient = tally_->recording && (needs(values) || ...);
        // In the order of Run and Record: outputs, saved space, then the node and the gradients.
        const auto outputs = transform(shapes, [&](const auto& shape) {
            if constexpr (is_view<Rule>) {
                return Symbol(shape, batch, values.address()..., needs_gradient);
            } else {
                return Symbol(shape, batch, tally_->allocate(bytes(shape.size() * batch)), needs_gradient);
            }
        });
        if constexpr (saves<Rule, V...>) {
            const std::size_t before = tally_->used;
            Index scalars = rule.saved(batch, shape_of(values)...);
            if constexpr (has_scratch<Rule, V...>) {
                if (!tally_->recording) scalars = rule.scratch(batch, shape_of(values)...);
            }
            tally_->allocate(bytes(scalars));
            if (!tally_->recording) tally_->used = before;
        }
        if (needs_gradient) {
            tally_->allocate(sizeof(NodeFor<S, Rule, std::remove_const_t<decltype(shapes)>, V...>));
            transform(outputs, [&](const auto& output) {
                return tally_->allocate(bytes(output.shape().size() * output.batch()));
            });
        }
        return outputs;
    }

    static constexpr std::size_t bytes(Index scalars) {
        return static_cast<std::size_t>(scalars) * sizeof(S);
    }

    template <class V>
    static constexpr bool needs(const V& value) {
        if constexpr (is_list<V>) {
            return value[0].needs_gradient();
        } else {
            return value.needs_gradient();
        }
    }
    template <class State>
    static constexpr bool alike(const State& a, const State& b) {
        if constexpr (is_tuple<State>) {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return (alike(std::get<I>(a), std::get<I>(b)) && ...);
            }
            (std::make_index_sequence<std::tuple_size_v<State>>{});
        } else {
            return a.needs_gradient() == b.needs_gradient() && a.batch() == b.batch();
        }
    }

    Tally* tally_;
};

template <class S, class Layer, class... Shapes>
constexpr Counts count_pass(bool recording, const Layer& layer, Index batch, const Shapes&... shapes) {
    Tally tally{.recording = recording};
    Counter<S> scope(tally);
    static_cast<void>(call_layer(layer, scope, Symbol<Shapes>(shapes, batch)...));
    Counts counts;
    counts.parameters = scope.cursor().scalars;
    counts.tensors = scope.cursor().tensors;
    counts.multiply_adds = tally.multiply_adds;
    (recording ? counts.record_bytes : counts.run_bytes) = tally.peak;
    return counts;
}

}  // namespace detail

/// A hash of (path, shape) of every parameter in order: two models with one hash read one parameter vector
/// alike.
template <class Layer, class... Shapes>
constexpr std::uint64_t layout_hash(const Layer& layer, const Shapes&... shapes) {
    std::uint64_t hash = 0;
    describe(
        [&hash](const ParameterInfo& parameter) {
            hash = detail::combine(hash, parameter.path_hash);
            for (Index i = 0; i < parameter.rank; ++i) {
                hash = detail::combine(hash, static_cast<std::uint64_t>(parameter.extents[i]));
            }
        },
        layer, shapes...);
    return hash;
}

/// Counts what `layer` costs for inputs of these shapes and this batch, with numbers of type S.
///
///     static_assert(untoward::count<float>(Model{}, 1, untoward::Vec<30>{}).run_bytes <= 1024);
template <class S, class Layer, class... Shapes>
constexpr Counts count(const Layer& layer, Index batch, const Shapes&... shapes) {
    Counts counts = detail::count_pass<S>(false, layer, batch, shapes...);
    counts.record_bytes =
        detail::count_pass<S>(true, layer, batch, shapes...).record_bytes + Tape<S>::bytes(counts.tensors);
    counts.layout_hash = layout_hash(layer, shapes...);
    return counts;
}

}  // namespace untoward
