// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "../autodiff/rules/affine.hpp"
#include "../autodiff/rules/softmax.hpp"
#include "../autodiff/scope.hpp"
#include "initialisers.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Who, Index Channels, Index Heads>
constexpr bool require_heads_divide_channels(Index channels, Index heads) {
    if constexpr (Channels != Dynamic && Heads != Dynamic && (Heads < 1 || Channels % Heads != 0)) {
        return Refuse<mistake::DoesNotDivide<Who, mistake::Heads<Heads>, mistake::Channels<Channels>>>::value;
    } else {
        UNTOWARD_ASSERT(heads >= 1 && channels % heads == 0,
                        "untoward: the heads of an attention share its channels equally");
        static_cast<void>(channels);
        static_cast<void>(heads);
        return true;
    }
}

}  // namespace detail

/// Scaled dot-product attention of every head at once (Vaswani et al. 2017, equation 1). The input has
/// queries, keys and values below one another, Seq<3 E, T>; head h has rows [h d, (h + 1) d) of each, where
/// d = E / heads:
///
///     weights = softmax over the keys of K' Q / sqrt(d)        result = V weights, Seq<E, T>
///
/// Where it is causal, a query sees its own and earlier positions only.
struct Attend {
    Index heads;
    bool causal;

    template <Index C, Index T>
    constexpr auto shape(const Shape<C, T>& x) const {
        static_assert(C == Dynamic || C % 3 == 0, "untoward: queries, keys and values have equal channels");
        UNTOWARD_ASSERT(x.channels() % 3 == 0, "untoward: queries, keys and values have equal channels");
        detail::require_heads_divide_channels<Attend, Dynamic, Dynamic>(x.channels() / 3, heads);
        constexpr Index E = C == Dynamic ? Dynamic : C / 3;
        return Seq<E, T>(x.channels() / 3, x.positions());
    }
    static constexpr Index multiply_adds(const auto& x) {
        return 2 * (x.channels() / 3) * x.positions() * x.positions();
    }
    // The weights of every head and sample; then room for a head's keys and values packed, for the gradient of
    // either and for that of its weights.
    constexpr Index saved(Index batch, const auto& x) const {
        const Index steps = x.positions();
        const Index packed = x.channels() / 3 / heads * steps;
        return (batch * heads + 1) * steps * steps + 3 * packed;
    }

    template <class S>
    void forward(S* saved, auto y, auto x) const {
        for_each_head<S>(saved, x, [&](const Head<S>& head, Index j, Index h) {
            const auto& [q, k, v, weights, room] = head;
            const Index steps = q.cols;
            const S factor = 1 / std::sqrt(static_cast<S>(q.rows));
            pack(room.keys, k);
            pack(room.values, v);
            // Packed, the keys d x T are K' by rows.
            product::forward<S>(weights, room.keys, q, false);
            for (Index t = 0; t < steps; ++t) {
                S* const of_query = weights.column(t);
                const Index seen = causal ? t + 1 : steps;
                detail::FlatMap<S>(of_query, seen) *= factor;
                detail::softmax(of_query, of_query, seen);
                std::fill(of_query + seen, of_query + steps, S(0));
            }
            const auto to = part_of<S>(y, j, h * q.rows, q.rows);
            if (causal) {
                // Query by query: a weight of zero would still meet what is not finite in later values.
                for (Index t = 0; t < steps; ++t) {
                    product::backward_input<S>(to.middle(t, 1), room.values,
                                               product::Columns<const S>{weights.column(t), t + 1, 1, steps},
                                               false);
                }
            } else {
                product::backward_input<S>(to, room.values, product::Columns<const S>(weights), false);
            }
        });
    }
    template <class S>
    void backward(S* saved, auto dy, auto, auto x, auto dx) const {
        dx.write([&](const auto& to, bool accumulate) {
            for_each_head<S>(saved, x, [&](const Head<S>& head, Index j, Index h) {
                const auto& [q, k, v, weights, room] = head;
                const Index d = q.rows;
                const Index steps = q.cols;
                const Index channels = x.shape().channels() / 3;
                const S factor = 1 / std::sqrt(static_cast<S>(d));
                const auto upstream = product::Columns<const S>(part_of<S>(dy, j, h * d, d));
                const auto dq = part_of<S>(to, j, h * d, d);
                const auto dk = part_of<S>(to, j, channels + h * d, d);
                const auto dv = part_of<S>(to, j, 2 * channels + h * d, d);
                pack(room.keys, k);
                pack(room.values, v);

                // V receives dy weights', the weights V' dy.
                product::backward_weight<S>(room.gradient, product::Columns<const S>(weights), upstream,
                                            false);
                unpack(dv, room.gradient, accumulate);
                const product::Columns<S> scores{room.scores, steps, steps, steps};
                product::forward<S>(scores, room.values, upstream, false);
                for (Index t = 0; t < steps; ++t) {
                    detail::FlatMap<S> d_scores(scores.column(t), steps);
                    const detail::ConstFlatMap<S> p(weights.column(t), steps);
                    const S mean = detail::sum_of_elements(p * d_scores);
                    d_scores = factor * p * (d_scores - mean);
                }
                product::backward_input<S>(dq, room.keys, product::Columns<const S>(scores), accumulate);
                product::backward_weight<S>(room.gradient, product::Columns<const S>(scores), q, false);
                unpack(dk, room.gradient, accumulate);
            });
        });
    }

private:
    // Memory for one head at a time.
    template <class S>
    struct Room {
        S* keys;
        S* values;
        S* gradient;
        S* scores;
    };
    template <class S>
    struct Head {
        product::Columns<const S> q, k, v;
        product::Columns<S> weights;  // keys x queries
        Room<S> room;
    };

    // Rows [from, from + n) at every position of sample j.
    template <class S>
    static product::Columns<S> part_of(const auto& x, Index j, Index from, Index n) {
        return {x.data() + j * x.stride() + from, n, x.shape().positions(), x.shape().channels()};
    }
    template <class S, class Function>
    void for_each_head(S* saved, const auto& x, const Function& function) const {
        const Index steps = x.shape().positions();
        const Index channels = x.shape().channels() / 3;
        const Index d = channels / heads;
        S* const keys = saved + x.batch() * heads * steps * steps;
        const Room<S> room{keys, keys + d * steps, keys + 2 * d * steps, keys + 3 * d * steps};
        for (Index j = 0; j < x.batch(); ++j) {
            for (Index h = 0; h < heads; ++h) {
                function(Head<S>{part_of<const S>(x, j, h * d, d),
                                 part_of<const S>(x, j, channels + h * d, d),
                                 part_of<const S>(x, j, 2 * channels + h * d, d),
                                 {saved + (j * heads + h) * steps * steps, steps, steps, steps},
                                 room},
                         j, h);
            }
        }
    }
    template <class S>
    static void pack(S* to, const product::Columns<const S>& from) {
        for (Index t = 0; t < from.cols; ++t) std::copy_n(from.column(t), from.rows, to + t * from.rows);
    }
    template <class S>
    static void unpack(const product::Columns<S>& to, const S* from, bool accumulate) {
        for (Index t = 0; t < to.cols; ++t) {
            detail::FlatMap<S> column(to.column(t), to.rows);
            if (!accumulate) column.setZero();
            column += detail::ConstFlatMap<S>(from + t * to.rows, to.rows);
        }
    }
};

/// Multi-head self-attention (Vaswani et al. 2017, section 3.2.2): every position of a sequence asks all
/// positions, `Seq<E, T>` to itself. PyTorch's MultiheadAttention with one input for query, key and value.
/// Parameters `in_proj_weight` (3 E, E) with the rows of queries, keys and values, uniform on
/// +-sqrt(6 / (4 E)) at first, `in_proj_bias` (3 E), zero, `out_proj.weight` (E, E), uniform on +-1/sqrt(E),
/// `out_proj.bias` (E), zero. It does not know where a position is: see positional.hpp.
///
///     MultiHeadSelfAttention<4>{}                      // 4 heads of E / 4 channels each
///     MultiHeadSelfAttention<4>{.causal = true}        // a position sees itself and those before
///     MultiHeadSelfAttention<>{.heads = Vec<>(heads)}
template <Index Heads = Dynamic>
struct MultiHeadSelfAttention {
    [[no_unique_address]] Vec<Heads> heads{};
    bool causal = false;

    static constexpr const char* name = "multi-head-self-attention";
    static constexpr void options(auto& self, auto&& visit) {
        visit("heads", self.heads);
        visit("causal", self.causal);
    }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<MultiHeadSelfAttention>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index E = X::SampleShape::template static_extent<0>;
        constexpr Index All = E == Dynamic ? Dynamic : 3 * E;
        const Index channels = x.shape().channels();
        detail::require_heads_divide_channels<MultiHeadSelfAttention, E, Heads>(channels, heads.size());
        const Attributes no_decay{.decay = false};
        const auto weight = scope.parameter("in_proj_weight", Shape<E, All>(channels, 3 * channels),
                                            UniformGlorot{channels, 3 * channels});
        const auto bias = scope.parameter("in_proj_bias", Vec<All>(3 * channels), Constant{0}, no_decay);
        const auto projected = affine(scope, x, weight, bias);
        const auto attended = scope.apply(Attend{heads.size(), causal}, projected);
        return scope.call("out_proj", OutProjection{}, attended);
    }

private:
    struct OutProjection {
        template <class Scope, class X>
        constexpr auto operator()(Scope& scope, const X& x) const {
            constexpr Index E = X::SampleShape::template static_extent<0>;
            const Index channels = x.shape().channels();
            const auto weight =
                scope.parameter("weight", Shape<E, E>(channels, channels), UniformFanIn{channels});
            const auto bias =
                scope.parameter("bias", Vec<E>(channels), Constant{0}, Attributes{.decay = false});
            return affine(scope, x, weight, bias);
        }
    };
};

}  // namespace untoward
