// SPDX-License-Identifier: MIT
#pragma once

// The distance to the k-th nearest of stored rows, exactly. How they are found: neighbour_search.hpp.

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/options.hpp"
#include "neighbour_search.hpp"

namespace untoward UNTOWARD_SETTING::statistics {

/// Euclidean distances to the k-th nearest of stored rows; to the farthest where fewer are stored, and
/// infinity where none is. Rows are stored in units of `NeighbourSizes::leaf`, filled up with the largest
/// number.
template <class Vector>
struct NeighbourDistance {
    using Scalar = typename Vector::Scalar;
    using Sizes = NeighbourSizes;

    Sizes sizes;
    Vector rows;         ///< leaves x D x 32
    Vector leaf_boxes;   ///< groups x D x (low, high) x 16
    Vector group_boxes;  ///< D x (low, high) x groups

    static constexpr void numbers(auto& self, auto&& visit) {
        const Index d = self.sizes.features;
        visit("rows", self.rows, self.sizes.leaves() * d * Sizes::leaf);
        visit("leaf_boxes", self.leaf_boxes, self.sizes.groups() * d * 2 * Sizes::group);
        visit("group_boxes", self.group_boxes, d * 2 * self.sizes.groups());
    }
    [[nodiscard]] Index features() const { return sizes.features; }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index n) const {
        return sizes.template arena_bytes<Scalar>(n);
    }
    /// A value of a stored row; they are in an order of their own.
    [[nodiscard]] Scalar stored(Index feature, Index row) const {
        return rows[(row / Sizes::leaf * features() + feature) * Sizes::leaf + row % Sizes::leaf];
    }

    /// Distances of x, features x n. `contributions` (features x n, packed, or null) receives what each
    /// feature has of the squared distances to all k neighbours, as a share of the distance: they add up to
    /// it. (The squares to the k-th alone would too, but depend on which of several rows as far away happens
    /// to be the k-th.)
    ///
    /// With `leave_one_out` a sample that equals a stored row to the bit is taken for that row, which is then
    /// no neighbour of its own: for samples that were among the rows of `fit`.
    void evaluate(const product::Columns<const Scalar>& x, Arena& arena, Scalar* scores,
                  Scalar* contributions = nullptr, bool leave_one_out = false) const {
        untoward::detail::require_features(x.rows, x.cols, features(), "what was fitted");
        const detail::StoredRows<Scalar> stored_rows{sizes, rows.data(), leaf_boxes.data(),
                                                     group_boxes.data()};
        detail::in_blocks(
            x, Sizes::block, arena, [&](const product::Columns<const Scalar>& block, Index begin) {
                const detail::NeighbourSearch<Scalar> search(stored_rows, block, arena);
                for (Index j = 0; j < block.cols; ++j) {
                    scores[begin + j] = answer(block.column(j), search.nearest(j), leave_one_out,
                                               detail::from_column(contributions, begin + j, x.rows));
                }
            });
    }

private:
    using Nearest = detail::Nearest<Scalar>;
    static constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();

    Scalar answer(const Scalar* x, Nearest nearest, bool leave_one_out, Scalar* contributions) const {
        bool is_number = true;
        for (Index i = 0; i < features(); ++i) is_number = is_number && !std::isnan(x[i]);
        const bool is_itself = leave_one_out && nearest.squares[0] == 0;
        if (is_itself) {
            ++nearest.squares;
            ++nearest.places;
        }
        nearest.count = (std::min)(sizes.k, sizes.rows - (is_itself ? 1 : 0));
        Scalar distance = nearest.count > 0 ? std::sqrt(nearest.worst()) : infinity;
        if (!is_number) distance = std::numeric_limits<Scalar>::quiet_NaN();
        if (contributions != nullptr) share(x, nearest, distance, contributions);
        return distance;
    }
    void share(const Scalar* x, const Nearest& nearest, Scalar distance, Scalar* contributions) const {
        const Index d = features();
        Scalar total = 0;
        for (Index m = 0; m < nearest.count; ++m) total += nearest.squares[m];
        for (Index i = 0; i < d; ++i) {
            Scalar sum = 0;
            for (Index m = 0; m < nearest.count; ++m) {
                const Scalar difference = x[i] - stored(i, nearest.places[m]);
                sum += difference * difference;
            }
            // Where all neighbours are infinitely far, what is so in this feature.
            contributions[i] = std::isfinite(total) && total > 0 ? sum / total * distance : sum;
        }
    }
};

/// The distance to the k-th nearest of stored rows.
///
/// Of more rows than `most_rows` a random choice is stored. It is as dense where the data is dense, so all
/// distances grow by about the same factor, (n / most_rows)^(1 / dimension), and their order stays: on the 18
/// sets of data/tabular the mean AUC-ROC is 91.02% with all rows (up to 24,000), 91.00% with 2,000 and 90.89%
/// with 1,000. (Greedy k-centre would store a cover: every wild row that is among the rows, and of a dense
/// region no more than of a sparse one, so that the distance no longer tells them apart; and it takes a pass
/// over the rows for each.)
struct Neighbours {
    Index k = 5;
    Index most_rows = 10000;

    static constexpr const char* name = "neighbours";
    static constexpr void options(auto& self, auto&& visit) {
        visit("k", self.k, OptionRange{1, 1 << 20});
        visit("most_rows", self.most_rows, OptionRange{1, 1 << 30});
    }

    /// Any number of rows, features x n.
    template <class S>
    auto fit(const product::Columns<const S>& x, std::uint64_t seed = 0) const {
        using Sizes = NeighbourSizes;
        using Vector = detail::VectorOf<S>;
        require_options(*this);
        const detail::MatrixOf<S> rows = detail::usable_rows(x, most_rows, seed, 0x6e656967686273u);
        const Index n = rows.cols();
        const Index d = rows.rows();
        const Sizes sizes{d, n, k};
        Buffer<Index> order(n);
        for (Index r = 0; r < n; ++r) order[r] = r;
        Buffer<S> spread(sample);
        split(rows, order.data(), n, spread.data());

        constexpr S largest = (std::numeric_limits<S>::max)();
        const Index groups = sizes.groups();
        NeighbourDistance<Vector> fitted{sizes, Vector::Constant(sizes.leaves() * d * Sizes::leaf, largest),
                                         Vector(groups * d * 2 * Sizes::group), Vector(d * 2 * groups)};
        const auto widen = [](S* low, S* high, S value) {
            *low = (std::min)(*low, value);
            *high = (std::max)(*high, value);
        };
        for (Index i = 0; i < d; ++i) {
            // An empty box is farther than any.
            S* const group_low = fitted.group_boxes.data() + i * 2 * groups;
            std::fill_n(group_low, groups, largest);
            std::fill_n(group_low + groups, groups, -largest);
            for (Index g = 0; g < groups; ++g) {
                S* const low = fitted.leaf_boxes.data() + (g * d + i) * 2 * Sizes::group;
                std::fill_n(low, Sizes::group, largest);
                std::fill_n(low + Sizes::group, Sizes::group, -largest);
            }
            for (Index r = 0; r < n; ++r) {
                const S value = rows(i, order[r]);
                const Index leaf = r / Sizes::leaf;
                const Index g = leaf / Sizes::group;
                fitted.rows[(leaf * d + i) * Sizes::leaf + r % Sizes::leaf] = value;
                S* const low =
                    fitted.leaf_boxes.data() + (g * d + i) * 2 * Sizes::group + leaf % Sizes::group;
                widen(low, low + Sizes::group, value);
                widen(group_low + g, group_low + groups + g, value);
            }
        }
        return fitted;
    }

private:
    static constexpr Index sample = 128;

    // Cuts in half where leaves or groups meet, along the feature whose middle four fifths are the widest: a
    // range or a variance would look at wild values only.
    template <class S>
    static void split(const detail::MatrixOf<S>& rows, Index* order, Index n, S* spread) {
        using Sizes = NeighbourSizes;
        const Index unit = n > Sizes::leaf * Sizes::group ? Sizes::leaf * Sizes::group : Sizes::leaf;
        if (n <= unit) return;
        const Index left = (n + unit - 1) / unit / 2 * unit;
        const Index looked_at = (std::min)(n, sample);
        Index widest = 0;
        S width = -1;
        for (Index i = 0; i < rows.rows(); ++i) {
            for (Index s = 0; s < looked_at; ++s) spread[s] = rows(i, order[s * n / looked_at]);
            S* const low = spread + looked_at / 10;
            S* const high = spread + looked_at * 9 / 10;
            std::nth_element(spread, low, spread + looked_at);
            std::nth_element(low, high, spread + looked_at);
            const S middle = *high - *low;
            if (middle > width) {
                width = middle;
                widest = i;
            }
        }
        std::nth_element(order, order + left, order + n, [&](Index a, Index b) {
            const S first = rows(widest, a);
            const S second = rows(widest, b);
            return first != second ? first < second : a < b;
        });
        split(rows, order, left, spread);
        split(rows, order + left, n - left, spread);
    }
};

}  // namespace untoward::statistics
