// SPDX-License-Identifier: MIT
#pragma once

// Every matrix product of the library goes through these three functions and nowhere else: one place to make
// fast, one set of instantiations to compile. Weights are out x in, row-major and packed; activations are one
// sample per column at any stride.

#include <algorithm>
#include <type_traits>

#include "../config.hpp"

namespace untoward::product {

/// A column-major matrix at any stride: what products read and write.
template <class T>
struct Columns {
    T* data;
    Index rows;
    Index cols;
    Index stride;

    constexpr operator Columns<const T>() const
        requires(!std::is_const_v<T>)
    {
        return {data, rows, cols, stride};
    }
    [[nodiscard]] auto map() const { return middle(0, cols); }
    /// n columns from `begin`, as an Eigen map.
    [[nodiscard]] auto middle(Index begin, Index n) const {
        using Matrix = Eigen::Matrix<std::remove_const_t<T>, Dynamic, Dynamic>;
        using Maybe = std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>;
        return Eigen::Map<Maybe, Eigen::Unaligned, Eigen::OuterStride<>>(data + begin * stride, rows, n,
                                                                         Eigen::OuterStride<>(stride));
    }
};

namespace detail {

template <class S>
using Weights = Eigen::Map<Eigen::Matrix<S, Dynamic, Dynamic, Eigen::RowMajor>>;
template <class S>
using ConstWeights = Eigen::Map<const Eigen::Matrix<S, Dynamic, Dynamic, Eigen::RowMajor>>;

// Eigen packs a panel of the right-hand side on the stack up to this size and on the heap beyond it.
template <class S>
constexpr Index panel_columns(Index depth) {
    const Index limit = EIGEN_STACK_ALLOCATION_LIMIT > 0 ? EIGEN_STACK_ALLOCATION_LIMIT : 131072;
    const Index columns = limit / (static_cast<Index>(sizeof(S)) * (depth > 0 ? depth : 1));
    return columns >= 16 ? columns / 16 * 16 : 16;
}

}  // namespace detail

/// y = W x, or y += W x. W is y.rows x x.rows, row-major, packed.
template <class S>
void forward(Columns<S> y, const S* weight, Columns<const S> x, bool accumulate) {
    const detail::ConstWeights<S> w(weight, y.rows, x.rows);
    const Index panel = detail::panel_columns<S>(x.rows);
    for (Index begin = 0; begin < y.cols; begin += panel) {
        const Index n = std::min(panel, y.cols - begin);
        if (accumulate) {
            y.middle(begin, n).noalias() += w * x.middle(begin, n);
        } else {
            y.middle(begin, n).noalias() = w * x.middle(begin, n);
        }
    }
}

/// dx = W' dy, or dx += W' dy. W is dy.rows x dx.rows, row-major, packed.
template <class S>
void backward_input(Columns<S> dx, const S* weight, Columns<const S> dy, bool accumulate) {
    const detail::ConstWeights<S> w(weight, dy.rows, dx.rows);
    const Index panel = detail::panel_columns<S>(dy.rows);
    for (Index begin = 0; begin < dx.cols; begin += panel) {
        const Index n = std::min(panel, dx.cols - begin);
        if (accumulate) {
            dx.middle(begin, n).noalias() += w.transpose() * dy.middle(begin, n);
        } else {
            dx.middle(begin, n).noalias() = w.transpose() * dy.middle(begin, n);
        }
    }
}

/// dW = dy x', or dW += dy x'. dW is dy.rows x x.rows, row-major, packed.
template <class S>
void backward_weight(S* weight, Columns<const S> dy, Columns<const S> x, bool accumulate) {
    detail::Weights<S> w(weight, dy.rows, x.rows);
    const Index panel = detail::panel_columns<S>(std::max(dy.rows, x.rows));
    for (Index begin = 0; begin < x.cols; begin += panel) {
        const Index n = std::min(panel, x.cols - begin);
        if (accumulate || begin > 0) {
            w.noalias() += dy.middle(begin, n) * x.middle(begin, n).transpose();
        } else {
            w.noalias() = dy.middle(begin, n) * x.middle(begin, n).transpose();
        }
    }
}

}  // namespace untoward::product
