// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "../generate.hpp"
#include "latent_report.hpp"

// What a trained model has become, beyond its loss: whether the latent units say anything of the data
// (`inspect_latent`, `inspect_information`), whether the decoder listens to them (`inspect_decoder`), and
// whether all kinds of rows can come out of it (`inspect_coverage`). `diagnose` asks all four. Rows are
// scaled, features x n; each report has numbers and, for a person, a verdict: what it means and what to do.

namespace untoward UNTOWARD_SETTING {

/// How much is looked at: at most `rows` rows of each set, chosen by the seed, which also keys all draws.
struct DiagnosticsOptions {
    Index rows = 1000;
    std::uint64_t seed = 0;

    static constexpr const char* name = "diagnostics-options";
    static constexpr void options(auto& self, auto&& visit) {
        visit("rows", self.rows, at_least(1));
        visit("seed", self.seed);
    }
};

/// How much z says of x.
struct InformationReport {
    Index rows = 0;  ///< 0: not known, for a posterior without a density
    /// I(x; z) under q(z|x) of a random row: the mean over rows of log q(z_i|x_i) - log(1/n sum_j
    /// q(z_i|x_j)), one draw z_i ~ q(z|x_i) each, nats (Hoffman and Johnson 2016; He et al. 2019). For these
    /// n rows it is right up to the noise of the draws; for the distribution that they come from it is too
    /// small, and never more than log n, since each row is part of its own mixture.
    double mutual_information = 0;
    double kl = 0;  ///< mean over rows of KL(q(z|x) || p(z))
    /// KL of the rows' mixture of posteriors from the prior: kl - mutual_information. Large where the prior
    /// generates codes that the encoder never gives.
    [[nodiscard]] double marginal_kl() const { return kl - mutual_information; }
    [[nodiscard]] double limit() const { return std::log(static_cast<double>(rows)); }

    [[nodiscard]] std::string verdict() const {
        if (rows == 0) return "z and x: the posterior has no density, so their information is not known";
        char text[300];
        const char* meaning = "";
        if (mutual_information < 0.1) {
            meaning = ": the code says nothing of the sample; lower beta, use free bits or a cyclical beta";
        } else if (mutual_information > 0.9 * limit()) {
            meaning =
                ", about all that so many rows can show: every row has a code of its own, and it may be more";
        } else if (marginal_kl() > (std::max)(1.0, mutual_information)) {
            meaning =
                ", but codes lie unlike the prior: samples drawn from it will be unlike the data; raise beta "
                "or train "
                "longer";
        }
        // An estimate may be a little below zero.
        std::snprintf(text, sizeof text, "z tells %.2f nats of x%s", (std::max)(0.0, mutual_information),
                      meaning);
        return text;
    }
};

/// Whether the decoder uses z.
struct DecoderReport {
    Index rows = 0;
    double log_density = 0;  ///< mean over rows of log p(x|z), z ~ q(z|x), nats per sample
    double shuffled = 0;     ///< the same with the z of another row

    /// What the right code is worth to the decoder, nats per sample.
    [[nodiscard]] double gain() const { return log_density - shuffled; }
    [[nodiscard]] bool ignores_code() const { return !(gain() >= 0.05); }

    [[nodiscard]] std::string verdict() const {
        char text[300];
        std::snprintf(text, sizeof text,
                      ignores_code() ? "another row's code does as well (%.2g nats): the decoder ignores z "
                                       "and answers the same for "
                                       "every sample; lower beta, use free bits, or a weaker decoder"
                                     : "the right code is worth %.3g nats per sample to the decoder",
                      gain());
        return text;
    }
};

/// Whether what the model generates is found wherever data are.
struct CoverageReport {
    static constexpr Index neighbours = 5;

    Index rows = 0;        ///< that were looked at; 0: not known, for a latent without a prior
    Index generated = 0;   ///< samples x ~ p(x|z), z ~ p(z); as many as reference rows
    bool held_out = true;  ///< false: no row was held out, half of the training rows stood in for them
    /// The share of rows whose nearest generated sample is no further away than their fifth nearest training
    /// row (coverage of Naeem et al. 2020 with k = 5, about rows that were held out).
    double coverage = 0;

    /// The share of generated samples that are no further from some training row than its fifth nearest other
    /// one (precision of Kynkaanniemi et al. 2019 with k = 5): low where samples lie beside the data.
    double precision = 0;

    /// What `coverage` would be if the model were the data's distribution: a row is missed when its five
    /// nearest of training rows and as many generated samples together are all training rows.
    [[nodiscard]] double expected() const {
        double missed = 1;
        for (Index i = 0; i < neighbours; ++i)
            missed *= static_cast<double>(generated - i) / static_cast<double>(2 * generated - i);
        return 1 - missed;
    }
    [[nodiscard]] std::string verdict() const {
        if (rows == 0)
            return "coverage is not known: the latent has no prior to generate from, or rows are too few";
        const char* meaning = ", all kinds of rows can be generated";
        if (coverage < 0.85 * expected() && precision < 0.5) {
            meaning =
                ", and most generated samples lie beside the data: the likelihood's spread is too wide, or "
                "codes lie "
                "unlike the prior; learn the variance, train longer, or raise beta";
        } else if (coverage < 0.5 * expected()) {
            meaning =
                ": whole kinds of rows are never generated; train longer, with more latent units or a lower "
                "beta";
        } else if (coverage < 0.85 * expected()) {
            meaning = ": some kinds of rows are rarely generated; look which, and try more latent units";
        }
        char text[400];
        std::snprintf(text, sizeof text,
                      "%.0f%% of %s rows have a generated sample nearby (%.0f%% at best)%s", 100 * coverage,
                      held_out ? "held-out" : "training", 100 * expected(), meaning);
        return text;
    }
};

/// All of it.
struct Diagnosis {
    LatentReport latent;
    InformationReport information;
    DecoderReport decoder;
    CoverageReport coverage;

    /// A sentence for each, and one for the KL of the latent units.
    [[nodiscard]] std::vector<std::string> verdicts() const {
        return {latent.verdict(), latent.kl_verdict(), information.verdict(), decoder.verdict(),
                coverage.verdict()};
    }
};

namespace detail {

// What draws and choices of the diagnostics are for: no two share their noise.
enum DiagnosticStage : std::uint32_t { of_posterior = 100, of_prior, of_likelihood, of_rows };

// The posterior's own draw, as a layer.
template <class Model>
struct DrawPosterior {
    [[no_unique_address]] Model model;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto parts = model.bind(scope);
        const auto posterior = parts.encode(x);
        return model.latent.sample(scope, posterior);
    }
};

// log p(x_d|z) of every element for given z.
template <class Model>
struct LogDensityGiven {
    [[no_unique_address]] Model model;

    template <class Scope, class X, class Z>
    constexpr auto operator()(Scope& scope, const X& x, const Z& z) const {
        auto parts = model.bind(scope);
        const auto output = parts.decode(z);
        return model.likelihood.log_density(scope, x, output);
    }
};

// log q(z|x) for given z: every element's share, or one number.
template <class Model>
struct PosteriorDensity {
    [[no_unique_address]] Model model;

    template <class Scope, class X, class Z>
    constexpr auto operator()(Scope& scope, const X& x, const Z& z) const {
        auto parts = model.bind(scope);
        const auto posterior = parts.encode(x);
        return posterior.log_density(scope, z);
    }
};

template <class S, class Model, class Scope = Run<S>>
concept PosteriorHasDensity = requires(const PosteriorDensity<Model>& layer, Scope& scope,
                                       Tensor<const S, typename Model::SampleShape> x) {
    layer.model.bind(scope).encode(x).log_density(
        scope, layer.model.latent.mean(scope, layer.model.bind(scope).encode(x)));
};

// At most `most` columns, in random order.
template <class S>
Eigen::Matrix<S, Dynamic, Dynamic> some_columns(const Eigen::Matrix<S, Dynamic, Dynamic>& rows, Index most,
                                                std::uint64_t seed) {
    std::vector<Index> order(static_cast<std::size_t>(rows.cols()));
    permutation(seed, of_rows, std::span<Index>(order));
    Eigen::Matrix<S, Dynamic, Dynamic> result(rows.rows(), (std::min)(most, rows.cols()));
    for (Index j = 0; j < result.cols(); ++j) result.col(j) = rows.col(order[static_cast<std::size_t>(j)]);
    return result;
}

// Squared distances from one point to all columns.
template <class S, class Column>
Eigen::ArrayXd squared_distances(const Eigen::Matrix<S, Dynamic, Dynamic>& rows, const Column& point) {
    return (rows.colwise() - point).colwise().squaredNorm().transpose().array().template cast<double>();
}

// A template, like all that computes here, so that only programs that ask compile it.
template <class Array>
double kth_smallest(Array values, Index k) {
    std::nth_element(values.begin(), values.begin() + (k - 1), values.end());
    return values(k - 1);
}

// values[i] - log(mean of exp(values))
template <class Array>
double log_share(const Array& values, Index i) {
    const double most = values.maxCoeff();
    return values(i) - most - std::log((values - most).exp().mean());
}

}  // namespace detail

/// See InformationReport. Takes time in proportion to the square of the rows looked at.
template <class S, class Model>
InformationReport inspect_information(const Model& model, const S* parameters,
                                      const Eigen::Matrix<S, Dynamic, Dynamic>& rows,
                                      const DiagnosticsOptions& options = {}) {
    detail::require_features(rows.rows(), rows.cols(), model.sample.size(), "the model");
    require_options(options);
    InformationReport report;
    if (detail::is_deterministic(model.latent)) return report;
    if constexpr (detail::PosteriorHasDensity<S, Model>) {
        using Sample = typename Model::SampleShape;
        const auto x = detail::some_columns(rows, options.rows, options.seed);
        const Index n = x.cols();
        if (n == 0) return report;
        const auto z = detail::run_over_columns(detail::DrawPosterior<Model>{model}, parameters, model.sample,
                                                x, options.seed, detail::of_posterior);
        const detail::PosteriorDensity<Model> layer{model};
        Buffer<std::byte> memory(
            static_cast<Index>(count<S>(layer, n, model.sample, model.latent.units).run_bytes));
        Arena arena(memory);
        Run<S> scope(parameters, arena);
        auto parts = model.bind(scope);
        const auto posterior = parts.encode(scope.input(Tensor<const S, Sample>(x.data(), model.sample, n)));
        const std::size_t mark = arena.used();
        double total = 0;
        for (Index i = 0; i < n; ++i) {
            // log q(z_i|x_j) of all j: the posteriors are computed once.
            const auto density = posterior.log_density(
                scope, Tensor<const S, std::remove_cvref_t<decltype(model.latent.units)>>(
                           z.data() + i * z.rows(), model.latent.units, 1));
            total += detail::log_share(
                Eigen::ArrayXd(density.matrix().array().template cast<double>().colwise().sum().transpose()),
                i);
            arena.rewind(mark);
        }
        report.rows = n;
        report.mutual_information = total / static_cast<double>(n);
        for (const double kl : inspect_latent(model, parameters, x).kl_per_unit) report.kl += kl;
    }
    return report;
}

/// See DecoderReport.
template <class S, class Model>
DecoderReport inspect_decoder(const Model& model, const S* parameters,
                              const Eigen::Matrix<S, Dynamic, Dynamic>& rows,
                              const DiagnosticsOptions& options = {}) {
    using Sample = typename Model::SampleShape;
    using Units = std::remove_cvref_t<decltype(model.latent.units)>;
    detail::require_features(rows.rows(), rows.cols(), model.sample.size(), "the model");
    require_options(options);
    DecoderReport report;
    // In random order, so that the next row is another at random.
    const auto x = detail::some_columns(rows, options.rows, options.seed);
    const Index n = x.cols();
    report.rows = n;
    if (n == 0) return report;
    const auto z = detail::run_over_columns(detail::DrawPosterior<Model>{model}, parameters, model.sample, x,
                                            options.seed, detail::of_posterior);
    Eigen::Matrix<S, Dynamic, Dynamic> others(z.rows(), n);
    for (Index j = 0; j < n; ++j) others.col(j) = z.col((j + 1) % n);
    const detail::LogDensityGiven<Model> layer{model};
    Buffer<std::byte> memory(
        static_cast<Index>(count<S>(layer, n, model.sample, model.latent.units).run_bytes));
    const auto mean_log_density = [&](const Eigen::Matrix<S, Dynamic, Dynamic>& codes) {
        Arena arena(memory);
        Run<S> scope(parameters, arena);
        const auto density = layer(scope, scope.input(Tensor<const S, Sample>(x.data(), model.sample, n)),
                                   scope.input(Tensor<const S, Units>(codes.data(), model.latent.units, n)));
        return density.matrix().template cast<double>().sum() / static_cast<double>(n);
    };
    report.log_density = mean_log_density(z);
    report.shuffled = mean_log_density(others);
    return report;
}

/// See CoverageReport: distances are between scaled samples. Takes time in proportion to the square of the
/// rows looked at.
template <class S, class Model>
CoverageReport inspect_coverage(const Model& model, const S* parameters,
                                const Eigen::Matrix<S, Dynamic, Dynamic>& training_rows,
                                const Eigen::Matrix<S, Dynamic, Dynamic>& held_out_rows,
                                const DiagnosticsOptions& options = {}) {
    using Matrix = Eigen::Matrix<S, Dynamic, Dynamic>;
    detail::require_features(training_rows.rows(), training_rows.cols(), model.sample.size(), "the model");
    detail::require_features(held_out_rows.rows(), held_out_rows.cols(), model.sample.size(), "the model");
    require_options(options);
    CoverageReport report;
    if (detail::is_deterministic(model.latent)) return report;
    if constexpr (requires(Run<S> & scope) { model.latent.prior(scope, Index{1}); }) {
        Matrix reference = detail::some_columns(training_rows, options.rows, options.seed);
        Matrix asked = detail::some_columns(held_out_rows, options.rows, options.seed);
        report.held_out = asked.cols() > 0;
        if (!report.held_out) {
            const Index half = reference.cols() / 2;
            asked = reference.leftCols(half).eval();
            reference = reference.rightCols(reference.cols() - half).eval();
        }
        constexpr Index k = CoverageReport::neighbours;
        const Index n = reference.cols();
        if (n <= k || asked.cols() == 0) return report;
        const auto z = detail::run_over_columns(DrawPrior<Model>{model}, parameters, Vec<1>{},
                                                Matrix(Matrix::Zero(1, n)), options.seed, detail::of_prior);
        const auto generated =
            detail::run_over_columns(Decode<Model>{model, true}, parameters, model.latent.units, z,
                                     options.seed, detail::of_likelihood);
        Index covered = 0;
        for (Index j = 0; j < asked.cols(); ++j) {
            const double radius = detail::kth_smallest(detail::squared_distances(reference, asked.col(j)), k);
            covered += detail::squared_distances(generated, asked.col(j)).minCoeff() <= radius ? 1 : 0;
        }
        Eigen::ArrayXd radii(n);
        for (Index j = 0; j < n; ++j) {  // the nearest of all is the row itself
            radii(j) = detail::kth_smallest(detail::squared_distances(reference, reference.col(j)), k + 1);
        }
        Index precise = 0;
        for (Index j = 0; j < n; ++j)
            precise += (detail::squared_distances(reference, generated.col(j)) <= radii).any() ? 1 : 0;
        report.precision = static_cast<double>(precise) / static_cast<double>(n);
        report.rows = asked.cols();
        report.generated = n;
        report.coverage = static_cast<double>(covered) / static_cast<double>(asked.cols());
    }
    return report;
}

/// All reports on a model with these parameters; the first three look at training rows.
template <class S, class Model>
Diagnosis diagnose(const Model& model, const S* parameters,
                   const Eigen::Matrix<S, Dynamic, Dynamic>& training_rows,
                   const Eigen::Matrix<S, Dynamic, Dynamic>& held_out_rows,
                   const DiagnosticsOptions& options = {}) {
    return {inspect_latent(model, parameters, training_rows),
            inspect_information(model, parameters, training_rows, options),
            inspect_decoder(model, parameters, training_rows, options),
            inspect_coverage(model, parameters, training_rows, held_out_rows, options)};
}

/// The same of a fitted detector, for rows in the data's unit (features x n, NaN = missing): those it was
/// fitted to, and others like them, or none.
///
///     for (const auto& sentence : untoward::diagnose(detector, train, test).verdicts())
///         std::puts(sentence.c_str());
template <class RecipeType, class Storage, class Derived, class Other>
Diagnosis diagnose(const Detector<RecipeType, Storage>& detector,
                   const Eigen::DenseBase<Derived>& training_rows,
                   const Eigen::DenseBase<Other>& held_out_rows, const DiagnosticsOptions& options = {}) {
    return diagnose(detector.recipe().model, detector.parameters().data(),
                    detail::scaled_columns(detector, training_rows),
                    detail::scaled_columns(detector, held_out_rows), options);
}

}  // namespace untoward
