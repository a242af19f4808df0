// SPDX-License-Identifier: MIT
#pragma once

#include "recurrent.hpp"

namespace untoward {

/// One step of a GRU from a = W_i x + b_i and c = W_h h + b_h, each of three times n rows (reset, update, new),
/// as PyTorch computes it:
///
///     r = sigmoid(a_r + c_r)    z = sigmoid(a_z + c_z)    g = tanh(a_n + r c_n)    h' = g + z (h - g)
///
/// It keeps g, r, z and c_n.
struct GruCell {
    static constexpr Index gates = 3;
    static constexpr Index kept = 4;

    template <class S>
    static void forward(Index n, const S* a, const S* b, const S* h_before, const S*, S* kept_at, S* h) {
        S* const new_at = kept_at;
        S* const reset_at = kept_at + n;
        S* const update_at = kept_at + 2 * n;
        S* const hidden_at = kept_at + 3 * n;
        packet::for_each<S>(n, [&](Index i, const auto& at) {
            const auto r = packet::sigmoid<S>(at.load(a + i) + (at.load(reset_at + i) + at.load(b + i)));
            const auto z =
                packet::sigmoid<S>(at.load(a + n + i) + (at.load(update_at + i) + at.load(b + n + i)));
            const auto c = at.load(hidden_at + i) + at.load(b + 2 * n + i);
            const auto g = packet::tanh<S>(at.load(a + 2 * n + i) + r * c);
            at.store(new_at + i, g);
            at.store(reset_at + i, r);
            at.store(update_at + i, z);
            at.store(hidden_at + i, c);
            at.store(h + i, g + z * (at.load(h_before + i) - g));
        });
    }
    template <class S>
    static void backward(Index n, const S* carry, S* dh, const S* h_before, const S*, const S*, S* kept_at) {
        S* const new_at = kept_at;
        S* const reset_at = kept_at + n;
        S* const update_at = kept_at + 2 * n;
        S* const hidden_at = kept_at + 3 * n;
        const auto one = packet::same(S(1));
        packet::for_each<S>(n, [&](Index i, const auto& at) {
            const auto g = at.load(new_at + i);
            const auto r = at.load(reset_at + i);
            const auto z = at.load(update_at + i);
            const auto d = at.load(dh + i) + at.load(carry + i);
            const auto direct = d * z;
            const auto of_new = d * (one - z) * (one - g * g);
            const auto of_hidden = of_new * r;
            at.store(new_at + i, of_new);
            at.store(reset_at + i, of_hidden * at.load(hidden_at + i) * (one - r));
            at.store(update_at + i, (at.load(h_before + i) - g) * direct * (one - z));
            at.store(hidden_at + i, of_hidden);
            at.store(dh + i, direct);
        });
    }
    template <class S>
    static void give(Index n, const S* kept_at, S* da, bool accumulate) {
        const detail::ConstFlatMap<S> of_new(kept_at, n);
        const detail::ConstFlatMap<S> of_others(kept_at + n, 2 * n);
        detail::FlatMap<S> to_others(da, 2 * n);
        detail::FlatMap<S> to_new(da + 2 * n, n);
        if (accumulate) {
            to_others += of_others;
            to_new += of_new;
        } else {
            to_others = of_others;
            to_new = of_new;
        }
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
        return detail::recurrent<GruCell, Gru>(scope, hidden, input);
    }
};

}  // namespace untoward
