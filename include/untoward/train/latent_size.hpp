// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "fit_ensemble.hpp"

// How many latent units a model should have.
//
// A rule of thumb says 5 to 10% of the features (`usual_latent_size`). `search_latent_size` asks the data: it
// trains the model with each size of a ladder around that, three times, looks at the evidence lower bound of rows
// that it was not trained on, and chooses the smallest size whose mean is within one standard error of the best
// one's: the "one standard error" rule (Breiman et al. 1984; Hastie, Tibshirani and Friedman 2009, 7.10.1).
//
//     const auto recipe = [&](Index units) {
//         return Recipe{RobustScaler{}, Vae{Vec<>(features), Encoder<Layer>(Layer(32)), Latent<>(units),
//                                           Decoder<Layer>(Layer(32)), Gaussian{}},
//                       NegativeElbo{}, Conformal{}};
//     };
//     const LatentSizeReport found = search_latent_size(recipe, rows, {.seed = 7});
//     std::puts(found.verdict().c_str());
//     const auto detector = fit(recipe(found.chosen), rows, {.seed = 7});

namespace untoward UNTOWARD_SETTING {

/// The rule of thumb: the power of two between 5 and 10% of the features; 2 where these are fewer than 40, 1
/// where there is one.
inline Index usual_latent_size(Index features) {
    Index size = std::min<Index>(2, std::max<Index>(features, 1));
    while (2 * size <= features / 10) size *= 2;
    return size;
}

/// The sizes that are tried where none are named: powers of two from 2, or from 1 with fewer than 8 features,
/// to a quarter of the features; to 8 where that is less, but no more than there are features, and to 64 where
/// it is more. The rule of thumb's is one of them, below 1,280 features.
inline std::vector<Index> latent_sizes_to_try(Index features) {
    constexpr Index least = 8;
    constexpr Index most = 64;
    const Index top = (std::min)(most, (std::max)(features / 4, (std::min)(features, least)));
    std::vector<Index> sizes;
    for (Index size = features < least ? 1 : 2; size <= top; size *= 2) sizes.push_back(size);
    return sizes;
}

/// How often each size is trained.
inline constexpr Index latent_search_trainings = 3;

/// A latent size that was tried.
struct LatentSize {
    Index size = 0;
    double bound = 0;           ///< mean evidence lower bound (beta 1) of the rows that count, nats a row
    double standard_error = 0;  ///< of that mean, by the chance in rows and in training
    Index active_units = 0;     ///< as in LatentReport, on the training rows; the median of the trainings
};

/// What the search found out.
struct LatentSizeReport {
    Index chosen = 0;
    Index best = 0;                 ///< the size with the best bound
    Index usual = 0;                ///< what the rule of thumb would have been
    std::vector<LatentSize> tried;  ///< by rising size
    Index validation_rows = 0;      ///< that judged, each in one training, which did not see it
    Index rows_that_count = 0;      ///< of those: all but the tenth that no size fits
    /// By how much the mean of one training differs, a standard deviation in nats a row, from what size and
    /// rows explain: from seed to seed.
    double training_chance = 0;

    /// What was found of a size. Throws Error where it was not tried.
    [[nodiscard]] const LatentSize& of(Index size) const {
        for (const LatentSize& one : tried) {
            if (one.size == size) return one;
        }
        fail("latent size ", size, " was not tried");
    }
    /// One sentence for a person.
    [[nodiscard]] std::string verdict() const {
        const LatentSize& choice = of(chosen);
        char text[200];
        if (chosen == best) {
            std::snprintf(text, sizeof text, "the best held-out likelihood of %s",
                          tried.size() == 1 ? "the one size tried" : "those tried");
        } else {
            std::snprintf(
                text, sizeof text,
                "the smallest with a held-out likelihood within one standard error (%.3g nats a row) "
                "of the best, which has %lld",
                of(best).standard_error, static_cast<long long>(best));
        }
        std::string verdict =
            units_text(chosen) + ", " + std::to_string(choice.active_units) + " active: " + text;
        verdict += "; the rule of 5 to 10% of the features would say " + std::to_string(usual);
        if (choice.active_units == 0) {
            verdict += "; no unit says anything of a row: the features look independent";
        } else if (const Index enough = smallest_with_room(choice); enough < chosen) {
            verdict +=
                "; " + std::to_string(enough) + " would have room for those active, but trained less well";
        } else if (chosen == tried.back().size && tried.size() > 1) {
            verdict += "; larger ones were not tried, and may be better";
        }
        return verdict;
    }
    /// A line for each size, without line ends: what it scored and how sure that is.
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> result;
        for (const LatentSize& one : tried) {
            char text[200];
            std::snprintf(text, sizeof text, "%s: -ELBO %.4g +- %.2g nats a row, %lld active%s",
                          units_text(one.size).c_str(), -one.bound, one.standard_error,
                          static_cast<long long>(one.active_units), one.size == chosen ? ", chosen" : "");
            result.push_back(text);
        }
        return result;
    }

private:
    // The smallest size that was tried with as many units as are active in this one.
    [[nodiscard]] Index smallest_with_room(const LatentSize& choice) const {
        for (const LatentSize& one : tried) {
            if (one.size >= choice.active_units) return one.size;
        }
        return choice.size;
    }
    static std::string units_text(Index size) {
        return std::to_string(size) + (size == 1 ? " latent unit" : " latent units");
    }
};

namespace detail {

// The mean of some numbers, and its variance where the largest `beyond` of more were left out: by the variance of
// all, each of those taken for as large as the largest that is here (Tukey and McLaughlin 1963). Where numbers are
// not finite, it is infinite.
inline std::pair<double, double> trimmed_mean(const std::vector<double>& values, std::size_t beyond) {
    const auto n = static_cast<double>(values.size());
    const auto more = static_cast<double>(beyond);
    double sum = 0;
    for (const double value : values) sum += value;
    const double largest = *std::max_element(values.begin(), values.end());
    const double centre = (sum + more * largest) / (n + more);
    double squares = more * (largest - centre) * (largest - centre);
    for (const double value : values) squares += (value - centre) * (value - centre);
    const double variance = squares / (n + more - 1) * (n + more) / (n * n);
    return {sum / n, std::isfinite(variance) ? variance : std::numeric_limits<double>::infinity()};
}

// The variance of what row and column do not explain in a table of means, [size][training]: the interaction of
// an analysis of variance in two ways. 0 where there is one row or one column.
inline double unexplained_variance(const std::vector<std::vector<double>>& means) {
    if (means.size() < 2 || means[0].size() < 2) return 0;
    const auto rows = static_cast<double>(means.size());
    const auto columns = static_cast<double>(means[0].size());
    std::vector<double> of_column(means[0].size());
    std::vector<double> of_row;
    double of_all = 0;
    for (const std::vector<double>& row : means) {
        of_row.push_back(std::accumulate(row.begin(), row.end(), 0.0) / columns);
        of_all += of_row.back() / rows;
        for (std::size_t k = 0; k < row.size(); ++k) of_column[k] += row[k] / rows;
    }
    double squares = 0;
    for (std::size_t i = 0; i < means.size(); ++i) {
        for (std::size_t k = 0; k < of_column.size(); ++k) {
            const double rest = means[i][k] - of_row[i] - of_column[k] + of_all;
            squares += rest * rest;
        }
    }
    return squares / ((rows - 1) * (columns - 1));
}

// The choice among sizes, rising, from the -ELBO of the same rows under each, losses[size][row], and the number,
// from 0, of the training that judges each row.
inline LatentSizeReport choose_latent_size(const std::vector<Index>& sizes,
                                           const std::vector<std::vector<double>>& losses,
                                           const std::vector<std::size_t>& training_of) {
    // A row is left out where even the size that suits it best fits it badly, so that all are judged by the
    // same rows.
    const std::size_t rows = training_of.size();
    std::vector<double> least(rows, std::numeric_limits<double>::infinity());
    for (const std::vector<double>& of_size : losses) {
        for (std::size_t j = 0; j < rows; ++j) least[j] = (std::min)(least[j], of_size[j]);
    }
    std::vector<std::size_t> order(rows);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&least](std::size_t a, std::size_t b) { return least[a] < least[b]; });
    order.resize(typical_count(rows));

    LatentSizeReport report;
    report.validation_rows = static_cast<Index>(rows);
    report.rows_that_count = static_cast<Index>(order.size());
    const std::size_t trainings = training_of.back() + 1;
    std::vector<double> counts(trainings);
    for (const std::size_t row : order) ++counts[training_of[row]];
    std::vector<std::vector<double>> means;  // of sizes whose bound is finite
    std::vector<double> variances;           // of the means over rows
    std::size_t best = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        std::vector<double> values;
        std::vector<double> of_training(trainings);
        for (const std::size_t row : order) {
            values.push_back(losses[i][row]);
            of_training[training_of[row]] += losses[i][row] / counts[training_of[row]];
        }
        const auto [mean, variance] = trimmed_mean(values, rows - order.size());
        variances.push_back(variance);
        report.tried.push_back({.size = sizes[i], .bound = -mean});
        if (-mean > report.tried[best].bound) best = i;
        if (std::isfinite(mean)) means.push_back(std::move(of_training));
    }
    if (means.empty())
        fail(
            "no latent size gives all held-out rows a finite likelihood; look for extreme values, or lower "
            "the ",
            "learning rate");
    const double chance = unexplained_variance(means);
    report.training_chance = std::sqrt(chance);
    for (std::size_t i = 0; i < sizes.size(); ++i)
        report.tried[i].standard_error = std::sqrt(variances[i] + chance / static_cast<double>(trainings));
    const LatentSize& winner = report.tried[best];
    report.best = winner.size;
    for (const LatentSize& one : report.tried) {
        if (report.chosen == 0 && one.bound >= winner.bound - winner.standard_error) report.chosen = one.size;
    }
    return report;
}

// Throws Error where a model is not what a search can compare.
void require_latent_size(const auto& model, Index size, Index features) {
    if (model.latent.units.size() != size || model.sample.size() != features)
        fail("asked for a recipe of ", size, " latent units and ", features, " features, got one of ",
             model.latent.units.size(), " and ", model.sample.size());
    if (is_deterministic(model.latent))
        fail("a latent without noise has no likelihood to choose its size by: more units always look better");
}

}  // namespace detail

/// Tries latent sizes for normal rows, features x n (NaN = missing): `make(size)` is a recipe with so many
/// latent units, of parts of fixed types or chosen at run time. All sizes have the first recipe's scaler and
/// threshold, the same rows, seed and options; scores are not fitted. An empty list of sizes stands for
/// `latent_sizes_to_try`.
///
/// The calibration rows that `fit` would set aside stay unseen, so `fit` with the size that was chosen keeps its
/// promise. Of the others a fifth judges, and neither trains nor chooses a step; three times, with another fifth
/// and another seed. Of the rows that judge, the tenth does not count whose bound is lowest under whatever size
/// suits it best: as everywhere in training, in heavy tails it would drown all else.
///
/// The standard error is that of the best one's mean, as the rule has it. It has two parts: the chance in which
/// rows judge, and that in training (weights and batches), which three trainings of several sizes tell of. The
/// standard error of the paired differences of rows would be smaller, but knows nothing of the second part: for 12
/// columns from 3 factors, `training_chance` is 0.1 to 0.2 nats, more than what sizes from 3 up differ by.
///
/// Throws Error: no size, or one below 1; fewer than 50 rows beside those for calibration; a recipe of another
/// size than was asked for; a latent without noise, whose "bound" only grows with the size; and what `fit` does.
template <class Make, class Derived>
LatentSizeReport search_latent_size(const Make& make, const Eigen::DenseBase<Derived>& rows,
                                    const FitOptions& options = {}, std::vector<Index> sizes = {}) {
    using S = typename Derived::Scalar;
    const auto& data = rows.derived();
    if (sizes.empty()) sizes = latent_sizes_to_try(data.rows());
    if (sizes.empty()) fail("there is no latent size to try: the rows have no features");
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    if (sizes.front() < 1) fail("a model has 1 latent unit or more, not ", sizes.front());

    const auto first = make(sizes.front());
    detail::require_fit(first, data, options);
    const CalibrationSplit split =
        calibration_split(first.threshold, data.cols(), options.seed, options.split);
    constexpr std::size_t least = 50;
    constexpr Index draws = 8;
    if (split.rest.size() < least)
        fail("a search for the latent size needs ", least, " rows beside ", split.calibration.size(),
             " for calibration; there are ", split.rest.size());
    std::vector<std::vector<double>> losses(sizes.size());
    std::vector<std::vector<Index>> active(sizes.size());
    std::vector<std::size_t> training_of;
    Threads threads(options.training.threads);
    for (Index k = 0; k < latent_search_trainings; ++k) {
        std::vector<Index> order = split.rest;
        const std::size_t judges = detail::hold_out_fold(k, order, options.split);
        std::vector<Index> others(order.begin() + static_cast<std::ptrdiff_t>(judges), order.end());
        const std::size_t held_out = detail::hold_out(others, options.split);
        const std::span<const Index> known(others);
        const auto scaling = detail::fit_scaler(first.scaler, detail::gather_raw<S>(data, known));
        const auto judging = detail::gather_scaled<S>(data, scaling, std::span(order).first(judges));
        const auto choosing = detail::gather_scaled<S>(data, scaling, known.first(held_out));
        const auto training = detail::gather_scaled<S>(data, scaling, known.subspan(held_out));
        training_of.insert(training_of.end(), judges, static_cast<std::size_t>(k));
        const FitOptions own = detail::options_of_member(options, k);
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const auto recipe = make(sizes[i]);
            const auto& model = recipe.model;
            detail::require_latent_size(model, sizes[i], data.rows());
            try {
                const Buffer<S> parameters = detail::train_new<S>(model, training, choosing, own).parameters;
                const auto more = detail::sample_losses(model, parameters.data(), judging, threads, draws,
                                                        detail::Draws::of_each_row);
                losses[i].insert(losses[i].end(), more.begin(), more.end());
                active[i].push_back(inspect_latent(model, parameters.data(), training).active_units);
            } catch (const Error& error) {
                fail("latent size ", sizes[i], ": ", error.what());
            }
        }
    }
    LatentSizeReport report = detail::choose_latent_size(sizes, losses, training_of);
    report.usual = usual_latent_size(data.rows());
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        std::sort(active[i].begin(), active[i].end());
        report.tried[i].active_units = active[i][active[i].size() / 2];
    }
    return report;
}

/// The same for the windows of a series (data/windows.hpp), which are split in time unless the options say otherwise.
template <class Make, class S>
LatentSizeReport search_latent_size(const Make& make, const SeriesWindows<S>& windows,
                                    const FitOptions& options = {}, std::vector<Index> sizes = {}) {
    const typename SeriesWindows<S>::Map& samples = windows;
    return search_latent_size(make, samples, detail::options_for_windows(options, windows), std::move(sizes));
}

}  // namespace untoward
