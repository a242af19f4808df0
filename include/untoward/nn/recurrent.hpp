// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <utility>

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../autodiff/scope.hpp"
#include "../core/elementwise.hpp"

// What recurrent layers share: one rule for all steps, and the layer around it. The gates of a cell are its
// own: nn/gru.hpp, nn/lstm.hpp.

namespace untoward {

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
/// 32 steps and a batch of 64, writing both for all steps at once took a sixth of the time of training.
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
        return weight_in.size() * x.positions() + weight.size() * plan(1, x, weight, false).steps;
    }
    constexpr Index batch(Index x, Index weight_in, Index weight, Index bias_in, Index bias) const {
        for (const Index parameter : {weight_in, weight, bias_in, bias})
            detail::require_one_for_all(parameter);
        return x;
    }
    constexpr Index saved(Index batch, const auto& x, const auto&, const auto& weight, const auto&,
                          const auto&) const {
        return plan(batch, x, weight, true).size();
    }
    constexpr Index scratch(Index batch, const auto& x, const auto&, const auto& weight, const auto&,
                            const auto&) const {
        return plan(batch, x, weight, false).size();
    }

    template <class S>
    void forward(S* memory, bool keep, auto y, auto x, auto weight_in, auto weight, auto bias_in,
                 auto bias) const {
        const Plan is = plan(x.batch(), x.shape(), weight.shape(), keep);
        const Room<S> room(memory, is, y.data());
        const Samples<const S> inputs = samples_of(x);
        std::fill_n(room.zero, is.plane(), S(0));
        for (Index gate = 0; is.turns && gate < Cell::gates; ++gate) turn(room, is, weight.data(), gate);
        // The input's share of the gates.
        const auto meet_inputs = [&](Index begin, Index count) {
            for (Index gate = 0; gate < Cell::gates; gate += is.gates_at_once()) {
                for_columns(is, room.inputs, gate, is.gates_at_once(), 0, inputs, begin, count,
                            [&](const product::Columns<S>& a, const product::Columns<const S>& from) {
                                product::forward<S>(a, weight_in.data() + gate * is.hidden * from.rows, from,
                                                    false, bias_in.data() + gate * is.hidden);
                            });
            }
        };
        for (Index t = 0; t < is.steps; ++t) {
            const Index place = is.repeated ? 0 : t % is.inputs_together;
            if (place == 0 && (t == 0 || !is.repeated))
                meet_inputs(t, std::min(is.inputs_together, is.steps - t));
            const S* const h_before = t == 0 ? room.zero : room.state(t - 1);
            meet_state(room, is, t, h_before, weight.data(), bias.data());
            step_forward(room, is, t, place, h_before);
            const Index first = t / is.together * is.together;
            const bool is_last = t == is.steps - 1 || t + 1 == first + is.together;
            if (is_last && !is.writes_states && (!LastOnly || t == is.steps - 1))
                copy_states(room, is, LastOnly ? t : first, t + 1, y);
        }
    }

    template <class S>
    void backward(S* memory, auto dy, auto y, auto x, auto weight_in, auto weight, auto, auto, auto dx,
                  auto dweight_in, auto dweight, auto dbias_in, auto dbias) const {
        const Plan is = plan(x.batch(), x.shape(), weight.shape(), true);
        const Room<S> room(memory, is, const_cast<S*>(y.data()));
        std::fill_n(room.dh, is.plane(), S(0));
        std::fill_n(room.sums, Cell::kept * is.hidden, S(0));
        if (is.repeated) std::fill_n(room.inputs.data, Cell::gates * is.plane(), S(0));
        S* const to_weight_in = dweight_in ? dweight_in.partial().data() : nullptr;
        S* const to_weight = dweight ? dweight.partial().data() : nullptr;
        // Each part of the input's gradient is written once, gate after gate.
        Samples<S> to_inputs{};
        bool add_to_inputs = false;
        dx.write([&](const auto& to, bool accumulate) {
            to_inputs = samples_of(to);
            add_to_inputs = accumulate;
        });
        // What the gradients of `count` steps from `begin` on, of one or more gates, give to the input and its weight.
        const auto give_to_inputs = [&](const Planes<S>& d, Index number, Index numbers, Index gate,
                                        Index begin, Index count) {
            const Index row = gate * is.hidden * is.channels;
            if (to_weight_in != nullptr) {
                const S* const from = is.room_of_inputs() > 0 ? room.gathered : &x(begin * is.channels, 0);
                const Index stride = is.repeated ? x.stride() : is.channels;
                product::backward_weight<S>(to_weight_in + row, d.columns(number, begin, count, numbers),
                                            {from, is.channels, count * is.batch, stride}, true);
            }
            if (to_inputs.data != nullptr) {
                for_columns(is, d, number, numbers, begin, to_inputs, begin, count,
                            [&](const product::Columns<S>& from, const product::Columns<S>& to) {
                                product::backward_input<S>(to, weight_in.data() + row, from,
                                                           add_to_inputs || gate > 0);
                            });
            }
        };

        // What reaches h from outside.
        const auto above = [&](Index t, Index begin) -> const S* {
            if (LastOnly && t < is.steps - 1) return room.zero;
            const Index place = LastOnly ? 0 : t;
            return is.batch == 1 ? dy.data() + place * is.hidden
                                 : room.above + (LastOnly ? 0 : t - begin) * is.plane();
        };
        const auto add_up_biases = [&](Index begin, Index count) {
            for (Index number = 0; (dbias_in || dbias) && number < Cell::kept; ++number) {
                if (is_gradient(number))
                    detail::sum_columns<S>(room.sums + number * is.hidden,
                                           room.kept.columns(number, begin, count, 1), true);
            }
        };

        for (Index end = is.steps; end > 0;) {
            const Index begin = (end - 1) / is.together * is.together;
            const Index count = end - begin;
            if (is.batch > 1 && (!LastOnly || end == is.steps))
                copy_gradients(room, is, LastOnly ? end - 1 : begin, end, dy);
            for (Index t = end - 1; t >= begin; --t) {
                step_backward(room, is, t, above(t, begin));
                if (is.batch > 1) add_up_biases(t, 1);
                if (is.repeated) add_up_inputs(room, is, t);
                for (Index gate = 0; t > 0 && gate < Cell::gates; gate += is.gates_at_once()) {
                    product::backward_input<S>({room.dh, is.hidden, is.batch, is.hidden},
                                               weight.data() + gate * is.square(), room.gates(gate, t, 1),
                                               true);
                }
            }
            // All these steps at once: of the first step of all there is no state before it.
            const Index from = std::max<Index>(begin, 1);
            for (Index gate = 0; to_weight != nullptr && from < end && gate < Cell::gates;
                 gate += is.gates_at_once()) {
                const product::Columns<const S> before{room.state(from - 1), is.hidden,
                                                       (end - from) * is.batch, is.hidden};
                product::backward_weight<S>(to_weight + gate * is.square(),
                                            room.gates(gate, from, end - from), before, true);
            }
            if (is.batch == 1) add_up_biases(begin, count);
            if (to_weight_in != nullptr && is.room_of_inputs() > 0) gather_inputs(room, is, begin, end, x);
            for (Index gate = 0; !is.repeated && gate < Cell::gates; ++gate)
                give_to_inputs(room.kept, Cell::gradient_at[gate], 1, gate, begin, count);
            end = begin;
        }
        for (Index gate = 0; is.repeated && gate < Cell::gates; gate += is.gates_at_once())
            give_to_inputs(room.inputs, gate, is.gates_at_once(), gate, 0, 1);
        const auto write_sums = [&](const auto& bias, const auto& number_of) {
            bias.write([&](const auto& to, bool accumulate) {
                for (Index gate = 0; gate < Cell::gates; ++gate) {
                    for (Index i = 0; i < is.hidden; ++i) {
                        S& sum = to.data()[gate * is.hidden + i];
                        sum = (accumulate ? sum : S(0)) + room.sums[number_of(gate) * is.hidden + i];
                    }
                }
            });
        };
        write_sums(dbias_in, [](Index gate) { return Cell::gradient_at[gate]; });
        write_sums(dbias, [](Index gate) { return first_gate + gate; });
    }

private:
    static constexpr Index first_gate = Cell::kept - Cell::gates;
    static constexpr bool is_gradient(Index number) {
        const auto* const end = Cell::gradient_at + Cell::gates;
        return number >= first_gate || std::find(Cell::gradient_at, end, number) != end;
    }

    // What is done at once, and so how memory is divided.
    struct Plan {
        Index channels;
        Index hidden;
        Index steps;
        Index batch;
        bool repeated;
        bool keep;
        bool writes_states;     // in the output, of one sample
        Index together;         // steps that are one product of the weights' gradients
        Index inputs_together;  // steps whose shares of the input are there at once
        bool turns;  // whether there are so many columns that the weight is turned once and for all

        [[nodiscard]] constexpr Index plane() const { return hidden * batch; }
        [[nodiscard]] constexpr Index square() const { return hidden * hidden; }
        // Of one sample the gates lie one behind the other.
        [[nodiscard]] constexpr Index gates_at_once() const { return batch == 1 ? Cell::gates : 1; }
        // That are there at once, and for which there is room; the last ones of `together` steps are to be copied.
        [[nodiscard]] constexpr Index states() const {
            return keep || writes_states ? steps : std::min(steps, LastOnly ? 2 : together + 1);
        }
        [[nodiscard]] constexpr Index room_of_states() const { return writes_states ? 0 : states(); }
        [[nodiscard]] constexpr Index room_above() const { return batch == 1 ? 0 : LastOnly ? 1 : together; }
        // Inputs beside the gates that they meet, where samples lie far apart.
        [[nodiscard]] constexpr Index room_of_inputs() const {
            return repeated || batch == 1 ? 0 : together * channels * batch;
        }
        [[nodiscard]] constexpr Index size() const {
            const Index planes =
                1 + Cell::kept * (keep ? steps : 1) + Cell::gates * inputs_together + room_of_states();
            const Index backward = plane() * (1 + room_above()) + Cell::kept * hidden + room_of_inputs();
            return planes * plane() + (turns ? Cell::gates * square() : 0) + (keep ? backward : 0);
        }
    };
    template <Index C, Index... T, class Weight>
    constexpr Plan plan(Index batch, const Shape<C, T...>& x, const Weight& weight, bool keep) const {
        constexpr bool repeated = sizeof...(T) == 0;
        constexpr Index columns = 256;  // of a product: more bring nothing
        constexpr Index fewest = 4;     // so that parts of a sample's output lie side by side
        constexpr Index many = 8;
        const Index count = repeated ? steps.size() : x.positions();
        const Index together =
            std::clamp<Index>(columns / std::max<Index>(batch, 1), fewest, std::max(count, fewest));
        return {.channels = x.channels(),
                .hidden = weight.template extent<0>(),
                .steps = count,
                .batch = batch,
                .repeated = repeated,
                .keep = keep,
                .writes_states = batch == 1 && !LastOnly,
                .together = std::min(together, count),
                .inputs_together = repeated || batch >= together ? 1 : std::min(together, count),
                .turns = batch >= many && !product::detail::has_plain_loops};
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

    // Matrices of hidden x batch, for some numbers of a unit at some steps: number by number, or, of one sample, step by
    // step. Either way the columns of one number at several steps lie at one stride.
    template <class S>
    struct Planes {
        S* data;
        Index hidden;
        Index batch;
        Index of_number;
        Index of_step;

        Planes() = default;
        Planes(S* begin, const Plan& is, Index numbers, Index count)
            : data(begin),
              hidden(is.hidden),
              batch(is.batch),
              of_number(batch == 1 ? hidden : count * is.plane()),
              of_step(batch == 1 ? numbers * hidden : is.plane()) {}

        [[nodiscard]] S* at(Index number, Index t) const { return data + number * of_number + t * of_step; }
        // Several numbers only of one sample.
        [[nodiscard]] product::Columns<S> columns(Index number, Index t, Index count, Index numbers) const {
            return {at(number, t), numbers * hidden, count * batch, batch == 1 ? of_step : hidden};
        }
    };
    template <class S>
    struct Room {
        Planes<S> kept;
        Planes<S> inputs;  // what W_i x + b_i is; going back, its gradient where the input is repeated
        S* states;
        Index states_count;
        Index of_state;
        S* zero;
        S* turned;  // W_h
        S* dh;
        S* above;     // what reaches h from outside, of the steps that are together
        S* gathered;  // inputs of the steps that are together
        S* sums;      // over batch and steps, of every number that is kept

        Room(S* memory, const Plan& is, S* output) {
            const S* const begin = memory;
            const auto take = [&memory](Index n) { return std::exchange(memory, memory + n); };
            const Index count = is.keep ? is.steps : 1;
            kept = Planes<S>(take(Cell::kept * count * is.plane()), is, Cell::kept, count);
            inputs = Planes<S>(take(Cell::gates * is.inputs_together * is.plane()), is, Cell::gates,
                               is.inputs_together);
            kept_steps = count;
            states_count = is.states();
            of_state = is.plane();
            states = is.writes_states ? output : take(is.room_of_states() * of_state);
            zero = take(is.plane());
            turned = take(is.turns ? Cell::gates * is.square() : 0);
            dh = take(is.keep ? is.plane() : 0);
            above = take(is.keep ? is.room_above() * is.plane() : 0);
            gathered = take(is.keep ? is.room_of_inputs() : 0);
            sums = take(is.keep ? Cell::kept * is.hidden : 0);
            UNTOWARD_ASSERT(memory - begin == is.size(), "untoward: a recurrence has miscounted its memory");
            static_cast<void>(begin);
        }
        [[nodiscard]] S* state(Index t) const { return states + t % states_count * of_state; }
        [[nodiscard]] S* number(Index k, Index t) const { return kept.at(k, t % kept_steps); }
        [[nodiscard]] product::Columns<S> gates(Index gate, Index t, Index count) const {
            return kept.columns(first_gate + gate, t % kept_steps, count, kept.batch == 1 ? Cell::gates : 1);
        }

    private:
        Index kept_steps;
    };

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
    static void for_columns(const Plan& is, const Planes<S>& planes, Index number, Index numbers, Index first,
                            const Samples<T>& x, Index begin, Index count, const Function& f) {
        S* const plane = planes.at(number, first);
        const Index rows = numbers * is.hidden;
        const Index channels = x.channels;
        if (is.batch > count || count == 1) {
            for (Index s = 0; s < count; ++s) {
                f(product::Columns<S>{plane + s * planes.of_step, rows, is.batch, is.hidden},
                  product::Columns<T>{x.data + (begin + s) * channels, channels, is.batch, x.stride});
            }
        } else {
            for (Index j = 0; j < is.batch; ++j) {
                f(product::Columns<S>{plane + j * is.hidden, rows, count, planes.of_step},
                  product::Columns<T>{x.data + j * x.stride + begin * channels, channels, count, channels});
            }
        }
    }

    // A gate's weight of the state, column by column.
    template <class S>
    static void turn(const Room<S>& room, const Plan& is, const S* weight, Index gate) {
        using Matrix = Eigen::Matrix<S, Dynamic, Dynamic>;
        Eigen::Map<Matrix>(room.turned + gate * is.square(), is.hidden, is.hidden) =
            Eigen::Map<const Matrix>(weight + gate * is.square(), is.hidden, is.hidden).transpose();
    }
    // The state's share of the gates.
    template <class S>
    static void meet_state(const Room<S>& room, const Plan& is, Index t, const S* h_before, const S* weight,
                           const S* bias) {
        for (Index gate = 0; gate < Cell::gates; gate += is.gates_at_once()) {
            const product::Columns<S> to = room.gates(gate, t, 1);
            const product::Columns<const S> from{h_before, is.hidden, is.batch, is.hidden};
            const S* const of_gate = bias + gate * is.hidden;
            if (t == 0) {
                for (Index j = 0; j < to.cols; ++j) std::copy_n(of_gate, to.rows, to.column(j));
            } else if (is.turns) {
                product::backward_input<S>(to, room.turned + gate * is.square(), from, false, of_gate);
            } else {
                product::forward<S>(to, weight + gate * is.square(), from, false, of_gate);
            }
        }
    }
    template <class S>
    static void step_forward(const Room<S>& room, const Plan& is, Index t, Index place, const S* h_before) {
        constexpr auto early = static_cast<std::size_t>(Cell::early);
        const S* const before = t == 0 ? room.zero : room.number(0, t - 1);
        S* of_gates[2 * early];
        for (std::size_t gate = 0; gate < early; ++gate) {
            const auto i = static_cast<Index>(gate);
            of_gates[gate] = room.number(first_gate + i, t);
            of_gates[early + gate] = room.inputs.at(i, place);
        }
        change<early>(is.plane(), typename Cell::Gates{}, of_gates);
        S* x[first_gate + 1 + 2 * Cell::gates + 2];
        S** next = x;
        for (Index k = 0; k < first_gate; ++k) *next++ = room.number(k, t);
        *next++ = room.state(t);
        for (Index gate = 0; gate < Cell::gates; ++gate) *next++ = room.number(first_gate + gate, t);
        for (Index gate = 0; gate < Cell::gates; ++gate) *next++ = room.inputs.at(gate, place);
        *next++ = const_cast<S*>(h_before);
        *next++ = const_cast<S*>(before);
        change<static_cast<std::size_t>(first_gate + 1)>(is.plane(), typename Cell::Forward{}, x);
    }
    template <class S>
    static void step_backward(const Room<S>& room, const Plan& is, Index t, const S* above) {
        S* x[Cell::kept + 5];
        S** next = x;
        for (Index k = 0; k < Cell::kept; ++k) *next++ = room.number(k, t);
        *next++ = room.dh;
        *next++ = const_cast<S*>(above);
        *next++ = t == 0 ? room.zero : room.state(t - 1);
        *next++ = t == 0 ? room.zero : room.number(0, t - 1);
        *next++ = t == is.steps - 1 ? room.zero : room.number(0, t + 1);
        change<static_cast<std::size_t>(Cell::kept + 1)>(is.plane(), typename Cell::Backward{}, x);
    }
    // To the gradient of a repeated input's share, that of one step.
    template <class S>
    static void add_up_inputs(const Room<S>& room, const Plan& is, Index t) {
        for (Index gate = 0; gate < Cell::gates; ++gate) {
            change<1>(is.plane(), [](auto& sum, auto d) { sum += d; },
                      {room.inputs.at(gate, 0), room.number(Cell::gradient_at[gate], t)});
        }
    }
    // States and what reaches them from outside, between planes and samples: some steps at a time, since samples lie far
    // apart.
    template <class S>
    static void copy_states(const Room<S>& room, const Plan& is, Index begin, Index end, const auto& y) {
        for (Index j = 0; j < is.batch; ++j) {
            for (Index t = begin; t < end; ++t)
                std::copy_n(room.state(t) + j * is.hidden, is.hidden, &y(LastOnly ? 0 : t * is.hidden, j));
        }
    }
    template <class S>
    static void gather_inputs(const Room<S>& room, const Plan& is, Index begin, Index end, const auto& x) {
        for (Index j = 0; j < is.batch; ++j) {
            for (Index t = begin; t < end; ++t)
                std::copy_n(&x(t * is.channels, j), is.channels,
                            room.gathered + ((t - begin) * is.batch + j) * is.channels);
        }
    }
    template <class S>
    static void copy_gradients(const Room<S>& room, const Plan& is, Index begin, Index end, const auto& dy) {
        for (Index j = 0; j < is.batch; ++j) {
            for (Index t = begin; t < end; ++t)
                std::copy_n(&dy(LastOnly ? 0 : t * is.hidden, j), is.hidden,
                            room.above + (t - begin) * is.plane() + j * is.hidden);
        }
    }
};

namespace detail {

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

/// A layer around a rule: its parameters are PyTorch's, all uniform on +-1/sqrt(hidden) at first.
template <class Cell, Index Steps, bool LastOnly, Index Hidden, class Scope, class Input>
constexpr auto recurrent(Scope& scope, const Recurrence<Cell, Steps, LastOnly>& rule,
                         const Vec<Hidden>& hidden, const Input& x) {
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

}  // namespace detail

}  // namespace untoward
