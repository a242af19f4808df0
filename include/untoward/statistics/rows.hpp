// SPDX-License-Identifier: MIT
#pragma once

// What the statistics of this folder share. They know columns of numbers, features x n, one sample per
// column, and no model. Each is a policy, options only, whose `fit` looks at rows once, and what it gives:
// numbers that score other rows. All are used alike:
//
//     const auto fitted = statistics::Neighbours{.k = 5}.fit(statistics::columns(rows), seed);
//     Buffer<std::byte> memory(static_cast<Index>(fitted.arena_bytes(n)));
//     Arena arena(memory);
//     fitted.evaluate(statistics::columns(others), arena, scores, contributions);
//
// | fitted                | its score                             | contributions add up to it; feature i's |
// |-----------------------|---------------------------------------|-----------------------------------------|
// | `MahalanobisDistance` | squared distance d' S^-1 d            | d_i (S^-1 d)_i                          |
// | `NeighbourDistance`   | distance to the k-th neighbour        | share of the squares to k neighbours    |
// | `MixtureDensity`      | -log p(x)                             | d_i (S^-1 d)_i / 2; a rest is no one's  |
// | `ComponentDistance`   | squared error, or standardised scores | e_i^2, or d_i times what is projected   |
//
// A fitted statistic is an aggregate of `sizes`, a few integers, and flat vectors of one type `Vector`: an
// Eigen vector that owns its numbers or a map of numbers in a file's buffer or in flash. Whoever writes or
// reads them walks over both lists:
//
//     Fitted::Sizes::list(fitted.sizes, [](const char* name, auto& size) { ... });
//     Fitted::numbers(fitted, [](const char* name, auto& vector, Index size) { ... });  // as long as `size`
//
// `evaluate` allocates nothing but in that arena, whose size `sizes.template arena_bytes<S>(n)` says in
// constant expressions too. It takes any values and answers NaN where a sample has one, infinity or NaN where
// it has an infinity or squares overflow: callers take both for the most anomalous. Fitting is for hosts: it
// allocates, sums in double, passes over rows that are not numbers throughout, and depends on rows, options
// and seed alone.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "../core/arena.hpp"
#include "../core/product.hpp"
#include "../core/random.hpp"
#include "../core/refuse.hpp"
#include "../core/sums.hpp"

namespace untoward UNTOWARD_SETTING::statistics {

/// A column-major matrix of Eigen's whose columns are packed, or a map or block of one, as these headers take
/// it.
template <class Derived>
product::Columns<const typename Derived::Scalar> columns(const Eigen::DenseBase<Derived>& rows) {
    static_assert(!Derived::IsRowMajor, "untoward: one sample is one column of a column-major matrix");
    const Derived& matrix = rows.derived();
    if (matrix.innerStride() != 1) [[unlikely]]
        untoward::detail::refuse(
            {"the values of a sample lie ", matrix.innerStride(), " apart, expected side by side"});
    return {matrix.data(), matrix.rows(), matrix.cols(), matrix.outerStride()};
}

namespace detail {

template <class S>
using VectorOf = Eigen::Matrix<S, Dynamic, 1>;
template <class S>
using MatrixOf = Eigen::Matrix<S, Dynamic, Dynamic>;
template <class S>
using ArrayMap = Eigen::Map<Eigen::Array<S, Dynamic, 1>>;
template <class S>
using ConstArrayMap = Eigen::Map<const Eigen::Array<S, Dynamic, 1>>;

template <class S>
bool is_finite(const S* values, Index n) {
    for (Index i = 0; i < n; ++i) {
        if (!std::isfinite(values[i])) return false;
    }
    return true;
}

/// The rows that are numbers throughout: all of them, in their order, or `most` of them in a random one.
template <class S>
MatrixOf<S> usable_rows(const product::Columns<const S>& rows, Index most, std::uint64_t seed,
                        std::uint64_t site) {
    Buffer<Index> usable(rows.cols);
    Index n = 0;
    for (Index j = 0; j < rows.cols; ++j) {
        if (is_finite(rows.column(j), rows.rows)) usable[n++] = j;
    }
    const bool chosen = n > most;
    Buffer<Index> order(chosen ? n : 0);
    if (chosen) permutation(seed, site, std::span(order.data(), static_cast<std::size_t>(n)));
    MatrixOf<S> result(rows.rows, chosen ? most : n);
    for (Index j = 0; j < result.cols(); ++j) {
        const S* const from = rows.column(usable[chosen ? order[j] : j]);
        std::copy(from, from + rows.rows, result.data() + j * rows.rows);
    }
    return result;
}

/// d = x - centre, column by column; packed.
template <class S>
void subtract(const product::Columns<const S>& x, const S* centre, S* d) {
    for (Index j = 0; j < x.cols; ++j) {
        const S* const from = x.column(j);
        S* const to = d + j * x.rows;
        for (Index i = 0; i < x.rows; ++i) to[i] = from[i] - centre[i];
    }
}

/// function(block, begin) for `size` samples at a time, each time with the same room in the arena.
template <class S, class Function>
void in_blocks(const product::Columns<const S>& x, Index size, Arena& arena, const Function& function) {
    const std::size_t mark = arena.used();
    for (Index begin = 0; begin < x.cols; begin += size) {
        function(x.middle(begin, (std::min)(size, x.cols - begin)), begin);
        arena.rewind(mark);
    }
}

/// Bytes of n values in an arena.
template <class S>
constexpr std::size_t bytes_of(Index n) {
    return align_up(static_cast<std::size_t>(n) * sizeof(S));
}

/// Where a block's contributions go, if they are asked for.
template <class S>
S* from_column(S* values, Index column, Index rows) {
    return values == nullptr ? nullptr : values + column * rows;
}

template <class S>
S sum_of_squares(const S* values, Index n) {
    return untoward::detail::sum_of_elements(ConstArrayMap<S>(values, n).square());
}

}  // namespace detail

}  // namespace untoward::statistics
