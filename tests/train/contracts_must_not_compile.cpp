// SPDX-License-Identifier: MIT
// What a program fits, with a part that lacks a member or does not fit the others: one error, although model,
// training and detector all meet it.
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"
#include "untoward/vae/bernoulli.hpp"

using namespace untoward;

#ifndef CASE
#define CASE 0
#endif

using Rows = Eigen::MatrixXf;

template <class Likelihood, class Decode = Decoder<Dense<8, Tanh>>, class Sample = Vec<4>>
using Model = Vae<Sample, Encoder<Flatten, Dense<8, Tanh>>, Latent<2>, Decode, Likelihood>;

/// A whole program: fits, scores, judges.
template <class Likelihood = Gaussian, class Scaler = RobustScaler, class ScoreType = NegativeElbo,
          class Threshold = Conformal, class Decode = Decoder<Dense<8, Tanh>>, class Sample = Vec<4>>
void use(const Rows& rows) {
    const Recipe recipe{Scaler{}, Model<Likelihood, Decode, Sample>{}, ScoreType{}, Threshold{}};
    const auto detector = fit(recipe, rows);
    static_cast<void>(detector.score(rows));
    static_cast<void>(detector(rows.col(0)));
}

#if CASE == 0
template void use<>(const Rows&);
#endif

// A decoder of sequences for a row.
#if CASE == 1  // expect: DecoderDoesNotFitSample<Shape<8, 6>, Shape<4>>
template void use<Gaussian, RobustScaler, NegativeElbo, Conformal, Decoder<Repeat<6>, Lstm<8>>>(const Rows&);
#endif

// A decoder of 6 steps for sequences of 5.
#if CASE == 2  // expect: DecoderDoesNotFitSample<Shape<8, 6>, Shape<4, 5>>
template void use<Gaussian, RobustScaler, NegativeElbo, Conformal, Decoder<Repeat<6>, Lstm<8>>, Seq<4, 5>>(
    const Rows&);
#endif

struct NoLogDensity {
    static constexpr bool has_variance = true;

    constexpr auto layer(const auto& sample) const { return Gaussian{}.layer(sample); }
    constexpr auto expectation(auto& scope, const auto& output) const { return output.expectation(scope); }
    constexpr auto sample(auto& scope, const auto& output) const { return output.sample(scope); }
};

// A likelihood without log_density.
#if CASE == 3  // expect: untoward: a likelihood has log_density(scope, x, output) const
template void use<NoLogDensity>(const Rows&);
#endif

struct NoLayer : DistributionLikelihood {};

// A likelihood without a layer.
#if CASE == 4  // expect: untoward: a likelihood has layer(sample_shape) const
template void use<NoLayer>(const Rows&);
#endif

struct NoExpectation {
    static constexpr bool has_variance = true;

    constexpr auto layer(const auto& sample) const { return Gaussian{}.layer(sample); }
    constexpr auto log_density(auto& scope, const auto& x, const auto& output) const {
        return output.log_density(scope, x);
    }
    constexpr auto sample(auto& scope, const auto& output) const { return output.sample(scope); }
};

// A likelihood without expectation.
#if CASE == 5  // expect: untoward: a likelihood has expectation(scope, output) const
template void use<NoExpectation>(const Rows&);
#endif

// A Bernoulli behind a StandardScaler.
#if CASE == 6  // expect: untoward: this likelihood is for values in [0, 1]: use UnitScaler or IdentityScaler
template void use<Bernoulli, StandardScaler>(const Rows&);
#endif

struct NoFit {
    double low = 0;
};

// A scaler without fit.
#if CASE == 7  // expect: untoward: a scaler has fit(rows) const, which returns a Scaling
template void use<Gaussian, NoFit>(const Rows&);
#endif

struct NoNeeds {
    template <class S>
    void add_to(ScoreSheet<S>& sheet, const auto& evidence, S weight) const {
        sheet.rest(0, 0) += weight * evidence.kl(0, 0);
    }
};

// A score without needs.
#if CASE == 8  // expect: untoward: a score has needs() const, which returns Needs
template void use<Gaussian, RobustScaler, NoNeeds>(const Rows&);
#endif

struct NoAddTo {
    constexpr Needs needs() const { return {.reconstruction = true}; }
};

// A score without add_to.
#if CASE == 9  // expect: untoward: a score has add_to(sheet, evidence, weight) const
template void use<Gaussian, RobustScaler, NoAddTo>(const Rows&);
#endif

struct NoCalibrate {
    double false_alarm_rate = 0.01;
};

// A threshold without calibrate.
#if CASE == 10  // expect: untoward: a threshold has calibrate(scores) const, which returns a FittedThreshold
template void use<Gaussian, RobustScaler, NegativeElbo, NoCalibrate>(const Rows&);
#endif

struct Returns {
    auto calibrate(const auto& scores) const { return scores.maxCoeff(); }
};

// A threshold whose calibrate returns a number.
#if CASE == 11  // expect: untoward: a threshold has calibrate(scores) const, which returns a FittedThreshold
template void use<Gaussian, RobustScaler, NegativeElbo, Returns>(const Rows&);
#endif

struct ReturnsNothing {
    double peak = automatic;
    void operator()(Index, Index) const {}
};

// A schedule that returns nothing.
#if CASE == 12  // expect: untoward: a schedule has operator()(step, steps) const, which returns a number
TrainingOptions with_schedule() {
    TrainingOptions options;
    options.learning_rate = ReturnsNothing{};
    return options;
}
#endif

struct NoHooks {
    void on_epoch(Training&) {}
};

// A callback without any of the four functions.
#if CASE == 13  // expect: untoward: a callback has on_begin, on_step, on_evaluation or on_end
TrainingOptions with_callback() {
    TrainingOptions options;
    options.callbacks = {NoHooks{}};
    return options;
}
#endif

struct NoUpdate {
    double decay = 0;
    static constexpr std::array<const char*, 0> moments{};
};

// An optimiser that changes nothing.
#if CASE == 14  // expect: untoward: an optimiser has operator()(const Update<S>&) const
TrainingOptions with_optimiser() {
    TrainingOptions options;
    options.optimiser = NoUpdate{};
    return options;
}
#endif

struct NoMoments {
    template <class S>
    void operator()(const Update<S>& update) const {
        for (Index i = 0; i < update.size; ++i) update.parameters[i] -= update.gradient[i];
    }
};

// An optimiser that does not say what it keeps.
#if CASE == 15  // expect: untoward: an optimiser has static constexpr moments, the names of what it keeps
TrainingOptions without_moments() {
    TrainingOptions options;
    options.optimiser = NoMoments{};
    return options;
}
#endif

/// The library's latent, apart from what a derived one takes away.
struct AlmostLatent {
    Vec<2> units{};

    constexpr auto operator()(auto& scope, const auto& hidden) const { return whole(scope, hidden); }
    constexpr auto sample(auto& scope, const auto& q) const { return whole.sample(scope, q); }
    constexpr auto mean(auto& scope, const auto& q) const { return whole.mean(scope, q); }
    constexpr auto log_variance(auto& scope, const auto& q) const { return whole.log_variance(scope, q); }
    constexpr auto kl(auto& scope, const auto& q) const { return whole.kl(scope, q); }
    constexpr auto within_prior(auto& scope, const auto& mean) const {
        return whole.within_prior(scope, mean);
    }

private:
    static constexpr Latent<2> whole{};
};
struct NoKl : AlmostLatent {
    void kl() const = delete;
};
struct NoPrior : AlmostLatent {
    void within_prior() const = delete;
};

template <class LatentType>
void use_latent(const Rows& rows) {
    using Own = Vae<Vec<4>, Encoder<Dense<8, Tanh>>, LatentType, Decoder<Dense<8, Tanh>>, Gaussian>;
    const auto detector = fit(Recipe{RobustScaler{}, Own{}, NegativeElbo{}, Conformal{}}, rows);
    static_cast<void>(detector(rows.col(0)));
}

#if CASE == 0
template void use_latent<AlmostLatent>(const Rows&);
#endif

// A latent without its KL term.
#if CASE == 16  // expect: untoward: a latent has kl(scope, posterior) const
template void use_latent<NoKl>(const Rows&);
#endif

// A latent that does not know its prior.
#if CASE == 17  // expect: untoward: a latent has within_prior(scope, mean) const
template void use_latent<NoPrior>(const Rows&);
#endif
