// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>
#include <type_traits>

#include "../core/elementwise.hpp"

// The rule contract. A rule is one differentiable operation: a small trivially copyable and destructible
// value whose data members are its attributes. Nothing else in the library knows how to differentiate
// anything, and a rule written outside it has equal rights. It has
//
//     shape(shapes...)               constexpr: the sample shape of the output, or a std::tuple of them for
//                                    several; requirements on extents are stated here, once
//     forward(y, x...)               writes every element of y
//     backward(dy, y, x..., dx...)   adds to the sinks dx the gradient for each input
//
// y, x and dy are `Tensor`s; with several outputs y and dy are std::tuples of them. dy may be overwritten. A
// sink whose input needs no gradient is false, and ignores what is added to it. backward is not called where
// nobody used an output; an unused one of several has a dy of zeros. And it may have
//
//     batch(batches...)              the batch of the outputs; by default the inputs', which are equal or one
//     saved(batch, shapes...)        a number of scalars shared by forward and backward, which then receive a
//                                    pointer to them as their first argument
//     scratch(batch, shapes...)      beside saved: the scalars that forward needs where no backward follows,
//                                    as in scoring; its second argument then says which of the two it has:
//                                    true for those of saved. It writes the same bits in both cases
//     view(x), using IsView = void   in place of forward: the output is a view of the one input
//     multiply_adds(shapes...)       per sample, for `count`
//
// A run-time list of inputs of one shape is a single argument: `Repeated<Shape>` in shape(), and something
// with `operator[](Index)` and `size()` elsewhere.
//
//     struct Cube {
//         constexpr auto shape(auto x) const { return x; }
//         void forward(auto y, auto x) const {
//             assign(y, [](auto a) { return a * a * a; }, x);
//         }
//         void backward(auto dy, auto, auto x, auto dx) const {
//             dx.add([](auto d, auto a) { return d * 3 * a * a; }, dy, x);
//         }
//     };
//     auto y = scope.apply(Cube{}, x);

namespace untoward UNTOWARD_SETTING {

/// The gradient of one value: where it is, and whether anything was written to it yet (nothing is zeroed).
template <class S>
struct Gradient {
    S* data = nullptr;
    bool written = false;
};

/// Where a rule's backward puts the gradient for one input: the first write assigns, later ones add.
template <class S, class Sample>
class Sink {
public:
    Sink(Gradient<S>* slot, const Sample& shape, Index batch)
        : slot_(slot), tensor_(slot ? slot->data : nullptr, shape, batch) {}

    /// Whether the input needs a gradient at all.
    explicit operator bool() const { return slot_ != nullptr; }

    /// Adds function(x...), element by element, summed over the extents in which the input was broadcast.
    template <class Function, class... X>
    void add(const Function& function, const X&... x) const {
        write([&](const auto& dx, bool accumulate) { add_reduced(dx, accumulate, function, x...); });
    }

    /// Calls write(tensor, accumulate): assign every element where not `accumulate`, add to it otherwise.
    template <class Write>
    void write(const Write& write) const {
        if (slot_ == nullptr) return;
        write(tensor_, slot_->written);
        slot_->written = true;
    }

    /// The tensor to add to, zero where nothing was written before: for rules that touch a part of it.
    Tensor<S, Sample> partial() const {
        UNTOWARD_ASSERT(slot_ != nullptr, "untoward: this input needs no gradient");
        if (!slot_->written) tensor_.flat().setZero();
        slot_->written = true;
        return tensor_;
    }

private:
    Gradient<S>* slot_;
    Tensor<S, Sample> tensor_;
};

/// Several values of one type and shape: one argument of a rule.
template <class Value>
class List {
public:
    constexpr List(const Value* values, Index size) : values_(values), size_(size) {}
    [[nodiscard]] constexpr const Value& operator[](Index i) const { return values_[i]; }
    [[nodiscard]] constexpr Index size() const { return size_; }
    [[nodiscard]] constexpr const List& erased() const { return *this; }

private:
    const Value* values_;
    Index size_;
};

/// What `shape` receives for a list.
template <class Sample>
struct Repeated {
    [[no_unique_address]] Sample shape;
    Index size;
};

namespace detail {

template <class T>
inline constexpr bool is_list = false;
template <class V>
inline constexpr bool is_list<List<V>> = true;

template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;

template <class V>
constexpr auto shape_of(const V& value) {
    if constexpr (is_list<V>) {
        return Repeated<std::remove_cvref_t<decltype(value[0].shape())>>{value[0].shape(), value.size()};
    } else {
        return value.shape();
    }
}

// Whether a rule has a shape for these inputs; where it has none, an error says so.
template <class Rule, class... Shapes>
constexpr bool require_shape_for() {
    if constexpr (requires(const Rule& rule, const Shapes&... shapes) { rule.shape(shapes...); }) {
        return true;
    } else {
        return Refuse<mistake::RuleHasNoShapeFor<Rule, Shapes...>>::value;
    }
}
template <class Rule, class... V>
inline constexpr bool has_shape_for =
    require_shape_for<Rule, std::remove_cvref_t<decltype(shape_of(std::declval<const V&>()))>...>();

// What stands for the result where an error was said: what follows compiles.
template <class V, class... Others>
constexpr auto stand_in(const V& first, const Others&...) {
    if constexpr (is_list<V>) {
        return first[0];
    } else {
        return first;
    }
}

// In functions of their own, whose arguments do not depend on the reader: each error is said once.
template <class Rule, bool HasForward>
constexpr void require_forward() {
    static_assert(HasForward, "untoward: a rule has forward(y, x...) const, or view(x) with IsView");
}
template <class Rule, bool HasBackward>
constexpr void require_backward() {
    static_assert(HasBackward, "untoward: a rule has backward(dy, y, x..., dx...) const");
}

template <class V>
constexpr Index batch_of(const V& value) {
    if constexpr (is_list<V>) {
        return value[0].batch();
    } else {
        return value.batch();
    }
}

template <class Rule, class... V>
constexpr Index batch_of_output(const Rule& rule, const V&... values) {
    if constexpr (requires { rule.batch(batch_of(values)...); }) {
        return rule.batch(batch_of(values)...);
    } else {
        Index batch = 1;
        ((batch = broadcast_extent(batch, batch_of(values))), ...);
        return batch;
    }
}

// function(value), or the tuple of function(element) in order: rules have one output or a tuple of them.
template <class Values, class Function>
constexpr auto transform(const Values& values, const Function& function) {
    if constexpr (is_tuple<Values>) {
        return std::apply(
            [&](const auto&... element) {
                return std::tuple<decltype(function(element))...>{function(element)...};
            },
            values);
    } else {
        return function(values);
    }
}

// function(value, other), or that of the elements of two tuples.
template <class Values, class Others, class Function>
constexpr auto transform(const Values& values, const Others& others, const Function& function) {
    if constexpr (is_tuple<Values>) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple<decltype(function(std::get<I>(values), std::get<I>(others)))...>{
                function(std::get<I>(values), std::get<I>(others))...};
        }
        (std::make_index_sequence<std::tuple_size_v<Values>>{});
    } else {
        return function(values, others);
    }
}

template <class Values>
inline constexpr std::size_t count_of = 1;
template <class... T>
inline constexpr std::size_t count_of<std::tuple<T...>> = sizeof...(T);

template <class Rule, class... V>
inline constexpr bool saves = requires(const Rule& rule, Index batch, const V&... values) {
    rule.saved(batch, shape_of(values)...);
};

// Whether forward needs less where nothing is saved.
template <class Rule, class... V>
inline constexpr bool has_scratch = requires(const Rule& rule, Index batch, const V&... values) {
    rule.scratch(batch, shape_of(values)...);
};

template <class Rule>
inline constexpr bool is_view = requires {
    typename Rule::IsView;
};

}  // namespace detail

}  // namespace untoward
