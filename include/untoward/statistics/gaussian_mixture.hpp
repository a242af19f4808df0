// SPDX-License-Identifier: MIT
#pragma once

// The density of a Gaussian mixture, full or diagonal. Fitting one: expectation_maximisation.hpp.
//
//     log p(x) = log sum over k of exp(t_k)
//     t_k = log w_k + log N(x; m_k, S_k) = o_k - 1/2 |W_k (x - m_k)|^2
//
// W_k is the inverse of S_k's Cholesky factor (diagonal: one over the deviations), o_k holds all that does
// not depend on x. The largest t_k is taken out before the exponential, so nothing underflows.
//
// With the responsibilities r_k = exp(t_k - log p(x)), -log p(x) is exactly
//
//     sum over k of r_k ( 1/2 d' S_k^-1 d + log r_k - o_k ),    d = x - m_k,
//
// where d' S_k^-1 d is the sum over features of d_i (S_k^-1 d)_i. These halves, weighted by r_k, are what
// features contribute; log r_k - o_k (how far the responsibilities are from the weights, determinants and 2
// pi) belongs to no feature.

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/math.hpp"
#include "covariance.hpp"

namespace untoward UNTOWARD_SETTING::statistics {

struct MixtureSizes {
    Index features = 0;
    Index components = 0;
    Index full = 1;  ///< 1: a covariance each; 0: variances only

    static constexpr Index block = 128;  ///< samples at a time

    static constexpr void list(auto& self, auto&& visit) {
        visit("features", self.features);
        visit("components", self.components);
        visit("full", self.full);
    }
    /// Numbers of one W_k.
    [[nodiscard]] constexpr Index whitener() const { return full != 0 ? features * features : features; }
    /// Free parameters: weights, means and covariances.
    [[nodiscard]] constexpr Index parameters() const {
        const Index covariance = full != 0 ? features * (features + 1) / 2 : features;
        return components * (features + covariance) + components - 1;
    }
    /// What `evaluate` needs for n samples.
    template <class S>
    constexpr std::size_t arena_bytes(Index n) const {
        const Index most = (std::min)(n, block);
        return 3 * detail::bytes_of<S>(features * most) + detail::bytes_of<S>(components * most) +
               detail::bytes_of<S>(most);
    }
};

/// -log p(x) under a mixture.
template <class Vector>
struct MixtureDensity {
    using Scalar = typename Vector::Scalar;
    using Sizes = MixtureSizes;

    Sizes sizes;
    Vector offsets;    ///< K: o_k
    Vector means;      ///< K of D
    Vector whiteners;  ///< K of D x D, by rows, lower triangular; or K of D

    static constexpr void numbers(auto& self, auto&& visit) {
        const Sizes& s = self.sizes;
        visit("offsets", self.offsets, s.components);
        visit("means", self.means, s.components * s.features);
        visit("whiteners", self.whiteners, s.components * s.whitener());
    }
    [[nodiscard]] Index features() const { return sizes.features; }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index n) const {
        return sizes.template arena_bytes<Scalar>(n);
    }

    /// -log p of x, features x n, in nats. `contributions` (features x n, packed, or null): see above; what
    /// they lack of the score belongs to no feature.
    void evaluate(const product::Columns<const Scalar>& x, Arena& arena, Scalar* scores,
                  Scalar* contributions = nullptr) const {
        const Index d = features();
        untoward::detail::require_features(x.rows, x.cols, d, "what was fitted");
        detail::in_blocks(
            x, Sizes::block, arena, [&](const product::Columns<const Scalar>& block, Index begin) {
                Scalar* const terms = arena.allocate<Scalar>(sizes.components * block.cols);
                const Work work{arena.allocate<Scalar>(d * block.cols),
                                arena.allocate<Scalar>(d * block.cols)};
                joint(block, terms, work);
                for (Index j = 0; j < block.cols; ++j)
                    scores[begin + j] = -take_out(terms + j * sizes.components, contributions != nullptr);
                if (contributions != nullptr) blame(block, terms, work, arena, contributions + begin * d);
            });
    }

    /// Room for features x n twice.
    struct Work {
        Scalar* centred;
        Scalar* white;
    };
    /// t_k of each sample, components x n.
    void joint(const product::Columns<const Scalar>& x, Scalar* terms, const Work& work) const {
        for (Index k = 0; k < sizes.components; ++k) {
            whiten(k, x, work);
            for (Index j = 0; j < x.cols; ++j) {
                const Scalar square = detail::sum_of_squares(work.white + j * x.rows, x.rows);
                terms[k + j * sizes.components] = offsets[k] - square / 2;
            }
        }
    }
    /// log p of one sample from its t_k; they become the responsibilities where those are asked for.
    Scalar take_out(Scalar* terms, bool responsibilities) const {
        const Index count = sizes.components;
        Scalar largest = -std::numeric_limits<Scalar>::infinity();
        for (Index k = 0; k < count; ++k) largest = terms[k] > largest ? terms[k] : largest;
        if (std::isinf(largest)) largest = 0;  // and the sum is 0, or not a number
        Scalar sum = 0;
        for (Index k = 0; k < count; ++k) sum += math::exp(terms[k] - largest);
        const Scalar log_density = largest + math::log(sum);
        if (responsibilities) {
            for (Index k = 0; k < count; ++k) terms[k] = math::exp(terms[k] - log_density);
        }
        return log_density;
    }

private:
    // x - m_k and W_k (x - m_k)
    void whiten(Index k, const product::Columns<const Scalar>& x, const Work& work) const {
        const Index d = x.rows;
        detail::subtract(x, means.data() + k * d, work.centred);
        const Scalar* const whitener = whiteners.data() + k * sizes.whitener();
        if (sizes.full != 0) {
            product::forward<Scalar>({work.white, d, x.cols, d}, whitener, {work.centred, d, x.cols, d},
                                     false);
            return;
        }
        for (Index j = 0; j < x.cols; ++j) {
            for (Index i = 0; i < d; ++i) work.white[i + j * d] = whitener[i] * work.centred[i + j * d];
        }
    }
    void blame(const product::Columns<const Scalar>& x, const Scalar* responsibilities, const Work& work,
               Arena& arena, Scalar* contributions) const {
        const Index d = x.rows;
        Scalar* const scratch = arena.allocate<Scalar>(d * x.cols);
        Scalar* const halves = arena.allocate<Scalar>(x.cols);
        std::fill_n(contributions, d * x.cols, Scalar(0));
        for (Index k = 0; k < sizes.components; ++k) {
            whiten(k, x, work);
            for (Index j = 0; j < x.cols; ++j) halves[j] = responsibilities[k + j * sizes.components] / 2;
            if (sizes.full != 0) {
                detail::add_quadratic<Scalar>({work.centred, d, x.cols, d},
                                              whiteners.data() + k * sizes.whitener(), work.white, scratch,
                                              contributions, halves);
                continue;
            }
            for (Index j = 0; j < x.cols; ++j) {
                for (Index i = j * d; i < (j + 1) * d; ++i)
                    contributions[i] += halves[j] * work.white[i] * work.white[i];
            }
        }
    }
};

/// A mixture from its weights (K), means (D x K) and covariances: K of D x D side by side, or variances (D x
/// K) where not `full`.
template <class S>
MixtureDensity<detail::VectorOf<S>> gaussian_mixture(const Eigen::VectorXd& weights,
                                                     const Eigen::MatrixXd& means,
                                                     const Eigen::MatrixXd& covariances, bool full) {
    using Vector = detail::VectorOf<S>;
    const Index d = means.rows();
    const MixtureSizes sizes{d, weights.size(), full ? 1 : 0};
    MixtureDensity<Vector> mixture{sizes, Vector(sizes.components), means.reshaped().template cast<S>(),
                                   Vector(sizes.components * sizes.whitener())};
    for (Index k = 0; k < sizes.components; ++k) {
        auto whitener = mixture.whiteners.segment(k * sizes.whitener(), sizes.whitener());
        double log_scale = std::log(weights[k]) - static_cast<double>(d) * 0.91893853320467274178032973640562;
        if (full) {
            Eigen::MatrixXd factor = covariances.middleCols(k * d, d);
            detail::cholesky(factor);
            for (Index i = 0; i < d; ++i) log_scale -= std::log(factor(i, i));
            whitener = detail::inverse_transposed(factor).reshaped().template cast<S>();
        } else {
            for (Index i = 0; i < d; ++i) {
                log_scale -= std::log(covariances(i, k)) / 2;
                whitener[i] = static_cast<S>(1 / std::sqrt(covariances(i, k)));
            }
        }
        mixture.offsets[k] = static_cast<S>(log_scale);
    }
    return mixture;
}

}  // namespace untoward::statistics
