// SPDX-License-Identifier: MIT
#pragma once

// Fitting a Gaussian mixture: expectation maximisation from k-means, the number of components by Schwarz's
// criterion (BIC). Works on standardised rows, so that no unit matters. The steps are those of
// sklearn.mixture.GaussianMixture: from the same start both come to the same place.

#include <algorithm>
#include <cmath>
#include <limits>

#include "gaussian_mixture.hpp"
#include "k_means.hpp"

namespace untoward UNTOWARD_SETTING::statistics {

/// What the covariances of a mixture are.
enum class MixtureShape { automatic, full, diagonal };
constexpr OptionValues<3> option_values(MixtureShape) {
    return {"MixtureShape", {"automatic", "full", "diagonal"}};
}

namespace detail {

template <class S>
using OwnedMixture = MixtureDensity<VectorOf<S>>;

/// The mixture of (x - shift) / scale, where `mixture` is that of x.
template <class S>
OwnedMixture<S> rescaled(OwnedMixture<S> mixture, const Eigen::VectorXd& shift,
                         const Eigen::VectorXd& scale) {
    const Index d = mixture.features();
    const auto log_scale = scale.array().log().sum();
    for (Index k = 0; k < mixture.sizes.components; ++k) {
        mixture.offsets[k] = static_cast<S>(static_cast<double>(mixture.offsets[k]) + log_scale);
        S* const whitener = mixture.whiteners.data() + k * mixture.sizes.whitener();
        for (Index i = 0; i < mixture.sizes.whitener(); ++i)
            whitener[i] = static_cast<S>(static_cast<double>(whitener[i]) * scale[i % d]);
        S* const mean = mixture.means.data() + k * d;
        for (Index i = 0; i < d; ++i)
            mean[i] = static_cast<S>((static_cast<double>(mean[i]) - shift[i]) / scale[i]);
    }
    return mixture;
}

/// What one pass over the rows leaves of each component, about its old mean; in double.
struct MixtureMoments {
    Eigen::VectorXd mass;    // K
    Eigen::MatrixXd first;   // D x K
    Eigen::MatrixXd second;  // D x D K, or D x K

    explicit MixtureMoments(const MixtureSizes& s)
        : mass(Eigen::VectorXd::Zero(s.components)), first(Eigen::MatrixXd::Zero(s.features, s.components)),
          second(Eigen::MatrixXd::Zero(s.features,
                                       s.components * (s.whitener() / std::max<Index>(s.features, 1)))) {}
};

/// Expectation maximisation on standardised rows.
template <class S>
class MixtureFit {
public:
    MixtureFit(const MatrixOf<S>& rows, double floor)
        : rows_(rows), floor_(floor), centred_(rows.rows(), fitting_block),
          white_(rows.rows(), fitting_block), squares_(rows.rows(), rows.rows()) {}

    /// A start: the clusters of k-means. Fewer components than asked for where there are not as many
    /// different rows.
    OwnedMixture<S> start(Index components, bool full, RandomStream& random) {
        const MatrixOf<S> centres = k_means(rows_, components, random);
        const MixtureSizes sizes{rows_.rows(), centres.cols(), full ? 1 : 0};
        using Vector = VectorOf<S>;
        const OwnedMixture<S> clusters{sizes, Vector::Zero(sizes.components), centres.reshaped(),
                                       Vector::Zero(sizes.components * sizes.whitener())};
        MixtureMoments moments(sizes);
        terms_.resize(sizes.components, fitting_block);
        for_nearest(rows_, centres, [&](const product::Columns<const S>& x, const Index* nearest) {
            terms_.setZero();
            for (Index j = 0; j < x.cols; ++j) terms_(nearest[j], j) = 1;
            collect(clusters, x, moments);
        });
        return maximise(clusters, moments);
    }
    /// Steps until the mean log-likelihood of a row rises by less than `tolerance`. `log_likelihood` is then
    /// that of all rows under what is returned.
    OwnedMixture<S> run(OwnedMixture<S> mixture, Index most_steps, double tolerance) {
        terms_.resize(mixture.sizes.components, fitting_block);
        double previous = -std::numeric_limits<double>::infinity();
        for (Index step = 0;; ++step) {
            MixtureMoments moments(mixture.sizes);
            log_likelihood = 0;
            const bool last = step == most_steps;
            for_blocks(rows_, [&](const product::Columns<const S>& x) {
                mixture.joint(x, terms_.data(), {centred_.data(), white_.data()});
                for (Index j = 0; j < x.cols; ++j)
                    log_likelihood += static_cast<double>(mixture.take_out(&terms_(0, j), true));
                if (!last) collect(mixture, x, moments);
            });
            const double mean = log_likelihood / static_cast<double>(rows_.cols());
            if (last || !(std::abs(mean - previous) >= tolerance)) return mixture;
            previous = mean;
            mixture = maximise(mixture, moments);
        }
    }
    /// -2 log L + parameters log n
    [[nodiscard]] double bic(const MixtureSizes& sizes) const {
        return -2 * log_likelihood +
               static_cast<double>(sizes.parameters()) * std::log(static_cast<double>(rows_.cols()));
    }

    double log_likelihood = 0;

private:
    // Adds a block's moments, with the responsibilities in terms_.
    void collect(const OwnedMixture<S>& mixture, const product::Columns<const S>& x,
                 MixtureMoments& moments) {
        const Index d = x.rows;
        for (Index k = 0; k < mixture.sizes.components; ++k) {
            const S* const mean = mixture.means.data() + k * d;
            Index active = 0;
            for (Index j = 0; j < x.cols; ++j) {
                const S weight = terms_(k, j);
                // Beyond the last digit of a sum over rows.
                if (!(weight > std::numeric_limits<S>::epsilon() / 16)) continue;
                moments.mass[k] += static_cast<double>(weight);
                const S root = std::sqrt(weight);
                S* const to = &centred_(0, active++);
                for (Index i = 0; i < d; ++i) {
                    to[i] = root * (x.column(j)[i] - mean[i]);
                    moments.first(i, k) += static_cast<double>(root * to[i]);
                }
            }
            if (mixture.sizes.full != 0) {
                const product::Columns<const S> rows{centred_.data(), d, active, d};
                product::backward_weight<S>(squares_.data(), rows, rows, false);
                moments.second.middleCols(k * d, d) += squares_.template cast<double>();
                continue;
            }
            for (Index j = 0; j < active; ++j) {
                for (Index i = 0; i < d; ++i)
                    moments.second(i, k) +=
                        static_cast<double>(centred_(i, j)) * static_cast<double>(centred_(i, j));
            }
        }
    }
    OwnedMixture<S> maximise(const OwnedMixture<S>& old, MixtureMoments& moments) const {
        const Index d = rows_.rows();
        const bool full = old.sizes.full != 0;
        Eigen::VectorXd weights = moments.mass / moments.mass.sum();
        Eigen::MatrixXd means(d, old.sizes.components);
        for (Index k = 0; k < old.sizes.components; ++k) {
            const double mass = moments.mass[k] > 0 ? moments.mass[k] : 1;
            weights[k] = (std::max)(weights[k], (std::numeric_limits<double>::min)());
            const Eigen::VectorXd shift = moments.first.col(k) / mass;
            means.col(k) = old.means.segment(k * d, d).template cast<double>() + shift;
            if (full) {
                auto covariance = moments.second.middleCols(k * d, d);
                for (Index j = 0; j < d; ++j) {
                    for (Index i = 0; i < d; ++i)
                        covariance(i, j) = covariance(i, j) / mass - shift[i] * shift[j];
                    covariance(j, j) = (std::max)(covariance(j, j), 0.0) + least();
                }
            } else {
                for (Index i = 0; i < d; ++i)
                    moments.second(i, k) =
                        (std::max)(moments.second(i, k) / mass - shift[i] * shift[i], 0.0) + least();
            }
        }
        return gaussian_mixture<S>(weights, means, moments.second, full);
    }
    [[nodiscard]] double least() const { return (std::max)(floor_, (std::numeric_limits<double>::min)()); }

    const MatrixOf<S>& rows_;
    double floor_;
    MatrixOf<S> centred_;
    MatrixOf<S> white_;
    MatrixOf<S> squares_;
    MatrixOf<S> terms_;
};

/// Rows to mean 0 and deviation 1, and what was done to them. What does not vary is divided by 1.
template <class S>
void standardise(MatrixOf<S>& rows, Eigen::VectorXd& mean, Eigen::VectorXd& deviation) {
    mean = mean_of(rows);
    deviation = Eigen::VectorXd::Zero(rows.rows());
    for_centred(rows, mean, [&](const product::Columns<const double>& block) {
        for (Index j = 0; j < block.cols; ++j)
            deviation.array() += ConstArrayMap<double>(block.column(j), block.rows).square();
    });
    deviation = (deviation / static_cast<double>(std::max<Index>(rows.cols(), 1))).cwiseSqrt();
    for (Index i = 0; i < rows.rows(); ++i) {
        // Rounding of a mean leaves a spread that is none.
        const double rounding =
            16 * static_cast<double>(std::numeric_limits<S>::epsilon()) * std::abs(mean[i]);
        if (!(deviation[i] > rounding)) deviation[i] = 1;
    }
    for (Index j = 0; j < rows.cols(); ++j) {
        for (Index i = 0; i < rows.rows(); ++i)
            rows(i, j) = static_cast<S>((static_cast<double>(rows(i, j)) - mean[i]) / deviation[i]);
    }
}

}  // namespace detail

/// A Gaussian mixture by expectation maximisation.
///
/// Of 1, 2, 4, ... components those with the lowest BIC = -2 log L + parameters log n are taken, as long as
/// there are 20 rows for each; two in a row that make it worse end the search. The floor keeps a component
/// from shrinking onto a few equal rows, where its likelihood would have no bound: it decides about quality
/// more than the number of components does. One start each: three took three times as long and changed no
/// mean over data sets.
struct GaussianMixture {
    Index most_components = 8;
    /// `automatic` is full with at least 5 rows per feature and at most 100 features.
    MixtureShape shape = MixtureShape::automatic;
    double floor = 1e-3;      ///< added to every variance, as a share of the feature's variance in all rows
    double tolerance = 1e-3;  ///< steps end when the mean log-likelihood of a row rises by less
    Index most_steps = 100;
    Index most_rows = 20000;  ///< a random choice of them where there are more

    static constexpr const char* name = "gaussian-mixture";
    static constexpr void options(auto& self, auto&& visit) {
        visit("most_components", self.most_components, OptionRange{1, 1024});
        visit("shape", self.shape);
        visit("floor", self.floor, OptionRange{0, 1});
        visit("tolerance", self.tolerance, OptionRange{0, 1});
        visit("most_steps", self.most_steps, OptionRange{0, 1 << 20});
        visit("most_rows", self.most_rows, OptionRange{1, 1 << 30});
    }

    /// Any number of rows, features x n. Without any, one standard normal.
    template <class S>
    MixtureDensity<detail::VectorOf<S>> fit(const product::Columns<const S>& x,
                                            std::uint64_t seed = 0) const {
        require_options(*this);
        detail::MatrixOf<S> rows = detail::usable_rows(x, most_rows, seed, site);
        Eigen::VectorXd mean;
        Eigen::VectorXd deviation;
        detail::standardise(rows, mean, deviation);
        const Index d = rows.rows();
        const Index n = rows.cols();
        if (n == 0) {
            return gaussian_mixture<S>(Eigen::VectorXd::Ones(1), Eigen::MatrixXd::Zero(d, 1),
                                       Eigen::MatrixXd::Ones(d, 1), false);
        }
        const bool full =
            shape == MixtureShape::full || (shape == MixtureShape::automatic && d <= 100 && n >= 5 * d);
        detail::MixtureFit<S> em(rows, floor);
        RandomStream random(seed, site);
        detail::OwnedMixture<S> best;
        double lowest = std::numeric_limits<double>::infinity();
        int worse = 0;
        for (Index k = 1; k <= most_components && worse < 2; k *= 2) {
            if (k > 1 && n < 20 * k) break;
            auto found = em.run(em.start(k, full, random), most_steps, tolerance);
            const double bic = em.bic(found.sizes);
            if (k > 1 && !(bic < lowest)) {
                ++worse;
                continue;
            }
            worse = 0;
            lowest = bic;
            best = std::move(found);
        }
        return detail::rescaled<S>(std::move(best), -(mean.array() / deviation.array()).matrix(),
                                   deviation.cwiseInverse());
    }

private:
    static constexpr std::uint64_t site = 0x6d697874757265u;
};

}  // namespace untoward::statistics
