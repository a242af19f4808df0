// SPDX-License-Identifier: MIT
#pragma once

#include "elementwise.hpp"

namespace untoward {

namespace detail {

/// The shape whose channels are replaced by `Out`, positions kept: what a dense layer does to a sequence.
template <Index Out, Index C, Index... Positions>
constexpr auto with_channels(const Shape<Out>& out, const Shape<C, Positions...>& x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return Shape<Out, Positions...>(out.template extent<0>(), x.template extent<I + 1>()...);
    }(std::make_index_sequence<sizeof...(Positions)>{});
}

// Calls f(matrices...), channels x positions, once for the whole batch where all tensors lie so, else per sample.
template <class Function, class... T>
void for_each_position_block(const Function& function, const T&... tensors) {
    if ((tensors.has_position_matrix() && ...)) {
        function(tensors.position_columns()...);
    } else {
        const Index batch = std::max({tensors.batch()...});
        for (Index j = 0; j < batch; ++j) function(tensors.sample_columns(j)...);
    }
}

}  // namespace detail

/// activation(W x + b) at every position: W is Shape<in, out> (PyTorch's (out, in)), b is Vec<out>.
/// The activation must have a slope_from_output: the rule keeps only its output.
template <class Activation = Identity>
struct Affine {
    template <Index C, Index... P, Index In, Index Out, Index Bias>
    constexpr auto shape(const Shape<C, P...>& x, const Shape<In, Out>& weight, const Shape<Bias>& bias) const {
        detail::require_same_extent<In, C>(weight.template extent<0>(), x.template extent<0>());
        detail::require_same_extent<Out, Bias>(weight.template extent<1>(), bias.template extent<0>());
        return detail::with_channels(Vec<Out>(weight.template extent<1>()), x);
    }
    static constexpr Index multiply_adds(const auto& x, const auto& weight, const auto&) {
        return weight.size() * x.positions();
    }
    constexpr Index batch(Index x, Index, Index) const { return x; }

    void forward(auto y, auto x, auto weight, auto bias) const {
        detail::for_each_position_block(
            [&](const auto& to, const auto& from) {
                product::forward<typename decltype(y)::Scalar>(to, weight.data(), from, false);
                const auto b = bias.column(0);
                auto columns = to.map();
                for (Index j = 0; j < to.cols; ++j) {
                    const auto column = columns.col(j).array();
                    columns.col(j).array() = Activation::value(column + b);
                }
            },
            y, x);
    }
    void backward(auto dy, auto y, auto x, auto weight, auto, auto dx, auto dweight, auto dbias) const {
        using S = typename decltype(x)::Scalar;
        if constexpr (!std::is_same_v<Activation, Identity>) {
            assign(dy, [](const auto& d, const auto& b) { return d * Activation::slope_from_output(b); }, dy, y);
        }
        dbias.write([&](const auto& to, bool accumulate) {
            const auto d = dy.position_matrix();
            if (accumulate) {
                to.column(0).matrix() += d.rowwise().sum();
            } else {
                to.column(0).matrix() = d.rowwise().sum();
            }
        });
        dweight.write([&](const auto& to, bool accumulate) {
            detail::for_each_position_block(
                [&](const auto& d, const auto& from) {
                    product::backward_weight<S>(to.data(), d, from, accumulate);
                    accumulate = true;
                },
                dy, x);
        });
        dx.write([&](const auto& to, bool accumulate) {
            product::backward_input<S>(to.position_columns(), weight.data(), dy.position_columns(), accumulate);
        });
    }
};

/// W x at every position, without bias.
struct Product {
    template <Index C, Index... P, Index In, Index Out>
    constexpr auto shape(const Shape<C, P...>& x, const Shape<In, Out>& weight) const {
        detail::require_same_extent<In, C>(weight.template extent<0>(), x.template extent<0>());
        return detail::with_channels(Vec<Out>(weight.template extent<1>()), x);
    }
    static constexpr Index multiply_adds(const auto& x, const auto& weight) {
        return weight.size() * x.positions();
    }
    constexpr Index batch(Index x, Index) const { return x; }

    void forward(auto y, auto x, auto weight) const {
        detail::for_each_position_block(
            [&](const auto& to, const auto& from) {
                product::forward<typename decltype(y)::Scalar>(to, weight.data(), from, false);
            },
            y, x);
    }
    void backward(auto dy, auto, auto x, auto weight, auto dx, auto dweight) const {
        using S = typename decltype(x)::Scalar;
        dweight.write([&](const auto& to, bool accumulate) {
            detail::for_each_position_block(
                [&](const auto& d, const auto& from) {
                    product::backward_weight<S>(to.data(), d, from, accumulate);
                    accumulate = true;
                },
                dy, x);
        });
        dx.write([&](const auto& to, bool accumulate) {
            product::backward_input<S>(to.position_columns(), weight.data(), dy.position_columns(), accumulate);
        });
    }
};

/// activation(W x + b)
template <class Activation = Identity, class Scope, class X, class W, class B>
constexpr auto affine(Scope& scope, const X& x, const W& weight, const B& bias) {
    return scope.apply(Affine<Activation>{}, x, weight, bias);
}
/// W x
template <class Scope, class X, class W>
constexpr auto product_of(Scope& scope, const W& weight, const X& x) {
    return scope.apply(Product{}, x, weight);
}

}  // namespace untoward
