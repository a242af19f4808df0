// SPDX-License-Identifier: MIT
#pragma once

#include <new>

#include "../core/arena.hpp"
#include "scope.hpp"

namespace untoward UNTOWARD_SETTING {

/// A value on a tape: the numbers, and where their gradient goes (null: it needs none).
template <class S, class Sample>
class Var {
public:
    using SampleShape = Sample;

    constexpr Var(const Tensor<const S, Sample>& value, Gradient<S>* gradient)
        : value_(value), gradient_(gradient) {}

    [[nodiscard]] constexpr const Sample& shape() const { return value_.shape(); }
    [[nodiscard]] constexpr Index batch() const { return value_.batch(); }
    [[nodiscard]] constexpr const Tensor<const S, Sample>& value() const { return value_; }
    [[nodiscard]] constexpr Gradient<S>* gradient() const { return gradient_; }
    /// The one number of a loss.
    [[nodiscard]] S scalar() const {
        UNTOWARD_ASSERT(value_.size() == 1, "untoward: this value has more than one element");
        return *value_.data();
    }
    [[nodiscard]] constexpr auto erased() const {
        const auto value = value_.erased();
        return Var<S, std::remove_cvref_t<decltype(value.shape())>>(value, gradient_);
    }

private:
    Tensor<const S, Sample> value_;
    Gradient<S>* gradient_;
};

namespace detail {

// What a node keeps of an input, whatever reader's value it is computed from.
template <class S, class Value>
struct NodeInputOf {
    using type = Var<S, ErasedShape<typename Value::SampleShape>>;
};
template <class S, class Value>
requires is_list<Value>
struct NodeInputOf<S, Value> {
    using type = List<
        Var<S, ErasedShape<typename std::remove_cvref_t<decltype(std::declval<Value>()[0])>::SampleShape>>>;
};

// A list of recorded values as rules see it: their numbers, and their sinks.
template <class Value>
class ListValues {
public:
    explicit ListValues(const List<Value>& list) : list_(list) {}
    [[nodiscard]] const auto& operator[](Index i) const { return list_[i].value(); }
    [[nodiscard]] Index size() const { return list_.size(); }

private:
    List<Value> list_;
};
template <class Value>
inline constexpr bool is_list<ListValues<Value>> = true;

template <class Value>
class ListSinks {
public:
    explicit ListSinks(const List<Value>& list) : list_(list) {}
    [[nodiscard]] auto operator[](Index i) const {
        return Sink(list_[i].gradient(), list_[i].shape(), list_[i].batch());
    }
    [[nodiscard]] Index size() const { return list_.size(); }

private:
    List<Value> list_;
};

template <class Input>
auto value_of(const Input& input) {
    if constexpr (is_list<Input>) {
        return ListValues(input);
    } else {
        return input.value();
    }
}
template <class Input>
auto sink_of(const Input& input) {
    if constexpr (is_list<Input>) {
        return ListSinks(input);
    } else {
        return Sink(input.gradient(), input.shape(), input.batch());
    }
}

struct NodeBase {
    NodeBase* previous;
    void (*backward)(NodeBase&);
};

// One rule applied: named, so that `Count` can promise its size, and trivially destructible, since nobody
// destroys it. Outputs is a Tensor or a tuple of them; everything is erased.
template <class S, class Rule, class Outputs, class... Inputs>
struct Node : NodeBase {
    static_assert(std::is_trivially_copyable_v<Rule> && std::is_trivially_destructible_v<Rule>,
                  "untoward: a rule is a small trivial value: nothing destroys it");

    Rule rule;
    Outputs outputs;
    std::tuple<Inputs...> inputs;
    Gradient<S> gradients[count_of<Outputs>];
    S* saved;

    static void run(NodeBase& base) {
        Node& node = static_cast<Node&>(base);
        bool used = false;
        for (const auto& gradient : node.gradients) used = used || gradient.written;
        if (!used) return;
        const Gradient<S>* next = node.gradients;
        const auto upstream = transform(node.outputs, [&](const auto& output) {
            const Tensor dy(next->data, output.shape(), output.batch());
            if (!next->written) dy.flat().setZero();
            ++next;
            return dy;
        });
        std::apply(
            [&](const auto&... input) {
                if constexpr (saves<Rule, Inputs...>) {
                    node.rule.backward(node.saved, upstream, node.outputs, value_of(input)...,
                                       sink_of(input)...);
                } else {
                    constexpr bool has_backward = requires {
                        node.rule.backward(upstream, node.outputs, value_of(input)..., sink_of(input)...);
                    };
                    require_backward<Rule, has_backward>();
                    if constexpr (has_backward) {
                        node.rule.backward(upstream, node.outputs, value_of(input)..., sink_of(input)...);
                    }
                }
            },
            node.inputs);
    }
};

// The node for a rule, its output shapes and its inputs as any reader has them.
template <class S, class Shape>
struct NodeOutputsOf {
    using type = Tensor<S, ErasedShape<Shape>>;
};
template <class S, class... Shapes>
struct NodeOutputsOf<S, std::tuple<Shapes...>> {
    using type = std::tuple<Tensor<S, ErasedShape<Shapes>>...>;
};
template <class S, class Rule, class Shapes, class... Values>
using NodeFor =
    Node<S, Rule, typename NodeOutputsOf<S, Shapes>::type, typename NodeInputOf<S, Values>::type...>;

// Names the layer in which a number first was not finite; only in the second run over a failed step.
struct Watch {
    Path path;
    bool found = false;
    char where[256] = {};
};

}  // namespace detail

/// One recorded pass: an intrusive list of nodes in an arena, and the gradient of every parameter.
template <class S>
class Tape {
public:
    /// `gradient` has room for `size.scalars` scalars; it is written by backward(), all of it.
    Tape(Arena& arena, const S* parameters, S* gradient, const Cursor& size, const Pass& pass)
        : arena_(&arena), parameters_(parameters), gradient_(gradient), size_(size), pass_(pass),
          slots_(arena.allocate<Slot>(size.tensors)) {
        for (Index i = 0; i < size.tensors; ++i) new (slots_ + i) Slot{};
    }

    /// The bytes that a tape itself takes from its arena.
    static constexpr std::size_t bytes(Index tensors) {
        return align_up(static_cast<std::size_t>(tensors) * sizeof(Slot));
    }

    [[nodiscard]] Arena& arena() const { return *arena_; }
    [[nodiscard]] const S* parameters() const { return parameters_; }
    [[nodiscard]] const Pass& pass() const { return pass_; }

    /// The gradient of the parameter at `place`.
    Gradient<S>* parameter_gradient(const Cursor& place, Index size) {
        UNTOWARD_ASSERT(place.tensors < size_.tensors && place.scalars + size <= size_.scalars,
                        "untoward: the parameters do not belong to this model");
        Slot& slot = slots_[place.tensors];
        if (slot.size == 0) {
            slot = Slot{{gradient_ + place.scalars, false}, size};
            requested_ += size;
        }
        return &slot.gradient;
    }

    void push(detail::NodeBase* node) {
        node->previous = last_;
        last_ = node;
    }

    /// Goes back from a loss of one element, once; afterwards the gradient of every parameter is in place:
    /// zero where the loss does not depend on it, where nobody asked for it, or where it is not trainable.
    template <class Sample>
    void backward(const Var<S, Sample>& loss) {
        UNTOWARD_ASSERT(loss.value().size() == 1, "untoward: a loss has one element");
        UNTOWARD_ASSERT(!done_, "untoward: a tape goes back once");
        done_ = true;
        const bool all_requested = requested_ == size_.scalars;
        if (!all_requested && size_.scalars > 0) {
            Eigen::Map<Eigen::Array<S, Dynamic, 1>>(gradient_, size_.scalars).setZero();
        }
        if (loss.gradient() != nullptr) {
            *loss.gradient()->data = S(1);
            loss.gradient()->written = true;
            for (detail::NodeBase* node = last_; node != nullptr; node = node->previous)
                node->backward(*node);
        }
        for (Index i = 0; i < size_.tensors && all_requested; ++i) {
            if (!slots_[i].gradient.written) {
                Eigen::Map<Eigen::Array<S, Dynamic, 1>>(slots_[i].gradient.data, slots_[i].size).setZero();
            }
        }
    }

    /// After backward(), the gradient of a `Record::variable`: zero where the loss does not depend on it.
    template <class Sample>
    Tensor<const S, Sample> gradient_of(const Var<S, Sample>& variable) const {
        UNTOWARD_ASSERT(done_ && variable.gradient() != nullptr, "untoward: this value has no gradient");
        const Tensor<S, Sample> gradient(variable.gradient()->data, variable.shape(), variable.batch());
        if (!variable.gradient()->written) gradient.flat().setZero();
        return gradient;
    }

    detail::Watch* watch = nullptr;

private:
    struct Slot {
        Gradient<S> gradient{};
        Index size = 0;
    };

    Arena* arena_;
    const S* parameters_;
    S* gradient_;
    Cursor size_;
    Pass pass_;
    Slot* slots_;
    Index requested_ = 0;
    detail::NodeBase* last_ = nullptr;
    bool done_ = false;
};

}  // namespace untoward
