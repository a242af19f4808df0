// SPDX-License-Identifier: MIT
#pragma once

#include "scope.hpp"

namespace untoward UNTOWARD_SETTING {

/// A value without numbers: a shape, and what `Count` follows of it.
template <class Sample>
class Symbol {
public:
    using SampleShape = Sample;
    static constexpr std::size_t outside = ~std::size_t{0};

    constexpr Symbol(const Sample& shape, Index batch, std::size_t address = outside,
                     bool needs_gradient = false)
        : shape_(shape), batch_(batch), address_(address), needs_gradient_(needs_gradient) {}

    [[nodiscard]] constexpr const Sample& shape() const { return shape_; }
    [[nodiscard]] constexpr Index batch() const { return batch_; }
    /// Where in the arena, or `outside` of it.
    [[nodiscard]] constexpr std::size_t address() const { return address_; }
    [[nodiscard]] constexpr bool needs_gradient() const { return needs_gradient_; }

    constexpr void move_to(std::size_t address) { address_ = address; }

private:
    [[no_unique_address]] Sample shape_;
    Index batch_;
    std::size_t address_;
    bool needs_gradient_;
};

namespace detail {

template <class T>
inline constexpr bool is_symbol = false;
template <class S>
inline constexpr bool is_symbol<Symbol<S>> = true;

// A list of symbols is one symbol and a number.
template <class Sample>
class SymbolList {
public:
    constexpr SymbolList(const Symbol<Sample>& symbol, Index size) : symbol_(symbol), size_(size) {}
    [[nodiscard]] constexpr const Symbol<Sample>& operator[](Index) const { return symbol_; }
    [[nodiscard]] constexpr Index size() const { return size_; }

private:
    Symbol<Sample> symbol_;
    Index size_;
};
template <class Sample>
inline constexpr bool is_list<SymbolList<Sample>> = true;

}  // namespace detail

/// The base of readers that look at shapes only. A derived reader says what a parameter means to it with
/// `on_parameter(name, shape, initialiser, attributes, place)`, called once for each in layout order.
template <class Derived>
class SymbolicScope : public Scope<Derived> {
public:
    template <class Sample, class Initialiser>
    constexpr auto parameter(const Name& name, const Sample& shape, const Initialiser& initialiser,
                             const Attributes& attributes = {}) {
        self().claim(name);
        const Cursor place = this->advance(shape.size());
        if (!this->bound()) {
            self().on_parameter(name, shape, initialiser, this->effective(attributes), place);
        }
        return Symbol<Sample>(shape, 1);
    }
    template <class Rule, class... V>
    constexpr auto apply(const Rule& rule, const V&... values) {
        if constexpr (detail::has_shape_for<Rule, V...>) {
            const Index batch = detail::batch_of_output(rule, values...);
            return detail::transform(rule.shape(detail::shape_of(values)...),
                                     [&](const auto& shape) { return Symbol(shape, batch); });
        } else {
            return detail::stand_in(values...);
        }
    }
    template <class State, class Body>
    constexpr auto repeat(Index steps, const State& state, const Body& body) {
        const auto loop = this->begin_loop(steps);
        const State last = this->step(loop, 0, state, body);
        this->end_loop(loop);
        const auto& output = detail::output_of_state(last);
        const auto all = Symbol(detail::stacked_shape(output, steps), output.batch());
        return detail::Unrolled<State, std::remove_const_t<decltype(all)>>{last, all};
    }
    template <class Sample>
    constexpr auto constant(const Sample& shape, Index batch, double) {
        return Symbol<Sample>(shape, batch);
    }
    template <class Sample>
    constexpr auto normal(const Sample& shape, Index batch) {
        return Symbol<Sample>(shape, batch);
    }
    template <class Sample>
    constexpr auto uniform(const Sample& shape, Index batch) {
        return Symbol<Sample>(shape, batch);
    }
    [[nodiscard]] constexpr bool training() const { return true; }

    // A bound layer is visited here and now: it has its place in the layout even if nobody calls it.
    template <class Layer, class... Shapes>
    constexpr void bind(const Name& name, const Layer& layer, const Shapes&... shapes) {
        static_cast<void>(this->enter_layer(layer, name, this->cursor(), 0, &this->mutable_cursor(),
                                            Symbol<Shapes>(shapes, 1)...));
    }

    template <class Layer, class... V>
    constexpr int enter(const Name&, const Layer&, const V&...) {
        return 0;
    }
    template <class Layer, class Result>
    constexpr void leave(int, const Layer&, const Result&) {}

private:
    constexpr Derived& self() { return static_cast<Derived&>(*this); }
};

}  // namespace untoward
