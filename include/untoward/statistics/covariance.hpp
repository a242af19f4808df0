// SPDX-License-Identifier: MIT
#pragma once

// Mean, shrunk covariance, and the Mahalanobis distance from them.
//
// With more features than rows, or not many more rows than features, the plain covariance is singular or
// nearly so, and distances under it are noise. Ledoit and Wolf ("A well-conditioned estimator for
// large-dimensional covariance matrices", J. Multivariate Analysis 88, 2004) mix it with the scaled identity,
//
//     S* = (1 - r) S + r m I,    m = tr S / D,    r = min(b, d) / d
//     d = |S - m I|^2 / D,       b = (1/n sum over rows of |x x' - S|^2) / (n D)
//
// where r estimates the amount that brings S* closest to the truth in squared error. It falls as 1/n, so with
// many rows nothing is left of it. The identity makes features comparable: scale them first. Equal to
// sklearn.covariance.LedoitWolf.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../core/options.hpp"
#include "symmetric.hpp"

namespace untoward UNTOWARD_SETTING::statistics {

/// Mean and covariance of D features, in double.
struct Covariance {
    Eigen::VectorXd mean;
    Eigen::MatrixXd matrix;  ///< D x D, of the population (1 / n); shrunk by `shrinkage`
    double shrinkage = 0;    ///< r, in [0, 1]
    Index rows = 0;          ///< that were numbers throughout; others are passed over
};

namespace detail {

/// The mean of packed rows, in double; once more from there, so that an offset costs no digits.
template <class S>
Eigen::VectorXd mean_of(const MatrixOf<S>& rows) {
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(rows.rows());
    if (rows.cols() == 0) return mean;
    Eigen::VectorXd sum(rows.rows());
    for (int pass = 0; pass < 2; ++pass) {
        sum.setZero();
        for (Index j = 0; j < rows.cols(); ++j) {
            for (Index i = 0; i < rows.rows(); ++i) sum[i] += static_cast<double>(rows(i, j)) - mean[i];
        }
        mean += sum / static_cast<double>(rows.cols());
    }
    return mean;
}

/// function(block): the rows less their mean, in double, a block of columns at a time.
template <class S, class Function>
void for_centred(const MatrixOf<S>& rows, const Eigen::VectorXd& mean, const Function& function) {
    const Index features = rows.rows();
    constexpr Index most = 256;
    Eigen::MatrixXd block(features, (std::min)(most, rows.cols()));
    for (Index begin = 0; begin < rows.cols(); begin += most) {
        const Index n = (std::min)(most, rows.cols() - begin);
        for (Index j = 0; j < n; ++j) {
            for (Index i = 0; i < features; ++i)
                block(i, j) = static_cast<double>(rows(i, begin + j)) - mean[i];
        }
        function(product::Columns<const double>{block.data(), features, n, features});
    }
}

/// |x|^2 of each column in turn.
template <class Function>
void for_squares(const product::Columns<const double>& block, const Function& function) {
    for (Index j = 0; j < block.cols; ++j) function(sum_of_squares(block.column(j), block.rows));
}

template <class S>
Covariance covariance_of(const MatrixOf<S>& rows, bool shrink) {
    const Index features = rows.rows();
    const auto n = static_cast<double>(std::max<Index>(rows.cols(), 1));
    Covariance result{mean_of(rows), Eigen::MatrixXd::Zero(features, features), 0, rows.cols()};
    double fourth = 0;  // sum of |x|^4
    for_centred(rows, result.mean, [&](const product::Columns<const double>& block) {
        product::backward_weight<double>(result.matrix.data(), block, block, true);
        for_squares(block, [&](double square) { fourth += square * square; });
    });
    result.matrix /= n;
    if (!shrink || features < 2) return result;  // one feature is its own target
    const auto d = static_cast<double>(features);
    const double spread = result.matrix.trace() / d;
    const double squares = result.matrix.squaredNorm();
    const double noise = (fourth / n - squares) / (n * d);
    const double distance = squares / d - spread * spread;
    // Both are sums of squares but for rounding.
    const double b = (std::min)(noise, distance);
    result.shrinkage = b > 0 ? b / distance : 0;
    result.matrix *= 1 - result.shrinkage;
    result.matrix.diagonal().array() += result.shrinkage * spread;
    return result;
}

/// The inverse of S's factor by rows, as a fitted statistic stores it.
template <class S>
VectorOf<S> whitener_of(Eigen::MatrixXd covariance) {
    cholesky(covariance);
    return inverse_transposed(covariance).reshaped().template cast<S>();
}

/// contributions_i += weight d_i (W' y)_i in every column, where y = W d: they add up to weight |y|^2. The
/// weights are one for each column, or null for 1.
template <class S>
void add_quadratic(const product::Columns<const S>& d, const S* whitener, const S* y, S* scratch,
                   S* contributions, const S* weights) {
    product::backward_input<S>({scratch, d.rows, d.cols, d.rows}, whitener, {y, d.rows, d.cols, d.rows},
                               false);
    for (Index j = 0; j < d.cols; ++j) {
        const S weight = weights == nullptr ? S(1) : weights[j];
        const S* const from = d.column(j);
        for (Index i = 0; i < d.rows; ++i)
            contributions[i + j * d.rows] += weight * from[i] * scratch[i + j * d.rows];
    }
}

}  // namespace detail

/// Mean and covariance (1 / n) of rows, shrunk by Ledoit and Wolf's amount or as they are.
template <class S>
Covariance covariance(const product::Columns<const S>& rows, bool shrink = true) {
    return detail::covariance_of(detail::usable_rows(rows, rows.cols, 0, 0), shrink);
}

struct MahalanobisSizes {
    Index features = 0;

    static constexpr Index block = 128;  ///< samples at a time

    static constexpr void list(auto& self, auto&& visit) { visit("features", self.features); }
    /// What `evaluate` needs for n samples.
    template <class S>
    constexpr std::size_t arena_bytes(Index n) const {
        return 3 * detail::bytes_of<S>(features * (std::min)(n, block));
    }
};

/// (x - m)' S^-1 (x - m) = |W (x - m)|^2, with W the inverse of S's Cholesky factor.
template <class Vector>
struct MahalanobisDistance {
    using Scalar = typename Vector::Scalar;
    using Sizes = MahalanobisSizes;

    Sizes sizes;
    Vector centre;    ///< D
    Vector whitener;  ///< D x D, by rows; lower triangular

    static constexpr void numbers(auto& self, auto&& visit) {
        const Index d = self.sizes.features;
        visit("centre", self.centre, d);
        visit("whitener", self.whitener, d * d);
    }
    [[nodiscard]] Index features() const { return sizes.features; }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index n) const {
        return sizes.template arena_bytes<Scalar>(n);
    }
    /// log |S|
    [[nodiscard]] Scalar log_determinant() const {
        Scalar sum = 0;
        for (Index i = 0; i < features(); ++i) sum -= std::log(whitener[i * (features() + 1)]);
        return 2 * sum;
    }
    /// Squared distances of x, features x n. `contributions` (features x n, packed, or null) receives d_i
    /// (S^-1 d)_i, which add up to the distance; one may be negative, where a feature makes up for another.
    void evaluate(const product::Columns<const Scalar>& x, Arena& arena, Scalar* scores,
                  Scalar* contributions = nullptr) const {
        const Index d = features();
        untoward::detail::require_features(x.rows, x.cols, d, "what was fitted");
        detail::in_blocks(
            x, Sizes::block, arena, [&](const product::Columns<const Scalar>& block, Index begin) {
                const Index n = block.cols;
                Scalar* const centred = arena.allocate<Scalar>(d * n);
                Scalar* const white = arena.allocate<Scalar>(d * n);
                detail::subtract(block, centre.data(), centred);
                product::forward<Scalar>({white, d, n, d}, whitener.data(), {centred, d, n, d}, false);
                for (Index j = 0; j < n; ++j) scores[begin + j] = detail::sum_of_squares(white + j * d, d);
                if (contributions == nullptr) return;
                Scalar* const blame = contributions + begin * d;
                std::fill_n(blame, d * n, Scalar(0));
                detail::add_quadratic<Scalar>({centred, d, n, d}, whitener.data(), white,
                                              arena.allocate<Scalar>(d * n), blame, nullptr);
            });
    }
};

/// The Mahalanobis distance from the mean of the rows under their shrunk covariance.
struct Mahalanobis {
    bool shrink = true;   ///< by Ledoit and Wolf's amount
    double floor = 1e-6;  ///< no direction has less than this share of the mean variance

    static constexpr const char* name = "mahalanobis";
    static constexpr void options(auto& self, auto&& visit) {
        visit("shrink", self.shrink);
        visit("floor", self.floor, OptionRange{0, 1});
    }

    /// Any number of rows, features x n; those that are not numbers throughout are passed over. Where nothing
    /// varies the covariance is the identity.
    template <class S>
    auto fit(const product::Columns<const S>& rows, std::uint64_t = 0) const {
        require_options(*this);
        return from<S>(covariance(rows, shrink));
    }
    /// From a covariance as it is, but for the floor.
    template <class S>
    MahalanobisDistance<detail::VectorOf<S>> from(Covariance covariance) const {
        const double total = covariance.matrix.trace();
        const double lacking = (std::max)(0.0, floor - covariance.shrinkage);
        covariance.matrix.diagonal().array() +=
            total > 0 ? lacking * total / static_cast<double>(covariance.mean.size()) : 1;
        return {{covariance.mean.size()},
                covariance.mean.cast<S>(),
                detail::whitener_of<S>(std::move(covariance.matrix))};
    }
};

}  // namespace untoward::statistics
