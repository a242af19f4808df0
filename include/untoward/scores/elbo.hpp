// SPDX-License-Identifier: MIT
#pragma once

#include "score.hpp"

namespace untoward {

namespace detail {

// -log p(x|z), of which every feature has its share.
template <class S>
void add_negative_log_density(ScoreSheet<S>& sheet, const auto& evidence, S weight) {
    add_reduced(
        sheet.features, true, [weight](auto density) { return -weight * density; }, evidence.log_density);
}
template <class S>
void add_kl(ScoreSheet<S>& sheet, const auto& evidence, S weight) {
    for (Index j = 0; j < evidence.kl.batch(); ++j) sheet.rest(0, j) += weight * evidence.kl.column(j).sum();
}

}  // namespace detail

/// The negative evidence lower bound, beta = 1 whatever it was in training, in nats: the mean over `draws`
/// fixed draws of z of -log p(x|z), plus KL(q(z|x) || p(z)). Deterministic: the draws are keyed by `seed` and
/// their number and are the same for every sample. Features answer for their own log density, no feature for
/// the KL.
struct NegativeElbo {
    using IsScore = void;
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
        detail::add_negative_log_density(sheet, evidence, weight);
        detail::add_kl(sheet, evidence, weight);
    }
};

/// The reconstruction probability (An and Cho 2015; Xu et al. 2018): minus the mean over `draws` fixed draws of z
/// from the posterior of log p(x|z), in nats; the negative ELBO without its KL. Of a likelihood without a variance
/// it would be a reconstruction error by another name, and does not compile.
struct ReconstructionProbability {
    using IsScore = void;
    static constexpr bool needs_variance = true;
    Index draws = 10;
    std::uint64_t seed = 0;

    static constexpr const char* name = "reconstruction-probability";
    static constexpr void options(auto& self, auto&& visit) {
        visit("draws", self.draws, OptionRange{1, 10000});
        visit("seed", self.seed);
    }

    [[nodiscard]] constexpr Needs needs() const { return {.draws = draws, .seed = seed}; }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        detail::add_negative_log_density(sheet, evidence, weight);
    }
};

/// KL(q(z|x) || p(z)): how far from the prior the encoder had to go, in nats.
struct KlDivergence {
    using IsScore = void;

    static constexpr const char* name = "kl-divergence";

    [[nodiscard]] constexpr Needs needs() const { return {}; }
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        detail::add_kl(sheet, evidence, weight);
    }
};

}  // namespace untoward
