// SPDX-License-Identifier: MIT
#pragma once

#include "draws.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// -log p(x|z), of which every feature has its share.
template <class S>
void add_negative_log_density(ScoreSheet<S>& sheet, const auto& log_density, S weight) {
    add_reduced(
        sheet.features, true, [weight](auto density) { return -weight * density; }, log_density);
}
template <class S>
void add_kl(ScoreSheet<S>& sheet, const auto& evidence, S weight) {
    for (Index j = 0; j < evidence.kl.batch(); ++j)
        sheet.rest(0, j) += weight * detail::sum_of_elements(evidence.kl.column(j));
}

}  // namespace detail

/// The negative evidence lower bound, beta = 1 whatever it was in training, in nats: the mean over `draws`
/// fixed draws of z of -log p(x|z), plus KL(q(z|x) || p(z)). Deterministic: the draws are keyed by `seed` and
/// their number and are the same for every sample. Features answer for their own log density, no feature for
/// the KL.
struct NegativeElbo {
    Index draws = 8;
    std::uint64_t seed = 0;

    static constexpr const char* name = "negative-elbo";
    static constexpr void options(auto& self, auto&& visit) {
        visit("draws", self.draws, OptionRange{1, 10000});
        visit("seed", self.seed);
    }

    [[nodiscard]] constexpr Needs needs() const { return {.draws = draws, .seed = seed}; }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        detail::add_negative_log_density(sheet, evidence.log_density(), weight);
        detail::add_kl(sheet, evidence, weight);
    }
    template <class S>
    void add_deviations(DeviationSheet<S>& sheet, const auto& evidence, S weight) const {
        detail::add_deviations_of_mean(sheet, evidence, weight);
    }
};

/// What of p(x|z) is averaged over the draws.
enum class DensityAverage {
    log,           ///< log p(x|z)
    log_mean_exp,  ///< p(x|z), of which the logarithm is taken then
};
constexpr OptionValues<2> option_values(DensityAverage) {
    return {"DensityAverage", {"log", "log_mean_exp"}};
}

/// Where p(x|z) is evaluated.
enum class DensityPath {
    draws,  ///< under draws of z
    mean,   ///< under the posterior's mean alone: without noise, and at the cost of one draw
};
constexpr OptionValues<2> option_values(DensityPath) {
    return {"DensityPath", {"draws", "mean"}};
}

/// The reconstruction probability (An and Cho 2015; Xu et al. 2018): minus the mean over `draws` fixed draws of z
/// from the posterior of log p(x|z), in nats; the negative ELBO without its KL. With `average = log_mean_exp` minus
/// the logarithm of the mean of p(x|z) of whole samples (the authors' pseudo-code; their text has the mean of
/// logarithms): lower, and made by the few draws that explain x best; features share as draws.hpp says. With `path =
/// mean` z is the posterior's mean, once. Of a likelihood without a variance it would be a reconstruction error by
/// another name, and does not compile.
///
///     Recipe recipe{RobustScaler{}, Model{},
///                   ReconstructionProbability{.draws = 50, .average = DensityAverage::log_mean_exp},
///                   Conformal{.false_alarm_rate = 0.01}};
struct ReconstructionProbability {
    static constexpr bool needs_variance = true;
    static constexpr DrawDetail draw_detail = DrawDetail::apart;
    Index draws = 10;
    std::uint64_t seed = 0;
    DensityAverage average = DensityAverage::log;
    DensityPath path = DensityPath::draws;

    static constexpr const char* name = "reconstruction-probability";
    static constexpr void options(auto& self, auto&& visit) {
        visit("draws", self.draws, OptionRange{1, 10000});
        visit("seed", self.seed);
        visit("average", self.average);
        visit("path", self.path);
    }

    [[nodiscard]] constexpr Needs needs() const {
        if (path == DensityPath::mean) return {.at_mean = true};
        return {.draws = draws, .seed = seed, .each_draw = average == DensityAverage::log_mean_exp};
    }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        if (path == DensityPath::mean) {
            detail::add_negative_log_density(sheet, evidence.log_density_at_mean(), weight);
        } else if (average == DensityAverage::log) {
            detail::add_negative_log_density(sheet, evidence.log_density(), weight);
        } else {
            detail::add_log_mean<false>(sheet, evidence, draws, weight);
        }
    }
    template <class S>
    void add_deviations(DeviationSheet<S>& sheet, const auto& evidence, S weight) const {
        if (path == DensityPath::mean) return;
        if (average == DensityAverage::log) {
            detail::add_deviations_of_mean(sheet, evidence, weight);
        } else {
            detail::add_deviations_of_log_mean<false>(sheet, evidence, draws, weight);
        }
    }
};

/// The importance-weighted estimate of -log p(x), in nats (Burda et al. 2016):
///
///     -log( 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x) ),    z_k ~ q(z|x),
///
/// of K = `draws` fixed draws of z. Its expectation falls from that of the negative ELBO (K = 1) to -log p(x) as K
/// grows, and it is exact for every K where q is the true posterior. So it does not blame a sample for an encoder
/// that is wrong about it. Features answer for their log density under the weighted draws, no feature for the rest
/// (draws.hpp). Needs a latent with densities: of a `Code` it does not compile, or, chosen at run time, is an Error.
///
///     Recipe recipe{RobustScaler{}, Model{}, ImportanceWeightedLikelihood{.draws = 100},
///                   Conformal{.false_alarm_rate = 0.01}};
///     const auto detector = fit(recipe, rows);
///     const auto scores = detector.score(samples), errors = detector.standard_error(samples);
struct ImportanceWeightedLikelihood {
    static constexpr DrawDetail draw_detail = DrawDetail::kl;
    Index draws = 50;
    std::uint64_t seed = 0;

    static constexpr const char* name = "importance-weighted-likelihood";
    static constexpr void options(auto& self, auto&& visit) {
        visit("draws", self.draws, OptionRange{1, 10000});
        visit("seed", self.seed);
    }

    [[nodiscard]] constexpr Needs needs() const {
        return {.draws = draws, .seed = seed, .each_draw = true, .sampled_kl = true};
    }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        detail::add_log_mean<true>(sheet, evidence, draws, weight);
    }
    template <class S>
    void add_deviations(DeviationSheet<S>& sheet, const auto& evidence, S weight) const {
        detail::add_deviations_of_log_mean<true>(sheet, evidence, draws, weight);
    }
};

/// KL(q(z|x) || p(z)): how far from the prior the encoder had to go, in nats.
struct KlDivergence {
    static constexpr const char* name = "kl-divergence";

    [[nodiscard]] constexpr Needs needs() const { return {}; }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        detail::add_kl(sheet, evidence, weight);
    }
};

}  // namespace untoward
