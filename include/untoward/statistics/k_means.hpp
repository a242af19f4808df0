// SPDX-License-Identifier: MIT
#pragma once

// Clusters to start from: k-means++ (Arthur and Vassilvitskii, 2007), then a few of Lloyd's steps.

#include <algorithm>
#include <limits>

#include "rows.hpp"

namespace untoward UNTOWARD_SETTING::statistics::detail {

/// Rows at a time.
inline constexpr Index fitting_block = 128;

/// function(block) for packed rows.
template <class S, class Function>
void for_blocks(const MatrixOf<S>& rows, const Function& function) {
    for (Index begin = 0; begin < rows.cols(); begin += fitting_block) {
        function(product::Columns<const S>{rows.data() + begin * rows.rows(), rows.rows(),
                                           (std::min)(fitting_block, rows.cols() - begin), rows.rows()});
    }
}

/// function(block, nearest): and the place of the centre that is nearest to each row of the block, the first
/// of equal ones.
template <class S, class Function>
void for_nearest(const MatrixOf<S>& rows, const MatrixOf<S>& centres, const Function& function) {
    const Index count = centres.cols();
    VectorOf<S> halves(count);
    for (Index k = 0; k < count; ++k)
        halves[k] = sum_of_squares(centres.data() + k * centres.rows(), rows.rows()) / 2;
    MatrixOf<S> products(count, fitting_block);
    Index nearest[fitting_block];
    for_blocks(rows, [&](const product::Columns<const S>& x) {
        // |x - c|^2 is least where c.x - |c|^2 / 2 is largest.
        product::matrices<true, false, S>({products.data(), count, x.cols, count},
                                          {centres.data(), x.rows, count, x.rows}, x, false);
        for (Index j = 0; j < x.cols; ++j) {
            nearest[j] = 0;
            for (Index k = 1; k < count; ++k) {
                if (products(k, j) - halves[k] > products(nearest[j], j) - halves[nearest[j]]) nearest[j] = k;
            }
        }
        function(x, nearest);
    });
}

/// Rows that lie apart: each is the next with a chance like its squared distance to those before. Fewer where
/// there are not as many different rows.
template <class S>
MatrixOf<S> rows_apart(const MatrixOf<S>& rows, Index count, RandomStream& random) {
    const Index n = rows.cols();
    MatrixOf<S> chosen(rows.rows(), count);
    VectorOf<double> nearest = VectorOf<double>::Constant(n, std::numeric_limits<double>::infinity());
    Index next = random.below(n);
    for (Index k = 0; k < count; ++k) {
        chosen.col(k) = rows.col(next);
        double total = 0;
        for (Index j = 0; j < n; ++j) {
            const auto square = static_cast<double>((rows.col(j) - chosen.col(k)).squaredNorm());
            nearest[j] = (std::min)(nearest[j], square);
            total += nearest[j];
        }
        if (!(total > 0)) return chosen.leftCols(k + 1);
        double rest = random.uniform<double>() * total;
        for (next = 0; next + 1 < n && rest >= nearest[next]; ++next) rest -= nearest[next];
    }
    return chosen;
}

/// The centres of `count` clusters of at least one row, features x count, or of fewer.
template <class S>
MatrixOf<S> k_means(const MatrixOf<S>& rows, Index count, RandomStream& random, int steps = 10) {
    MatrixOf<S> centres = rows_apart(rows, count, random);
    for (bool moved = true; moved && steps > 0; --steps) {
        MatrixOf<double> sums = MatrixOf<double>::Zero(rows.rows(), centres.cols());
        VectorOf<double> counts = VectorOf<double>::Zero(centres.cols());
        for_nearest(rows, centres, [&](const product::Columns<const S>& x, const Index* nearest) {
            for (Index j = 0; j < x.cols; ++j) {
                counts[nearest[j]] += 1;
                for (Index i = 0; i < x.rows; ++i) sums(i, nearest[j]) += static_cast<double>(x.column(j)[i]);
            }
        });
        moved = false;
        for (Index k = 0; k < centres.cols(); ++k) {
            for (Index i = 0; i < rows.rows() && counts[k] > 0; ++i) {
                const auto mean = static_cast<S>(sums(i, k) / counts[k]);
                moved = moved || mean != centres(i, k);
                centres(i, k) = mean;
            }
        }
    }
    return centres;
}

}  // namespace untoward::statistics::detail
