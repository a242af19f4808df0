// SPDX-License-Identifier: MIT
#pragma once

// Element-by-element evaluation over tensors, with broadcasting: an operand's rows, and its batch, are those
// of the result or one.
//
// A function takes numbers and returns one: [](auto d, auto y) { return y > 0 ? d : 0; }. It writes nothing else: it
// is called for several elements at once. It is compiled for contiguous arrays only, for each instruction set of
// core/instruction_set.hpp, and becomes vector instructions where it has no loops, no calls and no conditions but ?:
// (core/math.hpp has exp, log, tanh and their like as such).
// How operands are met (all at once, column by column, a repeated number, a sum over rows or over the batch) is the
// business of one driver per scalar. Where everything is contiguous that is one call.

#include <algorithm>

#include "kernels.hpp"
#include "math.hpp"
#include "storage.hpp"
#include "sums.hpp"
#include "tensor.hpp"

#ifdef UNTOWARD_PLAIN
#include "plain/elementwise.hpp"
#endif

namespace untoward UNTOWARD_SETTING {

namespace detail {

/// Elements evaluated at a time where the result cannot be written in place; they are on the stack.
inline constexpr Index chunk_size = storage_alignment >= 64 ? 256 : 16;

template <class S>
using FlatMap = Eigen::Map<Eigen::Array<S, Dynamic, 1>>;
template <class S>
using ConstFlatMap = Eigen::Map<const Eigen::Array<S, Dynamic, 1>>;

/// A matrix as the driver sees it: columns at a stride.
template <class T>
struct Operand {
    T* data;
    Index rows;
    Index batch;
    Index stride;

    template <class Sample>
    explicit constexpr Operand(const Tensor<T, Sample>& x)
        : data(x.data()), rows(x.rows()), batch(x.batch()), stride(x.stride()) {}

    [[nodiscard]] constexpr bool contiguous() const { return stride == rows || batch <= 1; }
    [[nodiscard]] constexpr T* column(Index j) const { return data + (batch == 1 ? 0 : j * stride); }
    // Rows for columns: what a contiguous matrix of one row may be seen as.
    constexpr void turn() {
        rows = batch;
        batch = 1;
    }
};

/// A function, its operands, and room for the driver to work in.
template <class S>
struct Elementwise {
    void (*kernel)(const void* function, const ElementwiseColumns<S>& columns);
    const void* function;
    Operand<const S>* operands;
    const S** in;   // where the next elements of each operand are
    Index* stride;  // from a column of each operand to the next
    S* repeated;    // one chunk per operand, for those of one row
    Index count;
};

constexpr Index broadcast_rows_or_batch(Index a, Index b) {
    return a == 1 ? b : a;
}

template <class S>
void copy_columns(S* to, Index to_stride, const S* from, Index from_stride, Index rows, Index columns) {
    constexpr Index together = 4;
    for (Index j = 0; j < columns; ++j, to += to_stride, from += from_stride) {
        Index i = 0;
        for (; i + together <= rows; i += together) __builtin_memcpy(to + i, from + i, together * sizeof(S));
        for (; i < rows; ++i) to[i] = from[i];
    }
}

/// Columns of a few numbers, several at a time: those that do not lie one after another are copied there, and what is
/// one number for all is repeated.
template <class S>
void evaluate_short_columns(const Elementwise<S>& e, const Operand<S>& y, bool add) {
    constexpr Index none = 0;
    const Index rows = y.rows;
    const Index together = std::max<Index>(chunk_size / std::max<Index>(rows, 1), 1);
    S result[chunk_size];
    for (Index j = 0; j < y.batch; j += together) {
        const Index n = (std::min)(together, y.batch - j);
        for (Index k = 0; k < e.count; ++k) {
            const auto& x = e.operands[k];
            e.in[k] = x.column(j);
            if (x.batch > 1 && x.stride == rows) continue;
            S* const room = e.repeated + k * chunk_size;
            e.in[k] = room;
            if (x.batch == 1 && j > 0) continue;  // there since the first time
            if (x.rows == rows)
                copy_columns(room, rows, x.column(j), x.batch == 1 ? none : x.stride, rows, n);
            else
                std::fill_n(room, rows * n, *x.data);
        }
        const bool packed = y.stride == rows;
        S* const out = packed ? y.column(j) : result;
        if (add && !packed) copy_columns(result, rows, static_cast<const S*>(y.column(j)), y.stride, rows, n);
        e.kernel(e.function, {rows * n, 1, out, none, e.in, e.stride, add});
        if (!packed) copy_columns(y.column(j), y.stride, static_cast<const S*>(result), rows, rows, n);
    }
}

/// y = function(operands...), or y += where `add`; summed over the extents in which y has one.
template <class S>
void evaluate(const Elementwise<S>& e, Operand<S> y, bool add) {
    Index rows = y.rows;
    Index batch = y.batch;
    for (Index k = 0; k < e.count; ++k) {
        rows = broadcast_rows_or_batch(rows, e.operands[k].rows);
        batch = broadcast_rows_or_batch(batch, e.operands[k].batch);
    }
    bool flat = y.rows == rows && y.batch == batch && y.contiguous();
    bool turnable = rows == 1 && y.contiguous();
    for (Index k = 0; k < e.count; ++k) {
        const auto& x = e.operands[k];
        UNTOWARD_ASSERT((x.rows == rows || x.rows == 1) && (x.batch == batch || x.batch == 1),
                        "untoward: extents neither equal nor one");
        flat = flat && x.rows == rows && x.batch == batch && x.contiguous();
        turnable = turnable && x.contiguous();
    }
    if (flat) {
        rows *= batch;
        batch = 1;
        y.rows = rows;
        y.batch = 1;
        for (Index k = 0; k < e.count; ++k) {
            e.operands[k].rows = rows;
            e.operands[k].batch = 1;
        }
    } else if (turnable) {
        rows = batch;
        batch = 1;
        y.turn();
        for (Index k = 0; k < e.count; ++k) e.operands[k].turn();
    }

    // One number for all counts as a column, as far as there is room for one.
    const auto is_number = [&](const Operand<const S>& x) {
        return x.rows != rows && x.batch == 1 && rows <= chunk_size;
    };
    bool whole_columns = y.rows == rows;
    for (Index k = 0; k < e.count; ++k) {
        const auto& x = e.operands[k];
        whole_columns = whole_columns && (x.rows == rows || is_number(x));
        e.in[k] = x.data;
        e.stride[k] = x.batch == 1 ? 0 : x.stride;
    }
    const Index y_stride = y.batch == 1 ? 0 : y.stride;
    constexpr Index short_rows = 16;  // fewer do not fill the lanes of a kernel
    if (whole_columns && rows < short_rows && batch > 1 && y.batch == batch) {
        evaluate_short_columns(e, y, add);
        return;
    }
    if (whole_columns && batch > 0) {
        for (Index k = 0; k < e.count; ++k) {
            if (!is_number(e.operands[k])) continue;
            S* const column = e.repeated + k * chunk_size;
            std::fill_n(column, rows, *e.in[k]);
            e.in[k] = column;
        }
        e.kernel(e.function, {rows, batch, y.data, y_stride, e.in, e.stride, add});
        return;
    }

    // Chunk by chunk: some operands repeat a number, or y has the sum of every column. Zeros come only where there are
    // sums: y may be an operand elsewhere.
    const bool sums_rows = y.rows != rows;
    if (!add && (sums_rows || batch == 0)) {
        for (Index j = 0; j < y.batch; ++j) std::fill_n(y.column(j), y.rows, S(0));
    }
    S result[chunk_size];
    for (Index j = 0; j < batch; ++j) {
        S* const column = y.column(j);
        for (Index k = 0; k < e.count; ++k) {
            e.in[k] = e.operands[k].column(j);
            if (e.operands[k].rows != rows) {
                S* const chunk = e.repeated + k * chunk_size;
                std::fill_n(chunk, (std::min)(rows, chunk_size), *e.in[k]);
                e.in[k] = chunk;
            }
        }
        for (Index i = 0; i < rows; i += chunk_size) {
            const Index n = (std::min)(chunk_size, rows - i);
            if (!sums_rows) {
                const bool more = add || (j > 0 && y.batch == 1);
                e.kernel(e.function, {n, 1, column + i, 0, e.in, e.stride, more});
            } else {
                e.kernel(e.function, {n, 1, result, 0, e.in, e.stride, false});
                *column += detail::sum_of_elements(ConstFlatMap<S>(result, n));
            }
            for (Index k = 0; k < e.count; ++k) e.in[k] += e.operands[k].rows == rows ? n : 0;
        }
    }
}

#ifndef UNTOWARD_PLAIN

// The only code that is compiled for every function: its kernels, and the function alone to check them by.
#if UNTOWARD_SELF_CHECK
template <class S, class Function, std::size_t... I>
S at_one_place(const void* erased, S* values) {
    return static_cast<S>((*static_cast<const Function*>(erased))(static_cast<const S&>(values[I])...));
}
template <class S, class Function, std::size_t... I>
void plain_apply(const void* function, const ElementwiseColumns<S>& c) {
    S values[sizeof...(I)];
    plain::apply<S>(&at_one_place<S, Function, I...>, function, sizeof...(I), values, c);
}
#endif

template <class S, class Function, class Places>
struct ApplyTable;
template <class S, class Function, std::size_t... I>
struct ApplyTable<S, Function, std::index_sequence<I...>> {
    static inline constinit KernelTable<void (*)(const void*, const ElementwiseColumns<S>&)> table{
        UNTOWARD_KERNELS(apply<S, Function, I...>),
        UNTOWARD_CHECKED_BY((&plain_apply<S, Function, I...>), (&apply_agrees<S, sizeof...(I)>)),
        name_of_number<S>("apply in float", "apply in double")};
};

template <class S, class Function, class... Sample>
void evaluate(const Operand<S>& y, bool add, const Function& function, const Tensor<const S, Sample>&... x) {
    constexpr std::size_t n = sizeof...(Sample);
    Operand<const S> operands[n] = {Operand<const S>(x)...};
    const S* in[n];
    Index stride[n];
    S repeated[n * chunk_size];
    evaluate(Elementwise<S>{ApplyTable<S, Function, std::make_index_sequence<n>>::table.in_use(&function),
                            &function, operands, in, stride, repeated, static_cast<Index>(n)},
             y, add);
}

#endif

template <class S, class Sample>
constexpr Tensor<const S, Sample> for_reading(const Tensor<S, Sample>& x) {
    return x;
}
template <class S, class Sample>
constexpr const Tensor<const S, Sample>& for_reading(const Tensor<const S, Sample>& x) {
    return x;
}

template <class X>
Index broadcast_column(const X& x, Index column) {
    return x.batch() == 1 ? 0 : column;
}

#ifdef UNTOWARD_PLAIN

template <class S, std::size_t Changed, class Function, std::size_t... I>
void run_change(const Function& function, const ChangedColumns<S>& c, std::index_sequence<I...>) {
    baseline::change<S, Function, Changed, I...>(&function, c);
}
template <class S, class Function, std::size_t... I>
S run_total(const Function& function, const S* const* x, Index n, std::index_sequence<I...>) {
    return baseline::total<S, Function, I...>(&function, x, n);
}

#else

#if UNTOWARD_SELF_CHECK
template <class S, class Function, std::size_t... I>
S change_at_one_place(const void* erased, S* values) {
    (*static_cast<const Function*>(erased))(values[I]...);
    return 0;
}
template <class S, class Function, std::size_t Changed, std::size_t... I>
void plain_change(const void* function, const ChangedColumns<S>& c) {
    S values[sizeof...(I)];
    plain::change<S>(&change_at_one_place<S, Function, I...>, function, sizeof...(I), Changed, values, c);
}
template <class S, class Function, std::size_t... I>
S plain_total(const void* function, const S* const* x, Index n) {
    S values[sizeof...(I)];
    return plain::total<S>(&at_one_place<S, Function, I...>, function, sizeof...(I), values, x, n);
}
#endif
template <class S, std::size_t Changed, class Function, std::size_t... I>
void run_change(const Function& function, const ChangedColumns<S>& c, std::index_sequence<I...>) {
    static constinit KernelTable<void (*)(const void*, const ChangedColumns<S>&)> table{
        UNTOWARD_KERNELS(change<S, Function, Changed, I...>),
        UNTOWARD_CHECKED_BY((&plain_change<S, Function, Changed, I...>), (&change_agrees<S, sizeof...(I)>)),
        name_of_number<S>("change in float", "change in double")};
    const auto kernel = table.in_use(&function);
    kernel(&function, c);
}

template <class S, class Function, std::size_t... I>
S run_total(const Function& function, const S* const* x, Index n, std::index_sequence<I...>) {
    static constinit KernelTable<S (*)(const void*, const S* const*, Index)> table{
        UNTOWARD_KERNELS(total<S, Function, I...>),
        UNTOWARD_CHECKED_BY((&plain_total<S, Function, I...>), (&total_agrees<S, sizeof...(I)>)),
        name_of_number<S>("total in float", "total in double")};
    return table.in_use(&function)(&function, x, n);
}

#endif

}  // namespace detail

/// y = function(x...) of numbers, each operand broadcast to y. An operand may be y itself, with the same extents at the
/// same stride; otherwise none overlaps y.
template <class S, class Sample, class Function, class... X>
void assign(const Tensor<S, Sample>& y, const Function& function, const X&... x) {
#ifdef UNTOWARD_PLAIN
    plain::evaluate(y, false, function, x...);
#else
    detail::evaluate(detail::Operand<S>(y), false, function, detail::for_reading(x)...);
#endif
}

/// y += function(x...), or y = function(x...) where not `accumulate`; the function's value has the extents
/// that y and the operands broadcast to, and is summed over those in which y has one only. Where nothing is summed an
/// operand may be y itself, as in `assign`; otherwise none overlaps y.
template <class S, class Sample, class Function, class... X>
void add_reduced(const Tensor<S, Sample>& y, bool accumulate, const Function& function, const X&... x) {
#ifdef UNTOWARD_PLAIN
    plain::evaluate(y, accumulate, function, x...);
#else
    detail::evaluate(detail::Operand<S>(y), accumulate, function, detail::for_reading(x)...);
#endif
}

/// function(x[0][i], x[1][i], ...) for i = 0, ..., n - 1: it takes the first `Changed` numbers by reference, and what it
/// leaves in them is kept. No two of those arrays overlap. Each of the others is one of them, at the same stride, and
/// stands for what was there before, or overlaps none of them; the others may overlap each other.
///
///     change<1>(n, [](auto& p, auto g) { p -= g / 10; }, {parameters, gradient});
template <std::size_t Changed, class S, std::size_t Count, class Function>
void change(Index n, const Function& function, S* const (&x)[Count]) {
    static_assert(Changed <= Count);
    constexpr Index stride[Count] = {};
    detail::run_change<S, Changed>(function, {n, 1, x, stride}, std::make_index_sequence<Count>{});
}
/// The same for every column of matrices that lie at these strides; at a stride of 0 all columns are the same one.
template <std::size_t Changed, class S, std::size_t Count, class Function>
void change(Index rows, Index columns, const Function& function, S* const (&x)[Count],
            const Index (&stride)[Count]) {
    static_assert(Changed <= Count);
    detail::run_change<S, Changed>(function, {rows, columns, x, stride}, std::make_index_sequence<Count>{});
}

/// The sum of function(x[0][i], x[1][i], ...) over i = 0, ..., n - 1.
template <class S, std::size_t Count, class Function>
S total(Index n, const Function& function, const S* const (&x)[Count]) {
    return detail::run_total<S>(function, x, n, std::make_index_sequence<Count>{});
}

}  // namespace untoward
