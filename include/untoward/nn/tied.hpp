// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../core/options.hpp"

namespace untoward UNTOWARD_SETTING {

/// activation(W' x + b) at every position: W is Shape<in, out>, x has `out` channels and the result `in`. The
/// activation must have a slope_from_output.
template <class Activation = Identity>
struct TransposedAffine {
    static_assert(HasSlopeFromOutput<Activation>,
                  "untoward: what follows a product in one rule has a slope_from_output");

    template <Index C, Index... P, Index In, Index Out, Index Bias>
    constexpr auto shape(const Shape<C, P...>& x, const Shape<In, Out>& weight,
                         const Shape<Bias>& bias) const {
        detail::require_same_extent<TransposedAffine, Out, C>(weight.template extent<1>(), x.channels());
        detail::require_same_extent<TransposedAffine, In, Bias>(weight.template extent<0>(), bias.size());
        return detail::with_channels(Vec<In>(weight.template extent<0>()), x);
    }
    static constexpr Index multiply_adds(const auto& x, const auto& weight, const auto&) {
        return weight.size() * x.positions();
    }
    constexpr Index batch(Index x, Index weight, Index bias) const {
        detail::require_one_for_all(weight);
        detail::require_one_for_all(bias);
        return x;
    }

    void forward(auto y, auto x, auto weight, auto bias) const {
        using S = typename decltype(y)::Scalar;
        detail::for_each_position_block(
            [&](const product::Columns<S>& to, const product::Columns<const S>& from) {
                product::backward_input<S>(to, weight.data(), from, false, bias.data(),
                                           detail::rectifies<Activation>);
            },
            y, x);
        detail::activate_sums<Activation>(y);
    }
    void backward(auto dy, auto y, auto x, auto weight, auto, auto dx, auto dweight, auto dbias) const {
        using S = typename decltype(x)::Scalar;
        detail::backward_activation<Activation>(dy, y, dbias);
        // dW = x dy', where an affine map of W itself has dy x'.
        dweight.write([&](const auto& to, bool accumulate) {
            if (dy.batch() == 0 && !accumulate) to.flat().setZero();
            detail::for_each_position_block(
                [&](const product::Columns<S>& d, const product::Columns<const S>& from) {
                    product::backward_weight<S>(to.data(), from, d, accumulate);
                    accumulate = true;
                },
                dy, x);
        });
        dx.write([&](const auto& to, bool accumulate) {
            product::forward<S>(to.position_columns(), weight.data(), dy.position_columns(), accumulate);
        });
    }
};

/// Says which way a `TiedDense` is called.
struct Transposed {};
inline constexpr Transposed transposed{};

/// One weight for two layers: `tied(x)` is up(W x + b), as of a `Dense`, and `tied(h, transposed)` is
/// down(W' h + c). Bind it once and call the bound layer both ways. Parameters `weight` (Out, In), `bias`
/// (Out) and `transposed_bias` (In), uniform on +-1/sqrt(In), and the last on +-1/sqrt(Out), at first.
///
/// An autoencoder with tied weights (Vincent et al. 2010), whole:
///
///     struct TiedAutoencoder {
///         template <class Scope, class X>
///         constexpr auto operator()(Scope& scope, const X& x) const {
///             auto wide = scope.child("wide", TiedDense<30, 16, Tanh>{}, Vec<30>{});
///             auto narrow = scope.child("narrow", TiedDense<16, 4, Tanh, Tanh>{}, Vec<16>{});
///             const auto h = wide(x);
///             const auto code = narrow(h);
///             const auto g = narrow(code, transposed);
///             return wide(g, transposed);
///         }
///     };
template <Index In = Dynamic, Index Out = Dynamic, class Up = Identity, class Down = Identity>
struct TiedDense {
    static_assert(ActivationFunction<Up> && ActivationFunction<Down>,
                  "untoward: an activation has value(x), and slope_from_output(y) or slope(x)");

    [[no_unique_address]] Vec<In> inputs{};
    [[no_unique_address]] Vec<Out> outputs{};

    static constexpr const char* name = "tied-dense";
    static constexpr void options(auto& self, auto&& visit) {
        visit("inputs", self.inputs);
        visit("outputs", self.outputs);
        visit("up", as_argument<Up>);
        visit("down", as_argument<Down>);
    }

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        constexpr Index C = X::SampleShape::template static_extent<0>;
        detail::require_same_extent<TiedDense, In, C>(inputs.size(), x.shape().channels());
        if constexpr (detail::may_be_same<Vec<In>, Vec<C>>) {
            const auto parameters = ask(scope);
            return affine<Up>(scope, x, parameters.weight, parameters.bias);
        } else {
            return x;
        }
    }
    template <class Scope, class H>
    constexpr auto operator()(Scope& scope, const H& h, Transposed) const {
        constexpr Index C = H::SampleShape::template static_extent<0>;
        detail::require_same_extent<TiedDense, Out, C>(outputs.size(), h.shape().channels());
        if constexpr (!detail::may_be_same<Vec<Out>, Vec<C>>) {
            return h;
        } else if constexpr (HasSlopeFromOutput<Down>) {
            const auto parameters = ask(scope);
            return scope.apply(TransposedAffine<Down>{}, h, parameters.weight, parameters.transposed_bias);
        } else {
            const auto parameters = ask(scope);
            const auto sums =
                scope.apply(TransposedAffine<>{}, h, parameters.weight, parameters.transposed_bias);
            return scope.apply(Activate<Down>{}, sums);
        }
    }

private:
    template <class Weight, class Bias, class TransposedBias>
    struct Parameters {
        Weight weight;
        Bias bias;
        TransposedBias transposed_bias;
    };
    // Both ways ask for everything: a layer has one layout.
    template <class Scope>
    constexpr auto ask(Scope& scope) const {
        const Attributes no_decay{.decay = false};
        const UniformFanIn upwards{inputs.size()};
        const auto weight = scope.parameter("weight", Shape<In, Out>(inputs.size(), outputs.size()), upwards);
        const auto bias = scope.parameter("bias", outputs, upwards, no_decay);
        const auto transposed_bias =
            scope.parameter("transposed_bias", inputs, UniformFanIn{outputs.size()}, no_decay);
        return Parameters<std::remove_const_t<decltype(weight)>, std::remove_const_t<decltype(bias)>,
                          std::remove_const_t<decltype(transposed_bias)>>{weight, bias, transposed_bias};
    }
};

}  // namespace untoward
