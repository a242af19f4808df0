// SPDX-License-Identifier: MIT
#pragma once

// Exact search for the nearest of stored rows.
//
// Rows lie in leaves of 32, a leaf feature by feature, its 32 values side by side. The distances of a leaf's
// rows to a sample are summed up together, from differences, so that no offset cancels, and left as soon as
// all exceed the k-th best so far. Leaves are cut from the rows by medians, as those of a k-d tree; 16 of
// them make a group; each leaf and group has a box, and no row is nearer than its box. Where that leaves many
// samples to look at one leaf, a product finds those for whom it has nothing: with |x - r|^2 = |x|^2 + |r|^2
// - 2 x.r and a bound on the rounding of the right side. What the product cannot rule out is summed up from
// differences, so the result is the same.
//
// Few features: a few leaves are looked at, of thousands. Hundreds: what a product of all samples with all
// rows costs, and a little more.

#include <algorithm>
#include <limits>

#include "rows.hpp"

namespace untoward UNTOWARD_SETTING::statistics {

struct NeighbourSizes {
    Index features = 0;
    Index rows = 0;  ///< stored
    Index k = 1;

    static constexpr Index leaf = 32;   ///< rows
    static constexpr Index group = 16;  ///< leaves
    static constexpr Index block = 64;  ///< samples that are looked at together

    static constexpr void list(auto& self, auto&& visit) {
        visit("features", self.features);
        visit("rows", self.rows);
        visit("k", self.k);
    }
    [[nodiscard]] constexpr Index leaves() const { return (rows + leaf - 1) / leaf; }
    [[nodiscard]] constexpr Index groups() const { return (leaves() + group - 1) / group; }
    /// Neighbours that are kept in a search: one more than asked for, in case a sample meets itself.
    [[nodiscard]] constexpr Index kept() const { return (std::min)(k, rows) + 1; }
    /// What `evaluate` needs for n samples.
    template <class S>
    constexpr std::size_t arena_bytes(Index n) const {
        const Index most = (std::min)(n, block);
        return detail::bytes_of<S>(most * groups()) + detail::bytes_of<S>(most * kept()) +
               detail::bytes_of<Index>(most * kept()) + detail::bytes_of<S>(most * features) +
               detail::bytes_of<S>(most * leaf) + detail::bytes_of<S>(most * group) +
               detail::bytes_of<S>(most) + 2 * detail::bytes_of<Index>(most);
    }
};

namespace detail {

/// Squared distances from a point to `count` boxes, packed as (feature, low or high, box).
template <Index Count, class S>
void box_distances(const S* boxes, Index count, const S* point, Index features, S* squares) {
    using Boxes = Eigen::Array<S, Count, 1>;
    Eigen::Map<Boxes> sum(squares, count);
    sum.setZero();
    for (Index i = 0; i < features; ++i, boxes += 2 * count) {
        const Eigen::Map<const Boxes> low(boxes, count);
        const Eigen::Map<const Boxes> high(boxes + count, count);
        sum += (((low - point[i]).max)(point[i] - high).max)(S(0)).square();
    }
}

/// The nearest rows of one sample so far, in ascending order.
template <class S>
struct Nearest {
    S* squares;
    Index* places;
    Index count;

    [[nodiscard]] S worst() const { return squares[count - 1]; }
    void insert(S square, Index place) const {
        Index at = count - 1;
        for (; at > 0 && squares[at - 1] > square; --at) {
            squares[at] = squares[at - 1];
            places[at] = places[at - 1];
        }
        squares[at] = square;
        places[at] = place;
    }
};

/// The numbers of stored rows, wherever they lie.
template <class S>
struct StoredRows {
    NeighbourSizes sizes;
    const S* rows;         ///< leaves x D x 32
    const S* leaf_boxes;   ///< groups x D x (low, high) x 16
    const S* group_boxes;  ///< D x (low, high) x groups
};

/// A block of samples on its way through the leaves.
template <class S>
class NeighbourSearch {
public:
    /// Searches; `stored` and `x` outlive it, and what it finds lies in the arena.
    NeighbourSearch(const StoredRows<S>& stored, const product::Columns<const S>& x, Arena& arena)
        : stored_(stored), x_(x), kept_(stored.sizes.kept()),
          bounds_(arena.allocate<S>(x.cols * stored.sizes.groups())),
          squares_(arena.allocate<S>(x.cols * kept_)), places_(arena.allocate<Index>(x.cols * kept_)),
          gathered_(arena.allocate<S>(x.cols * x.rows)), products_(arena.allocate<S>(x.cols * Sizes::leaf)),
          leaf_bounds_(arena.allocate<S>(x.cols * Sizes::group)), lengths_(arena.allocate<S>(x.cols)),
          active_(arena.allocate<Index>(x.cols)), asking_(arena.allocate<Index>(x.cols)) {
        std::fill_n(squares_, x.cols * kept_, infinity);
        std::fill_n(places_, x.cols * kept_, Index{0});
        const Index groups = stored.sizes.groups();
        if (groups == 0) return;
        // Where a neighbour is most likely, first: then most boxes are already too far.
        for (Index j = 0; j < x.cols; ++j) {
            S* const bounds = bounds_ + j * groups;
            lengths_[j] = sum_of_squares(x.column(j), x.rows);
            box_distances<Dynamic>(stored.group_boxes, groups, x.column(j), x.rows, bounds);
            const Index nearest = std::min_element(bounds, bounds + groups) - bounds;
            bounds[nearest] = infinity;
            look_at_group_alone(nearest, j);
        }
        for (Index g = 0; g < groups; ++g) look_at_group(g);
    }
    [[nodiscard]] Nearest<S> nearest(Index j) const {
        return {squares_ + j * kept_, places_ + j * kept_, kept_};
    }

private:
    using Sizes = NeighbourSizes;
    static constexpr S infinity = std::numeric_limits<S>::infinity();
    // Fewer samples than this are not worth a product.
    static constexpr Index worth_a_product = 6;
    // Features between two looks at whether a leaf is too far.
    static constexpr Index stride = 16;

    [[nodiscard]] const S* leaf_values(Index leaf) const {
        return stored_.rows + leaf * x_.rows * Sizes::leaf;
    }
    // The last group may have fewer than others; whatever the boxes of a file say, no leaf behind them is read.
    [[nodiscard]] Index leaves_of(Index group) const {
        return (std::min)(Sizes::group, stored_.sizes.leaves() - group * Sizes::group);
    }
    void find_leaf_bounds(Index group, Index j, S* bounds) const {
        box_distances<Sizes::group>(stored_.leaf_boxes + group * x_.rows * 2 * Sizes::group, Sizes::group,
                                    x_.column(j), x_.rows, bounds);
    }
    void look_at_leaf(Index leaf, Index j) const {
        using Lanes = Eigen::Array<S, Sizes::leaf, 1>;
        const Nearest<S> found = nearest(j);
        const S* const x = x_.column(j);
        const S* values = leaf_values(leaf);
        Lanes sum = Lanes::Zero();
        for (Index i = 0; i < x_.rows;) {
            for (const Index end = (std::min)(x_.rows, i + stride); i < end; ++i, values += Sizes::leaf)
                sum += (Eigen::Map<const Lanes>(values) - x[i]).square();
            if (!(sum < found.worst()).any()) return;
        }
        for (Index r = 0; r < Sizes::leaf; ++r) {
            if (sum[r] < found.worst()) found.insert(sum[r], leaf * Sizes::leaf + r);
        }
    }
    void look_at_group_alone(Index group, Index j) const {
        S bounds[Sizes::group];
        find_leaf_bounds(group, j, bounds);
        const Index leaves = leaves_of(group);
        while (true) {
            const Index leaf = std::min_element(bounds, bounds + leaves) - bounds;
            if (!(bounds[leaf] < nearest(j).worst())) return;
            bounds[leaf] = infinity;
            look_at_leaf(group * Sizes::group + leaf, j);
        }
    }
    void look_at_group(Index group) const {
        Index active = 0;
        for (Index j = 0; j < x_.cols; ++j) {
            if (bounds_[j * stored_.sizes.groups() + group] < nearest(j).worst()) active_[active++] = j;
        }
        if (active < worth_a_product) {
            for (Index a = 0; a < active; ++a) look_at_group_alone(group, active_[a]);
            return;
        }
        for (Index a = 0; a < active; ++a)
            find_leaf_bounds(group, active_[a], leaf_bounds_ + a * Sizes::group);
        const Index leaves = leaves_of(group);
        for (Index l = 0; l < leaves; ++l) {
            const Index leaf = group * Sizes::group + l;
            Index asking = 0;
            for (Index a = 0; a < active; ++a) {
                if (leaf_bounds_[a * Sizes::group + l] < nearest(active_[a]).worst())
                    asking_[asking++] = active_[a];
            }
            if (asking >= worth_a_product) asking = rule_out(leaf, asking);
            for (Index a = 0; a < asking; ++a) look_at_leaf(leaf, asking_[a]);
        }
    }
    // Drops those of the samples that ask for whom the leaf has no nearer row; says how many are left.
    [[nodiscard]] Index rule_out(Index leaf, Index asking) const {
        using Lanes = Eigen::Array<S, Sizes::leaf, 1>;
        const S* const values = leaf_values(leaf);
        const Index d = x_.rows;
        // Both sides of the comparison are wrong by less than this, times |x|^2 + |r|^2.
        const S error = static_cast<S>(2 * d + 8) * std::numeric_limits<S>::epsilon();
        Lanes lengths = Lanes::Zero();
        for (Index i = 0; i < d; ++i) lengths += Eigen::Map<const Lanes>(values + i * Sizes::leaf).square();
        for (Index a = 0; a < asking; ++a) {
            const S* const x = x_.column(asking_[a]);
            std::copy(x, x + d, gathered_ + a * d);
        }
        // x.r - |r|^2 / 2 > (|x|^2 - worst) / 2, or nearly so
        product::backward_input<S>({products_, Sizes::leaf, asking, Sizes::leaf}, values,
                                   {gathered_, d, asking, d}, false);
        const Lanes half = lengths * ((1 - error) / 2);
        Index left = 0;
        for (Index a = 0; a < asking; ++a) {
            const Index j = asking_[a];
            const S least = (lengths_[j] * (1 - error) - nearest(j).worst()) / 2;
            const Eigen::Map<const Lanes> product(products_ + a * Sizes::leaf);
            if (!(product - half <= least).all()) asking_[left++] = j;
        }
        return left;
    }

    const StoredRows<S>& stored_;
    const product::Columns<const S>& x_;
    Index kept_;
    S* bounds_;   // groups x samples
    S* squares_;  // kept x samples
    Index* places_;
    S* gathered_;     // features x samples that ask
    S* products_;     // leaf x samples that ask
    S* leaf_bounds_;  // leaves x samples that are active in a group
    S* lengths_;
    Index* active_;
    Index* asking_;
};

}  // namespace detail

}  // namespace untoward::statistics
