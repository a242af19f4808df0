// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../data/scaler.hpp"
#include "../data/windows.hpp"
#include "../detector.hpp"
#include "../thresholds/conformal.hpp"
#include "../thresholds/rounding.hpp"
#include "fit_mistakes.hpp"
#include "latent_report.hpp"
#include "split.hpp"
#include "train.hpp"
#include "training_evidence.hpp"

namespace untoward UNTOWARD_SETTING {

/// How to fit a detector.
struct FitOptions {
    Index epochs = 0;                  ///< passes over the rows; 0: as many as `training` says
    double learning_rate = automatic;  ///< the peak of the schedule in `training`; automatic: as it has it
    std::uint64_t seed = 0;            ///< same seed, same program, same processor: the same bits
    TrainingOptions training{};        ///< the rest; its seed is the one above
    std::vector<std::string> feature_names{};  ///< for messages; "feature 3" otherwise
    SplitPolicy split{};  ///< at random; in blocks for windows (data/windows.hpp), unless it is said here

    static constexpr const char* name = "fit-options";
    static constexpr void options(auto& self, auto&& visit) {
        visit("epochs", self.epochs, at_least(0));
        visit("learning_rate", self.learning_rate, learning_rates);
        visit("seed", self.seed);
        visit("training", self.training);
    }
};

namespace detail {

inline std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

}  // namespace detail

/// What fitting found out, for people.
struct FitReport {
    Index rows = 0;              ///< in all
    Index training_rows = 0;     ///< that gradients came from
    Index held_out_rows = 0;     ///< that chose the best step
    Index calibration_rows = 0;  ///< that only the threshold saw
    Index gap_rows = 0;          ///< in none of these, between two of them (LaterBlock)
    Index parameters = 0;
    std::vector<Index> constant_features;     ///< one value only in training
    std::vector<std::string> constant_names;  ///< of these, for people
    std::vector<Index> coarse_features;  ///< whose values their type hardly tells apart: taken for constant
    std::vector<std::string> coarse_names;  ///< of these, for people
    std::vector<Index>
        clipped_features;  ///< half of whose training values are beyond what scaled values may be
    std::vector<std::string> clipped_names;  ///< of these, for people
    Index faulty_kernels =
        0;  ///< of the process so far, which plain loops took the place of (core/self_check.hpp)
    bool is_calibrated = true;  ///< false: too few calibration rows, nothing is called anomalous
    Index calibration_rows_needed = 0;
    /// How many of the calibration rows share no reading with each other; all, where they are no windows.
    Index calibration_rows_without_overlap = 0;
    bool overlap_ignored = false;  ///< windows that share readings were split without a gap between them
    TrainingReport training;
    LatentReport latent;

    /// A sentence for whatever a person should know before the detector is used; none where there is nothing.
    [[nodiscard]] std::vector<std::string> notes() const {
        std::vector<std::string> result = training.notes();
        if (latent.units() > 0 && (latent.collapsed() || 2 * latent.active_units < latent.units()))
            result.push_back(latent.verdict());
        if (!constant_names.empty()) {
            result.push_back("constant in training: " + detail::listed(constant_names));
        }
        if (!coarse_names.empty()) {
            result.push_back(
                detail::listed(coarse_names) +
                ": the values lie within a few neighbouring numbers of their type, which cannot tell them "
                "apart, so they count as constant; give doubles, or numbers less an offset");
        }
        if (!clipped_names.empty()) {
            result.push_back(
                detail::listed(clipped_names) +
                ": half of the scaled values or more lie beyond 1,000 and are clipped to it, so nothing is "
                "learned of them; take another scaler");
        }
        if (faulty_kernels > 0) {
            result.push_back(
                std::to_string(faulty_kernels) +
                " kernels were translated wrongly by this compiler and are not used: plain loops are, which "
                "are right but slow");
        }
        if (overlap_ignored) {
            result.emplace_back(
                "calibration windows share readings with those of training: there will be more false "
                "alarms than were asked for; leave the split of windows to fit, or widen the gap");
        }
        const std::string needed = std::to_string(calibration_rows_needed);
        if (!is_calibrated) {
            result.push_back("the threshold is not calibrated, so no sample is called anomalous: " +
                             std::to_string(calibration_rows) + " calibration rows, " + needed + " needed");
        } else if (calibration_rows_without_overlap < (std::min)(calibration_rows, calibration_rows_needed)) {
            result.push_back(
                "the " + std::to_string(calibration_rows) + " calibration windows overlap and are worth " +
                std::to_string(calibration_rows_without_overlap) + ", fewer than the " + needed +
                " needed: the false-alarm rate may be far from the one asked for; use a longer series");
        }
        return result;
    }
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
    const Index n = static_cast<Index>((std::min)(most, chosen.size()));
    const Index features = detector.features();
    Eigen::Matrix<S, Dynamic, Dynamic> contributions(features, n);
    const Index block = std::min<Index>(DetectorType::block_size, n);
    Buffer<std::byte> memory(static_cast<Index>(detector.arena_bytes(block, false)));
    Arena arena(memory);
    Eigen::Matrix<S, Dynamic, 1> scores(block);
    for (Index begin = 0; begin < n; begin += block) {
        const auto some =
            gather_raw<S>(rows, chosen.subspan(static_cast<std::size_t>(begin),
                                               static_cast<std::size_t>((std::min)(block, n - begin))));
        detector.evaluate(some, arena, scores.data(), contributions.data() + begin * features);
    }
    typename DetectorType::Vector typical(features);
    for (Index i = 0; i < features; ++i) {
        typical(i) = static_cast<S>(quantile(sorted_present(std::as_const(contributions).row(i)), 0.5));
    }
    return typical;
}

}  // namespace detail

namespace detail {

// Throws Error for another number of features than the model's, an infinite value (named), a scaler that does not
// keep the numbers that the likelihood is for, and a latent without what the score needs.
template <class RecipeType>
void require_fit(const RecipeType& recipe, const auto& data, const FitOptions& options) {
    require_options(recipe);
    require_options(options);
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
    require_static_features<std::remove_cvref_t<decltype(recipe.model.sample)>::static_size,
                            std::remove_cvref_t<decltype(data)>::RowsAtCompileTime>();
    if (data.rows() != features) {
        fail("the rows have ", data.rows(), " features, the model expects ", features,
             " (every sample is a column: features x n)");
    }
    const auto names = static_cast<Index>(options.feature_names.size());
    if (names != 0 && names != features)
        fail("FitOptions.feature_names has ", names, " names, expected one for each of ", features,
             " features");
    for (Index j = 0; j < data.cols(); ++j) {
        for (Index i = 0; i < features; ++i) {
            if (std::isinf(data(i, j))) {
                fail(feature_name(options, i), " of sample ", j,
                     " (counted from 0) is infinite; training values are finite or missing");
            }
        }
    }
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
    if (options.learning_rate != automatic && !training.learning_rate.set_peak(options.learning_rate))
        fail("FitOptions.learning_rate is the peak of a schedule, and ", training.learning_rate.text(),
             " has none");
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
        report->constant_names.clear();
        report->coarse_features.clear();
        report->coarse_names.clear();
        for (Index i = 0; i < features; ++i) {
            if (scaling.constant[i] == scaling.varied) continue;
            const bool is_coarse = scaling.constant[i] == scaling.too_coarse;
            (is_coarse ? report->coarse_features : report->constant_features).push_back(i);
            (is_coarse ? report->coarse_names : report->constant_names).push_back(feature_name(options, i));
        }
        report->clipped_features.clear();
        report->clipped_names.clear();
        for (Index i = 0; i < features; ++i) {
            const auto clipped = (training_rows.row(i).array().abs() >= scaling.limit).count();
            if (clipped == 0 || 2 * clipped < training_rows.cols()) continue;
            report->clipped_features.push_back(i);
            report->clipped_names.push_back(feature_name(options, i));
        }
        report->faulty_kernels = faulty_kernels();
        report->training = trained;
        report->latent = inspect_latent(recipe.model, detector.parameters().data(), training_rows);
    }
    return detector;
}

// What a threshold was calibrated to, and what that left of n rows.
void report_calibration(FitReport& report, const auto& threshold, Index n, std::size_t calibration,
                        std::size_t rest) {
    report.rows = n;
    report.calibration_rows = report.calibration_rows_without_overlap = static_cast<Index>(calibration);
    report.overlap_ignored = false;
    report.is_calibrated = threshold.is_calibrated();
    report.calibration_rows_needed = threshold.rows_needed();
    report.gap_rows = n - report.calibration_rows - static_cast<Index>(rest);
}

void report_overlap(FitReport& report, const auto& windows, const SplitPolicy& split) {
    const auto* block = std::get_if<LaterBlock>(&split);
    const bool too_near = block != nullptr && block->gap < windows.gap();
    report.overlap_ignored = too_near || (windows.gap() > 0 && std::holds_alternative<RandomSplit>(split));
    report.calibration_rows_without_overlap =
        block != nullptr ? windows.without_overlap(report.calibration_rows) : report.calibration_rows;
}

// The split that windows get unless another was asked for.
template <class S>
FitOptions options_for_windows(FitOptions options, const SeriesWindows<S>& windows) {
    if (std::holds_alternative<std::monostate>(options.split)) options.split = LaterBlock{windows.gap()};
    return options;
}

}  // namespace detail

/// Fits a detector to normal rows, features x n (NaN = missing). First it sets calibration rows aside that
/// nothing but the threshold reads (split.hpp says which); then it fits the scaler, trains the model, fits the score,
/// and calibrates the threshold (thresholds/rounding.hpp).
///
/// Threads: any number of fits at once, of the same recipe, rows and options too: each has the bits that it would have
/// alone. A report is one fit's own, and so is what a callback refers to or writes to.
///
/// Throws Error: options that make no sense (named), a split that leaves nothing to train on, fewer than two rows,
/// another number of features than the model's, an infinite value (named),
/// training that is not finite (step and layer named), a scaler chosen at run time that does not keep the
/// numbers that the likelihood is for, a latent chosen at run time that lacks what the score needs (those of fixed
/// type do not compile).
template <class Scaler, class Model, class ScoreType, class ThresholdPolicy, class Derived>
requires(
    detail::makes_detector<Recipe<Scaler, Model, ScoreType, ThresholdPolicy>>&& detail::Numbers<Derived>)  //
    auto fit(const Recipe<Scaler, Model, ScoreType, ThresholdPolicy>& recipe,
             const Eigen::DenseBase<Derived>& rows, const FitOptions& options = {},
             FitReport* report = nullptr) {
    using S = typename Derived::Scalar;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;
    const auto& data = rows.derived();
    detail::require_fit(recipe, data, options);

    // The calibration slice comes first, so that nothing below can have seen it.
    const CalibrationSplit split =
        calibration_split(recipe.threshold, data.cols(), options.seed, options.split);
    std::vector<Index> rest = split.rest;
    const std::size_t held_out = detail::hold_out(rest, options.split);
    auto detector = detail::fit_uncalibrated(recipe, rows, rest, held_out, true, options, report);
    const Vector scores = detector.score(detail::gather_raw<S>(data, split.calibration));
    detector.set_threshold(detail::calibrate(recipe.threshold, raised_for_rounding(scores)));
    if (report != nullptr)
        detail::report_calibration(*report, detector.threshold(), data.cols(), split.calibration.size(),
                                   rest.size());
    return detector;
}

/// The same of the windows of a series (data/windows.hpp), which are split in time unless the options say otherwise:
/// calibration and held-out windows are the last ones, and share no reading with those of training.
template <class Scaler, class Model, class ScoreType, class ThresholdPolicy, class S>
auto fit(const Recipe<Scaler, Model, ScoreType, ThresholdPolicy>& recipe, const SeriesWindows<S>& windows,
         const FitOptions& options = {}, FitReport* report = nullptr) {
    const typename SeriesWindows<S>::Map& samples = windows;
    const FitOptions all = detail::options_for_windows(options, windows);
    auto detector = fit(recipe, samples, all, report);
    if (report != nullptr) detail::report_overlap(*report, windows, all.split);
    return detector;
}

}  // namespace untoward
