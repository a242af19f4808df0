// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../data/scaler.hpp"
#include "../detector.hpp"
#include "../thresholds/conformal.hpp"
#include "../thresholds/rounding.hpp"
#include "latent_report.hpp"
#include "train.hpp"
#include "training_evidence.hpp"

namespace untoward {

/// How to fit a detector.
struct FitOptions {
    Index epochs = 0;                          ///< passes over the rows; 0: as many as `training` says
    std::uint64_t seed = 0;                    ///< same seed, same program, same processor: the same bits
    TrainingOptions training{};                ///< the rest; its seed is the one above
    std::vector<std::string> feature_names{};  ///< for messages; "feature 3" otherwise
};

/// What fitting found out, for people.
struct FitReport {
    Index rows = 0;              ///< in all
    Index training_rows = 0;     ///< that gradients came from
    Index held_out_rows = 0;     ///< that chose the best step
    Index calibration_rows = 0;  ///< that only the threshold saw
    Index parameters = 0;
    std::vector<Index> constant_features;  ///< one value only in training
    TrainingReport training;
    LatentReport latent;
};

namespace detail {

inline std::string feature_name(const FitOptions& options, Index feature) {
    const auto i = static_cast<std::size_t>(feature);
    return i < options.feature_names.size() ? "feature " + options.feature_names[i]
                                            : "feature " + std::to_string(feature);
}

// Chosen columns of data.
template <class S>
Eigen::Matrix<S, Dynamic, Dynamic> gather_raw(const auto& rows, std::span<const Index> chosen) {
    Eigen::Matrix<S, Dynamic, Dynamic> result(rows.rows(), static_cast<Index>(chosen.size()));
    for (Index j = 0; j < result.cols(); ++j) {
        for (Index i = 0; i < result.rows(); ++i) result(i, j) = rows(i, chosen[static_cast<std::size_t>(j)]);
    }
    return result;
}

// The same, scaled.
template <class S, class Vector>
Eigen::Matrix<S, Dynamic, Dynamic> gather_scaled(const auto& rows, const Scaling<Vector>& scaling,
                                                 std::span<const Index> chosen) {
    Eigen::Matrix<S, Dynamic, Dynamic> result(rows.rows(), static_cast<Index>(chosen.size()));
    for (Index j = 0; j < result.cols(); ++j) {
        for (Index i = 0; i < result.rows(); ++i)
            result(i, j) = scaling.apply(i, rows(i, chosen[static_cast<std::size_t>(j)]));
    }
    return result;
}

// The median over (at most 2,000) rows of each feature's share of the score.
template <class DetectorType>
auto typical_contributions(const DetectorType& detector, const auto& rows, std::span<const Index> chosen) {
    using S = typename DetectorType::Scalar;
    constexpr std::size_t most = 2000;
    const Index n = static_cast<Index>(std::min(most, chosen.size()));
    const Index features = detector.features();
    Eigen::Matrix<S, Dynamic, Dynamic> contributions(features, n);
    const Index block = std::min<Index>(DetectorType::block_size, n);
    Buffer<std::byte> memory(static_cast<Index>(detector.arena_bytes(block, false)));
    Arena arena(memory);
    Eigen::Matrix<S, Dynamic, 1> scores(block);
    for (Index begin = 0; begin < n; begin += block) {
        const auto some =
            gather_raw<S>(rows, chosen.subspan(static_cast<std::size_t>(begin),
                                               static_cast<std::size_t>(std::min(block, n - begin))));
        detector.evaluate(some, arena, scores.data(), contributions.data() + begin * features);
    }
    typename DetectorType::Vector typical(features);
    for (Index i = 0; i < features; ++i) {
        typical(i) = static_cast<S>(quantile(sorted_present(std::as_const(contributions).row(i)), 0.5));
    }
    return typical;
}

}  // namespace detail

/// Which rows are set aside for calibration, and which are left to fit everything else.
struct CalibrationSplit {
    std::vector<Index> calibration;
    std::vector<Index> rest;
};

/// The split that `fit` makes of n rows for this threshold policy and seed, at random: ask for it where
/// something of your own (a vocabulary, a feature selection) is to be learned without the calibration rows.
template <class ThresholdPolicy>
CalibrationSplit calibration_split(const ThresholdPolicy& threshold, Index n, std::uint64_t seed) {
    constexpr std::uint64_t split_site = 1;
    if (n < 2)
        fail("fitting needs at least 2 rows, one of them for calibration; there ", n == 1 ? "is " : "are ",
             n);
    std::vector<Index> order(static_cast<std::size_t>(n));
    permutation(seed, split_site, std::span<Index>(order));
    const Index calibration = std::clamp<Index>(rows_for_calibration(threshold, n), 1, n - 1);
    return {{order.begin(), order.begin() + calibration}, {order.begin() + calibration, order.end()}};
}

namespace detail {

// Throws Error for another number of features than the model's, an infinite value (named), a scaler that does not
// keep the numbers that the likelihood is for, and a latent without what the score needs.
template <class RecipeType>
void require_fit(const RecipeType& recipe, const auto& data, const FitOptions& options) {
    require_scaler_for_likelihood<std::remove_cvref_t<decltype(recipe.model.likelihood)>,
                                  std::remove_cvref_t<decltype(recipe.scaler)>>();
    // Where they are chosen at run time, dynamic/detector.hpp says the same.
    if constexpr (requires { require_scaler_for_likelihood(recipe.scaler, recipe.model.likelihood); }) {
        require_scaler_for_likelihood(recipe.scaler, recipe.model.likelihood);
    }
    if constexpr (requires { require_latent_for_score(recipe.model.latent, recipe.score); }) {
        require_latent_for_score(recipe.model.latent, recipe.score);
    }
    const Index features = recipe.model.sample.size();
    if (data.rows() != features) {
        fail("the rows have ", data.rows(), " features, the model expects ", features,
             " (every sample is a column: features x n)");
    }
    for (Index j = 0; j < data.cols(); ++j) {
        for (Index i = 0; i < features; ++i) {
            if (std::isinf(data(i, j))) {
                fail(feature_name(options, i), " of sample ", j,
                     " (counted from 0) is infinite; training values are finite or missing");
            }
        }
    }
}

// How many of n rows choose the best step. With few rows the model needs them all, and a tenth of them would
// judge nothing reliably: then the training rows choose it themselves.
inline std::size_t held_out_of(std::size_t n) {
    constexpr std::size_t rows_to_spare = 2000;
    return n >= rows_to_spare ? n / 10 : 0;
}

// What a model learned, and how that went.
template <class S>
struct Trained {
    Buffer<S> parameters;
    TrainingReport report;
};
// Of scaled rows, features x n; those of `judging`, if there are any, choose the best step.
template <class S, class Model>
Trained<S> train_new(const Model& model, const Eigen::Matrix<S, Dynamic, Dynamic>& rows,
                     const Eigen::Matrix<S, Dynamic, Dynamic>& judging, const FitOptions& options) {
    Trained<S> trained{Buffer<S>(measure(NegativeElboLoss<Model>{model}, model.sample).scalars), {}};
    initialise(trained.parameters.data(), options.seed, model, model.sample);
    TrainingOptions training = options.training;
    training.seed = options.seed;
    if (options.epochs > 0) training.epochs = options.epochs;
    Trainer trainer(model, trained.parameters, rows, training);
    trained.report = trainer.run(judging);
    return trained;
}

// All of a detector but its threshold, from the rows `rest` of the data. The first `held_out` of them give no
// gradients; where `judged`, they choose the best step.
template <class RecipeType, class Derived>
auto fit_uncalibrated(const RecipeType& recipe, const Eigen::DenseBase<Derived>& rows,
                      std::span<const Index> rest, std::size_t held_out, bool judged,
                      const FitOptions& options, FitReport* report) {
    using S = typename Derived::Scalar;
    using DetectorType = Detector<RecipeType, Owned<S>>;
    using Vector = typename DetectorType::Vector;
    const auto& data = rows.derived();
    const Index features = recipe.model.sample.size();
    const auto fitting = rest.subspan(held_out);

    const auto scaling = fit_scaler(recipe.scaler, gather_raw<S>(data, rest));
    const auto training_rows = gather_scaled<S>(data, scaling, fitting);
    const auto held_out_rows = gather_scaled<S>(data, scaling, rest.first(held_out));

    auto [parameters, trained] =
        train_new<S>(recipe.model, training_rows,
                     judged ? held_out_rows : Eigen::Matrix<S, Dynamic, Dynamic>(features, 0), options);

    using Score = typename DetectorType::ScorePolicy;
    const EvidenceOfModel<S, typename DetectorType::Model, draw_detail<Score>()> evidence(
        recipe.model, parameters.data(), training_rows, held_out_rows, options.seed);
    const TrainingEvidence<S>& all_rows = evidence;
    auto score = ScoreFitting<Score, Vector>::fit(recipe.score, all_rows);

    // Contributions are measured against what is usual for each feature among the rows that were fitted.
    const auto uncalibrated = calibrate(recipe.threshold, Vector(Vector::Zero(1)));
    DetectorType draft(recipe, scaling, parameters, Vector(Vector::Zero(features)), uncalibrated, score);
    Vector typical = typical_contributions(draft, data, fitting);
    DetectorType detector(recipe, scaling, std::move(parameters), std::move(typical), uncalibrated,
                          std::move(score));
    if (report != nullptr) {
        report->training_rows = static_cast<Index>(fitting.size());
        report->held_out_rows = static_cast<Index>(held_out);
        report->parameters = detector.parameters().size();
        report->constant_features.clear();
        for (Index i = 0; i < features; ++i) {
            if (scaling.constant[i] != 0) report->constant_features.push_back(i);
        }
        report->training = trained;
        report->latent = inspect_latent(recipe.model, detector.parameters().data(), training_rows);
    }
    return detector;
}

}  // namespace detail

/// Fits a detector to normal rows, features x n (NaN = missing). First it sets calibration rows aside that
/// nothing but the threshold reads; then it fits the scaler, trains the model, fits the score, and calibrates
/// the threshold (thresholds/rounding.hpp).
///
/// Throws Error: fewer than two rows, another number of features than the model's, an infinite value (named),
/// training that is not finite (step and layer named), a scaler chosen at run time that does not keep the
/// numbers that the likelihood is for, a latent chosen at run time that lacks what the score needs (those of fixed
/// type do not compile).
template <class Scaler, class Model, class ScoreType, class ThresholdPolicy, class Derived>
requires(detail::makes_detector<Recipe<Scaler, Model, ScoreType, ThresholdPolicy>> && detail::Numbers<Derived>)  //
    auto fit(const Recipe<Scaler, Model, ScoreType, ThresholdPolicy>& recipe,
         const Eigen::DenseBase<Derived>& rows, const FitOptions& options = {}, FitReport* report = nullptr) {
    using S = typename Derived::Scalar;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;
    const auto& data = rows.derived();
    detail::require_fit(recipe, data, options);

    // The calibration slice comes first, so that nothing below can have seen it.
    const CalibrationSplit split = calibration_split(recipe.threshold, data.cols(), options.seed);
    const std::span<const Index> rest(split.rest);
    const std::size_t held_out = detail::held_out_of(rest.size());
    auto detector = detail::fit_uncalibrated(recipe, rows, rest, held_out, true, options, report);
    const Vector scores = detector.score(detail::gather_raw<S>(data, split.calibration));
    detector.set_threshold(detail::calibrate(recipe.threshold, raised_for_rounding(scores)));
    if (report != nullptr) {
        report->rows = data.cols();
        report->calibration_rows = static_cast<Index>(split.calibration.size());
    }
    return detector;
}

}  // namespace untoward

#include "fit_mistakes.hpp"
