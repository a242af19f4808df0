// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "fit.hpp"

// How many latent units a model should have.
//
// A rule of thumb says 5 to 10% of the features (`usual_latent_size`). `search_latent_size` asks the data: it
// trains the model with each size of a ladder around that, looks at the evidence lower bound of rows that none
// of them was trained on, and chooses the smallest size whose mean is within one standard error of the best
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

namespace untoward {

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
    const Index top = std::min(most, std::max(features / 4, std::min(features, least)));
    std::vector<Index> sizes;
    for (Index size = features < least ? 1 : 2; size <= top; size *= 2) sizes.push_back(size);
    return sizes;
}

/// A latent size that was tried.
struct LatentSize {
    Index size = 0;
    double bound = 0;           ///< mean evidence lower bound (beta 1) of the rows that count, nats a row
    double standard_error = 0;  ///< of that mean
    double behind = 0;          ///< mean difference from the best one's bound of the same row, 0 or more
    double behind_error = 0;    ///< standard error of that mean
    Index active_units = 0;     ///< on the training rows, as in LatentReport
};

/// What the search found out.
struct LatentSizeReport {
    Index chosen = 0;
    Index best = 0;                 ///< the size with the best bound
    Index usual = 0;                ///< what the rule of thumb would have been
    std::vector<LatentSize> tried;  ///< by rising size
    Index training_rows = 0;        ///< among them those that chose the best step
    Index validation_rows = 0;      ///< that judged, and nothing else
    Index rows_that_count = 0;      ///< of those: all but the tenth that no size fits

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
            std::snprintf(text, sizeof text,
                          "%s: -ELBO %.4g +- %.2g nats a row, behind the best %.2g +- %.2g, %lld active%s",
                          units_text(one.size).c_str(), -one.bound, one.standard_error, one.behind,
                          one.behind_error, static_cast<long long>(one.active_units),
                          one.size == chosen ? ", chosen" : "");
            result.push_back(text);
        }
        return result;
    }

private:
    static std::string units_text(Index size) {
        return std::to_string(size) + (size == 1 ? " latent unit" : " latent units");
    }
};

namespace detail {

// The mean of some numbers, and its standard error where the largest `beyond` of more were left out: by the
// variance of all, each of those taken for as large as the largest that is here (Tukey and McLaughlin 1963). With
// 0 it is the usual one; where numbers are not finite, it is infinite.
inline std::pair<double, double> mean_and_error(const std::vector<double>& values, std::size_t beyond) {
    const auto n = static_cast<double>(values.size());
    const auto more = static_cast<double>(beyond);
    double sum = 0;
    for (const double value : values) sum += value;
    const double largest = *std::max_element(values.begin(), values.end());
    const double centre = (sum + more * largest) / (n + more);
    double squares = more * (largest - centre) * (largest - centre);
    for (const double value : values) squares += (value - centre) * (value - centre);
    const double error = std::sqrt(squares / (n + more - 1) * (n + more)) / n;
    return {sum / n, std::isfinite(error) ? error : std::numeric_limits<double>::infinity()};
}

// The choice among sizes, rising, from the -ELBO of the same rows under each: losses[size][row].
inline LatentSizeReport choose_latent_size(const std::vector<Index>& sizes,
                                           const std::vector<std::vector<double>>& losses) {
    // A row is left out where even the size that suits it best fits it badly, so that all are judged by the
    // same rows.
    const std::size_t rows = losses.front().size();
    std::vector<double> least(rows, std::numeric_limits<double>::infinity());
    for (const std::vector<double>& of_size : losses) {
        for (std::size_t j = 0; j < rows; ++j) least[j] = std::min(least[j], of_size[j]);
    }
    std::vector<std::size_t> order(rows);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&least](std::size_t a, std::size_t b) { return least[a] < least[b]; });
    order.resize(typical_count(rows));

    LatentSizeReport report;
    report.validation_rows = static_cast<Index>(rows);
    report.rows_that_count = static_cast<Index>(order.size());
    std::size_t best = 0;
    const auto of_rows = [&](auto&& number) {
        std::vector<double> values;
        for (const std::size_t row : order) values.push_back(number(row));
        return values;
    };
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        const auto [mean, error] =
            mean_and_error(of_rows([&](std::size_t row) { return losses[i][row]; }), rows - order.size());
        report.tried.push_back({.size = sizes[i], .bound = -mean, .standard_error = error});
        if (-mean > report.tried[best].bound) best = i;
    }
    const LatentSize& winner = report.tried[best];
    if (!std::isfinite(winner.bound))
        fail(
            "no latent size gives all held-out rows a finite likelihood; look for extreme values, or lower "
            "the "
            "learning rate");
    report.best = winner.size;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        LatentSize& one = report.tried[i];
        if (i != best) {
            // A row is not left out by how it differs.
            const auto behind = of_rows([&](std::size_t row) { return losses[i][row] - losses[best][row]; });
            std::tie(one.behind, one.behind_error) = mean_and_error(behind, 0);
        }
        if (report.chosen == 0 && one.bound >= winner.bound - winner.standard_error) report.chosen = one.size;
    }
    return report;
}

// The parameters of a model that is trained on scaled rows.
template <class S, class Model>
Buffer<S> train_for_size(const Model& model, const Eigen::Matrix<S, Dynamic, Dynamic>& held_out,
                         const Eigen::Matrix<S, Dynamic, Dynamic>& rows, const TrainingOptions& options) {
    Buffer<S> parameters(measure(NegativeElboLoss<Model>{model}, model.sample).scalars);
    initialise(parameters.data(), options.seed, model, model.sample);
    Trainer trainer(model, parameters, rows, options);
    trainer.run(held_out);
    return parameters;
}

}  // namespace detail

/// Tries latent sizes for normal rows, features x n (NaN = missing): `make(size)` is a recipe with so many
/// latent units, of parts of fixed types or chosen at run time. All sizes have the first recipe's scaler and
/// threshold, the same rows, seed and options; scores are not fitted. An empty list of sizes stands for
/// `latent_sizes_to_try`.
///
/// The calibration rows that `fit` would set aside stay unseen, so `fit` with the size that was chosen keeps its
/// promise. A fifth of the others judges, and neither trains nor chooses a step. Of these rows the tenth does
/// not count whose bound is lowest under whatever size suits it best: as everywhere in training, in heavy tails
/// it would drown all else.
///
/// The standard error is that of the best one's mean over rows, as the rule has it, not that of the paired
/// differences, which is reported beside (`behind_error`) and far smaller: the paired one knows of the chance
/// in which rows judge, but not of that in training (initial weights, batches), by which the same size comes
/// out better or worse from seed to seed. By the wider margin a smaller size is also chosen where there are few
/// rows to tell.
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
    const CalibrationSplit split = calibration_split(first.threshold, data.cols(), options.seed);
    constexpr std::size_t least = 50;
    if (split.rest.size() < least)
        fail("a search for the latent size needs ", least, " rows beside ", split.calibration.size(),
             " for calibration; there are ", split.rest.size());
    const std::span<const Index> rest(split.rest);
    const std::size_t known = rest.size() - rest.size() / 5;
    const std::size_t held_out = detail::held_out_of(known);
    const auto scaling = detail::fit_scaler(first.scaler, detail::gather_raw<S>(data, rest.first(known)));
    const auto choosing = detail::gather_scaled<S>(data, scaling, rest.first(held_out));
    const auto training = detail::gather_scaled<S>(data, scaling, rest.subspan(held_out, known - held_out));
    const auto judging = detail::gather_scaled<S>(data, scaling, rest.subspan(known));

    TrainingOptions how = options.training;
    how.seed = options.seed;
    if (options.epochs > 0) how.epochs = options.epochs;
    Threads threads(how.threads);
    std::vector<std::vector<double>> losses;
    std::vector<Index> active;
    for (const Index size : sizes) {
        const auto recipe = make(size);
        const auto& model = recipe.model;
        if (model.latent.units.size() != size || model.sample.size() != data.rows())
            fail("asked for a recipe of ", size, " latent units and ", data.rows(), " features, got one of ",
                 model.latent.units.size(), " and ", model.sample.size());
        if (detail::is_deterministic(model.latent))
            fail(
                "a latent without noise has no likelihood to choose its size by: more units always look "
                "better");
        try {
            const Buffer<S> parameters = detail::train_for_size(model, choosing, training, how);
            losses.push_back(detail::sample_losses(model, parameters.data(), judging, threads));
            active.push_back(inspect_latent(model, parameters.data(), training).active_units);
        } catch (const Error& error) {
            fail("latent size ", size, ": ", error.what());
        }
    }
    LatentSizeReport report = detail::choose_latent_size(sizes, losses);
    for (std::size_t i = 0; i < sizes.size(); ++i) report.tried[i].active_units = active[i];
    report.usual = usual_latent_size(data.rows());
    report.training_rows = static_cast<Index>(known);
    return report;
}

}  // namespace untoward
