// SPDX-License-Identifier: MIT
#pragma once

#include <untoward/data/scaler.hpp>
#include <untoward/detector.hpp>
#include <untoward/io/table_coding.hpp>
#include <untoward/scores/elbo.hpp>
#include <untoward/thresholds/conformal.hpp>

// The detector that this program fits: sizes are known when the table is read, so all extents are run-time.

namespace program {

using Layer = untoward::Dense<untoward::Dynamic, untoward::Relu>;
using Model = untoward::Vae<untoward::Vec<>, untoward::Encoder<Layer, Layer>, untoward::Latent<>,
                            untoward::Decoder<Layer, Layer>, untoward::Gaussian>;
using Recipe = untoward::Recipe<untoward::RobustScaler, Model, untoward::NegativeElbo, untoward::Conformal>;
using Detector = untoward::Detector<Recipe>;

/// What the sizes of a model are: all that its type leaves open.
struct Sizes {
    untoward::Index features;
    untoward::Index hidden;
    untoward::Index latent;
};

inline Recipe make_recipe(const Sizes& sizes, double false_alarm_rate) {
    const Layer hidden(sizes.hidden);
    return {{}, Model{untoward::Vec<>(sizes.features), {hidden, hidden}, untoward::Latent<>(sizes.latent), {hidden, hidden}, {}},
            {}, {.false_alarm_rate = false_alarm_rate}};
}

/// A model file: the detector, and how a table becomes its input.
struct SavedModel {
    untoward::io::SafeTensors file;
    untoward::io::TableCoding coding;
    Detector detector;
};

/// Reads and checks a model file; throws untoward::Error.
SavedModel load_model(const std::string& path);

/// Writes one. `notes` are metadata for `untoward info`: what fitting found out.
void save_model(const std::string& path, const untoward::io::TableCoding& coding, const Detector& detector,
                const std::map<std::string, std::string>& notes);

/// The promise of a threshold in one or two sentences, or what is missing for one.
std::string describe_promise(const Detector& detector);

}  // namespace program
