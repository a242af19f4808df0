// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "symbolic.hpp"
#include "tape.hpp"

namespace untoward {

/// What a model costs for one batch. Usable in static_assert where the shapes are static.
struct Counts {
    Index parameters = 0;          ///< scalars
    Index tensors = 0;             ///< parameter tensors
    std::uint64_t layout_hash = 0; ///< of (path, shape) of every parameter, in order
    Index multiply_adds = 0;       ///< of one forward pass
    std::size_t run_bytes = 0;     ///< arena for `Run`, to the byte
    std::size_t record_bytes = 0;  ///< arena for `Record`, forward and backward, to the byte
};

namespace detail {

class LayoutHash : public SymbolicScope<LayoutHash> {
public:
    constexpr explicit LayoutHash(std::uint64_t& hash) : hash_(&hash) {}

    template <class Sample, class Initialiser>
    constexpr void on_parameter(const Name& name, const Sample& shape, const Initialiser&, const Attributes&,
                                const Cursor&) {
        *hash_ = combine(*hash_, this->path_hash(name));
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            ((*hash_ = combine(*hash_, static_cast<std::uint64_t>(shape.template extent<I>()))), ...);
        }(std::make_index_sequence<Sample::rank>{});
    }

private:
    std::uint64_t* hash_;
};

struct Tally {
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
template <class S, bool Recording>
class Counter : public Scope<Counter<S, Recording>> {
public:
    constexpr explicit Counter(Tally& tally) : tally_(&tally) {}

    template <class Sample, class Initialiser>
    constexpr auto parameter(const Name&, const Sample& shape, const Initialiser&,
                             const Attributes& attributes = {}) {
        this->advance(shape.size());
        return Symbol<Sample>(shape, 1, Symbol<Sample>::outside, attributes.trainable);
    }

    template <class Rule, class... V>
    constexpr auto apply(const Rule& rule, const V&... values) {
        const Index batch = batch_of_output(rule, values...);
        const auto shapes = as_tuple(rule.shape(shape_of(values)...));
        if constexpr (requires { rule.multiply_adds(shape_of(values)...); }) {
            tally_->multiply_adds += rule.multiply_adds(shape_of(values)...) * batch;
        }
        const bool needs_gradient = Recording && (needs(values) || ...);
        // In the order of Run and Record: outputs, saved space, then the node and the gradients.
        auto outputs = transform(shapes, [&](const auto& shape) {
            std::size_t address = (address_of(values), ...);
            if constexpr (!is_view<Rule>) address = tally_->allocate(bytes(shape.size() * batch));
            return Symbol(shape, batch, address, needs_gradient);
        });
        if constexpr (saves<Rule, V...>) {
            const std::size_t before = tally_->used;
            tally_->allocate(bytes(saved_size(rule, batch, values...)));
            if (!Recording) tally_->used = before;
        }
        if (needs_gradient) {
            tally_->allocate(sizeof(typename NodeFor<S, Rule, std::remove_const_t<decltype(shapes)>, V...>::type));
            std::apply(
                [&](const auto&... output) {
                    (tally_->allocate(bytes(output.shape().size() * output.batch())), ...);
                },
                outputs);
        }
        return unwrap(outputs);
    }

    template <class State, class Body>
    constexpr auto repeat(Index steps, State state, const Body& body) {
        using Output = std::remove_cvref_t<decltype(output_of_state(state))>;
        using Sample = typename Output::SampleShape;
        tally_->allocate(static_cast<std::size_t>(steps) * (Recording ? sizeof(Var<S, Sample>) : sizeof(Tensor<const S, Sample>)));
        // The first step may see a constant state; the second stands for all others.
        for (Index t = 0; t < (steps < 2 ? steps : 2); ++t) {
            const std::size_t before = tally_->used;
            const std::size_t peak = tally_->peak;
            const Index work = tally_->multiply_adds;
            tally_->peak = before;
            state = body(*this, t, state);
            leave(before, nullptr, state);
            const std::size_t others = t == 0 ? 0 : static_cast<std::size_t>(steps - 2);
            const std::size_t step = others * (tally_->used - before);
            tally_->used += step;
            tally_->peak = std::max(peak, tally_->peak + step);
            tally_->multiply_adds += (tally_->multiply_adds - work) * static_cast<Index>(others);
        }
        const auto all = apply(Stack{}, SymbolList<Sample>(output_of_state(state), steps));
        return Unrolled<State, std::remove_const_t<decltype(all)>>{state, all};
    }

    template <class Sample>
    constexpr auto constant(const Sample& shape, Index batch, double) {
        return Symbol<Sample>(shape, batch, tally_->allocate(bytes(shape.size() * batch)));
    }
    template <class Sample>
    constexpr auto normal(const Sample& shape, Index batch) {
        return constant(shape, Recording ? batch : 1, 0);
    }
    template <class Sample>
    constexpr auto uniform(const Sample& shape, Index batch) {
        return normal(shape, batch);
    }
    [[nodiscard]] constexpr bool training() const { return Recording; }

    template <class Layer, class... V>
    constexpr std::size_t enter(const Name&, const Layer&, const V&...) {
        return tally_->used;
    }
    template <class Layer, class Result>
    constexpr void leave(std::size_t mark, const Layer&, Result& result) {
        if constexpr (is_symbol<Result>) {
            if (!Recording && result.address() != Result::outside && result.address() >= mark) {
                tally_->used = mark;
                result.move_to(tally_->allocate(bytes(result.shape().size() * result.batch())));
            }
        }
    }

private:
    static constexpr std::size_t bytes(Index scalars) { return static_cast<std::size_t>(scalars) * sizeof(S); }

    template <class V>
    static constexpr const auto& representative(const V& value) {
        if constexpr (is_list<V>) {
            return value[0];
        } else {
            return value;
        }
    }
    template <class V>
    static constexpr bool needs(const V& value) {
        return representative(value).needs_gradient();
    }
    template <class V>
    static constexpr std::size_t address_of(const V& value) {
        return representative(value).address();
    }

    Tally* tally_;
};

template <bool Recording, class S, class Layer, class... Shapes>
constexpr Counts count_pass(const Layer& layer, Index batch, const Shapes&... shapes) {
    Tally tally;
    Counter<S, Recording> scope(tally);
    static_cast<void>(layer(scope, Symbol<Shapes>(shapes, batch)...));
    Counts counts;
    counts.parameters = scope.cursor().scalars;
    counts.tensors = scope.cursor().tensors;
    counts.multiply_adds = tally.multiply_adds;
    (Recording ? counts.record_bytes : counts.run_bytes) = tally.peak;
    return counts;
}

}  // namespace detail

/// A hash of (path, shape) of every parameter in order: two models with one hash read one parameter vector alike.
template <class Layer, class... Shapes>
constexpr std::uint64_t layout_hash(const Layer& layer, const Shapes&... shapes) {
    std::uint64_t hash = 0;
    detail::LayoutHash scope(hash);
    static_cast<void>(layer(scope, Symbol<Shapes>(shapes, 1)...));
    return hash;
}

/// Counts what `layer` costs for inputs of these shapes and this batch, with numbers of type S.
///
///     static_assert(untoward::count<float>(Model{}, 1, untoward::Vec<30>{}).run_bytes <= 1024);
template <class S, class Layer, class... Shapes>
constexpr Counts count(const Layer& layer, Index batch, const Shapes&... shapes) {
    Counts counts = detail::count_pass<false, S>(layer, batch, shapes...);
    counts.record_bytes =
        detail::count_pass<true, S>(layer, batch, shapes...).record_bytes + Tape<S>::bytes(counts.tensors);
    counts.layout_hash = layout_hash(layer, shapes...);
    return counts;
}

}  // namespace untoward
