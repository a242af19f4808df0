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
    text.latent = latent == "auto" ? "latent<" + std::to_string(default_latent_units(features)) + ">"
                  : is_number      ? "latent<" + latent + ">"
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

inline untoward::AnyRecipe<float> choose_recipe(const FitArguments& arguments, untoward::Index features) {
    const auto model = untoward::make_vae(model_text(arguments, features));
    const auto scaler = choose_scaler(arguments, model.likelihood.data_kind());
    untoward::require_scaler_for_likelihood(scaler, model.likelihood);
    return {scaler, model, untoward::make_score(arguments.score), choose_threshold(arguments)};
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
    if (arguments.time_limit > 0) options.callbacks.emplace_back(untoward::TimeLimit{arguments.time_limit});
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
