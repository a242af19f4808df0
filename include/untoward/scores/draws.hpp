// SPDX-License-Identifier: MIT
#pragma once

// Monte Carlo scores. With z_1 ... z_L from the posterior q(z|x), keyed by seed and number and the same for every
// sample, a score is the mean of v_l = -log p(x|z_l), or minus the logarithm of the mean of weights w_l:
//
//     of log p(x|z)       v_l                            `NegativeElbo`, `ReconstructionProbability`
//     of p(x|z)           w_l = p(x|z_l)                 `ReconstructionProbability`, log_mean_exp
//     of p(x)             w_l = p(x|z_l) p(z_l)/q(z_l|x) `ImportanceWeightedLikelihood`
//
// Features. Log p(x|z) is a sum over features, so the means are too. For the weights, with r_l = w_l / sum w,
//
//     -log 1/L sum_l w_l  =  sum_l r_l (-log p(x|z_l))  +  sum_l r_l log(r_l L p(x|z_l) / w_l),
//
// of which the first is a sum over features and no feature answers for the second: as in the ELBO, what is left
// of the data once it is known where z is, and a KL divergence that says how much had to be known. For p(x) the r_l
// stand for the true posterior p(z|x), and this is -log p(x) = E[-log p(x|z)] + KL(p(z|x) || p(z)).
//
// Standard errors. The mean of v has sd(v) / sqrt(L); the logarithm of the mean of w has, by the delta method,
// sd(w) / (sqrt(L) mean(w)), which is too small where a few draws have all the weight. Each draw adds its part to a
// DeviationSheet (score.hpp), so that sums of scores, whose draws are the same, are not taken for independent.
// Of one draw no error is known: NaN. It is 0 where the posterior has no spread (`Code`). `Slog` has its slope times
// that of its score; the units of ranks have none, NaN. A detector tells it: `detector.standard_error(samples)`.
//
// A score of one's own, for one the standard deviation of log p(x|z), adds what it sees of the draws:
//
//     struct Disagreement {
//         static constexpr auto draw_detail = untoward::DrawDetail::apart;
//         Index draws = 20;
//
//         constexpr untoward::Needs needs() const { return {.draws = draws, .each_draw = true}; }
//         void add_to(auto& sheet, const auto& evidence, auto weight) const {
//             for (Index j = 0; j < evidence.x.batch(); ++j) {
//                 const auto densities = evidence.log_densities().sample(j).colwise().sum().array().eval();
//                 sheet.rest(0, j) += weight * std::sqrt((densities - densities.mean()).square().mean());
//             }
//         }
//     };
//
// It has no add_deviations, so its standard error is NaN.

#include <algorithm>
#include <cmath>
#include <limits>

#include "score.hpp"

namespace untoward UNTOWARD_SETTING::detail {

// Log p(x|z_l) of every feature, and of all of them, for one sample.
template <class S>
ConstFlatMap<S> density_of_draw(const Tensor<const S, Seq<>>& densities, Index draw, Index sample) {
    const Index features = densities.shape().channels();
    return ConstFlatMap<S>(densities.data() + sample * densities.stride() + draw * features, features);
}

// The weights w_1 ... w_L of one sample. `Importance` tells whether they have p(z)/q(z|x).
template <bool Importance, class Evidence>
class DrawWeights {
public:
    using S = typename decltype(Evidence::x)::Scalar;

    // Of the first `most` draws: what another score in a sum needs does not change them.
    DrawWeights(const Evidence& evidence, Index sample, Index most)
        : evidence_(evidence), sample_(sample),
          count_((std::min)(most, evidence.log_densities().shape().positions())) {
        for (Index l = 0; l < count_; ++l) {
            const S next = log_weight(l);
            if (!(next <= largest_)) {  // the first, a larger one, or no number
                sum_ *= math::exp(largest_ - next);
                largest_ = next;
            }
            sum_ += math::exp(next - largest_);
        }
    }

    [[nodiscard]] Index count() const { return count_; }
    [[nodiscard]] auto densities(Index draw) const {
        return density_of_draw(evidence_.log_densities(), draw, sample_);
    }
    // r_l
    [[nodiscard]] S share(Index draw) const { return math::exp(log_weight(draw) - largest_) / sum_; }
    // log 1/L sum_l w_l
    [[nodiscard]] S log_mean() const { return largest_ + math::log(sum_ / static_cast<S>(count_)); }

private:
    [[nodiscard]] S log_weight(Index draw) const {
        const S density = detail::sum_of_elements(densities(draw));
        return Importance ? density - evidence_.sampled_kls().column(sample_)[draw] : density;
    }

    const Evidence& evidence_;
    Index sample_;
    Index count_;
    S largest_ = std::numeric_limits<S>::lowest();
    S sum_ = 0;
};

// -log 1/L sum_l w_l
template <bool Importance, class S, class Evidence>
void add_log_mean(ScoreSheet<S>& sheet, const Evidence& evidence, Index draws, S weight) {
    for (Index j = 0; j < evidence.x.batch(); ++j) {
        const DrawWeights<Importance, Evidence> weights(evidence, j, draws);
        S rest = -weights.log_mean();
        for (Index l = 0; l < weights.count(); ++l) {
            const S share = weights.share(l);
            if (!(share > 0)) continue;  // of a density that may be 0, as those of all draws may
            sheet.features.column(j) -= weight * share * weights.densities(l);
            rest += share * detail::sum_of_elements(weights.densities(l));
        }
        sheet.rest(0, j) += weight * rest;
    }
}

template <class S>
bool has_spread(const auto& evidence, Index sample) {
    const auto log_variance = evidence.log_variance.column(evidence.log_variance.batch() == 1 ? 0 : sample);
    return !(log_variance == -std::numeric_limits<S>::infinity()).all();
}
// What a deviation of one of n draws is multiplied by; NaN for one draw.
template <class S>
S share_of_draw(Index n) {
    return n > 1 ? 1 / std::sqrt(static_cast<S>(n) * static_cast<S>(n - 1))
                 : std::numeric_limits<S>::quiet_NaN();
}

// Of a mean of -log p(x|z_l).
template <class S>
void add_deviations_of_mean(DeviationSheet<S>& sheet, const auto& evidence, S weight) {
    const auto& densities = evidence.log_densities();
    const Index n = densities.shape().positions();
    const S part = -weight * share_of_draw<S>(n);
    for (Index j = 0; j < evidence.x.batch(); ++j) {
        if (!has_spread<S>(evidence, j)) continue;
        const S mean = detail::sum_of_elements(densities.column(j)) / static_cast<S>(n);
        for (Index l = 0; l < n; ++l)
            sheet.add(l, j, part * (detail::sum_of_elements(density_of_draw(densities, l, j)) - mean));
    }
}
// Of -log 1/L sum_l w_l.
template <bool Importance, class S, class Evidence>
void add_deviations_of_log_mean(DeviationSheet<S>& sheet, const Evidence& evidence, Index draws, S weight) {
    for (Index j = 0; j < evidence.x.batch(); ++j) {
        if (!has_spread<S>(evidence, j)) continue;
        const DrawWeights<Importance, Evidence> weights(evidence, j, draws);
        const Index n = weights.count();
        const S part = -weight * share_of_draw<S>(n);
        for (Index l = 0; l < n; ++l) sheet.add(l, j, part * (static_cast<S>(n) * weights.share(l) - 1));
    }
}

}  // namespace untoward::detail
