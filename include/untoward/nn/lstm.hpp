// SPDX-License-Identifier: MIT
#pragma once

#include "recurrent.hpp"

namespace untoward UNTOWARD_SETTING {

/// One step of an LSTM from a = W_i x + b_i, r = W_h h + b_h, each of four times n rows (input, forget, cell,
/// output), and the cell state c, as PyTorch computes it:
///
///     i, f, o = sigmoid(a + r)    g = tanh(a_g + r_g)    c' = f c + i g    h' = o tanh(c')
///
/// It keeps c', tanh(c'), i, f, g and o.
struct LstmCell {
    static constexpr Index gates = 4;
    static constexpr Index early = 4;
    static constexpr Index kept = 6;
    static constexpr Index gradient_at[gates] = {2, 3, 4, 5};

    struct Gates {
        template <class S>
        UNTOWARD_ALWAYS_INLINE void operator()(S& i, S& f, S& g, S& o, S a_i, S a_f, S a_g, S a_o) const {
            i = math::gate_sigmoid(a_i + i);
            f = math::gate_sigmoid(a_f + f);
            g = math::gate_tanh(a_g + g);
            o = math::gate_sigmoid(a_o + o);
        }
    };
    struct Forward {
        template <class S>
        UNTOWARD_ALWAYS_INLINE void operator()(S& c, S& tanh_c, S& h, S i, S f, S g, S o, S, S, S, S, S,
                                               S before) const {
            c = f * before + i * g;
            tanh_c = math::gate_tanh(c);
            h = o * tanh_c;
        }
    };
    struct Backward {
        template <class S>
        UNTOWARD_ALWAYS_INLINE void operator()(S& c, S& tanh_c, S& i, S& f, S& g, S& o, S& dh, S above, S,
                                               S before, S after) const {
            const S d = dh + above;
            const S dc = after + d * o * (1 - tanh_c * tanh_c);  // all that reaches c'
            const S of_input = dc * g * i * (1 - i);
            g = dc * i * (1 - g * g);
            i = of_input;
            o = d * tanh_c * o * (1 - o);
            c = dc * f;
            f = dc * before * f * (1 - f);
            dh = 0;
        }
    };
};

/// Long short-term memory over time (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al.
/// 2000): `Seq<C, T>` to the hidden states `Seq<Hidden, T>`, from states of zero. Parameters as in PyTorch:
/// weight_ih (4 Hidden, C), weight_hh (4 Hidden, Hidden), bias_ih, bias_hh; rows in the order input, forget,
/// cell, output; all uniform on +-1/sqrt(Hidden) at first.
///
///     Lstm<32>{}              // 32 hidden units
///     Lstm<Dynamic>{units}    // as many as `units`
template <Index Hidden = Dynamic>
struct Lstm : detail::RecurrentLayer<Lstm<Hidden>, LstmCell> {
    [[no_unique_address]] Vec<Hidden> hidden{};

    constexpr Lstm() = default;
    constexpr explicit Lstm(Index units) requires(Hidden == Dynamic) : hidden(units) {}

    static constexpr const char* name = "lstm";
    static constexpr void options(auto& self, auto&& visit) { visit("hidden", self.hidden); }
};

}  // namespace untoward
