// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <untoward/dynamic/detector.hpp>
#include <untoward/dynamic/training.hpp>
#include <untoward/io/checkpoint.hpp>
#include <untoward/io/run_log.hpp>
#include <untoward/train/progress.hpp>
#include <untoward/train/time_limit.hpp>

#include "commands.hpp"
#include "network.hpp"

// What the command line chose, as parts of the library.

namespace program {

// Half of the features, between 2 and 16: what the quality of the default was measured with.
inline untoward::Index default_latent_units(untoward::Index features) {
    return std::min(features, std::clamp<untoward::Index>(features / 2, 2, 16));
}

/// Whether the rows are asked how many latent units there should be.
inline bool is_latent_search(const FitArguments& arguments) {
    return arguments.latent == "search";
}

/// The encoder's and the decoder's layers as text: dense layers of the sizes of --hidden, in the decoder in
/// reverse; or what --encoder and --decoder say.
inline untoward::VaeText model_text(const FitArguments& arguments, untoward::Index features) {
    namespace io = untoward::io;
    if (!arguments.encoder.empty() && (!arguments.hidden.empty() || !arguments.activation.empty()))
        untoward::fail("--encoder says all of the layers: --hidden and --activation are not used with it");
    if (arguments.encoder.empty() != arguments.decoder.empty())
        untoward::fail("--encoder and --decoder are given together");
    untoward::VaeText text{features, arguments.encoder, "", arguments.decoder, arguments.likelihood};
    if (arguments.encoder.empty()) {
        const std::string activation = arguments.activation.empty() ? "relu" : arguments.activation;
        std::vector<std::string> layers;
        for (const std::string& size :
             io::detail::split_outside(arguments.hidden.empty() ? "128,128" : arguments.hidden, ','))
            layers.push_back("dense<" + size + "," + activation + ">");
        text.encoder = io::detail::joined(layers, "", "");
        std::reverse(layers.begin(), layers.end());
        text.decoder = io::detail::joined(layers, "", "");
    }
    const std::string& latent = arguments.latent;
    const bool is_number = !latent.empty() && latent.find_first_not_of("0123456789") == std::string::npos;
    // Until the search is done, and its number stands there, any size will do.
    text.latent = latent == "auto" || is_latent_search(arguments)
                      ? "latent<" + std::to_string(default_latent_units(features)) + ">"
                  : is_number ? "latent<" + latent + ">"
                              : latent;
    return text;
}

/// The scaler that --scaler names; else the robust one, or one that keeps what the likelihood is for.
inline untoward::AnyScaler<float> choose_scaler(const FitArguments& arguments, untoward::DataKind kind) {
    const auto& scalers = untoward::scaler_registry();
    if (!arguments.scaler.empty()) return scalers.make(arguments.scaler);
    return scalers.make(kind == untoward::DataKind::any    ? "robust-scaler"
                        : kind == untoward::DataKind::unit ? "unit-scaler"
                                                           : "identity-scaler");
}

inline untoward::AnyThreshold<float> choose_threshold(const FitArguments& arguments) {
    if (!arguments.threshold.empty()) return untoward::threshold_registry().make(arguments.threshold);
    return untoward::Conformal{.false_alarm_rate = arguments.false_alarm_rate};
}

// The default score. A VAE, nearest neighbours and a Gaussian mixture of what the VAE makes of a row each miss
// what the others see, so each has a third of the say, in units of its own on rows that it did not learn
// from. The VAE's own third is half its -ELBO and half the same with a full covariance of the residuals.
// benchmarks/README.md has the evidence.
inline std::string vae_terms(double third, int draws) {
    const std::string weight = untoward::io::format_number(third / 2, 6) + " * ";
    return weight + "slog{negative-elbo{draws=" + std::to_string(draws) + "}} + " + weight +
           "slog{kl-divergence + 0.5 * mahalanobis-score{space=residual}}";
}
inline std::string neighbour_term(double third) {
    return untoward::io::format_number(third, 6) + " * slog{neighbour-score}";
}
inline std::string mixture_term(double third) {
    return untoward::io::format_number(third, 6) + " * slog{mixture-score{space=latent_and_residual}}";
}
inline std::string fused_score() {
    return vae_terms(1.0 / 3, 8) + " + " + neighbour_term(1.0 / 3) + " + " + mixture_term(1.0 / 3);
}

inline constexpr int default_models = 4;

/// Whether the command line leaves the model to the program. A log and a checkpoint follow the training of one
/// model.
inline bool is_default_model(const FitArguments& arguments) {
    return !arguments.fast && arguments.hidden.empty() && arguments.activation.empty() &&
           arguments.encoder.empty() && arguments.decoder.empty() && arguments.latent == "auto" &&
           arguments.likelihood == "gaussian" && arguments.scaler.empty() && arguments.score.empty() &&
           arguments.log.empty() && arguments.checkpoint.empty();
}

inline untoward::AnyRecipe<float> choose_recipe(const FitArguments& arguments, untoward::Index features) {
    const auto model = untoward::make_vae(model_text(arguments, features));
    const auto scaler = choose_scaler(arguments, model.likelihood.data_kind());
    untoward::require_scaler_for_likelihood(scaler, model.likelihood);
    const std::string score = !arguments.score.empty() ? arguments.score
                              : arguments.fast         ? fused_score()
                                                       : "negative-elbo";
    return {scaler, model, untoward::make_score(score), choose_threshold(arguments)};
}

/// The default: two models behind each of two scalers, which see other rows as extreme. Neighbours are those of
/// the standardised input, and the same for every model, so one of them has them for all.
inline untoward::AnyEnsemble<float> default_ensemble(const FitArguments& arguments,
                                                     untoward::Index features) {
    const auto model = untoward::make_vae(model_text(arguments, features));
    const auto member = [&](const char* scaler, const std::string& score) {
        return untoward::AnyRecipe<float>{untoward::scaler_registry().make(scaler), model,
                                          untoward::make_score(score), untoward::NoThreshold{}};
    };
    // Means over four members: a third of the say of all is 4/3 in one, 2/3 in two.
    constexpr double third = 1.0 / 3;
    const std::string vae = vae_terms(third, 4);
    const auto robust = member("robust-scaler", vae + " + " + mixture_term(2 * third));
    return {{member("standard-scaler", vae + " + " + neighbour_term(4 * third)), robust,
             member("standard-scaler", vae), robust},
            choose_threshold(arguments)};
}

/// What was chosen, and why, in a sentence.
inline std::string choice_text(const FitArguments& arguments, untoward::Index features) {
    const std::string units = std::to_string(default_latent_units(features));
    if (is_default_model(arguments)) {
        return "the default: 4 models, 2 behind a standard and 2 behind a robust scaler, which find other "
               "rows "
               "extreme; " +
               units + " latent units each, half of the " + std::to_string(features) +
               " features but 2 to 16; by a third each their likelihood, nearest neighbours of the input and "
               "a "
               "Gaussian mixture of what they make of a row, which miss different anomalies";
    }
    if (arguments.fast && arguments.score.empty())
        return "--fast: one model; by a third each its likelihood, nearest neighbours of the input and a "
               "Gaussian "
               "mixture of what it makes of a row, which miss different anomalies";
    return "one model, as the options say";
}

/// A number stands for the default schedule of that height.
template <class Default>
untoward::AnySchedule choose_schedule(const untoward::Registry<untoward::AnySchedule>& registry,
                                      const std::string& text, double Default::*height) {
    Default schedule;
    if (text.empty()) return schedule;
    double number = 0;
    if (!untoward::io::parse_number(text, number)) return registry.make(text);
    if (!(number >= 0 && number < 1e6))
        untoward::fail("a schedule's height is a number from 0, not ", untoward::io::in_quotes(text));
    schedule.*height = number;
    return schedule;
}

inline untoward::TrainingOptions choose_training(const FitArguments& arguments,
                                                 const untoward::AnyRecipe<float>& recipe) {
    const std::string model = untoward::io::policy_text(recipe.model);
    untoward::TrainingOptions options;
    options.epochs = arguments.epochs;
    options.seed = arguments.seed;
    if (arguments.batch > 0) options.batch = arguments.batch;
    options.shards = arguments.shards;
    options.threads = arguments.threads;
    if (!arguments.optimiser.empty())
        options.optimiser = untoward::optimiser_registry().make(arguments.optimiser);
    options.learning_rate = choose_schedule(untoward::learning_rate_registry(), arguments.learning_rate,
                                            &untoward::CosineSchedule::peak);
    options.beta = choose_schedule(untoward::beta_registry(), arguments.beta, &untoward::LinearBeta::beta);
    if (!arguments.averaging.empty())
        options.averaging = untoward::averaging_registry().make(arguments.averaging);
    options.free_bits = arguments.free_bits;
    if (!arguments.quiet) options.callbacks.emplace_back(untoward::ProgressBar());
    // Of all models together.
    const double models = is_default_model(arguments) ? default_models : 1;
    if (arguments.time_limit > 0)
        options.callbacks.emplace_back(untoward::TimeLimit{arguments.time_limit / models});
    if (!arguments.log.empty())
        options.callbacks.emplace_back(
            untoward::io::RunLog(arguments.log, {{"table", arguments.table},
                                                 {"model", model},
                                                 {"scaler", recipe.scaler.text()},
                                                 {"score", recipe.score.text()},
                                                 {"threshold", recipe.threshold.text()}}));
    if (!arguments.checkpoint.empty())
        options.callbacks.emplace_back(
            untoward::io::Checkpoint{.path = arguments.checkpoint, .evaluations = 1, .model = model});
    return options;
}

}  // namespace program
