// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/arithmetic.hpp"
#include "../core/options.hpp"
#include "attention.hpp"
#include "dense.hpp"
#include "dropout.hpp"
#include "layer_norm.hpp"

namespace untoward UNTOWARD_SETTING {

/// A transformer's block with the norms in front (Vaswani et al. 2017; Xiong et al. 2020), which trains
/// without a warm-up: `Seq<E, T>` to itself,
///
///     h = x + dropout(attention(norm1(x)))
///     y = h + dropout(linear2(dropout(activation(linear1(norm2(h))))))
///
/// with FeedForward units between the two dense layers. PyTorch's TransformerEncoderLayer with
/// norm_first=True, save that attention weights are not dropped; parameters `self_attn...`, `linear1...`,
/// `linear2...`, `norm1...`, `norm2...`.
///
///     Chain<Dense<32>, PositionalEncoding, TransformerBlock<4, 64>, TransformerBlock<4, 64>, LayerNorm>{}
///     TransformerBlock<>{.heads = Vec<>(4), .feed_forward = Vec<>(64)}
template <Index Heads = Dynamic, Index FeedForward = Dynamic, class Activation = Relu>
struct TransformerBlock {
    [[no_unique_address]] Vec<Heads> heads{};
    [[no_unique_address]] Vec<FeedForward> feed_forward{};
    bool causal = false;
    double dropout = 0;

    static constexpr const char* name = "transformer-block";
    static constexpr void options(auto& self, auto&& visit) {
        visit("heads", self.heads);
        visit("feed_forward", self.feed_forward);
        visit("activation", as_argument<Activation>);
        visit("causal", self.causal);
        visit("dropout", self.dropout, from_below(0, 1));
    }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<TransformerBlock>(scope, input);
        using X = std::remove_cvref_t<decltype(x)>;
        constexpr Index E = X::SampleShape::template static_extent<0>;
        const Vec<E> channels(x.shape().channels());
        const Dropout drop{dropout};
        const auto standard1 = scope.call("norm1", LayerNorm{}, x);
        const auto attended =
            scope.call("self_attn", MultiHeadSelfAttention<Heads>{heads, causal}, standard1);
        const auto kept1 = scope.call("dropout1", drop, attended);
        const auto h = add(scope, x, kept1);
        const auto standard2 = scope.call("norm2", LayerNorm{}, h);
        const auto wide = scope.call("linear1", Dense<FeedForward, Activation>(feed_forward), standard2);
        const auto kept_wide = scope.call("dropout", drop, wide);
        const auto narrow = scope.call("linear2", Dense<E>(channels), kept_wide);
        const auto kept2 = scope.call("dropout2", drop, narrow);
        return add(scope, h, kept2);
    }
};

}  // namespace untoward
