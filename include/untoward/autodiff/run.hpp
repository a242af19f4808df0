// SPDX-License-Identifier: MIT
#pragma once

#include "numeric.hpp"

namespace untoward {

/// The reader that only computes: its values are views, valid until the arena is rewound; no tape. What a layer
/// needed besides its result is given back when the layer returns.
template <class S>
class Run : public Scope<Run<S>> {
public:
    using Scalar = S;

    Run(const S* parameters, Arena& arena, const Pass& pass = {})
        : parameters_(parameters), arena_(&arena), pass_(pass) {}

    /// A batch of data.
    template <class Sample>
    auto input(const Tensor<const S, Sample>& data) {
        return data;
    }

    template <class Sample, class Initialiser>
    auto parameter(const Name&, const Sample& shape, const Initialiser&, const Attributes& = {}) {
        return Tensor<const S, Sample>(parameters_ + this->advance(shape.size()).scalars, shape, 1);
    }

    template <class Rule, class... V>
    auto apply(const Rule& rule, const V&... values) {
        const Index batch = detail::batch_of_output(rule, values...);
        const auto shapes = detail::as_tuple(rule.shape(detail::shape_of(values)...));
        auto results = detail::compute<S>(*arena_, rule, shapes, batch, value_of(values)...);
        const std::size_t mark = arena_->used();
        detail::run_forward(rule, detail::allocate_saved<S>(*arena_, rule, batch, values...), results,
                            value_of(values)...);
        arena_->rewind(mark);
        return detail::unwrap(detail::transform(results, [](const auto& result) {
            using Sample = std::remove_cvref_t<decltype(result.shape())>;
            return Tensor<const S, Sample>(result);
        }));
    }

    template <class State, class Body>
    auto repeat(Index steps, State state, const Body& body) {
        using Output = std::remove_cvref_t<decltype(detail::output_of_state(state))>;
        Output* const outputs = arena_->template allocate<Output>(steps);
        for (Index t = 0; t < steps; ++t) {
            const std::size_t mark = arena_->used();
            state = body(*this, t, state);
            compact(mark, state);
            new (outputs + t) Output(detail::output_of_state(state));
        }
        auto all = apply(Stack{}, List<Output>(outputs, steps));
        return detail::Unrolled<State, decltype(all)>{state, all};
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
        compact(mark, result);
    }

private:
    template <class V>
    static auto value_of(const V& value) {
        if constexpr (detail::is_list<V>) {
            return detail::ListValues(value);
        } else {
            return value;
        }
    }

    // Moves a single result to where its layer's memory began, and gives back the rest.
    template <class Result>
    void compact(std::size_t, Result&) {}
    template <class Sample>
    void compact(std::size_t mark, Tensor<const S, Sample>& result) {
        const auto* const data = reinterpret_cast<const std::byte*>(result.data());
        if (data < arena_->begin() + mark || data >= arena_->begin() + arena_->used()) return;
        arena_->rewind(mark);
        const Tensor<S, Sample> target(arena_->template allocate<S>(result.size()), result.shape(), result.batch());
        if (target.data() != result.data() || !result.contiguous()) {
            for (Index j = 0; j < result.batch(); ++j) {
                std::memmove(&target(0, j), &result(0, j), static_cast<std::size_t>(result.rows()) * sizeof(S));
            }
        }
        result = target;
    }

    const S* parameters_;
    Arena* arena_;
    Pass pass_;
};

}  // namespace untoward
