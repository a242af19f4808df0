// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../autodiff/rules/layout.hpp"
#include "../autodiff/rules/rows.hpp"
#include "../autodiff/scope.hpp"

namespace untoward {

/// One step of a GRU from its two affine maps, a = W_i x + b_i and c = W_h h + b_h, each of 3 H rows (reset,
/// update, new), as PyTorch computes it:
///
///     r = sigmoid(a_r + c_r)    z = sigmoid(a_z + c_z)    n = tanh(a_n + r c_n)    h' = n + z (h - n)
struct GruCell {
    template <Index A, Index C, Index H>
    constexpr auto shape(const Shape<A>& a, const Shape<C>& c, const Shape<H>& h) const {
        detail::require_same_extent<GruCell, A, C>(a.size(), c.size());
        UNTOWARD_ASSERT(a.size() == 3 * h.size(), "untoward: a GRU's gates have three times its hidden rows");
        return h;
    }
    // r, z and n of every sample.
    constexpr Index saved(Index batch, const auto& a, const auto&, const auto&) const {
        return a.size() * batch;
    }

    template <class S>
    void forward(S* saved, auto y, auto a, auto c, auto h) const {
        const Index n = h.rows();
        for (Index j = 0; j < y.batch(); ++j) {
            const auto from_x = a.column(detail::broadcast_column(a, j));
            const auto from_h = c.column(detail::broadcast_column(c, j));
            Eigen::Map<Eigen::Array<S, Dynamic, 1>> gates(saved + j * 3 * n, 3 * n);
            gates.head(2 * n) = (from_x.head(2 * n) + from_h.head(2 * n)).logistic();
            gates.tail(n) = (from_x.tail(n) + gates.head(n) * from_h.tail(n)).tanh();
            y.column(j) = gates.tail(n) +
                          gates.segment(n, n) * (h.column(detail::broadcast_column(h, j)) - gates.tail(n));
        }
    }
    template <class S>
    void backward(S* saved, auto dy, auto, auto, auto c, auto h, auto da, auto dc, auto dh) const {
        const Index n = h.rows();
        const auto sum_into = [](const auto& sink, auto compute) {
            sink.write([&](const auto& to, bool accumulate) {
                if (!accumulate) to.flat().setZero();
                compute(to);
            });
        };
        const auto gates_of = [&](Index j) {
            return Eigen::Map<const Eigen::Array<S, Dynamic, 1>>(saved + j * 3 * n, 3 * n);
        };
        const Index batch = dy.batch();
        // The three pre-activations share their derivatives; only the new gate differs between a and c.
        const auto gate_gradients = [&](const auto& to, bool of_hidden) {
            for (Index j = 0; j < batch; ++j) {
                const auto gates = gates_of(j);
                const auto r = gates.head(n);
                const auto z = gates.segment(n, n);
                const auto g = gates.tail(n);
                const auto d = dy.column(j);
                const auto hidden = h.column(detail::broadcast_column(h, j));
                const auto c_new = c.column(detail::broadcast_column(c, j)).tail(n);
                auto out = to.column(detail::broadcast_column(to, j));
                const auto d_new = d * (1 - z) * (1 - g.square());
                out.head(n) += d_new * c_new * r * (1 - r);
                out.segment(n, n) += d * (hidden - g) * z * (1 - z);
                if (of_hidden) {
                    out.tail(n) += d_new * r;
                } else {
                    out.tail(n) += d_new;
                }
            }
        };
        sum_into(da, [&](const auto& to) { gate_gradients(to, false); });
        sum_into(dc, [&](const auto& to) { gate_gradients(to, true); });
        sum_into(dh, [&](const auto& to) {
            for (Index j = 0; j < batch; ++j) {
                to.column(detail::broadcast_column(to, j)) += dy.column(j) * gates_of(j).segment(n, n);
            }
        });
    }
};

/// A gated recurrent unit over time (Cho et al. 2014, in PyTorch's variant): `Seq<C, T>` to the hidden states
/// `Seq<Hidden, T>`, from a hidden state of zero. Parameters as in PyTorch: weight_ih (3 Hidden, C),
/// weight_hh (3 Hidden, Hidden), bias_ih, bias_hh; rows in the order reset, update, new.
///
///     Gru<32>{}              // 32 hidden units
///     Gru<Dynamic>{units}    // as many as `units`
template <Index Hidden = Dynamic>
struct Gru {
    [[no_unique_address]] Vec<Hidden> hidden{};

    constexpr Gru() = default;
    constexpr explicit Gru(Index units) requires(Hidden == Dynamic) : hidden(units) {}

    static constexpr const char* name = "gru";
    static constexpr void options(auto& self, auto&& visit) { visit("hidden", self.hidden); }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<Gru>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index In = X::SampleShape::template static_extent<0>;
        constexpr Index Steps = X::SampleShape::template static_extent<1>;
        constexpr Index Gates = Hidden == Dynamic ? Dynamic : 3 * Hidden;
        const Vec<Gates> gates(3 * hidden.size());
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
        const auto start = scope.constant(hidden, x.batch(), 0);
        const auto unrolled =
            scope.repeat(x.shape().positions(), start, [&](auto& s, Index t, const auto& state) {
                const auto a = position(s, inputs, t);
                const auto c = affine(s, state, weight_hh, bias_hh);
                return s.apply(GruCell{}, a, c, state);
            });
        // With the number of steps in the type where the input has it there.
        return reshape(scope, unrolled.all, Seq<Hidden, Steps>(hidden.size(), x.shape().positions()));
    }
};

}  // namespace untoward
