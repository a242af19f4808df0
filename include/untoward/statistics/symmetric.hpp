// SPDX-License-Identifier: MIT
#pragma once

// What fitting needs of symmetric matrices, through the library's own products, so that no other header of
// Eigen's has to be compiled: the inverse of a Cholesky factor, and eigenvectors.

#include <algorithm>
#include <cmath>
#include <limits>

#include "rows.hpp"

namespace untoward UNTOWARD_SETTING::statistics::detail {

/// Columns done between two products with all that came before.
inline constexpr Index panel = 48;

/// A = L L' for the lower triangle of a positive definite A, in place; above the diagonal come zeros. A pivot
/// that rounding has eaten (a feature that others determine) is kept at 1e-14 of its diagonal, so the factor
/// always exists.
template <class S>
void cholesky(MatrixOf<S>& a) {
    const Index n = a.rows();
    const S least = a.diagonal().cwiseAbs().maxCoeff() * S(1e-28);
    for (Index begin = 0; begin < n; begin += panel) {
        const Index width = (std::min)(panel, n - begin);
        const Index below = n - begin;
        const VectorOf<S> diagonal = a.diagonal().segment(begin, width);
        if (begin > 0) {
            MatrixOf<S> known(below, width);
            product::backward_weight<S>(known.data(), {&a(begin, 0), width, begin, n},
                                        {&a(begin, 0), below, begin, n}, false);
            a.block(begin, begin, below, width) -= known;
        }
        for (Index j = begin; j < begin + width; ++j) {
            ArrayMap<S> column(&a(j, j), n - j);
            for (Index p = begin; p < j; ++p) column -= a(j, p) * ArrayMap<S>(&a(j, p), n - j);
            const S pivot = (std::max)((std::max)(a(j, j), S(1e-14) * std::abs(diagonal[j - begin])),
                                       least > 0 ? least : S(1));
            a(j, j) = pivot;
            column /= std::sqrt(pivot);
            std::fill_n(&a(0, j), j, S(0));
        }
    }
}

/// U = L'^-1 of a lower triangular L: upper triangular, and in memory L^-1 by rows.
template <class S>
MatrixOf<S> inverse_transposed(const MatrixOf<S>& l) {
    const Index n = l.rows();
    MatrixOf<S> u = MatrixOf<S>::Zero(n, n);
    for (Index begin = 0; begin < n; begin += panel) {
        const Index width = (std::min)(panel, n - begin);
        // With U = (U1 u; 0 v): v = l'^-1 of the panel's triangle l, u = -U1 B' l'^-1 for what stands left of
        // it.
        if (begin > 0) {
            MatrixOf<S> known(begin, width);
            product::backward_weight<S>(known.data(), {&l(begin, 0), width, begin, n},
                                        {u.data(), begin, begin, n}, false);
            u.block(0, begin, begin, width) = -known;
        }
        for (Index j = begin; j < begin + width; ++j) {
            u(j, j) = 1;
            ArrayMap<S> column(&u(0, j), j + 1);
            for (Index p = begin; p < j; ++p) column.head(p + 1) -= l(j, p) * ArrayMap<S>(&u(0, p), p + 1);
            column /= l(j, j);
        }
    }
    return u;
}

/// A = Q T Q' with T tridiagonal, by Householder reflections (Golub and Van Loan, "Matrix Computations",
/// 8.3.1). In: A, both triangles. Out: Q in its place, and T's diagonal and what stands beside it.
template <class S>
void tridiagonalise(MatrixOf<S>& a, VectorOf<S>& diagonal, VectorOf<S>& beside) {
    const Index n = a.rows();
    diagonal.resize(n);
    beside.setZero(n);
    VectorOf<S> factor = VectorOf<S>::Zero(n);
    VectorOf<S> p(n);
    for (Index k = 0; k + 2 < n; ++k) {
        // v = x - r e_1 with r = -sign(x_1) |x|, scaled to v_1 = 1; it is kept where x was.
        const Index m = n - k - 1;
        S* const v = &a(k + 1, k);
        const S length = std::sqrt(sum_of_squares(v, m));
        if (sum_of_squares(v + 1, m - 1) == 0) {
            beside[k] = v[0];
            continue;
        }
        const S image = v[0] > 0 ? -length : length;
        const S first = v[0] - image;
        beside[k] = image;
        factor[k] = -first / image;
        ArrayMap<S>(v, m) /= first;
        v[0] = 1;
        // A <- H A H = A - v w' - w v'
        product::backward_weight<S>(p.data(), {v, 1, m, 1}, {&a(k + 1, k + 1), m, m, n}, false);
        ArrayMap<S> w(p.data(), m);
        const ArrayMap<S> direction(v, m);
        w *= factor[k];
        w -= (factor[k] / 2 * (w * direction).sum()) * direction;
        for (Index j = 0; j < m; ++j) ArrayMap<S>(&a(k + 1, k + 1 + j), m) -= v[j] * w + w[j] * direction;
    }
    if (n > 1) beside[n - 2] = a(n - 1, n - 2);
    diagonal = a.diagonal();
    // Q' = ... H_1 H_0, from the last, which touches the least: P <- P H = P - (P v) w v'
    for (Index k = n - 1; k >= 0; --k) {
        const Index m = n - k - 1;
        if (k + 2 < n && factor[k] != 0) {
            const VectorOf<S> v = a.col(k).tail(m);
            product::backward_weight<S>(p.data(), {&a(k + 1, k + 1), m, m, n}, {v.data(), 1, m, 1}, false);
            for (Index j = 0; j < m; ++j)
                ArrayMap<S>(&a(k + 1, k + 1 + j), m) -= factor[k] * v[j] * ArrayMap<S>(p.data(), m);
        }
        a.col(k).tail(m).setZero();
        a.row(k).tail(m).setZero();
        a(k, k) = 1;
    }
    a.transposeInPlace();
}

/// Eigenvalues of a symmetric matrix, descending, and its eigenvectors as columns in its place: implicit QR
/// with Wilkinson's shift on the tridiagonal form (Golub and Van Loan, 8.3.3).
template <class S>
VectorOf<S> eigenvectors(MatrixOf<S>& a) {
    const Index n = a.rows();
    VectorOf<S> d;
    VectorOf<S> e;
    tridiagonalise(a, d, e);
    const S epsilon = std::numeric_limits<S>::epsilon();
    const auto negligible = [&](Index i) {
        return std::abs(e[i]) <= epsilon * (std::abs(d[i]) + std::abs(d[i + 1])) ||
               std::abs(e[i]) < (std::numeric_limits<S>::min)();
    };
    Index last = n - 1;
    for (Index steps = 0; last > 0 && steps < 60 * n; ++steps) {
        if (negligible(last - 1)) {
            e[--last] = 0;
            continue;
        }
        Index first = last - 1;
        while (first > 0 && !negligible(first - 1)) --first;
        const S half = (d[last - 1] - d[last]) / 2;
        const S root = std::hypot(half, e[last - 1]);
        const S shift = d[last] - e[last - 1] * (e[last - 1] / (half + (half < 0 ? -root : root)));
        S x = d[first] - shift;
        S z = e[first];
        for (Index k = first; k < last; ++k) {
            // The rotation that takes (x, z) to (length, 0)
            const S length = std::hypot(x, z);
            const S c = length > 0 ? x / length : S(1);
            const S s = length > 0 ? z / length : S(0);
            if (k > first) e[k - 1] = length;
            const S upper = d[k];
            const S lower = d[k + 1];
            const S cross = 2 * c * s * e[k];
            const S between = c * s * (lower - upper) + (c * c - s * s) * e[k];
            d[k] = c * c * upper + cross + s * s * lower;
            d[k + 1] = s * s * upper - cross + c * c * lower;
            x = e[k] = between;
            if (k + 1 < last) {
                z = s * e[k + 1];
                e[k + 1] *= c;
            }
            S* const left = &a(0, k);
            S* const right = &a(0, k + 1);
            for (Index i = 0; i < n; ++i) {
                const S l = left[i];
                left[i] = c * l + s * right[i];
                right[i] = c * right[i] - s * l;
            }
        }
    }
    for (Index i = 0; i < n; ++i) {
        Index largest = i;
        for (Index j = i + 1; j < n; ++j) {
            if (d[j] > d[largest]) largest = j;
        }
        if (largest == i) continue;
        std::swap(d[i], d[largest]);
        a.col(i).swap(a.col(largest));
    }
    return d;
}

}  // namespace untoward::statistics::detail
