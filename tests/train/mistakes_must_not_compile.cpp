// SPDX-License-Identifier: MIT
// What people write who know scikit-learn, PyTorch and Eigen: where it means one thing it is taken, and elsewhere
// refused with one error that says what would do.
#include <array>
#include <optional>
#include <tuple>
#include <vector>

#include "untoward/nn/convolution.hpp"
#include "untoward/nn/lstm.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit_ensemble.hpp"
#include "untoward/vae/bernoulli.hpp"
#include "untoward/vae/correlated_latent.hpp"

using namespace untoward;

#ifndef CASE
#define CASE 0
#endif

using Rows = Eigen::MatrixXf;
using Model = Vae<Vec<6>, Encoder<Dense<16, Relu>>, Latent<2>, Decoder<Dense<16, Relu>>, Gaussian>;
using Whole = Recipe<RobustScaler, Model, NegativeElbo, Conformal>;
constexpr auto whole = [] { return Whole{{}, {}, {}, {}}; };

/// A whole program: fits, scores, judges.
template <class RecipeType, class Samples = Rows>
void use(const RecipeType& recipe, const Samples& rows = {}) {
    const auto detector = fit(recipe, rows);
    static_cast<void>(detector.score(rows));
    static_cast<void>(detector(rows.col(0)).score);
}
template <class ModelType, class Scaler = RobustScaler>
void use_model() {
    use(Recipe{Scaler{}, ModelType{}, NegativeElbo{}, Conformal{}});
}

/// A score that says nothing more than it must.
struct Latents {
    constexpr Needs needs() const { return {}; }
    void add_to(auto& sheet, const auto& evidence, auto weight) const {
        sheet.rest(0, 0) += weight * evidence.kl(0, 0);
    }
};

#if CASE == 0
// Weights of any number, on either side, and a mean of scores; a score of one's own among them.
void weights() {
    use(Recipe{RobustScaler{}, Model{}, NegativeElbo{} + 0.5 * KlDivergence{}, Conformal{}});
    static_assert((NegativeElbo{} * 2).weight == 2 && (2 * NegativeElbo{}).weight == 2);
    use(Recipe{RobustScaler{}, Model{}, (Latents{} + NegativeElbo{} * 0.5) / 2, Conformal{}});
}
// The learning rate where people look for it, a detector that comes later, sizes that are known, and the type of a
// detector left to the compiler.
struct Service {
    std::optional<Detector<Whole>> detector;
};
void options(const Rows& rows, const Eigen::MatrixXd& doubles, const Eigen::Matrix<float, 6, 100>& known) {
    Service service;
    service.detector = fit(whole(), rows, {.epochs = 5, .learning_rate = 1e-3, .seed = 7});
    const Detector of_doubles = fit(whole(), doubles);
    static_assert(std::is_same_v<decltype(of_doubles)::Scalar, double>);
    const Detector<Whole> of_floats = fit(whole(), doubles.cast<float>());
    const auto score = service.detector->score(known);
    static_cast<void>(score);
}
#endif

// A decoder of run-time steps for a sample whose steps are known.
#if CASE == 0
template void use_model<Vae<Seq<3, 16>, Encoder<Lstm<8>, LastStep>, Latent<2>, Decoder<Repeat<>, Lstm<8>>, Gaussian>>();
#endif

struct NoNeeds {
    void add_to(auto&, const auto&, auto) const {}
};
// A score of one's own without needs.
#if CASE == 1  // expect: untoward: a score has needs() const, which returns Needs
template void use<>(const Recipe<RobustScaler, Model, NoNeeds, Conformal>&, const Rows&);
#endif

// A decoder that ends at another length.
#if CASE == 2  // expect: DecoderDoesNotFitSample<Shape<8, 8>, Shape<3, 16>>
template void use_model<Vae<Seq<3, 16>, Encoder<Convolution1d<8, 4, 2, 1>, Flatten>, Latent<2>,
                            Decoder<Dense<8 * 8>, ReshapeTo<Seq<8, 8>>>, Gaussian>>();
#endif

// An option that there is not: the compiler's own words.
#if CASE == 3  // expect: no matching function for call to 'fit
void misspelt(const Rows& rows) { fit(whole(), rows, {.epochs = 5, .lr = 1e-3}); }
#endif

// An LSTM in front of latent units, without LastStep.
#if CASE == 4  // expect: EncoderEndsInNoVector<Latent<2>, Shape<8, 16>, AddLastStepOrFlatten>
template void
use_model<Vae<Seq<3, 16>, Encoder<Lstm<8>>, Latent<2>, Decoder<Repeat<16>, Lstm<8>>, Gaussian>>();
#endif

// A Bernoulli behind a StandardScaler.
#if CASE == 5  // expect: untoward: this likelihood is for values in [0, 1]: use UnitScaler or IdentityScaler
template void use_model<Vae<Vec<6>, Encoder<Dense<16, Relu>>, Latent<2>, Decoder<Dense<16, Relu>>, Bernoulli>,
                        StandardScaler>();
#endif

// The model in front of the scaler.
#if CASE == 6  // expect: untoward: a Recipe is {scaler, model, score, threshold}: all four, in this order
void order() { use(Recipe{Model{}, RobustScaler{}, NegativeElbo{}, Conformal{}}); }
#endif

// Rows in vectors of vectors.
#if CASE == 7  // expect: untoward: fit takes its rows as an Eigen matrix, features x n, every sample a column
void vectors(const std::vector<std::vector<float>>& rows) {
    static_cast<void>(fit(whole(), rows).score(Rows()));
}
#endif

// The same, with options.
#if CASE == 8  // expect: untoward: fit takes its rows as an Eigen matrix, features x n, every sample a column
void vectors(const std::vector<std::vector<float>>& rows) { fit(whole(), rows, {.epochs = 3}); }
#endif

struct NotConst {
    template <class S, class X>
    auto operator()(S& scope, const X& x) {
        return square(scope, x);
    }
};
// A layer whose operator() is not const.
#if CASE == 9  // expect: untoward: a layer has operator()(scope, x...) const, which returns its output
template void use_model<Vae<Vec<6>, Encoder<NotConst>, Latent<2>, Decoder<Dense<16, Relu>>, Gaussian>>();
#endif

// A detector of floats, of rows of doubles.
#if CASE == 10  // expect: untoward: a Detector<Recipe> is of float, and 'fit' makes one of the numbers
Detector<Whole> of_doubles(const Eigen::MatrixXd& rows) { return fit(whole(), rows); }
#endif

// A threshold by number.
#if CASE == 11  // expect: returns a FittedThreshold: Conformal{.false_alarm_rate = 0.01} does, and Fixed{.value = 3}
void number() { use(Recipe{RobustScaler{}, Model{}, NegativeElbo{}, 3.0f}); }
#endif

// An empty detector in a class, filled in later.
#if CASE == 12  // expect: untoward: a Detector is never empty: std::optional<Detector<...>> is where one is to come
struct Empty {
    Detector<Whole> detector;
};
void empty() { Empty service; }
#endif

// A likelihood in the score's place.
#if CASE == 13  // expect: untoward: a score has needs() const, which returns Needs
void likelihood() { use(Recipe{RobustScaler{}, Model{}, Gaussian{}, Conformal{}}); }
#endif

// Score and threshold in each other's places.
#if CASE == 14  // expect: untoward: a Recipe is {scaler, model, score, threshold}: all four, in this order
void score_last() { use(Recipe{RobustScaler{}, Model{}, Conformal{}, NegativeElbo{}}); }
#endif

// No threshold.
#if CASE == 15  // expect: untoward: a Recipe is {scaler, model, score, threshold}: all four, in this order
void forgotten() { use(Recipe{RobustScaler{}, Model{}, NegativeElbo{}}); }
#endif

// The latent units in front of the encoder.
#if CASE == 16  // expect: untoward: a Vae is <sample, encoder, latent, decoder, likelihood>, in this order
template void use_model<Vae<Vec<6>, Latent<2>, Encoder<Dense<16>>, Decoder<Dense<16>>, Gaussian>>();
#endif

// The likelihood in front of the decoder.
#if CASE == 17  // expect: untoward: a Vae is <sample, encoder, latent, decoder, likelihood>, in this order
template void use_model<Vae<Vec<6>, Encoder<Dense<16>>, Latent<2>, Gaussian, Decoder<Dense<16>>>>();
#endif

// An activation as a layer.
#if CASE == 18  // expect: untoward: an activation is part of a layer, as in Dense<16, Relu>, and none itself
template void use_model<Vae<Vec<6>, Encoder<Dense<16>, Relu>, Latent<2>, Decoder<Dense<16>>, Gaussian>>();
#endif

// A convolution over a row.
#if CASE == 19  // expect: InputIsNoSequence<Convolution1d<8, 3
template void use_model<Vae<Vec<6>, Encoder<Convolution1d<8, 3>, Flatten>, Latent<2>, Decoder<Dense<16>>, Gaussian>>();
#endif

// An LSTM behind latent units, without Repeat.
#if CASE == 20  // expect: InputIsNoSequence<Lstm<8>, Shape<2>>
template void use_model<Vae<Seq<3, 16>, Encoder<Lstm<8>, LastStep>, Latent<2>, Decoder<Lstm<8>>, Gaussian>>();
#endif

// A correlated latent behind a sequence.
#if CASE == 21  // expect: EncoderEndsInNoVector<CorrelatedLatent<2>, Shape<8, 16>, AddLastStepOrFlatten>
template void
use_model<Vae<Seq<3, 16>, Encoder<Lstm<8>>, CorrelatedLatent<2>, Decoder<Repeat<16>, Lstm<8>>, Gaussian>>();
#endif
// A code behind a sequence.
#if CASE == 22  // expect: EncoderEndsInNoVector<Code<2>, Shape<8, 16>, AddLastStepOrFlatten>
template void use_model<Vae<Seq<3, 16>, Encoder<Lstm<8>>, Code<2>, Decoder<Repeat<16>, Lstm<8>>, Gaussian>>();
#endif

// Samples as rows, of known sizes.
#if CASE == 23  // expect: SamplesAreColumns<Expected<6>, Found<100>>
void as_rows(const Eigen::Matrix<float, 100, 6>& rows) { static_cast<void>(fit(whole(), rows)); }
#endif

// A sample of another size, known to the compiler.
#if CASE == 24  // expect: SamplesAreColumns<Expected<6>, Found<3>>
float known(const Detector<Whole>& detector, const Eigen::Vector3f& sample) { return detector(sample).score; }
#endif

// A sample in a std::vector.
#if CASE == 25  // expect: untoward: samples are an Eigen matrix, features x n, and one sample a vector: Eigen::Map
float sample(const Detector<Whole>& detector, const std::vector<float>& row) { return detector(row).score; }
#endif

// Samples in an array.
#if CASE == 26  // expect: untoward: samples are an Eigen matrix, features x n, and one sample a vector: Eigen::Map
float array(const Detector<Whole>& detector, const std::array<float, 6>& row) { return detector.score(row)[0]; }
#endif

// Rows of integers.
#if CASE == 27  // expect: untoward: fit takes rows of float or double: rows.cast<float>() makes them
void integers(const Eigen::MatrixXi& rows) { use(whole(), rows); }
#endif

// A model where a recipe belongs.
#if CASE == 28  // expect: untoward: fit takes a Recipe{scaler, model, score, threshold}, then the rows
void model(const Rows& rows) { use(Model{}, rows); }
#endif

// The rows first.
#if CASE == 29  // expect: untoward: fit takes a Recipe{scaler, model, score, threshold}, then the rows
void rows_first(const Rows& rows) { static_cast<void>(fit(rows, whole()).score(rows)); }
#endif

// Labels, as in scikit-learn.
#if CASE == 30  // expect: untoward: the third argument of fit is FitOptions
void labels(const Rows& rows, const Eigen::VectorXi& truth) {
    static_cast<void>(fit(whole(), rows, truth).score(rows));
}
#endif

// TrainingOptions in place of FitOptions.
#if CASE == 31  // expect: untoward: the third argument of fit is FitOptions
void training(const Rows& rows) { fit(whole(), rows, TrainingOptions{.epochs = 3}); }
#endif

// An ensemble of one recipe.
#if CASE == 32  // expect: untoward: an Ensemble is {members, threshold}: the members a std::tuple of recipes
void ensemble() { use(Ensemble{whole(), Conformal{}}); }
#endif

// One sample as a row, where many are scored.
#if CASE == 33  // expect: SamplesAreColumns<Expected<6>, Found<1>>
void one_row(const Detector<Whole>& detector, const Eigen::RowVectorXf& row) { static_cast<void>(detector.score(row)); }
#endif
