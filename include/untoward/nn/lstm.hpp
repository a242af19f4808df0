// SPDX-License-Identifier: MIT
#pragma once

#include "recurrent.hpp"

namespace untoward {

/// One step of an LSTM from a = W_i x + b_i, r = W_h h + b_h, each of four times n rows (input, forget, cell,
/// output), and the cell state c, as PyTorch computes it:
///
///     i, f, o = sigmoid(a + r)    g = tanh(a_g + r_g)    c' = f c + i g    h' = o tanh(c')
///
/// It keeps c', tanh(c'), i, f, g and o.
struct LstmCell {
    static constexpr Index gates = 4;
    static constexpr Index kept = 6;

    template <class S>
    static void forward(Index n, const S* a, const S* b, const S*, const S* before, S* kept_at, S* h) {
        S* const gates_at = kept_at + 2 * n;
        packet::for_each<S>(n, [&](Index k, const auto& at) {
            const auto sum = [&](Index gate) {
                const Index place = gate * n + k;
                return at.load(a + place) + (at.load(gates_at + place) + at.load(b + place));
            };
            const auto i = packet::sigmoid<S>(sum(0));
            const auto f = packet::sigmoid<S>(sum(1));
            const auto g = packet::tanh<S>(sum(2));
            const auto o = packet::sigmoid<S>(sum(3));
            const auto c = f * at.load(before + k) + i * g;
            const auto tanh_c = packet::tanh<S>(c);
            at.store(kept_at + k, c);
            at.store(kept_at + n + k, tanh_c);
            at.store(gates_at + k, i);
            at.store(gates_at + n + k, f);
            at.store(gates_at + 2 * n + k, g);
            at.store(gates_at + 3 * n + k, o);
            at.store(h + k, o * tanh_c);
        });
    }
    template <class S>
    static void backward(Index n, const S* carry, S* dh, const S*, const S* before, const S* after,
                         S* kept_at) {
        S* const gates_at = kept_at + 2 * n;
        const auto one = packet::same(S(1));
        const auto zero = packet::same(S(0));
        packet::for_each<S>(n, [&](Index k, const auto& at) {
            const auto tanh_c = at.load(kept_at + n + k);
            const auto i = at.load(gates_at + k);
            const auto f = at.load(gates_at + n + k);
            const auto g = at.load(gates_at + 2 * n + k);
            const auto o = at.load(gates_at + 3 * n + k);
            const auto d = at.load(dh + k) + at.load(carry + k);
            const auto dc = at.load(after + k) + d * o * (one - tanh_c * tanh_c);  // all that reaches c'
            at.store(gates_at + k, dc * g * i * (one - i));
            at.store(gates_at + n + k, dc * at.load(before + k) * f * (one - f));
            at.store(gates_at + 2 * n + k, dc * i * (one - g * g));
            at.store(gates_at + 3 * n + k, d * tanh_c * o * (one - o));
            at.store(kept_at + k, dc * f);
            at.store(dh + k, zero);
        });
    }
    template <class S>
    static void give(Index n, const S* kept_at, S* da, bool accumulate) {
        const detail::ConstFlatMap<S> gradient(kept_at + 2 * n, 4 * n);
        detail::FlatMap<S> to(da, 4 * n);
        if (accumulate) {
            to += gradient;
        } else {
            to = gradient;
        }
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
        return detail::recurrent<LstmCell, Lstm>(scope, hidden, input);
    }
};

}  // namespace untoward
