// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../detector.hpp"
#include "../thresholds/conformal.hpp"
#include "../version.hpp"
#include "detector_file.hpp"
#include "policy_text.hpp"
#include "table_coding.hpp"

// A fitted detector as one C++ header of constants, for `FlashDetector` (embedded/flash_detector.hpp) to be compiled
// into firmware: scaler, coding of columns, model, weights, score, threshold and test vectors.

namespace untoward::io {

/// What a header is to be like.
struct CppHeaderOptions {
    std::string name_space = "detector";
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

/// The fewest scores that are kept for p-values.
inline constexpr Index kept_scores = 16;

// How many of the largest calibration scores a header has.
inline Index tail_size(const HeaderThreshold& threshold) {
    const Index above = threshold.rows + 1 - conformal_rank(threshold.rows, *threshold.rate);
    return std::max<Index>(std::min(threshold.rows, std::max(above, kept_scores)), 1);
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

/// Bytes of constants that a detector's header puts into flash; its test vectors, and the texts of columns, are there
/// only where they are used.
template <class Recipe, class Storage>
std::size_t flash_bytes(const Detector<Recipe, Storage>& detector) {
    using S = typename Detector<Recipe, Storage>::Scalar;
    const HeaderThreshold threshold = threshold_in_header(detector.threshold());
    const Index tail = threshold.rate ? detail::tail_size(threshold) : 0;
    constexpr std::size_t rest_of_tail = 40;
    return static_cast<std::size_t>(detector.parameters().size() + 4 * detector.features() + tail) *
               sizeof(S) +
           rest_of_tail;
}

/// A detector as a header. `coding`, where not null, is how the cells of a table become its features. Throws Error where
/// a part of the recipe has no C++ text (core/options.hpp); a part of a user's own must be declared before the header is
/// included, in the namespace untoward or in the header's.
template <class Recipe, class Storage>
std::string cpp_header(const Detector<Recipe, Storage>& detector, const TableCoding* coding = nullptr,
                       const CppHeaderOptions& options = {}) {
    using S = typename Detector<Recipe, Storage>::Scalar;
    detail::require_namespace(options.name_space);
    if (coding != nullptr && coding->features() != detector.features())
        fail("the columns make ", coding->features(), " features, the model expects ", detector.features());
    const auto& model = detector.recipe().model;
    const std::string type = std::same_as<S, float> ? "float" : "double";
    const HeaderThreshold threshold = threshold_in_header(detector.threshold());

    std::string text =
        "// Written by untoward " UNTOWARD_VERSION ": a fitted detector, to be compiled into a program.\n";
    for (const std::string& note : options.notes) text += detail::cpp_comment(note);
    text += "#pragma once\n\n#include <cstdint>\n#include <limits>\n\n#include <untoward/embedded.hpp>\n\n";
    text += "namespace " + options.name_space + " {\n\nnamespace parts {\n\nusing namespace untoward;\n\n";
    text += "inline constexpr auto model = " + policy_text(model) + ";\n";
    text += "inline constexpr auto score = " + policy_text(detector.recipe().score) + ";\n";
    text += "\n}  // namespace parts\n\n";
    text += "static_assert(untoward::layout_hash(parts::model, parts::model.sample) == 0x" +
            detail::hex(layout_hash(model, model.sample)) +
            "u,\n              \"the weights below are of another model\");\n\n";

    text += "struct Definition {\n    using Scalar = " + type + ";\n";
    text +=
        "    static constexpr auto model = parts::model;\n    static constexpr auto score = parts::score;\n";
    const auto floats = [&](const char* name, const auto& values) {
        text += detail::cpp_floats(type, name, values);
    };
    floats("parameters", detector.parameters());
    floats("centre", detector.scaling().centre);
    floats("scale", detector.scaling().scale);
    floats("fill", detector.scaling().fill);
    floats("typical", detector.typical());
    text += "    static constexpr auto threshold = " + detail::cpp_threshold<S>(threshold) + ";\n";
    if (coding != nullptr) text += detail::cpp_columns(*coding);
    const auto samples = detail::make_test_samples(detector);
    floats("golden_samples", samples.reshaped());
    floats("golden_scores", detector.score(samples));
    text += "};\n\nusing Detector = untoward::FlashDetector<Definition>;\n";
    text += "inline constexpr auto& threshold = Definition::threshold;\n\n";
    return text + "}  // namespace " + options.name_space + "\n";
}

}  // namespace untoward::io
