// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "numeric.hpp"
#include "tape.hpp"

namespace untoward UNTOWARD_SETTING {

/// The reader that computes and remembers: its values are `Var`s, and `Tape::backward` gives the gradient.
///
///     Tape<float> tape(arena, parameters, gradient, measure(model, shape), {.training = true, .seed = 7});
///     Record<float> scope(tape);
///     auto loss = model(scope, scope.input(batch));
///     tape.backward(loss);
template <class S>
class Record : public Scope<Record<S>> {
public:
    using Scalar = S;

    explicit Record(Tape<S>& tape) : tape_(&tape) {}

    /// A batch of data: no gradient.
    template <class Sample>
    auto input(const Tensor<const S, Sample>& data) {
        return Var<S, Sample>(data, nullptr);
    }
    /// A value whose gradient is wanted; read it from `Tape::gradient_of` after backward.
    template <class Sample>
    auto variable(const Tensor<const S, Sample>& data) {
        auto* gradient = new (arena().template allocate<Gradient<S>>(1)) Gradient<S>;
        gradient->data = arena().template allocate<S>(data.size());
        return Var<S, Sample>(data, gradient);
    }

    template <class Sample, class Initialiser>
    auto parameter(const Name&, const Sample& shape, const Initialiser&, const Attributes& attributes = {}) {
        const Index size = shape.size();
        const Cursor place = this->advance(size);
        const Attributes a = this->effective(attributes);
        return Var<S, Sample>(Tensor<const S, Sample>(tape_->parameters() + place.scalars, shape, 1),
                              a.trainable || a.statistic ? tape_->parameter_gradient(place, size) : nullptr);
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
        Output* const outputs = arena().template allocate<Output>(steps);
        const auto loop = this->begin_loop(steps);
        for (Index t = 0; t < steps; ++t) {
            state = this->step(loop, t, state, body);
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
        return Var<S, Sample>(detail::make_constant<S>(arena(), shape, batch, value), nullptr);
    }
    template <class Sample>
    auto normal(const Sample& shape, Index batch) {
        return Var<S, Sample>(
            detail::make_noise<S, true>(arena(), tape_->pass(), this->next_noise_site(), shape, batch),
            nullptr);
    }
    template <class Sample>
    auto uniform(const Sample& shape, Index batch) {
        return Var<S, Sample>(
            detail::make_noise<S, false>(arena(), tape_->pass(), this->next_noise_site(), shape, batch),
            nullptr);
    }
    [[nodiscard]] bool training() const { return tape_->pass().training; }

    template <class Layer, class... V>
    std::size_t enter(const Name& name, const Layer&, const V&...) {
        return tape_->watch != nullptr ? tape_->watch->path.push(name) : 0;
    }
    template <class Layer, class Result>
    void leave(std::size_t mark, const Layer&, const Result&) {
        if (tape_->watch != nullptr) tape_->watch->path.pop(mark);
    }

private:
    Arena& arena() const { return tape_->arena(); }

    template <class X>
    static bool needs_gradient(const X& value) {
        if constexpr (detail::is_list<X>) {
            for (Index i = 0; i < value.size(); ++i) {
                if (value[i].gradient() != nullptr) return true;
            }
            return false;
        } else {
            return value.gradient() != nullptr;
        }
    }

    template <class Rule, class Shapes, class... X>
    auto finish(const Rule& rule, const Shapes& shapes, Index batch, const X&... x) {
        const auto erased =
            detail::transform(shapes, [](const auto& shape) { return detail::erase_shape(shape); });
        return detail::transform(compute(rule, erased, batch, x...), shapes,
                                 [](const auto& result, const auto& shape) {
                                     return Var(detail::with_shape(result.value(), shape), result.gradient());
                                 });
    }
    // Compiled once for all shapes of one rank.
    template <class Rule, class Shapes, class... X>
    auto compute(const Rule& rule, const Shapes& shapes, Index batch, const X&... x) {
        const auto results =
            detail::allocate_outputs<S>(arena(), rule, shapes, batch, detail::value_of(x)...);
        S* const saved = detail::allocate_saved<S, true>(arena(), rule, batch, x...);
        detail::run_forward<true>(rule, saved, results, detail::value_of(x)...);
        if (tape_->watch != nullptr) check(results);
        Gradient<S>* gradient = nullptr;
        if ((needs_gradient(x) || ...)) {
            using Node = detail::NodeFor<S, Rule, Shapes, X...>;
            auto* const node = new (arena().template allocate<Node>(1))
                Node{{nullptr, &Node::run}, rule, results, {x...}, {}, saved};
            gradient = node->gradients;
            tape_->push(node);
        }
        return detail::transform(results, [&](const auto& result) {
            Gradient<S>* mine = nullptr;
            if (gradient != nullptr) {
                mine = gradient++;
                mine->data = arena().template allocate<S>(result.size());
            }
            using Sample = std::remove_cvref_t<decltype(result.shape())>;
            return Var<S, Sample>(result, mine);
        });
    }

    template <class Results>
    void check(const Results& results) {
        auto& watch = *tape_->watch;
        detail::transform(results, [&](const auto& result) {
            bool finite = true;
            for (Index j = 0; j < result.batch(); ++j) {
                for (Index i = 0; i < result.rows(); ++i) finite = finite && std::isfinite(result(i, j));
            }
            if (watch.found || finite) return 0;
            watch.found = true;
            const char* text = watch.path.text();
            for (std::size_t i = 0; i + 1 < sizeof watch.where && text[i] != '\0'; ++i)
                watch.where[i] = text[i];
            return 0;
        });
    }

    Tape<S>* tape_;
};

}  // namespace untoward
