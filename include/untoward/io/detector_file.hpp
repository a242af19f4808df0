// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../autodiff/describe.hpp"
#include "../detector.hpp"
#include "../thresholds/conformal.hpp"
#include "../version.hpp"
#include "number.hpp"
#include "policy_text.hpp"
#include "safetensors.hpp"

// A fitted detector as one safetensors file. The model's parameters have the names and shapes that PyTorch
// would give them (encoder.0.weight is (out, in)); beside them lie
//
//     scaler.centre, scaler.scale, scaler.fill, scaler.constant        (features)
//     score.typical                                                    (features)
//     threshold.scores                                                 (calibration rows), sorted
//     test.samples, test.scores                                        (n, features) and (n)
//
// and in the metadata format, format_version, version, layout_hash, threshold, checksum (of the names and
// values of these tensors) and the C++ text of scaler, model and score, as far as they have one
// (core/options.hpp). Loading checks all of it and replays the test vectors, so a file that loads
// scores as it did when it was saved.

namespace untoward::io {

inline constexpr const char* detector_format = "untoward detector";
inline constexpr const char* detector_format_version = "1";

namespace detail {

inline std::string hex(std::uint64_t value) {
    char digits[17] = {};
    const auto end = std::to_chars(digits, digits + 16, value, 16).ptr;
    return std::string(static_cast<std::size_t>(16 - (end - digits)), '0') + std::string(digits, end);
}

// One number for all tensors of a detector: a damaged value that no test vector meets is found as well.
class Checksum {
public:
    template <class S>
    void add(std::string_view name, const S* values, Index size) {
        std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a, 64 bits, of the name and the values
        const auto add_bytes = [&hash](std::span<const std::byte> bytes) {
            for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
        };
        add_bytes(std::as_bytes(std::span(name)));
        add_bytes(std::as_bytes(std::span(values, static_cast<std::size_t>(size))));
        sum_ += hash;
    }
    [[nodiscard]] std::string text() const { return hex(sum_); }

private:
    std::uint64_t sum_ = 0;
};

// A file being written, and the checksum of what it was given.
struct SummedWriter {
    SafeTensorsWriter& writer;
    Checksum checksum{};

    void add(const std::string& name, const std::vector<Index>& shape, const auto& values) {
        checksum.add(name, values.data(), static_cast<Index>(values.size()));
        writer.add(name, shape, values);
    }
    void metadata(const char* key, const std::string& value) { writer.metadata(key, value); }
};

// A file being read, and the checksum of what was taken from it.
struct SummedReader {
    const SafeTensors& file;
    Checksum checksum{};

    template <class S, class... Shape>
    auto tensor(const std::string& name, const Shape&... shape) {
        auto values = file.tensor<S>(name, shape...);
        checksum.add(name, values.data(), values.size());
        return values;
    }
    template <class S>
    auto finite(const std::string& name, const std::vector<Index>& shape) {
        auto values = tensor<S>(name, shape);
        if (!values.allFinite())
            fail(file.name(), ": tensor ", in_quotes(name), " holds values that are not finite");
        return values;
    }
};

template <class Vector>
void save_threshold(SummedWriter& writer, const ConformalThreshold<Vector>& threshold) {
    writer.metadata("threshold", policy_text(Conformal{threshold.false_alarm_rate()}));
    writer.add("threshold.scores", {threshold.scores().size()}, threshold.scores());
}
template <class S>
void save_threshold(SummedWriter& writer, const PlainThreshold<S>& threshold) {
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

// A number of rows: a double holds it exactly.
inline Index rows_of(const SafeTensors& file, const char* key) {
    const double value = number_of(file, key);
    if (!(value >= 0 && value <= 0x1p53 && value == std::floor(value))) {
        fail(file.name(), ": metadata ", in_quotes(key),
             " is not a number of rows: ", in_quotes(file.metadata(key)));
    }
    return static_cast<Index>(value);
}

inline void require_metadata(const SafeTensors& file, const char* key, const std::string& expected) {
    if (file.metadata(key) != expected) {
        constexpr std::size_t most = 1000;
        fail(file.name(), ": ", key, " is ", in_quotes(file.metadata(key), most), ", expected ",
             in_quotes(expected, most));
    }
}

inline void require_shape(const SafeTensors& file, const ParameterInfo& info) {
    file.require_shape(info.path, std::vector<Index>(info.extents, info.extents + info.rank));
}

// The parts of a recipe as C++ text, where they have one.
template <class Policy>
void write_text(SafeTensorsWriter& writer, const char* key, const Policy& policy) {
    if constexpr (HasText<Policy>) writer.metadata(key, policy_text(policy));
}
template <class Policy>
void require_text(const SafeTensors& file, const char* key, const Policy& policy) {
    if constexpr (HasText<Policy>) require_metadata(file, key, policy_text(policy));
}

template <class Vector>
Vector read_calibration_scores(SummedReader& reader) {
    Vector scores = reader.tensor<typename Vector::Scalar>("threshold.scores");
    if (!is_sorted_scores(scores))
        fail(reader.file.name(), ": the calibration scores are not sorted numbers");
    return scores;
}

template <class Threshold>
struct LoadThreshold;
template <class Vector>
struct LoadThreshold<ConformalThreshold<Vector>> {
    static ConformalThreshold<Vector> from(SummedReader& reader) {
        Conformal policy;
        const PolicyText text = parse_policy(reader.file.metadata("threshold"));
        if (text.name != Conformal::name) require_metadata(reader.file, "threshold", policy_text(policy));
        read_options("threshold", text, policy);
        return {read_calibration_scores<Vector>(reader), policy.false_alarm_rate};
    }
};
template <class S>
struct LoadThreshold<PlainThreshold<S>> {
    static PlainThreshold<S> from(SummedReader& reader) {
        const SafeTensors& file = reader.file;
        require_metadata(file, "threshold", "plain");
        const S value = reader.tensor<S>("threshold.value", std::vector<Index>{1})(0);
        if (std::isnan(value)) fail(file.name(), ": the threshold is not a number");
        return {value, rows_of(file, "threshold.rows"), rows_of(file, "threshold.rows_needed")};
    }
};

// Samples to replay: made from the scaler alone, so that no row of anybody's data lies in a model file. The
// last one has a missing value.
template <class DetectorType>
auto make_test_samples(const DetectorType& detector) {
    using S = typename DetectorType::Scalar;
    constexpr Index samples = 4;
    constexpr std::uint64_t site = 0x7465737473u;
    const Index features = detector.features();
    Eigen::Matrix<S, Dynamic, Dynamic> rows(features, samples);
    for (Index j = 0; j < samples; ++j) {
        fill_normal(rows.data() + j * features, features,
                    NoiseKey{.site = site, .sample = static_cast<std::uint32_t>(j)});
        for (Index i = 0; i < features; ++i) {
            rows(i, j) =
                detector.scaling().centre[i] + static_cast<S>(j) * detector.scaling().scale[i] * rows(i, j);
            if (!std::isfinite(rows(i, j))) rows(i, j) = detector.scaling().centre[i];
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
    detail::write_text(writer, "scaler", detector.recipe().scaler);
    detail::write_text(writer, "model", model);
    detail::write_text(writer, "score", detector.recipe().score);
    detail::SummedWriter summed{writer};
    describe(
        [&](const ParameterInfo& info) {
            const std::span values(detector.parameters().data() + info.offset,
                                   static_cast<std::size_t>(info.size));
            summed.add(info.path, std::vector<Index>(info.extents, info.extents + info.rank), values);
        },
        model, model.sample);
    const std::vector<Index> features{detector.features()};
    summed.add("scaler.centre", features, detector.scaling().centre);
    summed.add("scaler.scale", features, detector.scaling().scale);
    summed.add("scaler.fill", features, detector.scaling().fill);
    summed.add("scaler.constant", features, detector.scaling().constant);
    summed.add("score.typical", features, detector.typical());
    save_threshold(summed, detector.threshold());  // found beside SummedWriter, also one that comes later
    const auto samples = detail::make_test_samples(detector);
    summed.add("test.samples", {samples.cols(), samples.rows()}, samples);
    summed.add("test.scores", {samples.cols()}, detector.score(samples));
    writer.metadata("checksum", summed.checksum.text());
}

/// Reads a detector of this recipe (its options and sizes) back. Throws Error where the file is of another
/// format, model or score, where a tensor is missing, of another shape or not finite, and where the test
/// vectors do not score as they did.
template <class S = float, class Recipe>
Detector<Recipe, Owned<S>> read_detector(const SafeTensors& file, const Recipe& recipe) {
    using Result = Detector<Recipe, Owned<S>>;
    using Vector = typename Result::Vector;
    const auto& model = recipe.model;
    detail::require_metadata(file, "format", detector_format);
    detail::require_metadata(file, "format_version", detector_format_version);
    detail::require_text(file, "score", recipe.score);
    detail::SummedReader reader{file};
    // Before anything is allocated: the file has all that the model asks for.
    describe([&](const ParameterInfo& info) { detail::require_shape(file, info); }, model, model.sample);
    Buffer<S> parameters(measure(model, model.sample).scalars);
    describe(
        [&](const ParameterInfo& info) {
            const auto values =
                reader.finite<S>(info.path, std::vector<Index>(info.extents, info.extents + info.rank));
            std::copy(values.begin(), values.end(), parameters.data() + info.offset);
        },
        model, model.sample);
    detail::require_metadata(file, "layout_hash", detail::hex(layout_hash(model, model.sample)));
    detail::require_text(file, "model", model);
    const Index features = model.sample.size();
    const std::vector<Index> shape{features};
    Scaling<Vector> scaling{reader.finite<S>("scaler.centre", shape), reader.finite<S>("scaler.scale", shape),
                            reader.finite<S>("scaler.fill", shape),
                            reader.finite<S>("scaler.constant", shape)};
    if (!(scaling.scale.array() > 0).all()) fail(file.name(), ": a scale is not positive");
    Vector typical = reader.finite<S>("score.typical", shape);
    auto threshold = detail::LoadThreshold<typename Result::Threshold>::from(reader);
    const auto expected = reader.tensor<S>("test.scores");
    const Vector flat = reader.tensor<S>("test.samples", std::vector<Index>{expected.size(), features});
    if (expected.size() < 1) fail(file.name(), ": holds no test vectors");
    if (file.metadata("checksum") != reader.checksum.text()) {
        fail(file.name(),
             ": its numbers do not have the checksum that was written beside them: the file is damaged");
    }

    Result detector(recipe, std::move(scaling), std::move(parameters), std::move(typical),
                    std::move(threshold));
    const Vector found = detector.score(flat.reshaped(features, expected.size()));
    for (Index i = 0; i < expected.size(); ++i) {
        // Another processor rounds differently; a wrong detector is far off.
        const S tolerance = S(1e-3) * std::max(S(1), std::abs(expected(i)));
        if (!(std::abs(found(i) - expected(i)) <= tolerance)) {
            fail(file.name(), ": test vector ", i + 1, " scores ", format_shortest(found(i)), ", expected ",
                 format_shortest(expected(i)), ": the file was not made for this model");
        }
    }
    return detector;
}

}  // namespace untoward::io
