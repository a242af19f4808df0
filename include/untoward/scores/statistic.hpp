// SPDX-License-Identifier: MIT
#pragma once

// Scores by the statistics of statistics/: nearest neighbours, a Gaussian mixture, Mahalanobis distance and
// principal components, each of the scaled input, of what the model says of it, or of both:
//
//     input                 x, D numbers: the statistic alone, with no model in between
//     latent                mu = E[z|x], K numbers
//     residual              x - x_hat, D numbers, x_hat decoded from mu
//     latent_and_residual   [mu, (x - x_hat) / rms], K + D numbers; rms is each feature's in training
//
// | score                | of the statistic                          | features answer for                 |
// |----------------------|-------------------------------------------|-------------------------------------|
// | `NeighbourScore`     | distance to the k-th neighbour            | their share of the squares          |
// | `MixtureScore`       | -log p, in nats                           | their share of d' S^-1 d / 2        |
// | `MahalanobisScore`   | d' S^-1 d, S shrunk (Ledoit and Wolf)     | d_i (S^-1 d)_i                      |
// | `PrincipalComponentScore` | squared error of the first components     | their squares                       |
//
// No feature answers for latent units. `KlDivergence{} + 0.5f * MahalanobisScore{.space = Space::residual}`
// is the negative ELBO of a decoder whose noise has a full covariance, at z = mu, without constants.

#include <cmath>

#include "../statistics/expectation_maximisation.hpp"
#include "../statistics/neighbours.hpp"
#include "../statistics/principal_components.hpp"
#include "fitted.hpp"

namespace untoward UNTOWARD_SETTING {

using statistics::ComponentScore;
using statistics::MixtureShape;

/// What a statistic looks at.
enum class Space { input, latent, residual, latent_and_residual };
constexpr OptionValues<4> option_values(Space) {
    return {"Space", {"input", "latent", "residual", "latent_and_residual"}};
}

namespace detail {

constexpr bool space_has_latent(Space space) {
    return space == Space::latent || space == Space::latent_and_residual;
}
constexpr bool space_has_residual(Space space) {
    return space == Space::residual || space == Space::latent_and_residual;
}
constexpr Index space_size(Space space, Index features, Index units) {
    return (space_has_latent(space) ? units : 0) + (space != Space::latent ? features : 0);
}

// A feature that the model explains to less than the smallest deviation a decoder may claim is no better than
// that.
inline constexpr double least_residual = 0.04978706836786394;  // exp(decoder_log_variance_low / 2)

template <class S, class Sample>
product::Columns<const S> as_columns(const Tensor<const S, Sample>& x) {
    return {x.data(), x.rows(), x.batch(), x.stride()};
}

// The columns of a space from evidence, packed; `scale` is the reciprocal of each feature's rms, or null.
template <class S>
void fill_space(Space space, const auto& evidence, const S* scale, S* columns) {
    const Index features = evidence.x.rows();
    for (Index j = 0; j < evidence.x.batch(); ++j) {
        if (space_has_latent(space)) {
            for (Index k = 0; k < evidence.mean.rows(); ++k) *columns++ = evidence.mean(k, j);
        }
        if (space == Space::latent) continue;
        for (Index i = 0; i < features; ++i) {
            const S value =
                space == Space::input ? evidence.x(i, j) : evidence.x(i, j) - evidence.reconstruction()(i, j);
            *columns++ = scale == nullptr ? value : value * scale[i];
        }
    }
}

}  // namespace detail

/// A statistic of a space, fitted: what `NeighbourScore` and the others become.
template <class Policy, class Vector>
struct FittedStatistic {
    using Scalar = typename Vector::Scalar;
    using Statistic = typename Policy::template Statistic<Vector>;

    Policy policy{};
    Statistic statistic{};
    Index scales = 0;  ///< D where the space has scaled residuals, else 0
    Vector scale{};    ///< one over the rms of each residual

    [[nodiscard]] constexpr Needs needs() const { return policy.needs(); }
    [[nodiscard]] constexpr std::size_t arena_bytes(Index batch) const {
        const auto size = static_cast<std::size_t>(statistic.sizes.features * batch) * sizeof(Scalar);
        return (detail::space_has_residual(policy.space) ? 2 : 1) * align_up(size) +
               align_up(static_cast<std::size_t>(batch) * sizeof(Scalar)) + statistic.arena_bytes(batch);
    }
    static constexpr void state(auto& self, auto&& visit) {
        const auto size = [&](const char* name, auto& value) { visit.size(name, value); };
        const auto numbers = [&](const char* name, auto& values, Index length) {
            visit.numbers(name, values, length);
        };
        Statistic::Sizes::list(self.statistic.sizes, size);
        visit.size("scales", self.scales);
        Statistic::numbers(self.statistic, numbers);
        visit.numbers("scale", self.scale, self.scales);
    }
    [[nodiscard]] constexpr bool fits(Index features, Index units) const {
        return statistic.sizes.features == detail::space_size(policy.space, features, units) &&
               scales == (policy.space == Space::latent_and_residual ? features : 0) &&
               Policy::is_sound(statistic.sizes);
    }

    void add_to(auto& sheet, const auto& evidence, Scalar weight) const {
        Arena& arena = *sheet.arena;
        const std::size_t mark = arena.used();
        const Index n = evidence.x.batch();
        const Index size = statistic.features();
        Scalar* const scores = arena.template allocate<Scalar>(n);
        Scalar* const shares = sheet.blame == nullptr ? nullptr : arena.template allocate<Scalar>(size * n);
        product::Columns<const Scalar> x = detail::as_columns(evidence.x);
        if (policy.space == Space::latent) {
            x = detail::as_columns(evidence.mean);
        } else if (policy.space != Space::input) {
            Scalar* const columns = arena.template allocate<Scalar>(size * n);
            detail::fill_space(policy.space, evidence, scales > 0 ? scale.data() : nullptr, columns);
            x = {columns, size, n, size};
        }
        if constexpr (requires { statistic.evaluate(x, arena, scores, shares, true); }) {
            statistic.evaluate(x, arena, scores, shares, sheet.leave_one_out);
        } else {
            statistic.evaluate(x, arena, scores, shares);
        }
        const Index features = evidence.x.rows();
        const Index first = size - features;  // behind the latent units
        for (Index j = 0; j < n; ++j) {
            sheet.rest(0, j) += weight * scores[j];
            if (shares == nullptr || policy.space == Space::latent) continue;
            for (Index i = 0; i < features; ++i)
                sheet.blame[i + j * features] += weight * shares[first + i + j * size];
        }
        arena.rewind(mark);
    }
};

namespace detail {

template <class Policy>
auto fit_statistic(const Policy& policy, const auto& rows, FitRows which) {
    using Vector = typename std::remove_cvref_t<decltype(rows)>::Vector;
    using S = typename Vector::Scalar;
    FittedStatistic<Policy, Vector> fitted{policy};
    const Index features = rows.features();
    if (policy.space == Space::latent_and_residual) {
        const Eigen::ArrayXd rms = mean_squared_errors(rows, FitRows::training).sqrt();
        fitted.scales = features;
        fitted.scale = (rms.max)(least_residual).inverse().template cast<S>();
    }
    const Index size = space_size(policy.space, features, rows.units());
    Eigen::Matrix<S, Dynamic, Dynamic> columns(size, rows.count(which));
    S* next = columns.data();
    rows.for_each(which, policy.needs(), [&](const auto& evidence) {
        fill_space(policy.space, evidence, fitted.scales > 0 ? fitted.scale.data() : nullptr, next);
        next += size * evidence.x.batch();
    });
    fitted.statistic = policy.statistic().fit(statistics::columns(columns), rows.seed());
    return fitted;
}

}  // namespace detail

/// The distance to the k-th nearest training row (statistics/neighbours.hpp). On the input no gradient is
/// involved, so held-out rows are stored too.
struct NeighbourScore {
    Space space = Space::input;
    Index k = 5;
    Index most_rows = 10000;  ///< that are stored: a random choice of them where there are more

    static constexpr const char* name = "neighbour-score";
    static constexpr void options(auto& self, auto&& visit) {
        visit("space", self.space);
        visit("k", self.k, OptionRange{1, 1 << 20});
        visit("most_rows", self.most_rows, OptionRange{1, 1 << 20});
    }

    template <class Vector>
    using Statistic = statistics::NeighbourDistance<Vector>;
    template <class Vector>
    using Fitted = FittedStatistic<NeighbourScore, Vector>;
    static constexpr bool is_sound(const statistics::NeighbourSizes& sizes) { return sizes.k >= 1; }

    [[nodiscard]] constexpr Needs needs() const {
        return {.reconstruction = detail::space_has_residual(space)};
    }
    [[nodiscard]] constexpr statistics::Neighbours statistic() const { return {k, most_rows}; }
    auto fit(const auto& rows) const {
        return detail::fit_statistic(*this, rows, space == Space::input ? FitRows::all : FitRows::training);
    }
};

/// -log p under a Gaussian mixture of the training rows, with as many components as BIC allows
/// (statistics/expectation_maximisation.hpp).
struct MixtureScore {
    Space space = Space::input;
    Index most_components = 8;
    MixtureShape shape = MixtureShape::automatic;
    double floor = 1e-3;  ///< of a variance, as a share of the feature's variance in all rows

    static constexpr const char* name = "mixture-score";
    static constexpr void options(auto& self, auto&& visit) {
        visit("space", self.space);
        visit("most_components", self.most_components, OptionRange{1, 1024});
        visit("shape", self.shape);
        visit("floor", self.floor, OptionRange{0, 1});
    }

    template <class Vector>
    using Statistic = statistics::MixtureDensity<Vector>;
    template <class Vector>
    using Fitted = FittedStatistic<MixtureScore, Vector>;
    static constexpr bool is_sound(const statistics::MixtureSizes& sizes) { return sizes.full <= 1; }

    [[nodiscard]] constexpr Needs needs() const {
        return {.reconstruction = detail::space_has_residual(space)};
    }
    [[nodiscard]] statistics::GaussianMixture statistic() const {
        return {.most_components = most_components, .shape = shape, .floor = floor};
    }
    auto fit(const auto& rows) const { return detail::fit_statistic(*this, rows, FitRows::training); }
};

/// The squared Mahalanobis distance from the mean of the training rows, under their covariance shrunk by Ledoit
/// and Wolf's amount (statistics/covariance.hpp).
struct MahalanobisScore {
    Space space = Space::latent;
    bool shrink = true;

    static constexpr const char* name = "mahalanobis-score";
    static constexpr void options(auto& self, auto&& visit) {
        visit("space", self.space);
        visit("shrink", self.shrink);
    }

    template <class Vector>
    using Statistic = statistics::MahalanobisDistance<Vector>;
    template <class Vector>
    using Fitted = FittedStatistic<MahalanobisScore, Vector>;
    static constexpr bool is_sound(const statistics::MahalanobisSizes&) { return true; }

    [[nodiscard]] constexpr Needs needs() const {
        return {.reconstruction = detail::space_has_residual(space)};
    }
    [[nodiscard]] constexpr statistics::Mahalanobis statistic() const { return {.shrink = shrink}; }
    auto fit(const auto& rows) const { return detail::fit_statistic(*this, rows, FitRows::training); }
};

/// What the first principal components of the training rows leave, or the standardised length of all of them
/// (statistics/principal_components.hpp).
struct PrincipalComponentScore {
    Space space = Space::input;
    double explained = 0.95;  ///< the components that are kept explain more than this share of the variance
    ComponentScore score = ComponentScore::reconstruction;

    static constexpr const char* name = "principal-component-score";
    static constexpr void options(auto& self, auto&& visit) {
        visit("space", self.space);
        visit("explained", self.explained, OptionRange{0, 1});
        visit("score", self.score);
    }

    template <class Vector>
    using Statistic = statistics::ComponentDistance<Vector>;
    template <class Vector>
    using Fitted = FittedStatistic<PrincipalComponentScore, Vector>;
    static constexpr bool is_sound(const statistics::ComponentSizes& sizes) {
        return sizes.components <= sizes.features;
    }

    [[nodiscard]] constexpr Needs needs() const {
        return {.reconstruction = detail::space_has_residual(space)};
    }
    [[nodiscard]] statistics::PrincipalComponents statistic() const {
        return {.explained = explained, .score = score};
    }
    auto fit(const auto& rows) const { return detail::fit_statistic(*this, rows, FitRows::training); }
};

}  // namespace untoward
