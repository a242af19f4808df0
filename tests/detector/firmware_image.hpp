// SPDX-License-Identifier: MIT
#pragma once

// What firmware includes and does: a model of fixed sizes whose numbers lie in constant arrays, an arena
// whose size the compiler knows. tests/house/firmware.py compiles this alone without exceptions and RTTI, for
// a microcontroller too where that compiler is; firmware.cpp beside this file runs it here.

#include <cstddef>

#include "untoward/data/scaling.hpp"
#include "untoward/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/thresholds/conformal.hpp"

namespace firmware {

constexpr untoward::Index features = 30;
constexpr untoward::Index rows = 3;  // of calibration
using Model = untoward::Vae<untoward::Vec<features>, untoward::Encoder<untoward::Dense<16, untoward::Relu>>,
                            untoward::Latent<4>, untoward::Decoder<untoward::Dense<16, untoward::Relu>>,
                            untoward::Gaussian>;
constexpr untoward::Index parameters = untoward::measure(Model{}, untoward::Vec<features>{}).scalars;

struct NoScaler {};  // a scaler is for fitting; what it found is a Scaling

/// A threshold policy whose calibration lies in flash.
struct ConformalInFlash {
    using Scores = Eigen::Map<const Eigen::VectorXf>;
    untoward::ConformalThreshold<Scores> calibrate(const auto&) const;  // not on a device
};

/// A storage of pointers to constants.
struct Flash {
    using Scalar = float;
    using Vector = Eigen::Map<const Eigen::Matrix<float, features, 1>>;
    struct Parameters {
        const float* values;
        [[nodiscard]] const float* data() const { return values; }
    };
};

using Recipe = untoward::Recipe<NoScaler, Model, untoward::NegativeElbo, ConformalInFlash>;
using Detector = untoward::Detector<Recipe, Flash>;
constexpr std::size_t bytes = Detector::judge_bytes(Recipe{});
static_assert(bytes < 4096);
static_assert(untoward::conformal_rows_needed(0.25) <= rows);

/// The numbers of a detector; all constants.
struct Numbers {
    const float* parameters;
    const float* centre;
    const float* scale;
    const float* fill;
    const float* constant;
    const float* typical;
    const float* scores;
};

struct Answer {
    float score;
    float p_value;
    bool is_anomaly;
    int worst;
};

inline Answer judge(const Numbers& numbers, const float* sample) {
    alignas(untoward::storage_alignment) static std::byte memory[bytes];
    const Detector detector({},
                            {Flash::Vector(numbers.centre), Flash::Vector(numbers.scale),
                             Flash::Vector(numbers.fill), Flash::Vector(numbers.constant)},
                            {numbers.parameters}, Flash::Vector(numbers.typical),
                            {ConformalInFlash::Scores(numbers.scores, rows), 0.25});
    untoward::Arena arena(memory, bytes);
    const auto verdict = detector.judge(Flash::Vector(sample), arena);
    return {verdict.score, verdict.p_value, verdict.is_anomaly,
            static_cast<int>(verdict.contributions[0].feature)};
}

}  // namespace firmware
