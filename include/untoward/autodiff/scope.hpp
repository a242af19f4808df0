// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "../core/random.hpp"
#include "name.hpp"
#include "rule.hpp"

// A model is written once, as a templated call operator over a scope and values; readers are scope types that
// decide what a parameter and a value are. The statements of a scope:
//
//     s.parameter(name, shape, initialiser[, attributes])
//                              a trainable tensor, asked for before it is used
//     s.child(name, layer, shapes...)
//                              binds a layer at this place of the layout, for inputs of these shapes, and
//                              returns a callable; calling it again uses the same parameters
//     s.call(name, layer, values...)
//                              binds and calls once
//     s.apply(rule, values...) one differentiable operation
//     s.repeat(steps, state, body)
//                              state = body(s, step, state), `steps` times, at least once; every step has the
//                              same parameters. A state is one value or a std::tuple of values of which the
//                              first is the output; body returns one of the same type, and nothing else that
//                              a step computed outlives it. Gives `.last`, the last state, and `.all`, every
//                              output (Vec<N>) as a sequence
//     s.normal(shape, batch), s.uniform(shape, batch)
//                              noise: one column per sample, or a single one for all where the pass has no
//                              sample ids, as in scoring
//     s.constant(shape, batch, value)
//     s.training()             whether dropout and the like are on
//     s.freeze()               from here on, in this layer and its children, nothing is trainable
//
// Order is meaning: parameters lie in the order in which they are asked for, so two calls on a scope never
// share one full expression (C++ leaves the order of function arguments open).
//
// A layer is a plain struct whose operator()(scope, x...) const makes such statements. A value x has a
// `shape()`, that of one sample, and a `batch()`; its type has `X::SampleShape`, where an extent is a number
// or Dynamic (core/shape.hpp). A layer hands extents on in the type and as numbers, as below, and then is one
// for sizes known to the compiler and for sizes known at run time. The operations are functions of the scope
// and of values, in autodiff/rules/: add, multiply and their like in arithmetic.hpp, exp, clamp, map in
// elementwise.hpp, affine in affine.hpp, sums and means in reduce.hpp, and so on. They broadcast: an extent
// may be one. What parameters are at first is in autodiff/initialiser.hpp and nn/initialisers.hpp. A complete
// layer:
//
//     template <class Layer>
//     struct ScaledResidual {                  // x + factor * layer(x) (Touvron et al. 2021, "LayerScale")
//         [[no_unique_address]] Layer layer{};
//         double first = 0.1;                  // what every factor is at first
//
//         static constexpr const char* name = "scaled-residual";           // core/options.hpp
//         static constexpr void options(auto& self, auto&& visit) {
//             visit("layer", self.layer);
//             visit("first", self.first);
//         }
//
//         template <class Scope, class X>
//         constexpr auto operator()(Scope& scope, const X& x) const {
//             constexpr Index C = X::SampleShape::template static_extent<0>;
//             const Vec<C> channels(x.shape().channels());
//             const auto y = scope.call("layer", layer, x);
//             const auto factor = scope.parameter("factor", channels, Constant{first});
//             const auto scaled = multiply(scope, factor, y);
//             return add(scope, x, scaled);
//         }
//     };
//     Encoder<Dense<32, Relu>, ScaledResidual<Dense<32, Relu>>>
//
// check_gradient (autodiff/gradient_check.hpp) tells whether its gradient is right.
// tests/extension/highway.hpp is another layer, with its tests.

namespace untoward UNTOWARD_SETTING {

/// A place in the layout: how many scalars, and how many tensors, come before it.
struct Cursor {
    Index scalars = 0;
    Index tensors = 0;

    constexpr Cursor operator+(const Cursor& other) const {
        return {scalars + other.scalars, tensors + other.tensors};
    }
    constexpr bool operator==(const Cursor&) const = default;
};

/// What is to be done with a parameter besides computing with it.
struct Attributes {
    bool trainable = true;  ///< has a gradient, and the optimiser changes it
    bool decay = true;      ///< weight decay applies (not to biases and log-variances)
    /// A running average, like batch norm's, in place of a trainable tensor: what backward writes for it is
    /// its difference from the batch's value, and training subtracts a share of that.
    bool statistic = false;
};

/// What a layer asks for in order to keep a running average.
inline constexpr Attributes running_average{.trainable = false, .decay = false, .statistic = true};

/// What one pass over a batch is for; noise depends on nothing else than this, the place in the model, and
/// the element.
struct Pass {
    bool training = false;
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;                 ///< the pass over the data, or the number of a Monte Carlo draw
    const std::uint32_t* samples = nullptr;  ///< ids of the batch's samples; null: all meet the same draws
};

namespace detail {

constexpr std::uint64_t combine(std::uint64_t seed, std::uint64_t value) {
    return mix64(seed * 0x9e3779b97f4a7c15u + value);
}

// A whole path like "decoder.1.weight", for people.
class Path {
public:
    constexpr std::size_t push(const Name& name) {
        const std::size_t before = size_;
        if (size_ > 0 && size_ < capacity) text_[size_++] = '.';
        size_ += name.write(text_ + size_, capacity - size_);
        text_[size_] = '\0';
        return before;
    }
    constexpr void pop(std::size_t before) {
        size_ = before;
        text_[size_] = '\0';
    }
    [[nodiscard]] constexpr const char* text() const { return text_; }

private:
    static constexpr std::size_t capacity = 255;
    char text_[capacity + 1] = {};
    std::size_t size_ = 0;
};

}  // namespace detail

namespace detail {

template <class Layer, bool IsLayer>
constexpr void require_layer() {
    static_assert(IsLayer, "untoward: a layer has operator()(scope, x...) const, which returns its output");
}

// An activation among layers.
template <class Layer, bool IsActivation>
constexpr void require_no_activation() {
    static_assert(!IsActivation,
                  "untoward: an activation is part of a layer, as in Dense<16, Relu>, and none itself");
}

// layer(scope, x...); where it is no layer, one error says so.
template <class Layer, class Scope, class... V>
constexpr auto call_layer(const Layer& layer, Scope& scope, const V&... values) {
    constexpr bool is_layer = requires {
        requires !std::is_void_v<decltype(layer(scope, values...))>;
    };
    constexpr bool is_activation = !is_layer && requires {
        layer.value(0.0F);
    };
    require_no_activation<Layer, is_activation>();
    require_layer<Layer, is_layer || is_activation>();
    if constexpr (is_layer) {
        return layer(scope, values...);
    } else {
        return stand_in(values...);
    }
}

// The input of a layer over time; where it is none, one error says so and a sequence stands for it.
template <class Layer, class Scope, class X>
constexpr decltype(auto) require_sequence(Scope& scope, const X& x) {
    using Sample = typename X::SampleShape;
    if constexpr (Sample::rank == 2) {
        static_cast<void>(scope);
        return (x);
    } else {
        static_cast<void>(Refuse<mistake::InputIsNoSequence<Layer, Sample>>::value);
        constexpr Index C = Sample::template static_extent<0>;
        return scope.constant(Seq<C, Dynamic>(x.shape().channels(), x.shape().positions()), x.batch(), 0);
    }
}

}  // namespace detail

template <class... Shapes, class Layer>
constexpr Cursor measure(const Layer& layer, const Shapes&... shapes);

/// A layer bound to its place in the layout; see `child`.
template <class Scope, class Layer>
class Bound {
public:
    constexpr Bound(Scope& scope, const Layer& layer, const Name& name, const Cursor& place)
        : scope_(&scope), layer_(layer), name_(name), place_(place) {}

    template <class... V>
    constexpr auto operator()(const V&... values) {
        return scope_->enter_layer(layer_, name_, place_, calls_++, nullptr, values...);
    }

private:
    Scope* scope_;
    [[no_unique_address]] Layer layer_;
    Name name_;
    Cursor place_;
    std::uint64_t calls_ = 0;
};

/// What all readers share: the cursor, the binding of children, and where noise comes from.
template <class Derived>
class Scope {
public:
    using IsScope = void;

    /// Binds `layer` here. Its parameters' place is fixed now, for inputs of these shapes, whatever is called
    /// in which order, or not at all. Asking twice for one name is an assertion, made by `describe`.
    template <class Layer, class... Shapes>
    constexpr auto child(const Name& name, const Layer& layer, const Shapes&... shapes) {
        self().claim(name);
        const Cursor place = cursor_;
        self().bind(name, layer, shapes...);
        return Bound<Derived, Layer>(self(), layer, name, place);
    }

    /// Binds `layer` here and calls it once.
    template <class Layer, class... V>
    constexpr auto call(const Name& name, const Layer& layer, const V&... values) {
        self().claim(name);
        return enter_layer(layer, name, cursor_, 0, &cursor_, values...);
    }

    [[nodiscard]] constexpr const Cursor& cursor() const { return cursor_; }

    /// Parameters that this layer and its children ask for from here on stay as they are in training.
    constexpr void freeze() { frozen_ = true; }

    // For Bound and call(). `end`, where not null, receives the place after the layer's last parameter; where
    // it is null the layer was bound before.
    template <class Layer, class... V>
    constexpr auto enter_layer(const Layer& layer, const Name& name, const Cursor& place, std::uint64_t call,
                               Cursor* end, const V&... values) {
        Derived inner = self();
        Scope& base = inner;
        base.cursor_ = place;
        base.path_ = detail::combine(path_, name.hash());
        base.noise_site_ = detail::combine(detail::combine(noise_site_, name.hash()), call);
        base.noise_calls_ = 0;
        base.bound_ = bound_ || end == nullptr;
        const auto mark = inner.enter(name, layer, values...);
        auto result = detail::call_layer(layer, inner, values...);
        inner.leave(mark, layer, result);
        if (end != nullptr) *end = inner.cursor_;
        return result;
    }

protected:
    constexpr void claim(const Name&) {}

    template <class Layer, class... Shapes>
    constexpr void bind(const Name&, const Layer& layer, const Shapes&... shapes) {
        cursor_ = cursor_ + measure(layer, shapes...);
    }

    constexpr Cursor advance(Index scalars) {
        const Cursor place = cursor_;
        cursor_.scalars += scalars;
        ++cursor_.tensors;
        return place;
    }
    // For `repeat`: every step asks for the same parameters and meets noise of its own.
    struct Loop {
        Cursor parameters;
        std::uint64_t outer_site;
        std::uint64_t outer_calls;
        std::uint64_t site;
    };
    constexpr Loop begin_loop(Index steps) {
        UNTOWARD_ASSERT(steps >= 1, "untoward: a loop has at least one step");
        static_cast<void>(steps);
        const std::uint64_t site = next_noise_site();
        return {cursor_, noise_site_, noise_calls_, site};
    }
    template <class State, class Body>
    constexpr State step(const Loop& loop, Index t, const State& state, const Body& body) {
        cursor_ = loop.parameters;
        noise_site_ = detail::combine(loop.site, static_cast<std::uint64_t>(t));
        noise_calls_ = 0;
        return body(self(), t, state);
    }
    constexpr void end_loop(const Loop& loop) {
        noise_site_ = loop.outer_site;
        noise_calls_ = loop.outer_calls;
    }

    /// A site of its own for every noise request of this call of this layer.
    constexpr std::uint64_t next_noise_site() { return detail::combine(noise_site_, ++noise_calls_); }
    /// The hash of the path of a parameter, the same in every call of its layer.
    [[nodiscard]] constexpr std::uint64_t path_hash(const Name& name) const {
        return detail::combine(path_, name.hash());
    }
    /// Whether this is a call of a layer whose parameters were met when it was bound.
    [[nodiscard]] constexpr bool bound() const { return bound_; }
    constexpr Cursor& mutable_cursor() { return cursor_; }
    /// What holds of a parameter here: a frozen layer's is neither trainable nor a running average.
    [[nodiscard]] constexpr Attributes effective(const Attributes& asked) const {
        return frozen_ ? Attributes{.trainable = false, .decay = false} : asked;
    }

private:
    friend Derived;
    constexpr Derived& self() { return static_cast<Derived&>(*this); }

    Cursor cursor_{};
    std::uint64_t path_ = 0;
    std::uint64_t noise_site_ = 0;
    std::uint64_t noise_calls_ = 0;
    bool bound_ = false;
    bool frozen_ = false;
};

namespace detail {

// The last value of a loop's state, and all of them as one sequence.
template <class State, class All>
struct Unrolled {
    State last;
    All all;
};

// The element of a loop's state that is stacked: the state itself, or the first of a tuple.
template <class State>
constexpr const auto& output_of_state(const State& state) {
    if constexpr (is_tuple<State>) {
        return std::get<0>(state);
    } else {
        return state;
    }
}

}  // namespace detail

/// Stacks T values of shape Vec<N> to a Seq<N, T>: what `repeat` returns of every step.
struct Stack {
    template <Index N>
    constexpr auto shape(const Repeated<Vec<N>>& steps) const {
        return Seq<N, Dynamic>(steps.shape.size(), steps.size);
    }
    void forward(auto y, const auto& x) const {
        const Index n = y.shape().channels();
        for (Index t = 0; t < x.size(); ++t) {
            const auto step = x[t];
            for (Index j = 0; j < y.batch(); ++j) {
                std::copy_n(step.column(detail::broadcast_column(step, j)).data(), n, &y(t * n, j));
            }
        }
    }
    void backward(auto dy, auto, const auto& x, const auto& dx) const {
        const Index n = dy.shape().channels();
        for (Index t = 0; t < x.size(); ++t) {
            dx[t].add([](auto d) { return d; },
                      Tensor(dy.data() + t * n, Shape<Dynamic>(n), dy.batch(), dy.stride()));
        }
    }
};

namespace detail {

template <class Output>
constexpr auto stacked_shape(const Output& output, Index steps) {
    return Stack{}.shape(Repeated<std::remove_cvref_t<decltype(output.shape())>>{output.shape(), steps});
}

}  // namespace detail

}  // namespace untoward
