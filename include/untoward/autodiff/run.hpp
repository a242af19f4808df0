// SPDX-License-Identifier: MIT
#pragma once

#include "../core/packed.hpp"
#include "numeric.hpp"

namespace untoward UNTOWARD_SETTING {

/// The reader that only computes: its values are views, valid until the arena is rewound; no tape. What a
/// layer needed besides its result is given back when the layer returns one value (a layer that returns a
/// struct of them keeps all it allocated).
///
///     Run<float> scope(parameters, arena);
///     auto y = model(scope, scope.input(Tensor<const float, Vec<30>>(data, {}, batch)));
///
/// Parameters are numbers at a pointer, or what else `Weights` says: core/packed.hpp has weights of fewer bits.
template <class S, class Weights = const S*>
class Run : public Scope<Run<S, Weights>> {
public:
    using Scalar = S;

    Run(const Weights& parameters, Arena& arena, const Pass& pass = {})
        : parameters_(parameters), arena_(&arena), pass_(pass) {}

    /// A batch of data.
    template <class Sample>
    auto input(const Tensor<const S, Sample>& data) {
        return data;
    }

    template <class Sample, class Initialiser>
    auto parameter(const Name&, const Sample& shape, const Initialiser&, const Attributes& = {}) {
        const Cursor place = this->advance(shape.size());
        if constexpr (std::is_pointer_v<Weights>) {
            return Tensor<const S, Sample>(parameters_ + place.scalars, shape, 1);
        } else if constexpr (Sample::rank == 2) {
            return PackedTensor(parameters_.rows(place.tensors), shape);
        } else {
            return Tensor<const S, Sample>(parameters_.numbers(place.tensors), shape, 1);
        }
    }

    template <class Rule, class... V>
    auto apply(const Rule& rule, const V&... values) {
        if constexpr (detail::has_shape_for<Rule, V...>) {
            return finish(rule, rule.shape(detail::shape_of(values)...),
                          detail::batch_of_output(rule, values...), values.erased()...);
        } else {
            return detail::stand_in(values...);
        }
    }

    template <class State, class Body>
    auto repeat(Index steps, State state, const Body& body) {
        using Output = decltype(detail::output_of_state(state).erased());
        Output* const outputs = arena_->template allocate<Output>(steps);
        auto loop = this->begin_loop(steps);
        for (Index t = 0; t < steps; ++t) {
            const std::size_t mark = arena_->used();
            state = this->step(loop, t, state, body);
            compact(mark, state, true);
            new (outputs + t) Output(detail::output_of_state(state).erased());
        }
        this->end_loop(loop);
        const auto& last = detail::output_of_state(state);
        const auto all =
            finish(Stack{}, detail::stacked_shape(last, steps), last.batch(), List<Output>(outputs, steps));
        return detail::Unrolled<State, std::remove_const_t<decltype(all)>>{state, all};
    }

    template <class Sample>
    auto constant(const Sample& shape, Index batch, double value) {
        return detail::make_constant<S>(*arena_, shape, batch, value);
    }
    template <class Sample>
    auto normal(const Sample& shape, Index batch) {
        return detail::make_noise<S, true>(*arena_, pass_, this->next_noise_site(), shape, batch);
    }
    template <class Sample>
    auto uniform(const Sample& shape, Index batch) {
        return detail::make_noise<S, false>(*arena_, pass_, this->next_noise_site(), shape, batch);
    }
    [[nodiscard]] bool training() const { return pass_.training; }

    template <class Layer, class... V>
    std::size_t enter(const Name&, const Layer&, const V&...) {
        return arena_->used();
    }
    template <class Layer, class Result>
    void leave(std::size_t mark, const Layer&, Result& result) {
        compact(mark, result, false);
    }

private:
    template <class Rule, class Shapes, class... X>
    auto finish(const Rule& rule, const Shapes& shapes, Index batch, const X&... x) {
        const auto erased =
            detail::transform(shapes, [](const auto& shape) { return detail::erase_shape(shape); });
        return detail::transform(
            compute(rule, erased, batch, x...), shapes,
            [](const auto& result, const auto& shape) { return detail::with_shape(result, shape); });
    }
    // Compiled once for all shapes of one rank.
    template <class Rule, class Shapes, class... X>
    auto compute(const Rule& rule, const Shapes& shapes, Index batch, const X&... x) {
        const auto results = detail::allocate_outputs<S>(*arena_, rule, shapes, batch, x...);
        const std::size_t mark = arena_->used();
        detail::run_forward<false>(rule, detail::allocate_saved<S, false>(*arena_, rule, batch, x...),
                                   results, x...);
        arena_->rewind(mark);
        return results;
    }

    // Moves a single result to where its layer's memory began, and gives back the rest; always, or where it is worth it.
    template <class Result>
    void compact(std::size_t, Result&, bool) {}
    template <class Sample>
    void compact(std::size_t mark, Tensor<const S, Sample>& result, bool always) {
        const std::size_t taken = arena_->used() - mark;
        if (!always && !detail::is_worth_moving(taken, result.size(), sizeof(S), result.batch())) return;
        if (!arena_->contains(result.data(), mark)) return;
        result = Tensor<S, Sample>(
            arena_->rewind_but(mark, result.data(), result.rows(), result.batch(), result.stride()),
            result.shape(), result.batch());
    }

    Weights parameters_;
    Arena* arena_;
    Pass pass_;
};

}  // namespace untoward
