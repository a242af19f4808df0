// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../autodiff/describe.hpp"
#include "../ensemble.hpp"
#include "../thresholds/conformal.hpp"
#include "../version.hpp"
#include "number.hpp"
#include "policy_text.hpp"
#include "safetensors.hpp"
#include "summed_file.hpp"

// A fitted detector as one safetensors file. The model's parameters have the names and shapes that PyTorch
// would give them (encoder.0.weight is (out, in)); beside them lie
//
//     scaler.centre, scaler.scale, scaler.fill, scaler.constant        (features)
//     score.typical                                                    (features)
//     score.state.NAME      what the score learned of the training rows, where it learns something; its
//                           sizes are metadata of such names
//     threshold.scores                                                 (calibration rows), sorted
//     test.samples, test.scores                                        (n, features) and (n)
//
// and in the metadata format, format_version, version (of the library, for people), layout_hash, the C++ text of scaler,
// model, score and threshold (core/options.hpp; "(unnamed)" for a part that has none), and checksum, of the names and
// values of all that. Where a threshold was made by a policy that `threshold` does not tell, `threshold.policy` does.
// Loading compares all of it with the recipe that reads it and replays the test vectors, so a file that loads scores as
// it did when it was saved, and is saved again as it was.
//
// An ensemble's file has all but threshold* and test.* once for each member, with member.0., member.1. in
// front, and `members`, their number.
//
// A file may hold more, of whoever wrote it, but nothing that belongs to one of these parts (metadata or a tensor whose
// name begins as one of theirs) and that this version does not know: it might change what the others mean.

namespace untoward UNTOWARD_SETTING::io {

inline constexpr const char* detector_format = "untoward detector";
inline constexpr const char* ensemble_format = "untoward ensemble";
inline constexpr const char* detector_format_version = "2";

namespace detail {

inline constexpr const char* plain_threshold = "plain";

template <class Vector>
void save_threshold(SummedWriter& writer, const ConformalThreshold<Vector>& threshold) {
    writer.metadata("threshold", policy_text(Conformal{threshold.false_alarm_rate()}));
    writer.add("threshold.scores", {threshold.scores().size()}, threshold.scores());
}
template <class S>
void save_threshold(SummedWriter& writer, const PlainThreshold<S>& threshold) {
    const Eigen::Matrix<S, 1, 1> value(threshold.threshold());
    writer.metadata("threshold", plain_threshold);
    writer.metadata("threshold.rows", std::to_string(threshold.calibration_rows()));
    writer.metadata("threshold.rows_needed", std::to_string(threshold.rows_needed()));
    writer.add("threshold.value", {1}, value);
}

// What a score's `state` is given (scores/fitted.hpp), to write it and to read it.
struct ScoreStateWriter {
    SummedWriter& writer;
    std::string prefix = "score.state.";

    void size(const std::string& name, const Index& value) const {
        writer.metadata(prefix + name, std::to_string(value));
    }
    void numbers(const std::string& name, const auto& values, Index length) const {
        UNTOWARD_ASSERT(static_cast<Index>(values.size()) == length, "untoward: a score has other sizes");
        writer.add(prefix + name, {length}, values);
    }
    [[nodiscard]] ScoreStateWriter part(const std::string& name) const {
        return {writer, prefix + name + "."};
    }
};
struct ScoreStateReader {
    SummedReader& reader;
    std::string prefix = "score.state.";

    void size(const std::string& name, Index& value) const {
        value = rows_of(reader, prefix + name);
        // Then no product of three of them overflows.
        if (value > largest_size)
            fail(reader.file.name(), ": metadata ", in_quotes(reader.prefix + prefix + name),
                 " is larger than ", largest_size);
    }
    void numbers(const std::string& name, auto& values, Index length) const {
        using Vector = std::remove_cvref_t<decltype(values)>;
        values = reader.template tensor<typename Vector::Scalar>(prefix + name, std::vector<Index>{length});
    }
    [[nodiscard]] ScoreStateReader part(const std::string& name) const {
        return {reader, prefix + name + "."};
    }
};

inline void require_shape(const SummedReader& reader, const ParameterInfo& info) {
    reader.file.require_shape(reader.prefix + info.path,
                              std::vector<Index>(info.extents, info.extents + info.rank));
}

// A part of a recipe as C++ text; of what is made of parts, those that have a name are told though others have none.
template <class Policy>
std::string text_or_unnamed(const Policy& policy);
template <class First, class Second>
std::string text_or_unnamed(const SumOfScores<First, Second>& score);
template <class... Layers>
std::string text_or_unnamed(const Chain<Layers...>& chain);
template <class Sample, class... Parts>
std::string text_or_unnamed(const Vae<Sample, Parts...>& model);

template <class Policy>
std::string text_or_unnamed(const Policy& policy) {
    if constexpr (HasText<Policy>) {
        return policy_text(policy);
    } else {
        return "(unnamed)";
    }
}
template <class First, class Second>
std::string text_or_unnamed(const SumOfScores<First, Second>& score) {
    return text_or_unnamed(score.first) + " + " + text_or_unnamed(score.second);
}
template <class... Layers>
std::string text_or_unnamed(const Chain<Layers...>& chain) {
    return std::apply(
        [](const auto&... layer) {
            return joined(std::vector<std::string>{text_or_unnamed(layer)...}, "Chain{", "}");
        },
        chain.layers);
}
template <class Sample, class... Parts>
std::string text_or_unnamed(const Vae<Sample, Parts...>& model) {
    return joined({shape_text(model.sample), text_or_unnamed(model.encoder), text_or_unnamed(model.latent),
                   text_or_unnamed(model.decoder), text_or_unnamed(model.likelihood)},
                  "Vae{", "}");
}

template <class Policy>
void write_text(SummedWriter& writer, const char* key, const Policy& policy) {
    writer.metadata(key, text_or_unnamed(policy));
}
template <class Policy>
void require_text(SummedReader& reader, const char* key, const Policy& policy) {
    require_metadata(reader, key, text_or_unnamed(policy));
}

// The policy that a threshold was made by. What is fitted tells of it as far as it must; another may have made the same,
// and `set_threshold` may have put another in its place.
inline constexpr const char* policy_key = "threshold.policy";
template <class Fitted, class Policy>
void save_policy(SummedWriter& writer, const Fitted&, const Policy& policy) {
    if (const std::string text = text_or_unnamed(policy); text != writer.texts.at("threshold"))
        writer.metadata(policy_key, text);
}
template <class Policy>
void require_policy(SummedReader& reader, const Policy& policy) {
    require_text(reader, reader.has_metadata(policy_key) ? policy_key : "threshold", policy);
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
        const PolicyText text = parse_policy(reader.metadata("threshold"));
        if (text.name != Conformal::name) require_metadata(reader, "threshold", policy_text(policy));
        read_options("threshold", text, policy);
        return {read_calibration_scores<Vector>(reader), policy.false_alarm_rate};
    }
};
template <class S>
struct LoadThreshold<PlainThreshold<S>> {
    static PlainThreshold<S> from(SummedReader& reader) {
        require_metadata(reader, "threshold", plain_threshold);
        const S value = reader.tensor<S>("threshold.value", std::vector<Index>{1})(0);
        if (std::isnan(value)) fail(reader.file.name(), ": the threshold is not a number");
        const Index rows = rows_of(reader, "threshold.rows");
        return {value, rows, rows_of(reader, "threshold.rows_needed")};
    }
};

// Samples to replay: made from the scaler alone, so that no row of anybody's data lies in a model file. The
// last one has a missing value.
template <class Vector>
auto make_test_samples(const Scaling<Vector>& scaling) {
    using S = typename Vector::Scalar;
    constexpr Index samples = 4;
    constexpr std::uint64_t site = 0x7465737473u;
    const Index features = scaling.features();
    Eigen::Matrix<S, Dynamic, Dynamic> rows(features, samples);
    for (Index j = 0; j < samples; ++j) {
        fill_normal(rows.data() + j * features, features,
                    NoiseKey{.site = site, .sample = static_cast<std::uint32_t>(j)});
        for (Index i = 0; i < features; ++i) {
            rows(i, j) = scaling.centre[i] + static_cast<S>(j) * scaling.scale[i] * rows(i, j);
            if (!std::isfinite(rows(i, j))) rows(i, j) = scaling.centre[i];
        }
    }
    rows(0, samples - 1) = std::numeric_limits<S>::quiet_NaN();
    return rows;
}

// All of a detector but its threshold.
template <class Recipe, class Storage>
void write_parts(SummedWriter& writer, const Detector<Recipe, Storage>& detector) {
    const auto& model = detector.recipe().model;
    writer.metadata("layout_hash", hex(layout_hash(model, model.sample)));
    write_text(writer, "scaler", detector.recipe().scaler);
    write_text(writer, "model", model);
    write_text(writer, "score", detector.recipe().score);
    describe(
        [&](const ParameterInfo& info) {
            const std::span values(detector.parameters().data() + info.offset,
                                   static_cast<std::size_t>(info.size));
            writer.add(info.path, std::vector<Index>(info.extents, info.extents + info.rank), values);
        },
        model, model.sample);
    const std::vector<Index> features{detector.features()};
    writer.add("scaler.centre", features, detector.scaling().centre);
    writer.add("scaler.scale", features, detector.scaling().scale);
    writer.add("scaler.fill", features, detector.scaling().fill);
    writer.add("scaler.constant", features, detector.scaling().constant);
    writer.add("score.typical", features, detector.typical());
    ScoreStateWriter state{writer};
    untoward::detail::visit_state(detector.fitted_score(), state);
}

// The same back, with that threshold: a function, since a file has its tensors in any order, but sizes first.
template <class Result, class Recipe, class ReadThreshold>
Result read_parts(SummedReader& reader, const Recipe& recipe, const ReadThreshold& read_threshold) {
    using S = typename Result::Scalar;
    using Vector = typename Result::Vector;
    const SafeTensors& file = reader.file;
    const auto& model = recipe.model;
    require_text(reader, "scaler", recipe.scaler);
    require_text(reader, "score", recipe.score);
    // Before anything is allocated: the file has all that the model asks for.
    describe([&](const ParameterInfo& info) { require_shape(reader, info); }, model, model.sample);
    Buffer<S> parameters(measure(model, model.sample).scalars);
    describe(
        [&](const ParameterInfo& info) {
            const auto values =
                reader.finite<S>(info.path, std::vector<Index>(info.extents, info.extents + info.rank));
            std::copy(values.begin(), values.end(), parameters.data() + info.offset);
        },
        model, model.sample);
    require_metadata(reader, "layout_hash", hex(layout_hash(model, model.sample)));
    require_text(reader, "model", model);
    const Index features = model.sample.size();
    const std::vector<Index> shape{features};
    Scaling<Vector> scaling{reader.finite<S>("scaler.centre", shape), reader.finite<S>("scaler.scale", shape),
                            reader.finite<S>("scaler.fill", shape),
                            reader.finite<S>("scaler.constant", shape)};
    if (!(scaling.scale.array() > 0).all()) fail(file.name(), ": a scale is not positive");
    Vector typical = reader.finite<S>("score.typical", shape);
    auto score = untoward::detail::ScoreFitting<typename Result::ScorePolicy, Vector>::blank(recipe.score);
    ScoreStateReader state{reader};
    untoward::detail::visit_state(score, state);
    if (!untoward::detail::score_fits(score, features, model.latent.units.size()))
        fail(file.name(), ": what the score learned is not of this model");
    return Result(recipe, std::move(scaling), std::move(parameters), std::move(typical), read_threshold(),
                  std::move(score));
}

// Scores to replay, and the checksum of all.
template <class DetectorType>
void write_test(SummedWriter& writer, const DetectorType& detector, const auto& scaling) {
    const auto samples = make_test_samples(scaling);
    writer.add("test.samples", {samples.cols(), samples.rows()}, samples);
    writer.add("test.scores", {samples.cols()}, detector.score(samples));
    writer.metadata("checksum", writer.checksum.text());
}
template <class DetectorType>
void replay_test(SummedReader& reader, const DetectorType& detector) {
    using S = typename DetectorType::Scalar;
    const SafeTensors& file = reader.file;
    const Index features = detector.features();
    const auto expected = reader.tensor<S>("test.scores");
    const auto flat = reader.tensor<S>("test.samples", std::vector<Index>{expected.size(), features});
    if (expected.size() < 1) fail(file.name(), ": holds no test vectors");
    require_nothing_else(reader);
    if (const std::string found = reader.checksum.text(); file.metadata("checksum") != found) {
        fail(file.name(), ": its numbers and texts have the checksum ", found, ", and ",
             in_quotes(file.metadata("checksum")), " was written beside them: the file is damaged");
    }
    const auto found = detector.score(flat.reshaped(features, expected.size()));
    for (Index i = 0; i < expected.size(); ++i) {
        // Another processor rounds differently; a wrong detector is far off.
        const S tolerance = S(1e-3) * (std::max)(S(1), std::abs(expected(i)));
        if (!(std::abs(found(i) - expected(i)) <= tolerance)) {
            fail(file.name(), ": test vector ", i + 1, " scores ", format_shortest(found(i)), ", expected ",
                 format_shortest(expected(i)), ": the file was not made for this model");
        }
    }
}
inline void write_format(SafeTensorsWriter& writer, const char* format) {
    writer.metadata("format", format);
    writer.metadata("format_version", detector_format_version);
    writer.metadata("version", UNTOWARD_VERSION);
}
inline void require_format(const SafeTensors& file, const char* format) {
    require_metadata(file, "format", format);
    require_metadata(file, "format_version", detector_format_version);
}
inline std::string member_prefix(Index member) {
    return "member." + std::to_string(member) + ".";
}
// Of an ensemble's file. No ensemble has more members than its file has tensors.
inline Index read_member_count(const SafeTensors& file) {
    const Index members = rows_of(file, "members");
    if (members < 1 || members > 1000)
        fail(file.name(), ": has ", members, " members, expected from 1 to 1000");
    return members;
}

}  // namespace detail

/// Adds a fitted detector to a file.
template <class Recipe, class Storage>
void add_detector(SafeTensorsWriter& writer, const Detector<Recipe, Storage>& detector) {
    detail::write_format(writer, detector_format);
    detail::SummedWriter summed{writer};
    detail::write_parts(summed, detector);
    // Found beside SummedWriter, also those that come later.
    save_threshold(summed, detector.threshold());
    save_policy(summed, detector.threshold(), detector.recipe().threshold);
    detail::write_test(summed, detector, detector.scaling());
}
/// The same of an ensemble.
template <class Members, class ThresholdPolicy, class Storage>
void add_detector(SafeTensorsWriter& writer,
                  const Detector<Ensemble<Members, ThresholdPolicy>, Storage>& ensemble) {
    detail::write_format(writer, ensemble_format);
    detail::SummedWriter summed{writer};
    summed.metadata("members", std::to_string(ensemble.member_count()));
    untoward::detail::for_each_member(ensemble.members(), [&](const auto& member, Index i) {
        summed.prefix = detail::member_prefix(i);
        detail::write_parts(summed, member);
    });
    summed.prefix.clear();
    save_threshold(summed, ensemble.threshold());
    save_policy(summed, ensemble.threshold(), ensemble.recipe().threshold);
    detail::write_test(summed, ensemble, ensemble.first().scaling());
}

/// Reads a detector of this recipe (its options and sizes) back. Throws Error where the file is of another
/// format, scaler, model, score or threshold, where a tensor is missing, of another shape or type of numbers or not
/// finite, where it holds what this version does not know, and where the test vectors do not score as they did; the
/// message has the file's name, and what was found and expected.
///
/// Threads: files are read and written from any, several at once; what is given or comes back is the caller's own.
template <class S = float, class Recipe>
Detector<Recipe, Owned<S>> read_detector(const SafeTensors& file, const Recipe& recipe) {
    using Result = Detector<Recipe, Owned<S>>;
    detail::require_format(file, detector_format);
    detail::SummedReader reader{file};
    require_policy(reader, recipe.threshold);
    Result detector = detail::read_parts<Result>(
        reader, recipe, [&] { return detail::LoadThreshold<typename Result::Threshold>::from(reader); });
    detail::replay_test(reader, detector);
    return detector;
}
/// The same of an ensemble.
template <class S = float, class Members, class ThresholdPolicy>
Detector<Ensemble<Members, ThresholdPolicy>, Owned<S>> read_detector(
    const SafeTensors& file, const Ensemble<Members, ThresholdPolicy>& ensemble) {
    using Result = Detector<Ensemble<Members, ThresholdPolicy>, Owned<S>>;
    using Vector = typename Result::Vector;
    detail::require_format(file, ensemble_format);
    const Index count = untoward::detail::count_members(ensemble.members);
    if (detail::read_member_count(file) != count)
        fail(file.name(), ": has ", file.metadata("members"), " members, expected ", count);
    detail::SummedReader reader{file};
    static_cast<void>(reader.metadata("members"));
    require_policy(reader, ensemble.threshold);
    Index member = 0;
    const auto read_member = [&](const auto& recipe) {
        using One = Detector<std::remove_cvref_t<decltype(recipe)>, Owned<S>>;
        reader.prefix = detail::member_prefix(member++);
        return detail::read_parts<One>(reader, recipe, [&] {
            return untoward::detail::calibrate(recipe.threshold, Vector(Vector::Zero(1)));
        });
    };
    auto members = [&] {
        if constexpr (requires { ensemble.members.begin(); }) {
            typename Result::Detectors detectors;
            for (const auto& recipe : ensemble.members) detectors.push_back(read_member(recipe));
            return detectors;
        } else {
            return std::apply(
                [&](const auto&... recipe) { return typename Result::Detectors{read_member(recipe)...}; },
                ensemble.members);
        }
    }();
    reader.prefix.clear();
    Result detector(ensemble, std::move(members),
                    detail::LoadThreshold<typename Result::Threshold>::from(reader));
    detail::replay_test(reader, detector);
    return detector;
}

}  // namespace untoward::io
