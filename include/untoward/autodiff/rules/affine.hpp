// SPDX-License-Identifier: MIT
#pragma once

#include "../../core/packed.hpp"
#include "elementwise.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

/// The shape whose channels are replaced by `Out`, positions kept: what a dense layer does to a sequence.
template <Index Out, Index C, Index... Positions>
constexpr auto with_channels(const Shape<Out>& out, const Shape<C, Positions...>& x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return Shape<Out, Positions...>(out.template extent<0>(), x.template extent<I + 1>()...);
    }
    (std::make_index_sequence<sizeof...(Positions)>{});
}

// Calls f(of_y, of_x), channels x positions: once for the whole batch where both lie so, else per sample.
template <class Function, class Y, class X>
void for_each_position_block(const Function& function, const Y& y, const X& x) {
    if (y.has_position_matrix() && x.has_position_matrix()) {
        function(y.position_columns(), x.position_columns());
    } else {
        for (Index j = 0; j < y.batch(); ++j) function(y.sample_columns(j), x.sample_columns(j));
    }
}

// The gradient of a bias: the sum of the columns.
template <class S>
void sum_columns(S* sum, const product::Columns<S>& d, bool accumulate) {
    run_sum_columns<S, false>({d.data, d.stride, nullptr, 0, d.rows, d.cols, sum, accumulate});
}

// What follows a product: relu is the product's own business, other activations come behind it.
template <class Activation>
inline constexpr bool rectifies = std::is_same_v<Activation, Relu>;

template <class Activation>
void activate_sums(const auto& y) {
    if constexpr (!std::is_same_v<Activation, Identity> && !rectifies<Activation>) {
        assign(
            y, [](auto sum) { return Activation::value(sum); }, y);
    }
}

// From the gradient of activation(sum + bias) to that of the sum, in place, and of the bias.
template <class Activation>
void backward_activation(const auto& dy, const auto& y, const auto& dbias) {
    using S = typename std::remove_cvref_t<decltype(dy)>::Scalar;
    const product::Columns<S> d = dy.position_columns();
    if constexpr (rectifies<Activation>) {
        if (y.has_position_matrix()) {
            // In one pass.
            const auto outputs = y.position_columns();
            ColumnSums<S> columns{d.data, d.stride, outputs.data, outputs.stride,
                                  d.rows, d.cols,   nullptr,      false};
            dbias.write([&](const auto& to, bool accumulate) {
                columns.sum = to.data();
                columns.add = accumulate;
            });
            return run_sum_columns<S, true>(columns);
        }
    }
    if constexpr (!std::is_same_v<Activation, Identity>) {
        assign(
            dy, [](auto a, auto b) { return a * Activation::slope_from_output(b); }, dy, y);
    }
    dbias.write([&](const auto& to, bool accumulate) { sum_columns<S>(to.data(), d, accumulate); });
}

// What W x gives back to W and to x.
template <class S>
void backward_product(const auto& dy, const auto& x, const auto& weight, const auto& dx,
                      const auto& dweight) {
    dweight.write([&](const auto& to, bool accumulate) {
        if (dy.batch() == 0 && !accumulate) to.flat().setZero();
        for_each_position_block(
            [&](const product::Columns<S>& d, const product::Columns<const S>& from) {
                product::backward_weight<S>(to.data(), d, from, accumulate);
                accumulate = true;
            },
            dy, x);
    });
    dx.write([&](const auto& to, bool accumulate) {
        product::backward_input<S>(to.position_columns(), weight.data(), dy.position_columns(), accumulate);
    });
}

// A parameter of a product is one for all samples.
constexpr void require_one_for_all(Index batch) {
    UNTOWARD_ASSERT(batch == 1,
                    "untoward: the weight and the bias of a product are the same for all samples");
    static_cast<void>(batch);
}

}  // namespace detail

/// activation(W x + b) at every position: W is Shape<in, out> (PyTorch's (out, in)), b is Vec<out>.
/// The rule keeps only its output.
template <ActivationFunction Activation = Identity>
struct AffineRule {
    static_assert(HasSlopeFromOutput<Activation>,
                  "untoward: what follows a product in one rule has a slope_from_output");

    template <Index C, Index... P, Index In, Index Out, Index Bias>
    constexpr auto shape(const Shape<C, P...>& x, const Shape<In, Out>& weight,
                         const Shape<Bias>& bias) const {
        detail::require_same_extent<AffineRule, In, C>(weight.template extent<0>(), x.template extent<0>());
        detail::require_same_extent<AffineRule, Out, Bias>(weight.template extent<1>(),
                                                           bias.template extent<0>());
        return detail::with_channels(Vec<Out>(weight.template extent<1>()), x);
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
                product::forward<S>(to, weight.data(), from, false, bias.data(),
                                    detail::rectifies<Activation>);
            },
            y, x);
        detail::activate_sums<Activation>(y);
    }
    void backward(auto dy, auto y, auto x, auto weight, auto, auto dx, auto dweight, auto dbias) const {
        using S = typename decltype(x)::Scalar;
        detail::backward_activation<Activation>(dy, y, dbias);
        detail::backward_product<S>(dy, x, weight, dx, dweight);
    }
};

/// W x at every position, without bias.
struct ProductRule {
    template <Index C, Index... P, Index In, Index Out>
    constexpr auto shape(const Shape<C, P...>& x, const Shape<In, Out>& weight) const {
        detail::require_same_extent<ProductRule, In, C>(weight.template extent<0>(), x.template extent<0>());
        return detail::with_channels(Vec<Out>(weight.template extent<1>()), x);
    }
    static constexpr Index multiply_adds(const auto& x, const auto& weight) {
        return weight.size() * x.positions();
    }
    constexpr Index batch(Index x, Index weight) const {
        detail::require_one_for_all(weight);
        return x;
    }

    void forward(auto y, auto x, auto weight) const {
        using S = typename decltype(y)::Scalar;
        detail::for_each_position_block(
            [&](const product::Columns<S>& to, const product::Columns<const S>& from) {
                product::forward<S>(to, weight.data(), from, false);
            },
            y, x);
    }
    void backward(auto dy, auto, auto x, auto weight, auto dx, auto dweight) const {
        detail::backward_product<typename decltype(x)::Scalar>(dy, x, weight, dx, dweight);
    }
};

/// activation(W x + b): one rule, or two where the slope of the activation needs its input
template <class Activation = Identity, class Scope, class X, class W, class B>
constexpr auto affine(Scope& scope, const X& x, const W& weight, const B& bias) {
    if constexpr (!detail::require_activation<Activation>()) {
        return scope.apply(AffineRule<>{}, x, weight, bias);
    } else if constexpr (HasSlopeFromOutput<Activation>) {
        return scope.apply(AffineRule<Activation>{}, x, weight, bias);
    } else {
        const auto sums = scope.apply(AffineRule<>{}, x, weight, bias);
        return activate<Activation>(scope, sums);
    }
}
/// W x
template <class Scope, class X, class W>
constexpr auto product_of(Scope& scope, const W& weight, const X& x) {
    return scope.apply(ProductRule{}, x, weight);
}

}  // namespace untoward
