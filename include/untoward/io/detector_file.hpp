// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "../autodiff/describe.hpp"
#include "../detector.hpp"
#include "../scores/elbo.hpp"
#include "../scores/reconstruction.hpp"
#include "../thresholds/conformal.hpp"
#include "../version.hpp"
#include "number.hpp"
#include "safetensors.hpp"

// A fitted detector as one safetensors file. The model's parameters have the names and shapes that PyTorch would
// give them (encoder.0.weight is (out, in)); beside them lie
//
//     scaler.centre, scaler.scale, scaler.fill, scaler.constant        (features)
//     score.typical                                                    (features)
//     threshold.scores                                                 (calibration rows), sorted
//     test.samples, test.scores                                        (n, features) and (n)
//
// and in the metadata format, format_version, version, layout_hash, score, threshold. Loading checks all of it
// and replays the test vectors, so a file that loads scores as it did when it was saved.

namespace untoward::io {

inline constexpr const char* detector_format = "untoward detector";
inline constexpr const char* detector_format_version = "1";

/// How a score is spelled in C++, for people and for a check in loading.
inline std::string describe_score(const NegativeElbo& score) {
    return "NegativeElbo{.draws = " + std::to_string(score.draws) + ", .seed = " + std::to_string(score.seed) + "}";
}
inline std::string describe_score(const KlDivergence&) { return "KlDivergence{}"; }
inline std::string describe_score(const ReconstructionError& score) {
    constexpr const char* names[] = {"squared", "l1", "l2"};
    return std::string("ReconstructionError{.norm = Norm::") + names[static_cast<int>(score.norm)] + "}";
}
template <class Inner>
std::string describe_score(const Weighted<Inner>& score) {
    return format_shortest(score.weight) + "f * " + describe_score(score.score);
}
template <class First, class Second>
std::string describe_score(const SumOfScores<First, Second>& score) {
    return describe_score(score.first) + " + " + describe_score(score.second);
}

namespace detail {

inline std::string hex(std::uint64_t value) {
    char digits[17] = {};
    const auto end = std::to_chars(digits, digits + 16, value, 16).ptr;
    return std::string(static_cast<std::size_t>(16 - (end - digits)), '0') + std::string(digits, end);
}

template <class Vector>
void save_threshold(SafeTensorsWriter& writer, const ConformalThreshold<Vector>& threshold) {
    writer.metadata("threshold", "conformal");
    writer.metadata("threshold.false_alarm_rate", format_shortest(threshold.false_alarm_rate()));
    writer.add("threshold.scores", {threshold.scores().size()}, threshold.scores());
}
template <class S>
void save_threshold(SafeTensorsWriter& writer, const PlainThreshold<S>& threshold) {
    const Eigen::Matrix<S, 1, 1> value(threshold.threshold());
    writer.metadata("threshold", "plain");
    writer.metadata("threshold.rows", std::to_string(threshold.calibration_rows()));
    writer.metadata("threshold.rows_needed", std::to_string(threshold.rows_needed()));
    writer.add("threshold.value", {1}, value);
}

inline double number_of(const SafeTensors& file, const char* key) {
    double value = 0;
    if (!parse_number(file.metadata(key), value) || !std::isfinite(value)) {
        fail(file.name(), ": metadata ", in_quotes(key), " is not a number: ", in_quotes(file.metadata(key)));
    }
    return value;
}

inline void require_metadata(const SafeTensors& file, const char* key, const std::string& expected) {
    if (file.metadata(key) != expected) {
        fail(file.name(), ": ", key, " is ", in_quotes(file.metadata(key)), ", expected ", in_quotes(expected));
    }
}

template <class S>
Eigen::Matrix<S, Dynamic, 1> finite_vector(const SafeTensors& file, const char* name, Index size) {
    auto values = file.tensor<S>(name, {size});
    if (!values.allFinite()) fail(file.name(), ": tensor ", in_quotes(name), " holds values that are not finite");
    return values;
}

template <class Threshold>
struct LoadThreshold;
template <class Vector>
struct LoadThreshold<ConformalThreshold<Vector>> {
    static ConformalThreshold<Vector> from(const SafeTensors& file) {
        require_metadata(file, "threshold", "conformal");
        const double rate = number_of(file, "threshold.false_alarm_rate");
        if (!(rate > 0 && rate < 1)) fail(file.name(), ": the false-alarm rate ", format_shortest(rate), " is not in (0, 1)");
        Vector scores = file.tensor<typename Vector::Scalar>("threshold.scores");
        if (!is_sorted_scores(scores)) fail(file.name(), ": the calibration scores are not sorted numbers");
        return {std::move(scores), rate};
    }
};
template <class S>
struct LoadThreshold<PlainThreshold<S>> {
    static PlainThreshold<S> from(const SafeTensors& file) {
        require_metadata(file, "threshold", "plain");
        const S value = file.tensor<S>("threshold.value", {1})(0);
        if (std::isnan(value)) fail(file.name(), ": the threshold is not a number");
        return {value, static_cast<Index>(number_of(file, "threshold.rows")),
                static_cast<Index>(number_of(file, "threshold.rows_needed"))};
    }
};

// Samples to replay: made from the scaler alone, so that no row of anybody's data lies in a model file. The last
// one has a missing value.
template <class DetectorType>
auto make_test_samples(const DetectorType& detector) {
    using S = typename DetectorType::Scalar;
    constexpr Index samples = 4;
    constexpr std::uint64_t site = 0x7465737473u;
    const Index features = detector.features();
    Eigen::Matrix<S, Dynamic, Dynamic> rows(features, samples);
    for (Index j = 0; j < samples; ++j) {
        fill_normal(rows.data() + j * features, features, NoiseKey{.site = site, .sample = static_cast<std::uint32_t>(j)});
        for (Index i = 0; i < features; ++i) {
            rows(i, j) = detector.scaling().centre[i] + static_cast<S>(j) * detector.scaling().scale[i] * rows(i, j);
        }
    }
    rows(0, samples - 1) = std::numeric_limits<S>::quiet_NaN();
    return rows;
}

}  // namespace detail

/// Adds a fitted detector to a file.
template <class Recipe, class Storage>
void add_detector(SafeTensorsWriter& writer, const Detector<Recipe, Storage>& detector) {
    const auto& model = detector.recipe().model;
    writer.metadata("format", detector_format);
    writer.metadata("format_version", detector_format_version);
    writer.metadata("version", UNTOWARD_VERSION);
    writer.metadata("layout_hash", detail::hex(layout_hash(model, model.sample)));
    writer.metadata("score", describe_score(detector.recipe().score));
    describe(
        [&](const ParameterInfo& info) {
            const Eigen::Map<const typename Storage::Vector> values(detector.parameters().data() + info.offset, info.size);
            writer.add(info.path, std::vector<Index>(info.extents, info.extents + info.rank), values);
        },
        model, model.sample);
    const std::vector<Index> features{detector.features()};
    writer.add("scaler.centre", features, detector.scaling().centre);
    writer.add("scaler.scale", features, detector.scaling().scale);
    writer.add("scaler.fill", features, detector.scaling().fill);
    writer.add("scaler.constant", features, detector.scaling().constant);
    writer.add("score.typical", features, detector.typical());
    detail::save_threshold(writer, detector.threshold());
    const auto samples = detail::make_test_samples(detector);
    writer.add("test.samples", {samples.cols(), samples.rows()}, samples);
    writer.add("test.scores", {samples.cols()}, detector.score(samples));
}

/// Reads a detector of this recipe (its options and sizes) back. Throws Error where the file is of another format,
/// model or score, where a tensor is missing, of another shape or not finite, and where the test vectors do not
/// score as they did.
template <class S = float, class Recipe>
Detector<Recipe, Owned<S>> read_detector(const SafeTensors& file, const Recipe& recipe) {
    using Result = Detector<Recipe, Owned<S>>;
    using Vector = typename Result::Vector;
    const auto& model = recipe.model;
    detail::require_metadata(file, "format", detector_format);
    detail::require_metadata(file, "format_version", detector_format_version);
    detail::require_metadata(file, "score", describe_score(recipe.score));
    Buffer<S> parameters(measure(model, model.sample).scalars);
    describe(
        [&](const ParameterInfo& info) {
            const auto values = file.tensor<S>(info.path, std::vector<Index>(info.extents, info.extents + info.rank));
            if (!values.allFinite()) fail(file.name(), ": tensor ", in_quotes(info.path), " holds values that are not finite");
            std::copy(values.begin(), values.end(), parameters.data() + info.offset);
        },
        model, model.sample);
    detail::require_metadata(file, "layout_hash", detail::hex(layout_hash(model, model.sample)));
    const Index features = model.sample.size();
    Scaling<Vector> scaling{detail::finite_vector<S>(file, "scaler.centre", features),
                            detail::finite_vector<S>(file, "scaler.scale", features),
                            detail::finite_vector<S>(file, "scaler.fill", features),
                            detail::finite_vector<S>(file, "scaler.constant", features)};
    if (!(scaling.scale.array() > 0).all()) fail(file.name(), ": a scale is not positive");
    Result detector(recipe, std::move(scaling), std::move(parameters), detail::finite_vector<S>(file, "score.typical", features),
                    detail::LoadThreshold<typename Result::Threshold>::from(file));

    const auto expected = file.tensor<S>("test.scores");
    const Vector flat = file.tensor<S>("test.samples", {expected.size(), features});
    const Vector found = detector.score(flat.reshaped(features, expected.size()));
    for (Index i = 0; i < expected.size(); ++i) {
        // Another processor rounds differently; a wrong detector is far off.
        const S tolerance = S(1e-3) * std::max(S(1), std::abs(expected(i)));
        if (!(std::abs(found(i) - expected(i)) <= tolerance)) {
            fail(file.name(), ": test vector ", i + 1, " scores ", format_shortest(found(i)), ", expected ",
                 format_shortest(expected(i)), ": the file is damaged or was not made for this program");
        }
    }
    return detector;
}

}  // namespace untoward::io
