// SPDX-License-Identifier: MIT
#pragma once

#include "../packed.hpp"

// The products of core/product.hpp with UNTOWARD_PLAIN: every element is one sum, in the order of the depth, whatever
// the compiler, the processor and the number of columns. Not drawn into their callers: one copy serves all layers.

namespace untoward UNTOWARD_SETTING::plain {

namespace detail {

template <class S>
UNTOWARD_INLINE void finish(S& y, S sum, bool accumulate, bool rectify) {
    if (accumulate) sum += y;
    y = rectify && sum < S(0) ? S(0) : sum;
}

}  // namespace detail

/// y = W x + bias, or y += W x + bias: W is rows x depth, row-major; x and y have `cols` columns. What is negative
/// becomes zero where `rectify`.
template <class S>
UNTOWARD_NO_INLINE void forward(S* y, Index rows, Index cols, Index y_stride, const S* weight, const S* x,
                                Index depth, Index x_stride, bool accumulate, const S* bias, bool rectify) {
    for (; cols > 0; --cols, x += x_stride, y += y_stride) {
        const S* const end = x + depth;
        const S* w = weight;
        Index i = 0;
#ifndef __OPTIMIZE_SIZE__
        // Four sums at a time read x once; each is the same sum.
        for (; i + 4 <= rows; i += 4, w += 3 * depth) {
            S a = bias != nullptr ? bias[i] : S(0);
            S b = bias != nullptr ? bias[i + 1] : S(0);
            S c = bias != nullptr ? bias[i + 2] : S(0);
            S d = bias != nullptr ? bias[i + 3] : S(0);
            const S* w1 = w + depth;
            const S* w2 = w1 + depth;
            const S* w3 = w2 + depth;
            for (const S* from = x; from != end; ++from) {
                const S value = *from;
                a += *w++ * value;
                b += *w1++ * value;
                c += *w2++ * value;
                d += *w3++ * value;
            }
            detail::finish(y[i], a, accumulate, rectify);
            detail::finish(y[i + 1], b, accumulate, rectify);
            detail::finish(y[i + 2], c, accumulate, rectify);
            detail::finish(y[i + 3], d, accumulate, rectify);
        }
#endif
        for (; i < rows; ++i) {
            S sum = bias != nullptr ? bias[i] : S(0);
            for (const S* from = x; from != end;) sum += *w++ * *from++;
            detail::finish(y[i], sum, accumulate, rectify);
        }
    }
}

/// `forward` of packed weights: every sum is one of codes.
template <class S, class Code>
UNTOWARD_NO_INLINE void forward_packed(S* y, Index rows, Index cols, Index y_stride, const Code* codes,
                                       const BFloat16* scales, const S* x, Index depth, Index x_stride,
                                       bool accumulate, const S* bias, bool rectify) {
    for (; cols > 0; --cols, x += x_stride, y += y_stride) {
        const S* const end = x + depth;
        const Code* code = codes;
        for (Index i = 0; i < rows; ++i) {
            S sum = 0;
            for (const S* from = x; from != end;) sum += static_cast<S>(*code++) * *from++;
            if (scales != nullptr) sum *= static_cast<S>(scales[i]);
            if (bias != nullptr) sum += bias[i];
            detail::finish(y[i], sum, accumulate, rectify);
        }
    }
}

/// dx = W' dy + bias, or dx += W' dy + bias: W is depth x rows, row-major.
template <class S>
UNTOWARD_NO_INLINE void backward_input(S* dx, Index rows, Index cols, Index dx_stride, const S* weight,
                                       const S* dy, Index depth, Index dy_stride, bool accumulate,
                                       const S* bias, bool rectify) {
    for (; cols > 0; --cols, dx += dx_stride, dy += dy_stride) {
        for (Index i = 0; i < rows; ++i) {
            S sum = bias != nullptr ? bias[i] : S(0);
            const S* w = weight + i;
            for (Index k = 0; k < depth; ++k, w += rows) sum += *w * dy[k];
            detail::finish(dx[i], sum, accumulate, rectify);
        }
    }
}

/// dW = dy x', or dW += dy x': dW is dy_rows x x_rows, row-major; both have `cols` columns.
template <class S>
UNTOWARD_NO_INLINE void backward_weight(S* weight, const S* dy, Index dy_rows, Index dy_stride, const S* x,
                                        Index x_rows, Index cols, Index x_stride, bool accumulate) {
    for (Index i = 0; i < dy_rows; ++i) {
        for (Index k = 0; k < x_rows; ++k, ++weight) {
            S sum = 0;
            for (Index j = 0; j < cols; ++j) sum += dy[i + j * dy_stride] * x[k + j * x_stride];
            detail::finish(*weight, sum, accumulate, false);
        }
    }
}

}  // namespace untoward::plain
