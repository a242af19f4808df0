// SPDX-License-Identifier: MIT
#pragma once

#include "recurrent.hpp"

namespace untoward UNTOWARD_SETTING {

/// One step of a GRU from a = W_i x + b_i and c = W_h h + b_h, each of three times n rows (reset, update, new),
/// as PyTorch computes it:
///
///     r = sigmoid(a_r + c_r)    z = sigmoid(a_z + c_z)    g = tanh(a_n + r c_n)    h' = g + z (h - g)
///
/// It keeps g, r, z and c_n.
struct GruCell {
    static constexpr Index gates = 3;
    static constexpr Index early = 2;
    static constexpr Index kept = 4;
    static constexpr Index gradient_at[gates] = {1, 2, 0};

    struct Gates {
        template <class S>
        UNTOWARD_ALWAYS_INLINE void operator()(S& r, S& z, S a_r, S a_z) const {
            r = math::gate_sigmoid(a_r + r);
            z = math::gate_sigmoid(a_z + z);
        }
    };
    struct Forward {
        template <class S>
        UNTOWARD_ALWAYS_INLINE void operator()(S& g, S& h, S r, S z, S c, S, S, S a_n, S h_before, S) const {
            g = math::gate_tanh(a_n + r * c);
            h = g + z * (h_before - g);
        }
    };
    struct Backward {
        template <class S>
        UNTOWARD_ALWAYS_INLINE void operator()(S& g, S& r, S& z, S& c, S& dh, S above, S h_before, S,
                                               S) const {
            const S direct = (dh + above) * z;
            const S of_new = (dh + above) * (1 - z) * (1 - g * g);
            const S of_hidden = of_new * r;
            z = (h_before - g) * direct * (1 - z);
            g = of_new;
            r = of_hidden * c * (1 - r);
            c = of_hidden;
            dh = direct;
        }
    };
};

/// A gated recurrent unit over time (Cho et al. 2014, in PyTorch's variant): `Seq<C, T>` to the hidden states
/// `Seq<Hidden, T>`, from a hidden state of zero. Parameters as in PyTorch: weight_ih (3 Hidden, C),
/// weight_hh (3 Hidden, Hidden), bias_ih, bias_hh; rows in the order reset, update, new.
///
///     Gru<32>{}              // 32 hidden units
///     Gru<Dynamic>{units}    // as many as `units`
template <Index Hidden = Dynamic>
struct Gru : detail::RecurrentLayer<Gru<Hidden>, GruCell> {
    [[no_unique_address]] Vec<Hidden> hidden{};

    constexpr Gru() = default;
    constexpr explicit Gru(Index units) requires(Hidden == Dynamic) : hidden(units) {}

    static constexpr const char* name = "gru";
    static constexpr void options(auto& self, auto&& visit) { visit("hidden", self.hidden); }
};

}  // namespace untoward
