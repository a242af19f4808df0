// SPDX-License-Identifier: MIT
// Layers and rules of a user's own that lack a member, or whose sizes do not fit: one error, although every
// reader meets them.
#include "untoward/autodiff/gradient_check.hpp"
#include "untoward/autodiff/rules/affine.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/residual.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;

#ifndef CASE
#define CASE 0
#endif

/// All readers: counts, describes, initialises, runs, records and goes back.
template <class Layer, class... Shapes>
void use() {
    check_gradient(Layer{}, {}, Shapes{}...);
}

/// Everything that a rule has.
struct Double {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return a + a; }, x);
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.add([](auto d) { return d + d; }, dy);
    }
};

template <class Rule>
struct Apply {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto y = scope.apply(Rule{}, x);
        return add(scope, x, y);
    }
};

template <Index In>
struct Weigh {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto weight = scope.parameter("weight", Shape<In, 3>{}, UniformFanIn{In});
        const auto bias = scope.parameter("bias", Vec<3>{}, Constant{0});
        return affine(scope, x, weight, bias);
    }
};

template <Index Count>
struct AddPart {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto part = slice(scope, x, 0, Vec<Count>{});
        return add(scope, x, part);
    }
};

#if CASE == 0
template void use<Chain<Apply<Double>, Weigh<4>, Dense<3, Tanh>, AddPart<1>>, Vec<4>>();
#endif

// A weight for 5 numbers meets 4.
#if CASE == 1  // expect-regex: SizesDiffer<AffineRule<(Identity)?>, Expected<5>, Found<4>>
template void use<Weigh<5>, Vec<4>>();
#endif

// 4 numbers plus 3.
#if CASE == 2  // expect: SizesDoNotBroadcast<Add, Shape<4>, Shape<3>>
template void use<AddPart<3>, Vec<4>>();
#endif

// A Residual around a layer that changes the size.
#if CASE == 3  // expect: SizesDiffer<Residual<Dense<3>>, Expected<4>, Found<3>>
template void use<Chain<Residual<Dense<3>>, Dense<2>>, Vec<4>>();
#endif

// A GRU over a vector.
#if CASE == 4  // expect: InputIsNoSequence<Gru<8>, Shape<4>>
template void use<Chain<Gru<8>, LastStep, Dense<2>>, Vec<4>>();
#endif

// A convolution over a vector.
#if CASE == 5  // expect-regex: InputIsNoSequence<Convolution1d<8, 3(, 1, 0, 1)?>, Shape<4>>
template void use<Chain<Convolution1d<8, 3>, Flatten>, Vec<4>>();
#endif

// A transposed convolution over a vector.
#if CASE == 6  // expect-regex: InputIsNoSequence<TransposedConvolution1d<8, 4, 2, 1(, 0, 1)?>, Shape<4>>
template void use<TransposedConvolution1d<8, 4, 2, 1>, Vec<4>>();
#endif

struct Options {
    double rate = 0.5;
};

// A layer without a call operator.
#if CASE == 7  // expect: untoward: a layer has operator()(scope, x...) const, which returns its output
template void use<Chain<Dense<3>, Options, Dense<2>>, Vec<4>>();
#endif

struct Forgets {
    template <class Scope, class X>
    constexpr void operator()(Scope& scope, const X& x) const {
        static_cast<void>(scope.apply(Double{}, x));
    }
};

// A layer that returns nothing.
#if CASE == 8  // expect: untoward: a layer has operator()(scope, x...) const, which returns its output
template void use<Chain<Dense<3>, Forgets>, Vec<4>>();
#endif

struct Changes {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) {
        return scope.apply(Double{}, x);
    }
};

// A layer whose call operator is not const.
#if CASE == 9  // expect: untoward: a layer has operator()(scope, x...) const, which returns its output
template void use<Chain<Dense<3>, Changes>, Vec<4>>();
#endif

struct NoShape {
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return a + a; }, x);
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.add([](auto d) { return d + d; }, dy);
    }
};

// A rule without a shape.
#if CASE == 10  // expect: RuleHasNoShapeFor<NoShape, Shape<4>>
template void use<Apply<NoShape>, Vec<4>>();
#endif

struct NoForward {
    constexpr auto shape(const auto& x) const { return x; }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.add([](auto d) { return d + d; }, dy);
    }
};

// A rule without forward.
#if CASE == 11  // expect: untoward: a rule has forward(y, x...) const, or view(x) with IsView
template void use<Apply<NoForward>, Vec<4>>();
#endif

struct NoBackward {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return a + a; }, x);
    }
};

// A rule without backward.
#if CASE == 12  // expect: untoward: a rule has backward(dy, y, x..., dx...) const
template void use<Apply<NoBackward>, Vec<4>>();
#endif

/// x + 1, without the input among the arguments of backward.
struct ShortBackward {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return a + 1; }, x);
    }
    void backward(auto dy, auto, auto dx) const {
        dx.add([](auto d) { return d; }, dy);
    }
};

// A rule whose backward takes other arguments.
#if CASE == 13  // expect: untoward: a rule has backward(dy, y, x..., dx...) const
template void use<Apply<ShortBackward>, Vec<4>>();
#endif

// A slice of a sequence, where slices are of vectors.
#if CASE == 14  // expect: RuleHasNoShapeFor<Slice<2>, Shape<4, 3>>
template void use<Chain<AddPart<2>>, Seq<4, 3>>();
#endif

struct Cube {
    static auto value(auto x) { return x * x * x; }
};

// An activation without a slope.
#if CASE == 15  // expect: untoward: an activation has value(x), and slope_from_output(y) or slope(x)
template void use<Chain<Dense<3, Cube>, Dense<2>>, Vec<4>>();
#endif
