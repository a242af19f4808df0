// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "../ensemble.hpp"
#include "../io/cpp_header.hpp"
#include "../io/detector_file.hpp"
#include "../vae/vae.hpp"
#include "any_latent.hpp"
#include "any_layer.hpp"
#include "any_likelihood.hpp"
#include "any_scaler.hpp"
#include "any_score.hpp"
#include "any_threshold.hpp"
#include "describe.hpp"

// A detector of which everything is chosen at run time, from text:
//
//     AnyRecipe<float> recipe{scaler_registry().make("robust-scaler"),
//                             make_vae({.features = 30, .encoder = "dense<64,relu>, dense<32,relu>",
//                                       .latent = "latent<8>", .decoder = "dense<32,relu>, dense<64,relu>"}),
//                             make_score("negative-elbo"), threshold_registry().make("conformal")};
//     auto detector = fit(recipe, rows);
//     std::puts(describe(recipe).c_str());                  // all of it as C++
//
// It is the `Vae`, the `Recipe` and the `Detector` of compile time with erased parts: the same names in the
// layout, the same bits, the same file. A file that a program with fixed types has saved is read here, as far
// as its parts are registered, and the other way round.

namespace untoward UNTOWARD_SETTING {

/// A VAE of run-time sizes and parts.
template <class S = float>
using AnyVae = Vae<Vec<>, AnyChain<S>, AnyLatent<S>, AnyChain<S>, AnyLikelihood<S>>;

/// A recipe of which everything is chosen at run time.
template <class S = float>
using AnyRecipe = Recipe<AnyScaler<S>, AnyVae<S>, AnyScore<S>, AnyThreshold<S>>;

template <class S = float>
using AnyDetector = Detector<AnyRecipe<S>, Owned<S>>;

/// As many of those as a program likes, judged by one threshold.
template <class S = float>
using AnyEnsemble = Ensemble<std::vector<AnyRecipe<S>>, AnyThreshold<S>>;

template <class S = float>
using AnyEnsembleDetector = Detector<AnyEnsemble<S>, Owned<S>>;

/// A detector as an ensemble of one: the same scores, contributions and threshold.
template <class S>
AnyEnsembleDetector<S> ensemble_of_one(const AnyDetector<S>& detector) {
    return {{{detector.recipe()}, detector.recipe().threshold}, {detector}, detector.threshold()};
}

/// What a VAE is made of, as text.
struct VaeText {
    Index features;
    std::string encoder = "dense<64,relu>";
    std::string latent = "latent<8>";
    std::string decoder = "dense<64,relu>";
    std::string likelihood = "gaussian";
};

/// A VAE from its parts. Throws Error where one of them is unknown or has an option or value that is.
template <class S = float>
AnyVae<S> make_vae(const VaeText& text) {
    if (text.features < 1 || text.features > io::detail::largest_size)
        fail("a model has 1 to ", io::detail::largest_size, " features, not ", text.features);
    return {Vec<>(text.features), make_layers<S>(text.encoder), latent_registry<S>().make(text.latent),
            make_layers<S>(text.decoder), likelihood_registry<S>().make(text.likelihood)};
}

/// A VAE from its C++ text, as `io::policy_text` writes it:
///     Vae{Vec<30>{}, Chain{Dense<64, Relu>{}}, Latent<8>{}, Chain{Dense<64, Relu>{}}, Gaussian{}}
template <class S = float>
AnyVae<S> make_vae(std::string_view text) {
    const io::PolicyText vae = io::parse_policy(text);
    if (vae.name != "vae" || vae.values.size() != 5 || !vae.arguments.empty() || !vae.options.empty())
        fail("cannot read ", io::in_quotes(text),
             ": expected Vae{sample, encoder, latent, decoder, likelihood}");
    const io::PolicyText sample = io::parse_policy(vae.values[0]);
    Index features = 0;
    if (sample.name != "vec" || sample.arguments.size() != 1 ||
        !io::detail::read_value(sample.arguments[0], features))
        fail("cannot read ", io::in_quotes(vae.values[0]),
             ": expected Vec<features>{}; models of sequences and images are not chosen at run time");
    return make_vae<S>(VaeText{features, vae.values[1], vae.values[2], vae.values[3], vae.values[4]});
}

/// What the compiler checks of a recipe with fixed types. Throws Error where the scaler does not keep the
/// numbers that the likelihood is for.
template <class S>
void require_scaler_for_likelihood(const AnyScaler<S>& scaler, const AnyLikelihood<S>& likelihood) {
    constexpr const char* kinds[] = {"any numbers", "values in [0, 1]", "one-hot channels", "counts"};
    const DataKind kind = likelihood.data_kind();
    if (scaler.keeps(kind)) return;
    fail("the likelihood ", likelihood.text(), " is for ", kinds[static_cast<int>(kind)], ", and the scaler ",
         scaler.text(), " does not keep them; use ",
         kind == DataKind::unit ? "unit-scaler or identity-scaler" : "identity-scaler");
}

/// What the compiler checks of a score with a fixed type, too. Throws Error where a score weighs draws of z by
/// their densities and the latent has none.
template <class S>
void require_latent_for_score(const AnyLatent<S>& latent, const AnyScore<S>& score) {
    if (!score.needs().sampled_kl || latent.has_sampled_kl()) return;
    fail("the score ", score.text(), " weighs draws of z by their densities, and the latent ", latent.text(),
         " has none; use latent or correlated-latent, or another score");
}

/// For io/cpp_header.hpp.
template <class S>
io::HeaderThreshold threshold_in_header(const AnyFittedThreshold<S>& threshold) {
    return {static_cast<double>(threshold.threshold()), threshold.calibration_rows(), threshold.rows_needed(),
            threshold.false_alarm_rate(),
            std::vector<double>(threshold.scores().begin(), threshold.scores().end())};
}

namespace io {

namespace detail {

template <class S>
void save_threshold(SummedWriter& writer, const AnyFittedThreshold<S>& threshold) {
    writer.metadata("threshold", threshold.policy().text());
    writer.add("threshold.scores", {threshold.scores().size()}, threshold.scores());
}

// What is fitted knows its policy.
template <class S>
void save_policy(SummedWriter&, const AnyFittedThreshold<S>&, const AnyThreshold<S>&) {}
template <class S>
void require_policy(SummedReader& reader, const AnyThreshold<S>& policy) {
    if (reader.has_metadata(policy_key)) static_cast<void>(reader.metadata(policy_key));
    require_metadata(reader, "threshold", policy.text());
}

template <class S>
struct LoadThreshold<AnyFittedThreshold<S>> {
    static AnyFittedThreshold<S> from(SummedReader& reader) {
        const AnyThreshold<S> policy = threshold_registry<S>().make(reader.metadata("threshold"));
        return policy.calibrate(read_calibration_scores<typename AnyFittedThreshold<S>::Vector>(reader));
    }
};

}  // namespace detail

namespace detail {

template <class S>
AnyThreshold<S> any_threshold_of(const SafeTensors& file) {
    try {
        return threshold_registry<S>().make(file.metadata("threshold"));
    } catch (const Error& error) {
        fail(file.name(), ": threshold: ", error.what());
    }
}
// Scaler, model and score whose texts have this prefix.
template <class S>
AnyRecipe<S> any_recipe_of(const SafeTensors& file, const std::string& prefix,
                           const AnyThreshold<S>& threshold) {
    const auto part = [&](const char* key, const auto& make) {
        try {
            return make(std::string_view(file.metadata(prefix + key)));
        } catch (const Error& error) {
            fail(file.name(), ": ", prefix, key, ": ", error.what());
        }
    };
    AnyRecipe<S> recipe{part("scaler", [](auto text) { return scaler_registry<S>().make(text); }),
                        part("model", [](auto text) { return make_vae<S>(text); }),
                        part("score", [](auto text) { return make_score<S>(text); }), threshold};
    try {
        require_scaler_for_likelihood(recipe.scaler, recipe.model.likelihood);
        require_latent_for_score(recipe.model.latent, recipe.score);
    } catch (const Error& error) {
        fail(file.name(), ": ", error.what());
    }
    return recipe;
}

}  // namespace detail

/// Reads a detector whose parts are registered, whatever program saved it. Throws Error where the file is of
/// another format or damaged, or where a part is not known.
template <class S = float>
AnyDetector<S> read_any_detector(const SafeTensors& file) {
    detail::require_metadata(file, "format", detector_format);
    return read_detector<S>(file, detail::any_recipe_of<S>(file, "", detail::any_threshold_of<S>(file)));
}
/// The same of an ensemble; a detector of one model is read as an ensemble of one.
template <class S = float>
AnyEnsembleDetector<S> read_any_ensemble(const SafeTensors& file) {
    if (file.metadata("format") == detector_format) return ensemble_of_one(read_any_detector<S>(file));
    detail::require_metadata(file, "format", ensemble_format);
    const AnyThreshold<S> threshold = detail::any_threshold_of<S>(file);
    AnyEnsemble<S> ensemble{{}, threshold};
    const Index members = detail::read_member_count(file);
    for (Index i = 0; i < members; ++i)
        ensemble.members.push_back(detail::any_recipe_of<S>(file, detail::member_prefix(i), NoThreshold{}));
    return read_detector<S>(file, ensemble);
}

}  // namespace io

}  // namespace untoward
