// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../autodiff/rules/layout.hpp"
#include "../autodiff/rules/rows.hpp"
#include "../autodiff/scope.hpp"

namespace untoward {

/// One step of an LSTM from its two affine maps, a = W_i x + b_i and r = W_h h + b_h, each of 4 H rows
/// (input, forget, cell, output), and the cell state c, as PyTorch computes it. Gives h' and c':
///
///     i, f, o = sigmoid(a + r)    g = tanh(a_g + r_g)    c' = f c + i g    h' = o tanh(c')
struct LstmCell {
    template <Index A, Index R, Index H>
    constexpr auto shape(const Shape<A>& a, const Shape<R>& r, const Shape<H>& c) const {
        detail::require_same_extent<LstmCell, A, R>(a.size(), r.size());
        UNTOWARD_ASSERT(a.size() == 4 * c.size(),
                        "untoward: an LSTM's gates have four times its hidden rows");
        return std::tuple<Shape<H>, Shape<H>>{c, c};
    }
    // i, f, g, o and tanh(c') of every sample.
    constexpr Index saved(Index batch, const auto&, const auto&, const auto& c) const {
        return 5 * c.size() * batch;
    }

    template <class S>
    void forward(S* saved, auto outputs, auto a, auto r, auto c) const {
        const auto& [h_next, c_next] = outputs;
        const Index n = c.rows();
        for (Index j = 0; j < h_next.batch(); ++j) {
            const auto from_x = a.column(detail::broadcast_column(a, j));
            const auto from_h = r.column(detail::broadcast_column(r, j));
            detail::FlatMap<S> kept(saved + j * 5 * n, 5 * n);
            kept.head(2 * n) = (from_x.head(2 * n) + from_h.head(2 * n)).logistic();
            kept.segment(2 * n, n) = (from_x.segment(2 * n, n) + from_h.segment(2 * n, n)).tanh();
            kept.segment(3 * n, n) = (from_x.tail(n) + from_h.tail(n)).logistic();
            auto next = c_next.column(j);
            next = kept.segment(n, n) * c.column(detail::broadcast_column(c, j)) +
                   kept.head(n) * kept.segment(2 * n, n);
            kept.tail(n) = next.tanh();
            h_next.column(j) = kept.segment(3 * n, n) * kept.tail(n);
        }
    }
    template <class S>
    void backward(S* saved, auto upstream, auto, auto, auto, auto c, auto da, auto dr, auto dc) const {
        const auto& [dh_next, dc_next] = upstream;
        const Index n = c.rows();
        const Index batch = dh_next.batch();
        for (Index j = 0; j < batch; ++j) {
            S* const i = saved + j * 5 * n;
            S* const f = i + n;
            S* const g = f + n;
            S* const o = g + n;
            S* const t = o + n;  // tanh(c')
            const S* const before = &c(0, detail::broadcast_column(c, j));
            for (Index k = 0; k < n; ++k) {
                const S dh = dh_next(k, j);
                const S d = dc_next(k, j) + dh * o[k] * (1 - t[k] * t[k]);  // all that reaches c'
                const S d_input = d * g[k] * i[k] * (1 - i[k]);
                const S d_cell = d * i[k] * (1 - g[k] * g[k]);
                // The derivatives of the pre-activations take the place of the gates, that of c the place of
                // tanh(c'): nothing else asks for them.
                o[k] = dh * t[k] * o[k] * (1 - o[k]);
                t[k] = d * f[k];
                f[k] = d * before[k] * f[k] * (1 - f[k]);
                i[k] = d_input;
                g[k] = d_cell;
            }
        }
        const auto same = [](const auto& d) { return d; };
        const Tensor<S, Shape<Dynamic>> gates(saved, Shape<Dynamic>(4 * n), batch, 5 * n);
        da.add(same, gates);
        dr.add(same, gates);
        dc.add(same, Tensor<S, Shape<Dynamic>>(saved + 4 * n, Shape<Dynamic>(n), batch, 5 * n));
    }
};

/// Long short-term memory over time (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al.
/// 2000): `Seq<C, T>` to the hidden states `Seq<Hidden, T>`, from states of zero. Parameters as in PyTorch:
/// weight_ih (4 Hidden, C), weight_hh (4 Hidden, Hidden), bias_ih, bias_hh; rows in the order input, forget,
/// cell, output; all uniform on +-1/sqrt(Hidden) at first.
///
///     Lstm<32>{}              // 32 hidden units
///     Lstm<Dynamic>{units}    // as many as `units`
template <Index Hidden = Dynamic>
struct Lstm {
    [[no_unique_address]] Vec<Hidden> hidden{};

    constexpr Lstm() = default;
    constexpr explicit Lstm(Index units) requires(Hidden == Dynamic) : hidden(units) {}

    static constexpr const char* name = "lstm";
    static constexpr void options(auto& self, auto&& visit) { visit("hidden", self.hidden); }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<Lstm>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index In = X::SampleShape::template static_extent<0>;
        constexpr Index Steps = X::SampleShape::template static_extent<1>;
        constexpr Index Gates = Hidden == Dynamic ? Dynamic : 4 * Hidden;
        const Vec<Gates> gates(4 * hidden.size());
        const UniformFanIn initial{hidden.size()};
        const Attributes no_decay{.decay = false};
        const auto weight_ih =
            scope.parameter("weight_ih", Shape<In, Gates>(x.shape().channels(), gates.size()), initial);
        const auto weight_hh =
            scope.parameter("weight_hh", Shape<Hidden, Gates>(hidden.size(), gates.size()), initial);
        const auto bias_ih = scope.parameter("bias_ih", gates, initial, no_decay);
        const auto bias_hh = scope.parameter("bias_hh", gates, initial, no_decay);
        // The input's share of every step at once: one product.
        const auto inputs = affine(scope, x, weight_ih, bias_ih);
        const auto zero = scope.constant(hidden, x.batch(), 0);
        const auto unrolled = scope.repeat(x.shape().positions(), std::tuple{zero, zero},
                                           [&](auto& s, Index t, const auto& state) {
                                               const auto& [h, c] = state;
                                               const auto a = position(s, inputs, t);
                                               const auto r = affine(s, h, weight_hh, bias_hh);
                                               return s.apply(LstmCell{}, a, r, c);
                                           });
        // With the number of steps in the type where the input has it there.
        return reshape(scope, unrolled.all, Seq<Hidden, Steps>(hidden.size(), x.shape().positions()));
    }
};

}  // namespace untoward
