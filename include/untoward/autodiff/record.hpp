// SPDX-License-Identifier: MIT
#pragma once

#include "numeric.hpp"
#include "tape.hpp"

namespace untoward {

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
    /// A value whose gradient is wanted; read it from `gradient_of` after backward.
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
        return Var<S, Sample>(
            Tensor<const S, Sample>(tape_->parameters() + place.scalars, shape, 1),
            attributes.trainable ? tape_->parameter_gradient(place, size) : nullptr);
    }

    template <class Rule, class... V>
    auto apply(const Rule& rule, const V&... values) {
        const Index batch = detail::batch_of_output(rule, values...);
        const auto shapes = detail::as_tuple(rule.shape(detail::shape_of(values)...));
        auto results = detail::compute<S>(arena(), rule, shapes, batch, value_of(values)...);
        S* const saved = detail::allocate_saved<S>(arena(), rule, batch, values...);
        detail::run_forward(rule, saved, results, value_of(values)...);
        Gradient<S>* gradients = nullptr;
        if ((needs_gradient(values) || ...)) {
            gradients = push_node(rule, shapes, results, saved, values...);
        }
        if (tape_->watch != nullptr) check(results);
        return wrap(shapes, results, gradients, std::make_index_sequence<std::tuple_size_v<decltype(results)>>{});
    }

    template <class State, class Body>
    auto repeat(Index steps, State state, const Body& body) {
        using Output = std::remove_cvref_t<decltype(detail::output_of_state(state))>;
        Output* const outputs = arena().template allocate<Output>(steps);
        for (Index t = 0; t < steps; ++t) {
            state = body(*this, t, state);
            new (outputs + t) Output(detail::output_of_state(state));
        }
        auto all = apply(Stack{}, List<Output>(outputs, steps));
        return detail::Unrolled<State, decltype(all)>{state, all};
    }

    template <class Sample>
    auto constant(const Sample& shape, Index batch, double value) {
        return Var<S, Sample>(detail::make_constant<S>(arena(), shape, batch, value), nullptr);
    }
    template <class Sample>
    auto normal(const Sample& shape, Index batch) {
        return Var<S, Sample>(detail::make_noise<S, true>(arena(), tape_->pass(), this->next_noise_site(), shape, batch),
                              nullptr);
    }
    template <class Sample>
    auto uniform(const Sample& shape, Index batch) {
        return Var<S, Sample>(detail::make_noise<S, false>(arena(), tape_->pass(), this->next_noise_site(), shape, batch),
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

    template <class V>
    static auto value_of(const V& value) {
        if constexpr (detail::is_list<V>) {
            return detail::ListValues(value);
        } else {
            return value.value();
        }
    }
    template <class V>
    static bool needs_gradient(const V& value) {
        if constexpr (detail::is_list<V>) {
            for (Index i = 0; i < value.size(); ++i) {
                if (value[i].gradient() != nullptr) return true;
            }
            return false;
        } else {
            return value.gradient() != nullptr;
        }
    }
    template <class V>
    static auto node_input(const V& value) {
        if constexpr (detail::is_list<V>) {
            return value;
        } else {
            return value.erased();
        }
    }

    template <class Rule, class Shapes, class Results, class... V>
    Gradient<S>* push_node(const Rule& rule, const Shapes&, const Results& results, S* saved, const V&... values) {
        using Node = typename detail::NodeFor<S, Rule, Shapes, V...>::type;
        auto* node = new (arena().template allocate<Node>(1))
            Node{{nullptr, &Node::run},
                 rule,
                 detail::transform(results, [](const auto& result) { return result.erased(); }),
                 {node_input(values)...},
                 {},
                 saved};
        std::size_t i = 0;
        std::apply(
            [&](const auto&... result) {
                ((node->gradients[i++].data = arena().template allocate<S>(result.size())), ...);
            },
            results);
        tape_->push(node);
        return node->gradients;
    }

    template <class Shapes, class Results, std::size_t... I>
    static auto wrap(const Shapes&, const Results& results, Gradient<S>* gradients, std::index_sequence<I...>) {
        return detail::unwrap(
            std::tuple(Var<S, std::tuple_element_t<I, Shapes>>(std::get<I>(results),
                                                               gradients != nullptr ? gradients + I : nullptr)...));
    }

    template <class Results>
    void check(const Results& results) {
        auto& watch = *tape_->watch;
        std::apply(
            [&](const auto&... result) {
                if (!watch.found && !(result.matrix().allFinite() && ...)) {
                    watch.found = true;
                    const char* text = watch.path.text();
                    for (std::size_t i = 0; i + 1 < sizeof watch.where && text[i] != '\0'; ++i) {
                        watch.where[i] = text[i];
                    }
                }
            },
            results);
    }

    Tape<S>* tape_;
};

}  // namespace untoward
