// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <utility>

#include "../core/product.hpp"

// How a recurrence (recurrence.hpp) divides its work over steps, and where it keeps what.

namespace untoward UNTOWARD_SETTING::detail {

/// What is done at once, and so how memory is divided. `Cell` says how many numbers it keeps; of the states, only the last
/// one may be wanted.
template <class Cell, bool LastOnly>
struct RecurrencePlan {
    Index channels;
    Index hidden;
    Index steps;
    Index batch;
    bool repeated;  ///< one input for all steps
    bool keep;      ///< for a way back

    [[nodiscard]] constexpr Index plane() const { return hidden * batch; }
    [[nodiscard]] constexpr Index square() const { return hidden * hidden; }
    /// Steps that are one product of the weights' gradients. Products of more columns are no faster; fewer steps would not
    /// lie side by side in a sample.
    [[nodiscard]] constexpr Index together() const {
        constexpr Index columns = 256;
        constexpr Index fewest = 4;
        return (std::min)((std::max)(columns / std::max<Index>(batch, 1), fewest), steps);
    }
    /// Steps whose shares of the input are there at once: those of a batch that fills a product by itself are not.
    [[nodiscard]] constexpr Index inputs_together() const {
        return repeated || batch >= together() ? 1 : together();
    }
    /// Whether W_h is turned once and for all.
    [[nodiscard]] constexpr bool turns() const {
        constexpr Index many = 8;
        return batch >= many && !product::detail::has_plain_loops;
    }
    /// Gates in one product: of one sample they lie one behind the other.
    [[nodiscard]] constexpr Index gates_at_once() const { return batch == 1 ? Cell::gates : 1; }
    /// Whether the states are the output: those of one sample.
    [[nodiscard]] constexpr bool writes_states() const { return batch == 1 && !LastOnly; }
    /// States that are there at once; those of `together` steps are copied to the output.
    [[nodiscard]] constexpr Index states() const {
        return keep || writes_states() ? steps : (std::min)(steps, LastOnly ? 2 : together() + 1);
    }
    [[nodiscard]] constexpr Index room_of_states() const { return writes_states() ? 0 : states(); }
    [[nodiscard]] constexpr Index room_above() const { return batch == 1 ? 0 : LastOnly ? 1 : together(); }
    [[nodiscard]] constexpr Index room_of_inputs() const {
        return repeated || batch == 1 ? 0 : together() * channels * batch;
    }
    [[nodiscard]] constexpr Index size() const {
        const Index planes =
            1 + Cell::kept * (keep ? steps : 1) + Cell::gates * inputs_together() + room_of_states();
        const Index backward = plane() * (1 + room_above()) + Cell::kept * hidden + room_of_inputs();
        return planes * plane() + (turns() ? Cell::gates * square() : 0) + (keep ? backward : 0);
    }
};

/// Matrices of hidden x batch, for some numbers of a unit at some steps: number by number, or, of one sample, step by
/// step. Either way the columns of one number at several steps lie at one stride.
template <class S>
struct StepPlanes {
    S* data;
    Index hidden;
    Index batch;
    Index of_number;
    Index of_step;

    StepPlanes() = default;
    template <class Plan>
    StepPlanes(S* begin, const Plan& plan, Index numbers, Index count)
        : data(begin), hidden(plan.hidden), batch(plan.batch),
          of_number(batch == 1 ? hidden : count * plan.plane()),
          of_step(batch == 1 ? numbers * hidden : plan.plane()) {}

    [[nodiscard]] S* at(Index number, Index t) const { return data + number * of_number + t * of_step; }
    /// Several numbers only of one sample.
    [[nodiscard]] product::Columns<S> columns(Index number, Index t, Index count, Index numbers) const {
        return {at(number, t), numbers * hidden, count * batch, batch == 1 ? of_step : hidden};
    }
};

/// The memory of a recurrence; `output` is where the states go if they are the output.
template <class S, class Cell, bool LastOnly>
struct RecurrenceRoom {
    static constexpr Index first_gate = Cell::kept - Cell::gates;

    StepPlanes<S> kept;
    StepPlanes<S> inputs;  ///< W_i x + b_i; going back, its gradient where the input is repeated
    S* states;
    Index states_count;
    Index of_state;
    S* zero;
    S* turned;    ///< W_h, gate by gate
    S* dh;        ///< of the step before: what this one gives to its state
    S* above;     ///< what reaches h from outside, of the steps that are together
    S* gathered;  ///< inputs of the steps that are together
    S* sums;      ///< over batch and steps, of every number that is kept

    RecurrenceRoom(S* memory, const RecurrencePlan<Cell, LastOnly>& plan, S* output) {
        const S* const begin = memory;
        const auto take = [&memory](Index n) { return std::exchange(memory, memory + n); };
        kept_steps_ = plan.keep ? plan.steps : 1;
        const Index at_once = plan.inputs_together();
        kept = {take(Cell::kept * kept_steps_ * plan.plane()), plan, Cell::kept, kept_steps_};
        inputs = {take(Cell::gates * at_once * plan.plane()), plan, Cell::gates, at_once};
        states_count = plan.states();
        of_state = plan.plane();
        states = plan.writes_states() ? output : take(plan.room_of_states() * of_state);
        zero = take(plan.plane());
        turned = take(plan.turns() ? Cell::gates * plan.square() : 0);
        dh = take(plan.keep ? plan.plane() : 0);
        above = take(plan.keep ? plan.room_above() * plan.plane() : 0);
        gathered = take(plan.keep ? plan.room_of_inputs() : 0);
        sums = take(plan.keep ? Cell::kept * plan.hidden : 0);
        UNTOWARD_ASSERT(memory - begin == plan.size(), "untoward: a recurrence has miscounted its memory");
        static_cast<void>(begin);
    }
    [[nodiscard]] S* state(Index t) const { return states + t % states_count * of_state; }
    [[nodiscard]] S* number(Index k, Index t) const { return kept.at(k, t % kept_steps_); }
    /// One gate at some steps, or, of one sample, all of them.
    [[nodiscard]] product::Columns<S> gates(Index gate, Index t, Index count) const {
        return kept.columns(first_gate + gate, t % kept_steps_, count, kept.batch == 1 ? Cell::gates : 1);
    }

private:
    Index kept_steps_;
};

}  // namespace untoward::detail
