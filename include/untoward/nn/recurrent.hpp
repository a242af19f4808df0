// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/initialiser.hpp"
#include "../autodiff/scope.hpp"
#include "recurrence.hpp"

namespace untoward UNTOWARD_SETTING::detail {

/// A recurrent layer in front of a `LastStep`: no other state becomes a tensor.
template <class Layer>
struct LastStateOf {
    static constexpr Index has_parameters_of = 0;
    [[no_unique_address]] Layer layer;

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        return layer.last_state(scope, input);
    }
};

/// What the layers around a cell are. Their parameters are PyTorch's, all uniform on +-1/sqrt(hidden) at first.
template <class Layer, class Cell>
struct RecurrentLayer {
    using TakesRepeated = void;

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        return over<Recurrence<Cell>>(scope, {}, require_sequence<Layer>(scope, input));
    }
    /// The states of a sequence that has the same vector at each of `steps`: what `Repeat` and this layer are together.
    template <Index Steps, class Scope, class Input>
    constexpr auto at_every_step(Scope& scope, const Vec<Steps>& steps, const Input& x) const {
        return over<Recurrence<Cell, Steps>>(scope, {steps}, x);
    }
    /// The last state alone: what this layer and `LastStep` are together.
    template <class Scope, class Input>
    constexpr auto last_state(Scope& scope, const Input& input) const {
        return over<Recurrence<Cell, Dynamic, true>>(scope, {}, require_sequence<Layer>(scope, input));
    }
    template <class Next>
    requires requires { typename Next::IsLastStep; }
    constexpr auto with_next(const Next&) const { return LastStateOf<Layer>{self()}; }

private:
    [[nodiscard]] constexpr const Layer& self() const { return static_cast<const Layer&>(*this); }

    template <class Rule, class Scope, class Input>
    constexpr auto over(Scope& scope, const Rule& rule, const Input& x) const {
        const auto& hidden = self().hidden;
        constexpr Index Hidden = std::remove_cvref_t<decltype(hidden)>::template static_extent<0>;
        constexpr Index In = Input::SampleShape::template static_extent<0>;
        constexpr Index Gates = Hidden == Dynamic ? Dynamic : Cell::gates * Hidden;
        const Vec<Gates> gates(Cell::gates * hidden.size());
        const UniformFanIn initial{hidden.size()};
        const Attributes no_decay{.decay = false};
        const auto weight_ih =
            scope.parameter("weight_ih", Shape<In, Gates>(x.shape().channels(), gates.size()), initial);
        const auto weight_hh =
            scope.parameter("weight_hh", Shape<Hidden, Gates>(hidden.size(), gates.size()), initial);
        const auto bias_ih = scope.parameter("bias_ih", gates, initial, no_decay);
        const auto bias_hh = scope.parameter("bias_hh", gates, initial, no_decay);
        return scope.apply(rule, x, weight_ih, weight_hh, bias_ih, bias_hh);
    }
};

}  // namespace untoward::detail
