// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "../core/packed.hpp"
#include "../ensemble.hpp"
#include "../thresholds/conformal.hpp"
#include "../version.hpp"
#include "detector_file.hpp"
#include "policy_text.hpp"
#include "table_coding.hpp"

// A fitted detector as one C++ header of constants, for `FlashDetector` or `FlashEnsemble` (embedded/) to be compiled
// into firmware: scaler, coding of columns, model, weights, score, threshold and test vectors.

namespace untoward UNTOWARD_SETTING::io {

/// How many bits the matrices of weights have in a header; biases and the like are never rounded.
enum class HeaderWeights {
    float32,
    bfloat16,  ///< rounded to eight bits of precision
    int8,      ///< whole multiples, up to 127, of a scale for each row in bfloat16
};

/// What a header is to be like.
struct CppHeaderOptions {
    std::string name_space = "detector";
    HeaderWeights weights = HeaderWeights::float32;
    std::vector<std::string> notes{};  ///< lines for people, on top
};

/// What a calibrated threshold comes down to. `threshold_in_header` makes one of each kind of threshold.
struct HeaderThreshold {
    double value;  ///< scores above it are anomalous
    Index rows;    ///< that it was calibrated on
    Index rows_needed;
    std::optional<double> rate;  ///< the promised false-alarm rate of a conformal one
    std::vector<double> scores;  ///< of calibration, ascending
};

namespace detail {

/// The matrices of a model in fewer bits, and the parameters that these stand for.
template <class S>
struct PackedParameters {
    std::vector<std::uint16_t> halves{};  // of bfloat16
    std::vector<std::int8_t> codes{};     // of int8
    std::vector<std::uint16_t> scales{};  // of their rows, in bfloat16
    std::vector<S> others{};
    Buffer<S> rounded{};
};

template <class S>
void pack_matrix(PackedParameters<S>& packed, HeaderWeights weights, const S* from, S* to, Index rows,
                 Index columns) {
    constexpr S largest_code = 127;
    for (Index i = 0; i < rows; ++i, from += columns, to += columns) {
        S largest = 0;
        for (Index k = 0; k < columns; ++k) largest = (std::max)(largest, std::abs(from[k]));
        // Nearest: the largest code is 127 still, so that rounding once more changes nothing. Smaller numbers than any
        // scale are zero.
        const BFloat16 nearest = BFloat16::from(static_cast<float>(largest / largest_code));
        const S scale = static_cast<S>(nearest) > 0 ? static_cast<S>(nearest) : S(1);
        if (weights == HeaderWeights::int8)
            packed.scales.push_back(BFloat16::from(static_cast<float>(scale)).bits);
        for (Index k = 0; k < columns; ++k) {
            if (weights == HeaderWeights::int8) {
                const S code_of = std::clamp(from[k] / scale, -largest_code, largest_code);
                const auto code = static_cast<std::int8_t>(std::lround(code_of));
                packed.codes.push_back(code);
                to[k] = scale * static_cast<S>(code);
            } else {
                const BFloat16 half = BFloat16::from(static_cast<float>(from[k]));
                packed.halves.push_back(half.bits);
                to[k] = static_cast<S>(half);
            }
        }
    }
}

template <class S, class Model>
PackedParameters<S> pack(const Model& model, const Buffer<S>& parameters, HeaderWeights weights) {
    PackedParameters<S> packed{.rounded = parameters};
    describe(
        [&](const ParameterInfo& info) {
            const S* const from = parameters.data() + info.offset;
            if (info.rank == 2) {
                pack_matrix(packed, weights, from, packed.rounded.data() + info.offset, info.extents[0],
                            info.extents[1]);
            } else {
                packed.others.insert(packed.others.end(), from, from + info.size);
            }
        },
        model, model.sample);
    return packed;
}

/// The fewest scores that are kept for p-values.
inline constexpr Index kept_scores = 16;

// How many of the largest calibration scores a header has.
inline Index tail_size(const HeaderThreshold& threshold) {
    const Index above = threshold.rows + 1 - conformal_rank(threshold.rows, *threshold.rate);
    return std::max<Index>((std::min)(threshold.rows, (std::max)(above, kept_scores)), 1);
}

// A text as a literal, whatever is in it.
inline std::string cpp_literal(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += {'\\', c};
        } else if (byte >= 0x20 && byte < 0x7f) {
            result += c;
        } else {
            const char octal[] = {'\\', static_cast<char>('0' + (byte >> 6)),
                                  static_cast<char>('0' + (byte >> 3 & 7)),
                                  static_cast<char>('0' + (byte & 7)), '\0'};
            result += octal;
        }
    }
    return result + "\"";
}

// A text for a comment: on one line, and no end of it that would join it to the next.
inline std::string cpp_comment(std::string_view text) {
    const std::string literal = cpp_literal(text);
    std::string result = "// " + literal.substr(1, literal.size() - 2);
    if (result.back() == '\\') result += '.';
    return result + "\n";
}

template <class S>
std::string cpp_number(S value) {
    const std::string type = std::same_as<S, float> ? "float" : "double";
    if (std::isnan(value)) return "std::numeric_limits<" + type + ">::quiet_NaN()";
    if (std::isinf(value))
        return (value < 0 ? "-std::numeric_limits<" : "std::numeric_limits<") + type + ">::infinity()";
    return value_text(value);
}

// "    static constexpr float name[] = {1.0f, ...};", a few to a line.
template <class Values, class Text>
std::string cpp_array(const std::string& type, const std::string& name, const Values& values,
                      const Text& text) {
    constexpr std::size_t width = 110;
    std::string result = "    static constexpr " + type + " " + name + "[] = {\n";
    std::string line = "       ";
    for (const auto& value : values) {
        const std::string next = " " + text(value) + ",";
        if (line.size() + next.size() > width) {
            result += line + "\n";
            line = "       ";
        }
        line += next;
    }
    return result + line + "\n    };\n";
}
template <class Values>
std::string cpp_floats(const std::string& type, const std::string& name, const Values& values) {
    return cpp_array(type, name, values, [](auto value) { return cpp_number(value); });
}

inline std::string cpp_columns(const TableCoding& coding) {
    std::string levels;
    std::string columns;
    for (std::size_t i = 0; i < coding.columns().size(); ++i) {
        const ColumnCoding& column = coding.columns()[i];
        const std::string own = "levels_" + std::to_string(i);
        const bool is_text = column.kind == ColumnKind::Text;
        if (is_text) levels += cpp_array("const char*", own, column.levels, cpp_literal);
        columns += "        {" + cpp_literal(column.name) + ", untoward::FlashCoding::" +
                   (is_text ? "text, " + std::to_string(column.levels.size()) + ", " + own
                    : column.kind == ColumnKind::Log1p ? std::string("log1p, 0, nullptr")
                    : column.offset != 0
                        ? "less_offset, 0, nullptr, " + cpp_number(static_cast<float>(column.offset))
                        : std::string("number, 0, nullptr")) +
                   "},\n";
    }
    return levels + "    static constexpr untoward::FlashColumn columns[] = {\n" + columns + "    };\n";
}

template <class S>
std::string cpp_threshold(const HeaderThreshold& threshold) {
    const std::string type = std::same_as<S, float> ? "float" : "double";
    if (!threshold.rate) {
        return "untoward::PlainThreshold<" + type + ">(" + cpp_number(static_cast<S>(threshold.value)) +
               ", " + std::to_string(threshold.rows) + ", " + std::to_string(threshold.rows_needed) + ")";
    }
    const Index kept = tail_size(threshold);
    std::string scores;
    for (Index i = 0; i < kept; ++i) {
        const auto from_end = threshold.scores.size() - 1 - static_cast<std::size_t>(i);
        const double score = i < threshold.rows ? threshold.scores[from_end] : 0;
        scores += (i == 0 ? "" : ", ") + cpp_number(static_cast<S>(score));
    }
    return "untoward::ConformalTail<" + type + ", " + std::to_string(kept) + ">(\n        " +
           cpp_number(*threshold.rate) + ", " + std::to_string(threshold.rows) + ", {" + scores + "})";
}

inline void require_namespace(std::string_view name) {
    const auto is_identifier = [](std::string_view part) {
        const auto is_letter = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        };
        return !part.empty() && is_letter(part.front()) && std::all_of(part.begin(), part.end(), [&](char c) {
            return is_letter(c) || (c >= '0' && c <= '9');
        });
    };
    for (std::string_view rest = name;;) {
        const std::size_t colons = rest.find("::");
        if (!is_identifier(rest.substr(0, colons)))
            fail("a namespace is a C++ name like detector or firmware::bearing, not ", in_quotes(name));
        if (colons == std::string_view::npos) return;
        rest.remove_prefix(colons + 2);
    }
}

}  // namespace detail

template <class Vector>
HeaderThreshold threshold_in_header(const ConformalThreshold<Vector>& threshold) {
    return {static_cast<double>(threshold.threshold()), threshold.calibration_rows(), threshold.rows_needed(),
            threshold.false_alarm_rate(),
            std::vector<double>(threshold.scores().begin(), threshold.scores().end())};
}
template <class S>
HeaderThreshold threshold_in_header(const PlainThreshold<S>& threshold) {
    return {static_cast<double>(threshold.threshold()),
            threshold.calibration_rows(),
            threshold.rows_needed(),
            std::nullopt,
            {}};
}

namespace detail {

// What a fitted score keeps of the rows that it was fitted to, in the order of its `state`.
template <class S>
struct Learned {
    std::vector<Index> sizes{};
    std::vector<S> numbers{};
};
template <class S>
struct LearnedWriter {
    Learned<S>& to;

    void size(const std::string&, const Index& value) const { to.sizes.push_back(value); }
    void numbers(const std::string&, const auto& values, Index) const {
        to.numbers.insert(to.numbers.end(), values.data(), values.data() + values.size());
    }
    [[nodiscard]] LearnedWriter part(const std::string&) const { return *this; }
};
template <class S>
Learned<S> learned_of(const auto& fitted_score) {
    Learned<S> learned;
    LearnedWriter<S> visit{learned};
    untoward::detail::visit_state(fitted_score, visit);
    return learned;
}

/// function(detector, name) for a detector of one model, "", or for the members of an ensemble, "_1", "_2", ...
template <class Recipe, class Storage, class Function>
void for_each_model(const Detector<Recipe, Storage>& detector, const Function& function) {
    if constexpr (requires { detector.members(); }) {
        untoward::detail::for_each_member(detector.members(), [&](const auto& member, Index i) {
            function(member, "_" + std::to_string(i + 1));
        });
    } else {
        function(detector, std::string());
    }
}

template <class Recipe, class S>
std::size_t threshold_bytes(const Detector<Recipe, Owned<S>>& detector) {
    const HeaderThreshold threshold = threshold_in_header(detector.threshold());
    const Index tail = threshold.rate ? tail_size(threshold) : 0;
    constexpr std::size_t rest_of_tail = 40;  // where an index has 32 bits
    return static_cast<std::size_t>(tail) * sizeof(S) + rest_of_tail;
}

// Bytes of constants of one model, without a threshold.
template <class Recipe, class S>
std::size_t model_bytes(const Detector<Recipe, Owned<S>>& detector, HeaderWeights weights) {
    const std::size_t bytes = (static_cast<std::size_t>(4 * detector.features()) +
                               learned_of<S>(detector.fitted_score()).numbers.size()) *
                              sizeof(S);
    if (weights == HeaderWeights::float32)
        return bytes + static_cast<std::size_t>(detector.parameters().size()) * sizeof(S);
    const auto packed = pack(detector.recipe().model, detector.parameters(), weights);
    const auto size = [](const auto& values) { return values.size() * sizeof(values[0]); };
    return bytes + size(packed.halves) + size(packed.codes) + size(packed.scales) + size(packed.others);
}

// What a header says of one model.
struct ModelText {
    std::string parts;    // model and score
    std::string check;    // that the weights are this model's
    std::string numbers;  // members of the definition
};

// Model and score are called after `name`.
template <class Recipe, class S>
ModelText model_text(const Detector<Recipe, Owned<S>>& detector, HeaderWeights weights,
                     const std::string& name) {
    const auto& model = detector.recipe().model;
    const std::string type = std::same_as<S, float> ? "float" : "double";
    const std::string parts = "inline constexpr auto model" + name + " = " + policy_text(model) +
                              ";\ninline constexpr auto score" + name + " = " +
                              policy_text(detector.recipe().score) + ";\n";
    const std::string check = "static_assert(untoward::layout_hash(parts::model" + name + ", parts::model" +
                              name + ".sample) == 0x" + hex(layout_hash(model, model.sample)) +
                              "u,\n              \"the weights below are of another model\");\n";

    std::string numbers = "    using Scalar = " + type + ";\n    static constexpr auto model = parts::model" +
                          name + ";\n    static constexpr auto score = parts::score" + name + ";\n";
    const auto floats = [&](const char* of, const auto& values) { numbers += cpp_floats(type, of, values); };
    if (weights == HeaderWeights::float32) {
        floats("parameters", detector.parameters());
    } else {
        const auto packed = pack(model, detector.parameters(), weights);
        const auto whole = [](auto code) { return std::to_string(code); };
        const auto halves = [&](const char* of, const auto& bits) {
            numbers +=
                cpp_array("untoward::BFloat16", of, bits, [&](auto half) { return "{" + whole(half) + "}"; });
        };
        if (weights == HeaderWeights::int8) {
            numbers += cpp_array("std::int8_t", "codes", packed.codes, whole);
            halves("scales", packed.scales);
        } else {
            halves("codes", packed.halves);
        }
        floats("others", packed.others);
    }
    floats("centre", detector.scaling().centre);
    floats("scale", detector.scaling().scale);
    floats("fill", detector.scaling().fill);
    floats("typical", detector.typical());
    const Learned<S> learned = learned_of<S>(detector.fitted_score());
    if (!learned.sizes.empty())
        numbers += cpp_array("untoward::Index", "learned_sizes", learned.sizes,
                             [](Index size) { return std::to_string(size); });
    if (!learned.numbers.empty()) floats("learned", learned.numbers);
    return {parts, check, numbers};
}

}  // namespace detail

/// The detector that a header of rounded weights holds, in ordinary numbers: to score with, and to calibrate. Its
/// threshold is still the old one.
template <class Recipe, class S>
Detector<Recipe, Owned<S>> with_rounded_weights(const Detector<Recipe, Owned<S>>& detector,
                                                HeaderWeights weights) {
    if (weights == HeaderWeights::float32) return detector;
    if constexpr (requires { detector.members(); }) {
        using Detectors = typename Detector<Recipe, Owned<S>>::Detectors;
        const auto rounded = [weights](const auto& member) { return with_rounded_weights(member, weights); };
        if constexpr (requires(Detectors list) { list.push_back(*list.begin()); }) {
            Detectors members;
            for (const auto& member : detector.members()) members.push_back(rounded(member));
            return {detector.recipe(), std::move(members), detector.threshold()};
        } else {
            return {detector.recipe(),
                    std::apply([&](const auto&... member) { return Detectors{rounded(member)...}; },
                               detector.members()),
                    detector.threshold()};
        }
    } else {
        auto rounded = detail::pack(detector.recipe().model, detector.parameters(), weights).rounded;
        return {detector.recipe(),  detector.scaling(),   std::move(rounded),
                detector.typical(), detector.threshold(), detector.fitted_score()};
    }
}

/// Bytes of flash for what scores learned of the training rows: `flash_bytes` has them among others.
template <class Recipe, class S>
std::size_t learned_bytes(const Detector<Recipe, Owned<S>>& detector) {
    std::size_t numbers = 0;
    detail::for_each_model(detector, [&](const auto& model, const std::string&) {
        numbers += detail::learned_of<S>(model.fitted_score()).numbers.size();
    });
    return numbers * sizeof(S);
}

/// Bytes of constants that a detector's header puts into flash; its test vectors, and the texts of columns, are there
/// only where they are used.
template <class Recipe, class S>
std::size_t flash_bytes(const Detector<Recipe, Owned<S>>& detector,
                        HeaderWeights weights = HeaderWeights::float32) {
    std::size_t bytes = detail::threshold_bytes(detector);
    detail::for_each_model(detector, [&](const auto& model, const std::string&) {
        bytes += detail::model_bytes(model, weights);
    });
    return bytes;
}

/// A detector, of one model or of several, as a header. `coding`, where not null, is how the cells of a table become its
/// features. Throws Error where a part of the recipe has no C++ text (core/options.hpp); a part of a user's own must be
/// declared before the header is included, in the namespace untoward or in the header's. Rounded weights are for models
/// of dense layers: the header of another does not compile. The threshold is the detector's: where weights are rounded,
/// calibrate `with_rounded_weights` and give that.
template <class Recipe, class S>
std::string cpp_header(const Detector<Recipe, Owned<S>>& detector, const TableCoding* coding = nullptr,
                       const CppHeaderOptions& options = {}) {
    constexpr bool is_ensemble = requires {
        detector.members();
    };
    detail::require_namespace(options.name_space);
    if (coding != nullptr && coding->features() != detector.features())
        fail("the columns make ", coding->features(), " features, the model expects ", detector.features());
    const std::string type = std::same_as<S, float> ? "float" : "double";

    std::string parts;
    std::string checks;
    std::string definitions;
    std::string members;
    detail::for_each_model(detector, [&](const auto& model, const std::string& name) {
        const detail::ModelText of_model = detail::model_text(model, options.weights, name);
        parts += of_model.parts;
        checks += of_model.check;
        if (is_ensemble) {
            definitions += "struct Member" + name + " {\n" + of_model.numbers + "};\n\n";
            members += ", Member" + name;
        } else {
            definitions += "struct Definition {\n" + of_model.numbers;
        }
    });
    if (is_ensemble) definitions += "struct Definition {\n    using Scalar = " + type + ";\n";

    std::string text =
        "// Written by untoward " UNTOWARD_VERSION ": a fitted detector, to be compiled into a program.\n";
    for (const std::string& note : options.notes) text += detail::cpp_comment(note);
    text += "#pragma once\n\n#include <cstdint>\n#include <limits>\n\n#include <untoward/embedded.hpp>\n\n";
    text += "namespace " + options.name_space + " {\n\nnamespace parts {\n\nusing namespace untoward;\n\n";
    text += parts + "\n}  // namespace parts\n\n" + checks + "\n" + definitions;
    text += "    static constexpr auto threshold = " +
            detail::cpp_threshold<S>(threshold_in_header(detector.threshold())) + ";\n";
    if (coding != nullptr) text += detail::cpp_columns(*coding);
    const auto samples = [&] {
        if constexpr (is_ensemble) {
            return detail::make_test_samples(detector.first().scaling());
        } else {
            return detail::make_test_samples(detector.scaling());
        }
    }();
    text += detail::cpp_floats(type, "golden_samples", samples.reshaped());
    text += detail::cpp_floats(type, "golden_scores",
                               with_rounded_weights(detector, options.weights).score(samples));
    text += "};\n\nusing Detector = untoward::" +
            (is_ensemble ? "FlashEnsemble<Definition" + members : std::string("FlashDetector<Definition")) +
            ">;\ninline constexpr auto& threshold = Definition::threshold;\n\n";
    return text + "}  // namespace " + options.name_space + "\n";
}

}  // namespace untoward::io
