// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <tuple>

#include "../autodiff/initialiser.hpp"
#include "../autodiff/rules/affine.hpp"
#include "../autodiff/scope.hpp"
#include "../core/elementwise.hpp"

// What recurrent layers share: one rule for all steps, and the layer around it. The gates of a cell are its
// own: nn/gru.hpp, nn/lstm.hpp.

namespace untoward {

/// A recurrence over all steps of a sequence, from a state of zero: from the input's share of the gates
/// (Seq<G H, T>), the weight of the hidden state (Shape<H, G H>) and its bias (Vec<G H>) to the hidden states
/// Seq<H, T>. A step is one product over the batch and one pass over the gates of each sample.
///
/// A cell says what one hidden unit is at one step, in functions of numbers. It keeps `kept` of them, the last `gates` of
/// which hold W h before Gates is called and the gradient of W h + b after Backward; the first one is its state
/// besides h, if it has one. What waits for the gates is a function of its own, since a processor looks ahead only so
/// far: in one, GRU and LSTM took twice the time.
///
///     Gates{}(gates..., a..., b...)
///         a is the input's share of every gate, b the bias; changes the gates
///     Forward{}(others..., h, gates..., a..., h_before, before)
///         `before` is the first number of the step before (zero at first); changes the others of those kept, and h
///     Backward{}(kept..., dh, carry, h_before, before, after)
///         dh + carry is the gradient of h; leaves in dh what goes to h_before directly, not through W; `after` is
///         the first number as the step after left it (zero at last)
///     gradient_at[gate]
///         which of those kept is the gradient of the input's share after Backward
///
/// The bits of a sample are the same in every batch.
template <class Cell>
struct Recurrence {
    template <Index Gates, Index T, Index H, Index Rows, Index Bias>
    constexpr auto shape(const Shape<Gates, T>& inputs, const Shape<H, Rows>& weight,
                         const Shape<Bias>& bias) const {
        constexpr Index Expected = H == Dynamic ? Dynamic : Cell::gates * H;
        const Index hidden = weight.template extent<0>();
        detail::require_same_extent<Recurrence, Expected, Gates>(Cell::gates * hidden, inputs.channels());
        detail::require_same_extent<Recurrence, Expected, Rows>(Cell::gates * hidden,
                                                                weight.template extent<1>());
        detail::require_same_extent<Recurrence, Expected, Bias>(Cell::gates * hidden, bias.size());
        UNTOWARD_ASSERT(inputs.positions() >= 1, "untoward: a recurrence has at least one step");
        return Seq<H, T>(hidden, inputs.positions());
    }
    static constexpr Index multiply_adds(const auto& inputs, const auto& weight, const auto&) {
        return weight.size() * inputs.positions();
    }
    constexpr Index batch(Index inputs, Index weight, Index bias) const {
        detail::require_one_for_all(weight);
        detail::require_one_for_all(bias);
        return inputs;
    }
    // What the cell keeps of every step, and a state of zero; without a way back, of one step.
    constexpr Index saved(Index batch, const auto& inputs, const auto& weight, const auto& bias) const {
        const Index hidden = weight.template extent<0>();
        return hidden + (scratch(batch, inputs, weight, bias) - hidden) * inputs.positions();
    }
    constexpr Index scratch(Index batch, const auto&, const auto& weight, const auto&) const {
        return weight.template extent<0>() * (1 + Cell::kept * batch);
    }

    template <class S>
    void forward(S* memory, bool keep, auto y, auto inputs, auto weight, auto bias) const {
        const Steps<S> steps(memory, keep, y);
        const product::Columns<const S> zero = steps.zero();
        std::fill_n(memory, zero.rows, S(0));
        for (Index t = 0; t < steps.count; ++t) {
            const product::Columns<S> kept = steps.kept(t);
            const product::Columns<S> h = columns_at(y, t);
            const product::Columns<const S> a = columns_at(inputs, t);
            const product::Columns<const S> before = t == 0 ? zero : steps.kept(t - 1);
            const product::Columns<const S> h_before = t == 0 ? zero : columns_at(y, t - 1);
            if (t == 0) {
                set_zero(gates(kept));
            } else {
                product::forward<S>(gates(kept), weight.data(), h_before, false);
            }
            step_forward(kept, h, a, bias.data(), h_before, before);
        }
    }

    template <class S>
    void backward(S* memory, auto dy, auto y, auto, auto weight, auto, auto dinputs, auto dweight,
                  auto dbias) const {
        const Steps<S> steps(memory, true, y);
        const product::Columns<const S> zero = steps.zero();
        // Written step by step, each once.
        S* da_of_all = nullptr;
        bool add_to_da = false;
        dinputs.write([&](const auto& to, bool accumulate) {
            da_of_all = to.data();
            add_to_da = accumulate;
        });
        for (Index t = steps.count - 1; t >= 0; --t) {
            const bool last = t == steps.count - 1;
            const product::Columns<S> kept = steps.kept(t);
            const product::Columns<S> dh = columns_at(dy, t);
            const product::Columns<const S> before = t == 0 ? zero : steps.kept(t - 1);
            const product::Columns<const S> h_before = t == 0 ? zero : columns_at(y, t - 1);
            const product::Columns<const S> after = last ? zero : steps.kept(t + 1);
            const product::Columns<const S> carry = last ? zero : columns_at(dy, t + 1);
            const product::Columns<S> da{
                da_of_all == nullptr ? nullptr : da_of_all + t * Cell::gates * dh.rows, Cell::gates * dh.rows,
                y.batch(), steps.count * Cell::gates * dh.rows};
            const bool fused = da_of_all != nullptr && !add_to_da;
            step_backward(kept, dh, fused ? &da : nullptr, carry, h_before, before, after);
            for (Index gate = 0; da_of_all != nullptr && !fused && gate < Cell::gates; ++gate) {
                const Vec<> units(dh.rows);
                add_reduced(
                    Tensor<S, Vec<>>(da.data + gate * dh.rows, units, y.batch(), da.stride), true,
                    [](auto d) { return d; },
                    Tensor<S, Vec<>>(kept.data + Cell::gradient_at[gate] * dh.rows, units, y.batch(),
                                     kept.stride));
            }
            dbias.write([&](const auto& to, bool accumulate) {
                detail::sum_columns<S>(to.data(), gates(kept), accumulate);
            });
            if (t == 0) break;
            if (!steps.by_sample) {
                dweight.write([&](const auto& to, bool accumulate) {
                    product::backward_weight<S>(to.data(), gates(kept), h_before, accumulate);
                });
            }
            product::backward_input<S>(dh, weight.data(), gates(kept), true);
        }
        if (steps.by_sample) {
            // All steps at once: a step and the state before it are columns of two matrices, one apart. Where
            // two samples meet, a first step stands beside the last state of another: zero.
            dweight.write([&](const auto& to, bool accumulate) {
                set_zero(gates(steps.kept(0)));
                const Index pairs = std::max<Index>(steps.count * y.batch() - 1, 0);
                product::backward_weight<S>(to.data(), gates(steps.all()).middle(1, pairs),
                                            y.position_columns().middle(0, pairs), accumulate);
            });
        } else if (steps.count == 1 && dweight) {
            static_cast<void>(dweight.partial());
        }
    }

private:
    // Where what the cell keeps of every step lies, behind a state of zero.
    template <class S>
    struct Steps {
        // A batch from here on gives each product of one step enough to do; what is kept then lies step by
        // step, else sample by sample as in a sequence. Measured with 32 units and 32 steps: at batch 64 the
        // first is 5% faster in training, at batch 1 and 2 the second is 30% and 10%.
        static constexpr Index full_batch = 8;

        S* memory;
        Index hidden;
        Index count;
        Index batch;
        bool keep;
        bool by_sample;

        Steps(S* begin, bool keep_all, const auto& y)
            : memory(begin),
              hidden(y.shape().channels()),
              count(y.shape().positions()),
              batch(y.batch()),
              keep(keep_all),
              by_sample(batch < full_batch) {}

        [[nodiscard]] product::Columns<const S> zero() const { return {memory, hidden, batch, 0}; }
        [[nodiscard]] product::Columns<S> kept(Index t) const {
            const Index rows = Cell::kept * hidden;
            S* const begin = memory + hidden;
            if (!keep) return {begin, rows, batch, rows};
            if (by_sample) return {begin + t * rows, rows, batch, count * rows};
            return {begin + t * batch * rows, rows, batch, rows};
        }
        [[nodiscard]] product::Columns<S> all() const {
            const Index rows = Cell::kept * hidden;
            return {memory + hidden, rows, count * batch, rows};
        }
    };

    // The arrays of all samples at one step, for the cell's functions.
    template <class S, std::size_t Count>
    struct Arrays {
        S* data[Count];
        Index stride[Count];
        std::size_t count = 0;

        void add(const S* array, Index from) {
            data[count] = const_cast<S*>(array);
            stride[count++] = from;
        }
        void add(const S* array, Index from, Index units, Index n) {
            for (Index k = 0; k < n; ++k) add(array + k * units, from);
        }
    };
    template <class S>
    static void step_forward(const product::Columns<S>& kept, const product::Columns<S>& h,
                             const product::Columns<const S>& a, const S* bias,
                             const product::Columns<const S>& h_before,
                             const product::Columns<const S>& before) {
        constexpr Index others = Cell::kept - Cell::gates;
        const product::Columns<S> at = gates(kept);
        Arrays<S, 3 * Cell::gates> of_gates;
        of_gates.add(at.data, at.stride, h.rows, Cell::gates);
        of_gates.add(a.data, a.stride, h.rows, Cell::gates);
        of_gates.add(bias, 0, h.rows, Cell::gates);
        change<Cell::gates>(h.rows, h.cols, typename Cell::Gates{}, of_gates.data, of_gates.stride);
        Arrays<S, others + 1 + 2 * Cell::gates + 2> x;
        x.add(kept.data, kept.stride, h.rows, others);
        x.add(h.data, h.stride);
        x.add(at.data, at.stride, h.rows, Cell::gates);
        x.add(a.data, a.stride, h.rows, Cell::gates);
        x.add(h_before.data, h_before.stride);
        x.add(before.data, before.stride);
        change<others + 1>(h.rows, h.cols, typename Cell::Forward{}, x.data, x.stride);
    }
    // What is sent back, and where to: also to the input's share of the gates, if that is not null.
    template <class S>
    static void step_backward(const product::Columns<S>& kept, const product::Columns<S>& dh,
                              const product::Columns<S>* da, const product::Columns<const S>& carry,
                              const product::Columns<const S>& h_before,
                              const product::Columns<const S>& before,
                              const product::Columns<const S>& after) {
        constexpr Index changed = Cell::kept + 1;
        Arrays<S, changed + Cell::gates + 4> x;
        x.add(kept.data, kept.stride, dh.rows, Cell::kept);
        x.add(dh.data, dh.stride);
        if (da != nullptr) x.add(da->data, da->stride, dh.rows, Cell::gates);
        for (const auto& read : {carry, h_before, before, after}) x.add(read.data, read.stride);
        if (da != nullptr) {
            change<changed + Cell::gates>(dh.rows, dh.cols, BackwardToInput{}, x.data, x.stride);
        } else {
            S* data[changed + 4];
            Index stride[changed + 4];
            std::copy_n(x.data, changed + 4, data);
            std::copy_n(x.stride, changed + 4, stride);
            change<changed>(dh.rows, dh.cols, typename Cell::Backward{}, data, stride);
        }
    }
    // The cell's Backward; behind dh it leaves the gradient of the input's share of every gate.
    struct BackwardToInput {
        template <class... S>
        UNTOWARD_ALWAYS_INLINE void operator()(S&... x) const {
            call(std::tie(x...), std::make_index_sequence<Cell::kept + 1>{}, std::make_index_sequence<4>{},
                 std::make_index_sequence<Cell::gates>{});
        }

    private:
        template <class All, std::size_t... Changed, std::size_t... Read, std::size_t... Gate>
        UNTOWARD_ALWAYS_INLINE static void call(const All& x, std::index_sequence<Changed...>,
                                                std::index_sequence<Read...>, std::index_sequence<Gate...>) {
            typename Cell::Backward{}(std::get<Changed>(x)...,
                                      std::get<Cell::kept + 1 + Cell::gates + Read>(x)...);
            ((std::get<Cell::kept + 1 + Gate>(x) = std::get<Cell::gradient_at[Gate]>(x)), ...);
        }
    };

    // One position of every sample.
    template <class T, class Sample>
    static product::Columns<T> columns_at(const Tensor<T, Sample>& x, Index t) {
        const Index n = x.shape().channels();
        return {x.data() + t * n, n, x.batch(), x.stride()};
    }
    // Of what a cell keeps, what meets the weight.
    template <class S>
    static product::Columns<S> gates(const product::Columns<S>& kept) {
        const Index n = kept.rows / Cell::kept;
        return {kept.data + (Cell::kept - Cell::gates) * n, Cell::gates * n, kept.cols, kept.stride};
    }
    template <class S>
    static void set_zero(const product::Columns<S>& x) {
        for (Index j = 0; j < x.cols; ++j) std::fill_n(x.column(j), x.rows, S(0));
    }
};

namespace detail {

/// The layer around a cell: PyTorch's parameters, all uniform on +-1/sqrt(hidden) at first.
template <class Cell, class Layer, Index Hidden, class Scope, class Input>
constexpr auto recurrent(Scope& scope, const Vec<Hidden>& hidden, const Input& input) {
    const auto& x = require_sequence<Layer>(scope, input);
    using X = std::remove_cvref_t<decltype(x)>;
    constexpr Index In = X::SampleShape::template static_extent<0>;
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
    // The input's share of every step at once: one product.
    const auto inputs = affine(scope, x, weight_ih, bias_ih);
    return scope.apply(Recurrence<Cell>{}, inputs, weight_hh, bias_hh);
}

}  // namespace detail

}  // namespace untoward
