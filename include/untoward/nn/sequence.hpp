// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/layout.hpp"
#include "../autodiff/rules/rows.hpp"
#include "../autodiff/scope.hpp"

// From sequences to vectors and back, without parameters: what joins layers over time to latent units.
//
//     using Model = Vae<Seq<8, 64>, Encoder<Gru<32>, LastStep>, Latent<6>,
//                       Decoder<Repeat<64>, Gru<32>>, Gaussian>;
//     using Other = Vae<Seq<8, 64>, Encoder<Convolution1d<16, 4, 2, 1>, Flatten>, Latent<6>,
//                       Decoder<Dense<16 * 32, Relu>, ReshapeTo<Seq<16, 32>>,
//                               TransposedConvolution1d<16, 4, 2, 1>>,
//                       Gaussian>;

namespace untoward UNTOWARD_SETTING {

/// A vector at each of `steps` positions; going back, the sum over them.
template <Index Steps>
struct RepeatRule {
    [[no_unique_address]] Vec<Steps> steps;

    template <Index N>
    constexpr auto shape(const Shape<N>& x) const {
        UNTOWARD_ASSERT(steps.size() >= 1, "untoward: a sequence has at least one step");
        return Seq<N, Steps>(x.size(), steps.size());
    }
    void forward(auto y, auto x) const {
        for (Index j = 0; j < y.batch(); ++j) y.sample(j).colwise() = x.column(j).matrix();
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.write([&](const auto& to, bool accumulate) {
            for (Index j = 0; j < dy.batch(); ++j) {
                auto sum = to.column(j);
                if (!accumulate) sum.setZero();
                const auto d = dy.sample(j);
                for (Index t = 0; t < d.cols(); ++t) sum += d.col(t).array();
            }
        });
    }
};

/// A layer behind a `Repeat`, where it can do without the repetition.
template <class Repeat, class Layer>
struct RepeatedInto {
    static constexpr Index has_parameters_of = 1;
    [[no_unique_address]] Repeat repeat;
    [[no_unique_address]] Layer layer;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        if constexpr (X::SampleShape::rank == 1) {
            return layer.at_every_step(scope, repeat.steps, x);
        } else {
            return layer(scope, repeat(scope, x));
        }
    }
};

/// A vector at each of Steps time steps: `Vec<C>` to `Seq<C, Steps>`, for a decoder that starts from latent
/// units.
///
///     Repeat<64>{}           // 64 steps
///     Repeat<>{steps}        // as many as `steps`
template <Index Steps = Dynamic>
struct Repeat {
    [[no_unique_address]] Vec<Steps> steps{};

    constexpr Repeat() = default;
    constexpr explicit Repeat(Index count) requires(Steps == Dynamic) : steps(count) {}

    static constexpr const char* name = "repeat";
    static constexpr void options(auto& self, auto&& visit) { visit("steps", self.steps); }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        using Sample = typename X::SampleShape;
        if constexpr (Sample::rank == 1) {
            return scope.apply(RepeatRule<Steps>{steps}, x);
        } else {
            static_cast<void>(detail::Refuse<mistake::InputIsNoVector<Repeat, Sample>>::value);
            constexpr Index C = Sample::template static_extent<0>;
            return scope.constant(Seq<C, Steps>(x.shape().channels(), steps.size()), x.batch(), 0);
        }
    }
    /// With the layer behind it in a chain, where that takes a vector for all steps: nothing is repeated then.
    template <class Layer>
    requires requires { typename Layer::TakesRepeated; }
    constexpr auto with_next(const Layer& layer) const { return RepeatedInto<Repeat, Layer>{*this, layer}; }
};

/// The channels at the last time step: `Seq<C, T>` to `Vec<C>`; of a recurrent layer, its last state.
struct LastStep {
    using IsLastStep = void;
    static constexpr const char* name = "last-step";

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<LastStep>(scope, input);
        return position(scope, x, x.shape().positions() - 1);
    }
};

/// The last states of both passes of a `Bidirectional` layer: the first half of the channels at the last
/// step, the second half at the first, `Seq<2 C, T>` to `Vec<2 C>`. (At the last step alone, the backward pass
/// has seen one step.)
struct LastStates {
    static constexpr const char* name = "last-states";

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<LastStates>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index C = X::SampleShape::template static_extent<0>;
        constexpr Index Half = C == Dynamic ? Dynamic : C / 2;
        static_assert(C == Dynamic || C % 2 == 0, "untoward: a LastStates halves its channels");
        UNTOWARD_ASSERT(x.shape().channels() % 2 == 0, "untoward: a LastStates halves its channels");
        const Vec<Half> half(x.shape().channels() / 2);
        const auto end = position(scope, x, x.shape().positions() - 1);
        const auto begin = position(scope, x, 0);
        const auto of_forward = slice(scope, end, 0, half);
        const auto of_backward = slice(scope, begin, half.size(), half);
        return concatenate(scope, of_forward, of_backward);
    }
};

/// All numbers of a sample as one vector, at no cost: `Seq<C, T>` to `Vec<C T>`, step after step.
struct Flatten {
    static constexpr const char* name = "flatten";

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return reshape(scope, x, Vec<X::SampleShape::static_size>(x.shape().size()));
    }
};

/// The numbers of a sample in another shape of the same size, at no cost: after `Dense<64>`,
/// `ReshapeTo<Seq<4, 16>>{}` or `ReshapeTo{Seq<>(4, 16)}`.
template <class Sample>
struct ReshapeTo {
    static_assert(is_shape<Sample>);
    [[no_unique_address]] Sample shape{};

    constexpr ReshapeTo() = default;
    constexpr explicit ReshapeTo(const Sample& to) : shape(to) {}

    static constexpr const char* name = "reshape-to";

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return reshape(scope, x, shape);
    }
};

}  // namespace untoward
