// SPDX-License-Identifier: MIT
#pragma once

#include "../core/arena.hpp"
#include "describe.hpp"

// What the two readers that compute, `Run` and `Record`, share: so that both compute the same bits.

namespace untoward UNTOWARD_SETTING::detail {

// Room for the outputs of a rule in the arena, or views of its input. All shapes here are erased.
template <class S, class Rule, class Shapes, class... X>
auto allocate_outputs(Arena& arena, const Rule& rule, const Shapes& shapes, Index batch, const X&... x) {
    return transform(shapes, [&](const auto& shape) {
        using Sample = std::remove_cvref_t<decltype(shape)>;
        if constexpr (is_view<Rule>) {
            static_assert(sizeof...(X) == 1, "untoward: a view has one input");
            const auto view = rule.view(x...);
            return Tensor<S, Sample>(const_cast<S*>(view.data()), shape, batch, view.stride());
        } else {
            return Tensor<S, Sample>(arena.allocate<S>(shape.size() * batch), shape, batch);
        }
    });
}

// What forward and backward share, or what forward needs by itself.
template <class S, bool Keep, class Rule, class... V>
S* allocate_saved(Arena& arena, const Rule& rule, Index batch, const V&... values) {
    if constexpr (!Keep && has_scratch<Rule, V...>) {
        return arena.allocate<S>(rule.scratch(batch, shape_of(values)...));
    } else if constexpr (saves<Rule, V...>) {
        return arena.allocate<S>(rule.saved(batch, shape_of(values)...));
    } else {
        return nullptr;
    }
}

template <bool Keep, class S, class Rule, class Outputs, class... X>
void run_forward(const Rule& rule, S* saved, const Outputs& outputs, const X&... x) {
    if constexpr (is_view<Rule>) {
        return;
    } else if constexpr (has_scratch<Rule, X...>) {
        rule.forward(saved, Keep, outputs, x...);
    } else if constexpr (saves<Rule, X...>) {
        rule.forward(saved, outputs, x...);
    } else {
        constexpr bool has_forward = requires {
            rule.forward(outputs, x...);
        };
        require_forward<Rule, has_forward>();
        if constexpr (has_forward) rule.forward(outputs, x...);
    }
}

// The outputs as their layer sees them: with what is known of their extents.
template <class S, class ErasedSample, class Sample>
Tensor<const S, Sample> with_shape(const Tensor<S, ErasedSample>& x, const Sample& shape) {
    return {x.data(), shape, x.batch(), x.stride()};
}

template <class S, class Sample>
Tensor<const S, Sample> make_constant(Arena& arena, const Sample& shape, Index batch, double value) {
    const Tensor<S, Sample> result(arena.allocate<S>(shape.size() * batch), shape, batch);
    result.flat().setConstant(static_cast<S>(value));
    return result;
}

// Noise for every sample of the batch, or one column for all where the pass has no sample ids.
template <class S, bool Normal, class Sample>
Tensor<const S, Sample> make_noise(Arena& arena, const Pass& pass, std::uint64_t site, const Sample& shape,
                                   Index batch) {
    const Index columns = pass.samples != nullptr ? batch : 1;
    const Tensor<S, Sample> result(arena.allocate<S>(shape.size() * columns), shape, columns);
    const NoiseKey key{.seed = pass.seed, .site = site, .epoch = pass.epoch, .sample = 0};
    fill_noise<S, Normal>(result.data(), shape.size(), columns, shape.size(), key, pass.samples);
    return result;
}

}  // namespace untoward::detail
