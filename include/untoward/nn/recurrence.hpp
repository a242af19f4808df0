// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "../autodiff/rules/affine.hpp"
#include "../core/elementwise.hpp"
#include "recurrence_memory.hpp"

namespace untoward UNTOWARD_SETTING {

/// A recurrence over all steps of a sequence, from a state of zero: from the input (Seq<C, T>, or Vec<C>: the same at each
/// of `steps`), its weight (Shape<C, G H>), that of the hidden state (Shape<H, G H>) and the bias of each (Vec<G H>) to the
/// hidden states Seq<H, T>, or to the last of them, Vec<H>.
///
/// A cell says what one hidden unit is at one step, in functions of numbers. It keeps `kept` of them, the last `gates` of
/// which hold c = W_h h + b_h before Gates is called and the gradient of c after Backward; the first one is its state
/// besides h, if it has one. What waits for the gates is a function of its own, since a processor looks ahead only so
/// far: in one, GRU and LSTM took twice the time.
///
///     Gates{}(gates..., a...)
///         the first `early` gates, which wait for no other, and their a = W_i x + b_i; changes the gates
///     Forward{}(others..., h, gates..., a..., h_before, before)
///         all gates; `before` is the first number of the step before (zero at first); changes the others of those kept,
///         and h
///     Backward{}(kept..., dh, above, h_before, before, after)
///         dh + above is the gradient of h; leaves in dh what goes to h_before directly, not through W; `after` is
///         the first number as the step after left it (zero at last)
///     gradient_at[gate]
///         which of those kept is the gradient of a after Backward
///
/// What is kept of one kind and one step is a matrix of its own, hidden x batch, so that passes over gates are passes over
/// long arrays, and what a step works on stays in the first two caches. The input's share of the gates is computed step by
/// step where the batch is large enough for that, and its gradient is nowhere but in what the cell keeps: with 32 units,
/// 32 steps and a batch of 64, an array per sample and both for all steps at once took a seventh more time in training.
template <class Cell, Index Steps = Dynamic, bool LastOnly = false>
struct Recurrence {
    [[no_unique_address]] Vec<Steps> steps{};  ///< of an input that is the same at all of them

    template <Index C, Index In, Index H, Index Gates, Index Rows, Index BiasIn, Index Bias>
    constexpr auto shape(const Vec<C>& x, const Shape<In, Gates>& weight_in, const Shape<H, Rows>& weight,
                         const Shape<BiasIn>& bias_in, const Shape<Bias>& bias) const {
        return shape_of_states(steps, x, weight_in, weight, bias_in, bias);
    }
    template <Index C, Index T, Index In, Index H, Index Gates, Index Rows, Index BiasIn, Index Bias>
    constexpr auto shape(const Seq<C, T>& x, const Shape<In, Gates>& weight_in, const Shape<H, Rows>& weight,
                         const Shape<BiasIn>& bias_in, const Shape<Bias>& bias) const {
        return shape_of_states(Vec<T>(x.positions()), Vec<C>(x.channels()), weight_in, weight, bias_in, bias);
    }
    constexpr Index multiply_adds(const auto& x, const auto& weight_in, const auto& weight, const auto&,
                                  const auto&) const {
        return weight_in.size() * x.positions() + weight.size() * plan_for(1, x, weight, false).steps;
    }
    constexpr Index batch(Index x, Index weight_in, Index weight, Index bias_in, Index bias) const {
        for (const Index parameter : {weight_in, weight, bias_in, bias})
            detail::require_one_for_all(parameter);
        return x;
    }
    constexpr Index saved(Index batch, const auto& x, const auto&, const auto& weight, const auto&,
                          const auto&) const {
        return plan_for(batch, x, weight, true).size();
    }
    constexpr Index scratch(Index batch, const auto& x, const auto&, const auto& weight, const auto&,
                            const auto&) const {
        return plan_for(batch, x, weight, false).size();
    }

    template <class S>
    void forward(S* memory, bool keep, auto y, auto x, auto weight_in, auto weight, auto bias_in,
                 auto bias) const {
        const Plan plan = plan_for(x.batch(), x.shape(), weight.shape(), keep);
        const Room<S> room(memory, plan, y.data());
        const Samples<const S> inputs = samples_of(x);
        std::fill_n(room.zero, plan.plane(), S(0));
        for (Index gate = 0; plan.turns() && gate < Cell::gates; ++gate)
            turn(room, plan, weight.data(), gate);
        // The input's share of the gates.
        const auto meet_inputs = [&](Index begin, Index count) {
            for (Index gate = 0; gate < Cell::gates; gate += plan.gates_at_once()) {
                for_columns(plan, room.inputs, gate, plan.gates_at_once(), 0, inputs, begin, count,
                            [&](const product::Columns<S>& a, const product::Columns<const S>& from) {
                                product::forward<S>(a, weight_in.data() + gate * plan.hidden * from.rows,
                                                    from, false, bias_in.data() + gate * plan.hidden);
                            });
            }
        };
        for (Index t = 0; t < plan.steps; ++t) {
            const Index place = plan.repeated ? 0 : t % plan.inputs_together();
            if (place == 0 && (t == 0 || !plan.repeated))
                meet_inputs(t, (std::min)(plan.inputs_together(), plan.steps - t));
            const S* const h_before = t == 0 ? room.zero : room.state(t - 1);
            meet_state(room, plan, t, h_before, weight.data(), bias.data());
            step_forward(room, plan, t, place, h_before);
            const bool is_last = t == plan.steps - 1;
            const Index together = LastOnly ? 1 : t % plan.together() + 1;
            if (plan.writes_states() || !(is_last || (!LastOnly && together == plan.together()))) continue;
            copy_steps(
                plan, t + 1 - together, t + 1, plan.hidden,
                [&](Index s, Index j) { return &y(LastOnly ? 0 : s * plan.hidden, j); },
                [&](Index s, Index j) { return room.state(s) + j * plan.hidden; });
        }
    }

    template <class S>
    void backward(S* memory, auto dy, auto y, auto x, auto weight_in, auto weight, auto, auto, auto dx,
                  auto dweight_in, auto dweight, auto dbias_in, auto dbias) const {
        const Plan plan = plan_for(x.batch(), x.shape(), weight.shape(), true);
        const Room<S> room(memory, plan, const_cast<S*>(y.data()));
        std::fill_n(room.dh, plan.plane(), S(0));
        std::fill_n(room.sums, Cell::kept * plan.hidden, S(0));
        S* const to_weight_in = dweight_in ? dweight_in.partial().data() : nullptr;
        S* const to_weight = dweight ? dweight.partial().data() : nullptr;
        // Each part of the input's gradient is written once, gate after gate.
        Samples<S> to_inputs{};
        bool add_to_inputs = false;
        dx.write([&](const auto& to, bool accumulate) {
            to_inputs = samples_of(to);
            add_to_inputs = accumulate;
        });
        const bool sums_inputs = plan.repeated && (to_weight_in != nullptr || to_inputs.data != nullptr);
        if (sums_inputs) std::fill_n(room.inputs.data, Cell::gates * plan.plane(), S(0));
        // What the gradients of `count` steps from `begin` on, of one or more gates, give to the input and its weight.
        const auto give_to_inputs = [&](const Planes<S>& d, Index number, Index numbers, Index gate,
                                        Index begin, Index count) {
            const Index row = gate * plan.hidden * plan.channels;
            if (to_weight_in != nullptr) {
                const S* const from =
                    plan.room_of_inputs() > 0 ? room.gathered : &x(begin * plan.channels, 0);
                const Index stride = plan.repeated ? x.stride() : plan.channels;
                product::backward_weight<S>(to_weight_in + row, d.columns(number, begin, count, numbers),
                                            {from, plan.channels, count * plan.batch, stride}, true);
            }
            if (to_inputs.data != nullptr) {
                for_columns(plan, d, number, numbers, begin, to_inputs, begin, count,
                            [&](const product::Columns<S>& from, const product::Columns<S>& to) {
                                product::backward_input<S>(to, weight_in.data() + row, from,
                                                           add_to_inputs || gate > 0);
                            });
            }
        };

        // What reaches h from outside.
        const auto above = [&](Index t, Index begin) -> const S* {
            if (LastOnly && t < plan.steps - 1) return room.zero;
            const Index place = LastOnly ? 0 : t;
            return plan.batch == 1 ? dy.data() + place * plan.hidden
                                   : room.above + (LastOnly ? 0 : t - begin) * plan.plane();
        };
        const auto add_up_biases = [&](Index begin, Index count) {
            for (Index number = 0; (dbias_in || dbias) && number < Cell::kept; ++number) {
                if (is_gradient(number))
                    detail::sum_columns<S>(room.sums + number * plan.hidden,
                                           room.kept.columns(number, begin, count, 1), true);
            }
        };

        for (Index end = plan.steps; end > 0;) {
            const Index begin = (end - 1) / plan.together() * plan.together();
            const Index count = end - begin;
            if (plan.batch > 1 && (!LastOnly || end == plan.steps)) {
                const Index first = LastOnly ? end - 1 : begin;
                copy_steps(
                    plan, first, end, plan.hidden,
                    [&](Index t, Index j) {
                        return room.above + (t - first) * plan.plane() + j * plan.hidden;
                    },
                    [&](Index t, Index j) { return &dy(LastOnly ? 0 : t * plan.hidden, j); });
            }
            for (Index t = end - 1; t >= begin; --t) {
                step_backward(room, plan, t, above(t, begin));
                if (plan.batch > 1) add_up_biases(t, 1);
                if (sums_inputs) add_up_inputs(room, plan, t);
                for (Index gate = 0; t > 0 && gate < Cell::gates; gate += plan.gates_at_once()) {
                    product::backward_input<S>({room.dh, plan.hidden, plan.batch, plan.hidden},
                                               weight.data() + gate * plan.square(), room.gates(gate, t, 1),
                                               true);
                }
            }
            // All these steps at once: of the first step of all there is no state before it.
            const Index from = std::max<Index>(begin, 1);
            for (Index gate = 0; to_weight != nullptr && from < end && gate < Cell::gates;
                 gate += plan.gates_at_once()) {
                const product::Columns<const S> before{room.state(from - 1), plan.hidden,
                                                       (end - from) * plan.batch, plan.hidden};
                product::backward_weight<S>(to_weight + gate * plan.square(),
                                            room.gates(gate, from, end - from), before, true);
            }
            if (plan.batch == 1) add_up_biases(begin, count);
            if (to_weight_in != nullptr && plan.room_of_inputs() > 0) {
                copy_steps(
                    plan, begin, end, plan.channels,
                    [&](Index t, Index j) {
                        return room.gathered + ((t - begin) * plan.batch + j) * plan.channels;
                    },
                    [&](Index t, Index j) { return &x(t * plan.channels, j); });
            }
            for (Index gate = 0; !plan.repeated && gate < Cell::gates; ++gate)
                give_to_inputs(room.kept, Cell::gradient_at[gate], 1, gate, begin, count);
            end = begin;
        }
        for (Index gate = 0; sums_inputs && gate < Cell::gates; gate += plan.gates_at_once())
            give_to_inputs(room.inputs, gate, plan.gates_at_once(), gate, 0, 1);
        const auto write_sums = [&](const auto& bias, const auto& number_of) {
            bias.write([&](const auto& to, bool accumulate) {
                for (Index gate = 0; gate < Cell::gates; ++gate) {
                    for (Index i = 0; i < plan.hidden; ++i) {
                        S& sum = to.data()[gate * plan.hidden + i];
                        sum = (accumulate ? sum : S(0)) + room.sums[number_of(gate) * plan.hidden + i];
                    }
                }
            });
        };
        write_sums(dbias_in, [](Index gate) { return Cell::gradient_at[gate]; });
        write_sums(dbias, [](Index gate) { return first_gate + gate; });
    }

private:
    static constexpr Index first_gate = Cell::kept - Cell::gates;
    // Whether a number that is kept becomes the gradient of something that a bias is added to.
    static constexpr bool is_gradient(Index number) {
        const auto* const end = Cell::gradient_at + Cell::gates;
        return number >= first_gate || std::find(Cell::gradient_at, end, number) != end;
    }

    using Plan = detail::RecurrencePlan<Cell, LastOnly>;
    template <class S>
    using Planes = detail::StepPlanes<S>;
    template <class S>
    using Room = detail::RecurrenceRoom<S, Cell, LastOnly>;

    template <Index C, Index... T, class Weight>
    constexpr Plan plan_for(Index batch, const Shape<C, T...>& x, const Weight& weight, bool keep) const {
        constexpr bool repeated = sizeof...(T) == 0;
        return {.channels = x.channels(),
                .hidden = weight.template extent<0>(),
                .steps = repeated ? steps.size() : x.positions(),
                .batch = batch,
                .repeated = repeated,
                .keep = keep};
    }

    template <Index T, Index C, Index In, Index H, Index Gates, Index Rows, Index BiasIn, Index Bias>
    constexpr auto shape_of_states(const Vec<T>& count, const Vec<C>& channels,
                                   const Shape<In, Gates>& weight_in, const Shape<H, Rows>& weight,
                                   const Shape<BiasIn>& bias_in, const Shape<Bias>& bias) const {
        constexpr Index Expected = H == Dynamic ? Dynamic : Cell::gates * H;
        const Index hidden = weight.template extent<0>();
        const Index gates = Cell::gates * hidden;
        detail::require_same_extent<Recurrence, In, C>(weight_in.template extent<0>(), channels.size());
        detail::require_same_extent<Recurrence, Expected, Gates>(gates, weight_in.template extent<1>());
        detail::require_same_extent<Recurrence, Expected, Rows>(gates, weight.template extent<1>());
        detail::require_same_extent<Recurrence, Expected, BiasIn>(gates, bias_in.size());
        detail::require_same_extent<Recurrence, Expected, Bias>(gates, bias.size());
        UNTOWARD_ASSERT(count.size() >= 1, "untoward: a recurrence has at least one step");
        if constexpr (LastOnly) {
            return Vec<H>(hidden);
        } else {
            return Seq<H, T>(hidden, count.size());
        }
    }

    // The input, or its gradient.
    template <class T>
    struct Samples {
        T* data = nullptr;
        Index channels = 0;
        Index stride = 0;
    };
    template <class T, class Sample>
    static Samples<T> samples_of(const Tensor<T, Sample>& x) {
        return {x.data(), x.shape().channels(), x.stride()};
    }
    // f(columns of planes, columns of samples) for `count` steps: of samples those from `begin` on, of planes from `first`
    // on. In as few calls as there can be.
    template <class S, class T, class Function>
    static void for_columns(const Plan& plan, const Planes<S>& planes, Index number, Index numbers,
                            Index first, const Samples<T>& x, Index begin, Index count, const Function& f) {
        S* const plane = planes.at(number, first);
        const Index rows = numbers * plan.hidden;
        const Index channels = x.channels;
        if (plan.batch > count || count == 1) {
            for (Index s = 0; s < count; ++s) {
                f(product::Columns<S>{plane + s * planes.of_step, rows, plan.batch, plan.hidden},
                  product::Columns<T>{x.data + (begin + s) * channels, channels, plan.batch, x.stride});
            }
        } else {
            for (Index j = 0; j < plan.batch; ++j) {
                f(product::Columns<S>{plane + j * plan.hidden, rows, count, planes.of_step},
                  product::Columns<T>{x.data + j * x.stride + begin * channels, channels, count, channels});
            }
        }
    }

    // A gate's weight of the state, column by column.
    template <class S>
    static void turn(const Room<S>& room, const Plan& plan, const S* weight, Index gate) {
        using Matrix = Eigen::Matrix<S, Dynamic, Dynamic>;
        Eigen::Map<Matrix>(room.turned + gate * plan.square(), plan.hidden, plan.hidden) =
            Eigen::Map<const Matrix>(weight + gate * plan.square(), plan.hidden, plan.hidden).transpose();
    }
    // The state's share of the gates.
    template <class S>
    static void meet_state(const Room<S>& room, const Plan& plan, Index t, const S* h_before, const S* weight,
                           const S* bias) {
        for (Index gate = 0; gate < Cell::gates; gate += plan.gates_at_once()) {
            const product::Columns<S> to = room.gates(gate, t, 1);
            const product::Columns<const S> from{h_before, plan.hidden, plan.batch, plan.hidden};
            const S* const of_gate = bias + gate * plan.hidden;
            if (t == 0) {
                for (Index j = 0; j < to.cols; ++j) std::copy_n(of_gate, to.rows, to.column(j));
            } else if (plan.turns()) {
                product::backward_input<S>(to, room.turned + gate * plan.square(), from, false, of_gate);
            } else {
                product::forward<S>(to, weight + gate * plan.square(), from, false, of_gate);
            }
        }
    }
    template <class S>
    static void step_forward(const Room<S>& room, const Plan& plan, Index t, Index place, const S* h_before) {
        constexpr auto early = static_cast<std::size_t>(Cell::early);
        const S* const before = t == 0 ? room.zero : room.number(0, t - 1);
        S* of_gates[2 * early];
        for (std::size_t gate = 0; gate < early; ++gate) {
            const auto i = static_cast<Index>(gate);
            of_gates[gate] = room.number(first_gate + i, t);
            of_gates[early + gate] = room.inputs.at(i, place);
        }
        change<early>(plan.plane(), typename Cell::Gates{}, of_gates);
        S* x[first_gate + 1 + 2 * Cell::gates + 2];
        S** next = x;
        for (Index k = 0; k < first_gate; ++k) *next++ = room.number(k, t);
        *next++ = room.state(t);
        for (Index gate = 0; gate < Cell::gates; ++gate) *next++ = room.number(first_gate + gate, t);
        for (Index gate = 0; gate < Cell::gates; ++gate) *next++ = room.inputs.at(gate, place);
        *next++ = const_cast<S*>(h_before);
        *next++ = const_cast<S*>(before);
        change<static_cast<std::size_t>(first_gate + 1)>(plan.plane(), typename Cell::Forward{}, x);
    }
    template <class S>
    static void step_backward(const Room<S>& room, const Plan& plan, Index t, const S* above) {
        S* x[Cell::kept + 5];
        S** next = x;
        for (Index k = 0; k < Cell::kept; ++k) *next++ = room.number(k, t);
        *next++ = room.dh;
        *next++ = const_cast<S*>(above);
        *next++ = t == 0 ? room.zero : room.state(t - 1);
        *next++ = t == 0 ? room.zero : room.number(0, t - 1);
        *next++ = t == plan.steps - 1 ? room.zero : room.number(0, t + 1);
        change<static_cast<std::size_t>(Cell::kept + 1)>(plan.plane(), typename Cell::Backward{}, x);
    }
    // To the gradient of a repeated input's share, that of one step.
    template <class S>
    static void add_up_inputs(const Room<S>& room, const Plan& plan, Index t) {
        for (Index gate = 0; gate < Cell::gates; ++gate) {
            change<1>(plan.plane(), [](auto& sum, auto d) { sum += d; },
                      {room.inputs.at(gate, 0), room.number(Cell::gradient_at[gate], t)});
        }
    }
    // Some numbers of some steps of all samples, between planes and samples: several steps at a time, since samples lie far
    // apart.
    static void copy_steps(const Plan& plan, Index begin, Index end, Index numbers, const auto& to,
                           const auto& from) {
        for (Index j = 0; j < plan.batch; ++j) {
            for (Index t = begin; t < end; ++t) std::copy_n(from(t, j), numbers, to(t, j));
        }
    }
};

}  // namespace untoward
