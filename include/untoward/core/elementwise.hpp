// SPDX-License-Identifier: MIT
#pragma once

// Element-by-element evaluation over tensors, with broadcasting: an operand's rows, and its batch, are those of
// the result or one. The function is written once, on Eigen arrays.

#include <algorithm>

#include "tensor.hpp"

namespace untoward {

namespace detail {

template <class X>
Index broadcast_column(const X& x, Index column) {
    return x.batch() == 1 ? 0 : column;
}

// A map, not an array: Eigen's expressions hold maps by value, so a function may take its operands by value.
template <class X>
auto broadcast_element(const X& x, Index row, Index column) {
    return Eigen::Map<const Eigen::Array<typename X::Scalar, 1, 1>>(
        &x(x.rows() == 1 ? 0 : row, broadcast_column(x, column)));
}

// Calls flat(arrays...), or column(j, arrays...) for every column, or element(i, j, 1 x 1 arrays...) for every
// element: the widest form in which the operands can be met.
template <class Flat, class Column, class Element, class... X>
void for_each_broadcast(Index rows, Index batch, bool flat_result, const Flat& flat, const Column& column,
                        const Element& element, const X&... x) {
    if (flat_result && ((x.rows() == rows && x.batch() == batch && x.contiguous()) && ...)) {
        flat(x.flat()...);
    } else if (((x.rows() == rows) && ...)) {
        for (Index j = 0; j < batch; ++j) column(j, x.column(broadcast_column(x, j))...);
    } else {
        for (Index j = 0; j < batch; ++j) {
            for (Index i = 0; i < rows; ++i) element(i, j, broadcast_element(x, i, j)...);
        }
    }
}

}  // namespace detail

/// y = function(x...), each operand broadcast to y.
template <class S, class Sample, class Function, class... X>
void assign(const Tensor<S, Sample>& y, const Function& function, const X&... x) {
    detail::for_each_broadcast(
        y.rows(), y.batch(), y.contiguous(), [&](const auto&... a) { y.flat() = function(a...); },
        [&](Index j, const auto&... a) { y.column(j) = function(a...); },
        [&](Index i, Index j, const auto&... a) { y(i, j) = function(a...).value(); }, x...);
}

/// y += function(x...), or y = function(x...) where not `accumulate`; the function's value has the extents that
/// the operands broadcast to, and is summed over those in which y has one only.
template <class S, class Sample, class Function, class... X>
void add_reduced(const Tensor<S, Sample>& y, bool accumulate, const Function& function, const X&... x) {
    const Index rows = std::max({y.rows(), x.rows()...});
    const Index batch = std::max({y.batch(), x.batch()...});
    const bool full = y.rows() == rows && y.batch() == batch;
    if (!accumulate && !full) y.matrix().setZero();
    if (full && !accumulate) {
        assign(y, function, x...);
    } else {
        detail::for_each_broadcast(
            rows, batch, full && y.contiguous(), [&](const auto&... a) { y.flat() += function(a...); },
            [&](Index j, const auto&... a) {
                const Index to = detail::broadcast_column(y, j);
                if (y.rows() == rows) {
                    y.column(to) += function(a...);
                } else {
                    y(0, to) += function(a...).sum();
                }
            },
            [&](Index i, Index j, const auto&... a) {
                y(y.rows() == 1 ? 0 : i, detail::broadcast_column(y, j)) += function(a...).value();
            },
            x...);
    }
}

}  // namespace untoward
