// SPDX-License-Identifier: MIT
#pragma once

// Principal components: with d = x - m and v_1, ..., v_q the eigenvectors of the covariance with the largest
// eigenvalues l_1 >= ... >= l_q, z_c = v_c' d, and what they leave of d, e = d - sum of z_c v_c:
//
//     reconstruction   |e|^2
//     standardised     sum over all components of z_c^2 / l_c     (Shyu, Chen, Sarinnapakorn and Chang, 2003)
//
// Both are a sum of weighted squares, sum of w_c z_c^2 + w_0 |e|^2, and that is how they are stored.

#include <algorithm>
#include <cmath>
#include <limits>

#include "covariance.hpp"

namespace untoward UNTOWARD_SETTING::statistics {

struct ComponentSizes {
    Index features = 0;
    Index components = 0;  ///< q, that are stored

    static constexpr Index block = 128;  ///< samples at a time

    static constexpr void list(auto& self, auto&& visit) {
        visit("features", self.features);
        visit("components", self.components);
    }
    /// What `evaluate` needs for n samples.
    template <class S>
    constexpr std::size_t arena_bytes(Index n) const {
        const Index most = (std::min)(n, block);
        return 3 * detail::bytes_of<S>(features * most) + detail::bytes_of<S>(components * most);
    }
};

/// The weighted squares above.
template <class Vector>
struct ComponentDistance {
    using Scalar = typename Vector::Scalar;
    using Sizes = ComponentSizes;

    Sizes sizes;
    Vector centre;      ///< D
    Vector directions;  ///< q of D
    Vector weights;     ///< q + 1: of each component, and of what they leave

    static constexpr void numbers(auto& self, auto&& visit) {
        const Sizes& s = self.sizes;
        visit("centre", self.centre, s.features);
        visit("directions", self.directions, s.components * s.features);
        visit("weights", self.weights, s.components + 1);
    }
    [[nodiscard]] Index features() const { return sizes.features; }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index n) const {
        return sizes.template arena_bytes<Scalar>(n);
    }

    /// Scores of x, features x n. `contributions` (features x n, packed, or null) add up to them: w_0 e_i^2,
    /// and d_i times what the weighted components project to there, which may be negative.
    void evaluate(const product::Columns<const Scalar>& x, Arena& arena, Scalar* scores,
                  Scalar* contributions = nullptr) const {
        const Index d = features();
        untoward::detail::require_features(x.rows, x.cols, d, "what was fitted");
        detail::in_blocks(
            x, Sizes::block, arena, [&](const product::Columns<const Scalar>& block, Index begin) {
                evaluate_block(block, arena, scores + begin, detail::from_column(contributions, begin, d));
            });
    }

private:
    void evaluate_block(const product::Columns<const Scalar>& x, Arena& arena, Scalar* scores,
                        Scalar* contributions) const {
        const Index d = features();
        const Index q = sizes.components;
        const Index n = x.cols;
        Scalar* const centred = arena.allocate<Scalar>(d * n);
        Scalar* const left = arena.allocate<Scalar>(d * n);
        Scalar* const projected = arena.allocate<Scalar>(q * n);
        const product::Columns<Scalar> z{projected, q, n, q};
        const product::Columns<Scalar> e{left, d, n, d};
        detail::subtract(x, centre.data(), centred);
        product::forward<Scalar>(z, directions.data(), {centred, d, n, d}, false);
        product::backward_input<Scalar>(e, directions.data(), z, false);
        for (Index i = 0; i < d * n; ++i) left[i] = centred[i] - left[i];
        const Scalar rest = weights[q];
        for (Index j = 0; j < n; ++j) {
            scores[j] = rest * detail::sum_of_squares(e.column(j), d);
            for (Index c = 0; c < q; ++c) {
                Scalar& component = z.column(j)[c];
                scores[j] += weights[c] * component * component;
                component *= weights[c];
            }
        }
        if (contributions == nullptr) return;
        Scalar* const weighted = arena.allocate<Scalar>(d * n);
        product::backward_input<Scalar>({weighted, d, n, d}, directions.data(), z, false);
        for (Index i = 0; i < d * n; ++i)
            contributions[i] = rest * left[i] * left[i] + centred[i] * weighted[i];
    }
};

/// What is measured with principal components.
enum class ComponentScore { reconstruction, standardised };
constexpr OptionValues<2> option_values(ComponentScore) {
    return {"ComponentScore", {"reconstruction", "standardised"}};
}

namespace detail {

struct Components {
    Eigen::VectorXd mean;
    Eigen::MatrixXd directions;  // in columns, the largest variance first
    Eigen::VectorXd variances;
    double total = 0;  // variance of all features
};

/// At most min(D, n) components. With fewer rows than features they come from the products of rows with rows,
/// X' X u = l u, as X u.
template <class S>
Components components_of(const MatrixOf<S>& rows) {
    Components result;
    const Index d = rows.rows();
    const Index n = rows.cols();
    if (n >= d) {
        Covariance covariance = covariance_of(rows, false);
        result.mean = std::move(covariance.mean);
        result.directions = std::move(covariance.matrix);
        result.total = result.directions.trace();
        result.variances = eigenvectors(result.directions);
        return result;
    }
    result.mean = mean_of(rows);
    Eigen::MatrixXd centred(d, n);
    for (Index j = 0; j < n; ++j) {
        for (Index i = 0; i < d; ++i) centred(i, j) = static_cast<double>(rows(i, j)) - result.mean[i];
    }
    Eigen::MatrixXd products(n, n);
    product::forward<double>({products.data(), n, n, n}, centred.data(), {centred.data(), d, n, d}, false);
    result.total = products.trace() / static_cast<double>(std::max<Index>(n, 1));
    result.variances = eigenvectors(products) / static_cast<double>(std::max<Index>(n, 1));
    // Rounding, not components.
    const double least = n > 0 ? result.variances[0] * 1e-13 : 0;
    Index count = 0;
    while (count < n && result.variances[count] > least) ++count;
    result.variances.conservativeResize(count);
    result.directions.resize(d, count);
    product::backward_input<double>({result.directions.data(), d, count, d}, centred.data(),
                                    {products.data(), n, count, n}, false);
    for (Index c = 0; c < count; ++c)
        result.directions.col(c) /= std::sqrt(result.variances[c] * static_cast<double>(n));
    return result;
}

}  // namespace detail

/// Distances by principal components, of the covariance of the rows as they are: scale features first.
struct PrincipalComponents {
    double explained = 0.95;  ///< components are kept until they have more than this share of the variance
    ComponentScore score = ComponentScore::reconstruction;
    double floor = 1e-6;  ///< standardised: no component has less than this share of the mean variance

    static constexpr const char* name = "principal-components";
    static constexpr void options(auto& self, auto&& visit) {
        visit("explained", self.explained, OptionRange{0, 1});
        visit("score", self.score);
        visit("floor", self.floor, OptionRange{0, 1});
    }

    /// Any number of rows, features x n; those that are not numbers throughout are passed over. The
    /// reconstruction keeps fewer components than features, so that something is left.
    template <class S>
    auto fit(const product::Columns<const S>& x, std::uint64_t = 0) const {
        require_options(*this);
        using Vector = detail::VectorOf<S>;
        const detail::Components found = detail::components_of(detail::usable_rows(x, x.cols, 0, 0));
        const Index d = x.rows;
        const bool whole = score == ComponentScore::standardised;
        const double mean_variance = d > 0 && found.total > 0 ? found.total / static_cast<double>(d) : 1;
        // Below the last digit, what is left of a sample is rounding.
        const double last_digit = static_cast<double>(std::numeric_limits<S>::epsilon());
        const double least = found.total > 0 ? (std::max)(floor, last_digit) * mean_variance : 1;
        Index q = 0;
        if (whole) {
            while (q < found.variances.size() && found.variances[q] > least) ++q;
        } else {
            const Index most = (std::min)(found.variances.size(), std::max<Index>(d - 1, 0));
            double share = 0;
            while (q < most && found.variances[q] > 0 && share <= explained * found.total)
                share += found.variances[q++];
        }
        ComponentDistance<Vector> fitted{{d, q},
                                         found.mean.template cast<S>(),
                                         found.directions.leftCols(q).reshaped().template cast<S>(),
                                         Vector::Zero(q + 1)};
        fitted.weights[q] = static_cast<S>(whole ? (q < d ? 1 / least : 0) : 1);
        for (Index c = 0; whole && c < q; ++c) fitted.weights[c] = static_cast<S>(1 / found.variances[c]);
        return fitted;
    }
};

}  // namespace untoward::statistics
