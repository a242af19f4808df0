// SPDX-License-Identifier: MIT
#pragma once

// Policies as text: what a file stores, a command line names and a person reads. The text is C++:
//
//     NegativeElbo{.draws = 8, .seed = 0}
//     ReconstructionError{.norm = Norm::l1} + 0.1f * KlDivergence{}
//     Chain{Dense<128, Relu>{}, Dropout{.rate = 0.1}}
//
// and it is read back from that, or as people type it: "negative-elbo", "dense<128,relu>", "dropout{rate=0.1}".
// core/options.hpp says what a policy has to say of itself.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../core/options.hpp"
#include "../core/shape.hpp"
#include "../nn/chain.hpp"
#include "../scores/score.hpp"
#include "../vae/vae.hpp"
#include "number.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// A policy's text in its parts: name<arguments...>{values... or .key = value...}.
struct PolicyText {
    std::string name;                                          ///< in kebab case
    std::vector<std::string> arguments;                        ///< between <>
    std::vector<std::string> values;                           ///< between {}, without a key
    std::vector<std::pair<std::string, std::string>> options;  ///< between {}, with one
};

namespace detail {

// "NegativeElbo" of "negative-elbo", and back.
inline std::string pascal_case(std::string_view name) {
    std::string result;
    bool upper = true;
    for (const char c : name) {
        if (c == '-') {
            upper = true;
            continue;
        }
        result += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        upper = false;
    }
    return result;
}
inline std::string kebab_case(std::string_view name) {
    // A namespace in front is for the compiler.
    if (const std::size_t colons = name.rfind("::"); colons != std::string_view::npos)
        name.remove_prefix(colons + 2);
    std::string result;
    for (const char c : name) {
        const bool upper = c >= 'A' && c <= 'Z';
        if (upper && !result.empty() && result.back() != '-') result += '-';
        result += upper ? static_cast<char>(c - 'A' + 'a') : (c == '_' ? '-' : c);
    }
    return result;
}

// Cuts at separators that stand in no brackets; an empty text has no parts.
inline std::vector<std::string> split_outside(std::string_view text, char separator) {
    std::vector<std::string> parts;
    text = trimmed(text);
    if (text.empty()) return parts;
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const char c = i < text.size() ? text[i] : separator;
        if (i < text.size()) {
            depth += c == '<' || c == '{' || c == '(' ? 1 : 0;
            depth -= c == '>' || c == '}' || c == ')' ? 1 : 0;
        }
        // The sign of an exponent is part of its number.
        const auto is_digit = [text](std::size_t k) { return text[k] >= '0' && text[k] <= '9'; };
        const bool exponent = separator == '+' && i > 1 && i + 1 < text.size() &&
                              (text[i - 1] == 'e' || text[i - 1] == 'E') && is_digit(i - 2) &&
                              is_digit(i + 1);
        if (i == text.size() || (c == separator && depth == 0 && !exponent)) {
            parts.emplace_back(trimmed(text.substr(begin, i - begin)));
            begin = i + 1;
        }
    }
    return parts;
}

[[noreturn]] inline void fail_policy(std::string_view text, const char* why) {
    fail("cannot read ", in_quotes(text), ": ", why);
}

// A stranger's text: what reads it calls itself once for every bracket.
inline void require_readable(std::string_view text) {
    constexpr std::size_t longest = 100000;
    if (text.size() > longest) fail_policy(text, "it is too long");
    int depth = 0;
    for (const char c : text) {
        depth += c == '<' || c == '{' || c == '(' ? 1 : 0;
        depth -= c == '>' || c == '}' || c == ')' ? 1 : 0;
        constexpr int deepest = 32;
        if (depth > deepest) fail_policy(text, "its brackets are too deep");
        if (depth < 0) break;
    }
    if (depth != 0) fail_policy(text, "its brackets do not match");
}

}  // namespace detail

/// Takes a policy's text apart. Throws Error where it is none.
inline PolicyText parse_policy(std::string_view text) {
    text = trimmed(text);
    detail::require_readable(text);
    const std::size_t end = (std::min)(text.find_first_of("<{"), text.size());
    PolicyText result;
    result.name = detail::kebab_case(trimmed(text.substr(0, end)));
    const auto is_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    if (result.name.empty() || !std::all_of(result.name.begin(), result.name.end(), is_name))
        detail::fail_policy(text, "expected a name, like dense<64,relu> or dropout{rate=0.1}");

    // What stands between this kind of brackets, which end `rest` or stand before others.
    std::string_view rest = text.substr(end);
    const auto take = [&](char open, char close) {
        std::string_view inside;
        if (rest.empty() || rest.front() != open) return inside;
        int inner = 0;
        for (std::size_t i = 0; i < rest.size(); ++i) {
            inner += rest[i] == open ? 1 : 0;
            inner -= rest[i] == close ? 1 : 0;
            if (inner > 0) continue;
            inside = rest.substr(1, i - 1);
            rest = trimmed(rest.substr(i + 1));
            break;
        }
        return inside;
    };
    result.arguments = detail::split_outside(take('<', '>'), ',');
    for (const std::string& part : detail::split_outside(take('{', '}'), ',')) {
        const std::size_t equals = part.find('=');
        if (equals == std::string::npos || equals > part.find_first_of("<{(")) {
            result.values.push_back(part);
            continue;
        }
        std::string_view key = trimmed(std::string_view(part).substr(0, equals));
        if (!key.empty() && key.front() == '.') key.remove_prefix(1);
        result.options.emplace_back(key, trimmed(std::string_view(part).substr(equals + 1)));
    }
    if (!rest.empty()) detail::fail_policy(text, "there is something behind its last bracket");
    return result;
}

namespace detail {

template <class T>
concept Enumerated = std::is_enum_v<T> && requires(T value) {
    option_values(value);
};

// A value as C++ text, and back; false where the text is none.
template <class T>
std::string value_text(const T& value) {
    if constexpr (std::same_as<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::integral<T>) {
        return std::to_string(value);
    } else if constexpr (std::floating_point<T>) {
        std::string text = format_shortest(value);
        if (text.find_first_of(".en") == std::string::npos) text += ".0";
        return std::same_as<T, float> ? text + "f" : text;
    } else {
        static_assert(Enumerated<T>, "untoward: this option has no text");
        const auto names = option_values(value);
        return std::string(names.type) + "::" + names.names.at(static_cast<std::size_t>(value));
    }
}
template <class T>
bool read_value(std::string_view text, T& value) {
    if constexpr (std::same_as<T, bool>) {
        value = text == "true" || text == "1" || text == "yes";
        return value || text == "false" || text == "0" || text == "no";
    } else if constexpr (std::integral<T>) {
        const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
        return result.ec == std::errc{} && result.ptr == text.data() + text.size();
    } else if constexpr (std::floating_point<T>) {
        if (!text.empty() && text.back() == 'f' && text != "inf") text.remove_suffix(1);
        text = trimmed(text);
        T number = 0;  // not by way of a double, which would be rounded twice
        const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
        if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return false;
        if (!std::isfinite(number)) return false;
        value = number;
        return true;
    } else {
        const auto names = option_values(value);
        if (const std::size_t colons = text.rfind("::"); colons != std::string_view::npos)
            text.remove_prefix(colons + 2);
        const auto found = std::find(names.names.begin(), names.names.end(), text);
        if (found != names.names.end()) value = static_cast<T>(found - names.names.begin());
        return found != names.names.end();
    }
}
template <class T>
std::string kind_of_value() {
    if constexpr (std::same_as<T, bool>) {
        return "true or false";
    } else if constexpr (std::integral<T>) {
        return "a whole number";
    } else if constexpr (std::floating_point<T>) {
        return "a number";
    } else {
        std::string text;
        for (const char* name : option_values(T{}).names)
            text += (text.empty() ? "" : ", ") + std::string(name);
        return "one of " + text;
    }
}

template <class T>
inline constexpr bool is_size = false;
template <Index N>
inline constexpr bool is_size<Vec<N>> = true;

template <class T>
inline constexpr bool is_type_argument = false;
template <class T>
inline constexpr bool is_type_argument<TypeArgument<T>> = true;

}  // namespace detail

template <class Policy>
void read_options(const char* what, const PolicyText& text, Policy& policy);
template <class Policy>
std::string policy_text(const Policy& policy);
template <class Inner>
std::string policy_text(const Weighted<Inner>& score);
template <class First, class Second>
std::string policy_text(const SumOfScores<First, Second>& score);
template <class... Layers>
std::string policy_text(const Chain<Layers...>& chain);
template <class Sample, class EncoderType, class LatentType, class DecoderType, class Likelihood>
std::string policy_text(const Vae<Sample, EncoderType, LatentType, DecoderType, Likelihood>& model);

namespace detail {

template <class T>
inline constexpr bool has_text = Named<T> || requires(const T& policy) {
    policy.text();
};
template <class Inner>
inline constexpr bool has_text<Weighted<Inner>> = has_text<Inner>;
template <class First, class Second>
inline constexpr bool has_text<SumOfScores<First, Second>> = has_text<First>&& has_text<Second>;
template <class... Layers>
inline constexpr bool has_text<Chain<Layers...>> = (has_text<Layers> && ...);
template <class Sample, class... Parts>
inline constexpr bool has_text<Vae<Sample, Parts...>> = (has_text<Parts> && ...);

}  // namespace detail

/// Whether a policy, and everything in it, can be written as text.
template <class T>
concept HasText = detail::has_text<T>;

namespace detail {

inline std::string joined(const std::vector<std::string>& parts, const char* open, const char* close) {
    std::string text = open;
    for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : ", ") + parts[i];
    return text + close;
}

// "Seq<3, 32>{}"
template <Index... Extents>
std::string shape_text(const Shape<Extents...>& shape) {
    constexpr const char* names[] = {"Vec", "Seq", "Image", "Volume"};
    const std::vector<std::string> extents = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::vector<std::string>{std::to_string(shape.template extent<I>())...};
    }
    (std::make_index_sequence<sizeof...(Extents)>{});
    return joined(
        extents,
        sizeof...(Extents) <= 4 ? (names[sizeof...(Extents) - 1] + std::string("<")).c_str() : "Shape<",
        ">{}");
}

// Of what a text may name. The covariance of so many units, each from so many inputs, has 2^59 weights: to
// count them is no overflow, and no file has them.
inline constexpr Index largest_size = Index{1} << 20;

inline constexpr OptionRange any_value{-std::numeric_limits<double>::infinity(),
                                       std::numeric_limits<double>::infinity()};

// Sizes and activations are template arguments, parts that are policies stand by themselves, and the rest has
// keys.
struct OptionsWriter {
    std::vector<std::string> arguments{};
    std::vector<std::string> values{};

    template <class T>
    void operator()(const char* key, const T& value, const OptionRange& = any_value) {
        if constexpr (is_size<T>) {
            arguments.push_back(std::to_string(value.size()));
        } else if constexpr (is_type_argument<T>) {
            arguments.push_back(name_of<typename T::type>());
        } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
            values.push_back(std::string(".").append(key) + " = " + value_text(value));
        } else {
            values.push_back(text_of(value));
        }
    }

private:
    // A part of a user's own need not have a name: then the whole is printed and compared, but not read back.
    template <class T>
    static std::string name_of() {
        if constexpr (Named<T>) {
            return pascal_case(T::name);
        } else {
            return "(unnamed)";
        }
    }
    template <class T>
    static std::string text_of(const T& part) {
        if constexpr (HasText<T>) {
            return policy_text(part);
        } else {
            return "(unnamed)";
        }
    }
};

struct OptionsReader {
    const char* what;  // "layer", "score", ... for messages
    const PolicyText& text;
    std::size_t next_argument = 0;
    std::size_t next_value = 0;
    std::vector<bool> used;
    std::vector<std::string> known{};

    OptionsReader(const char* kind, const PolicyText& parsed)
        : what(kind), text(parsed), used(parsed.options.size(), false) {}

    template <class T>
    void operator()(const char* key, T& value, const OptionRange& range = any_value) {
        known.emplace_back(key);
        const std::string* found = nullptr;
        for (std::size_t i = 0; i < text.options.size(); ++i) {
            if (text.options[i].first != key) continue;
            if (found != nullptr) refuse("is given '", key, "' twice");
            used[i] = true;
            found = &text.options[i].second;
        }
        if constexpr (is_size<std::remove_const_t<T>>) {
            if (found == nullptr && next_argument < text.arguments.size())
                found = &text.arguments[next_argument++];
            if (found == nullptr) refuse("needs its ", key, ", like ", text.name, "<64>");
            Index size = 0;
            if (!read_value(*found, size) || size < 1 || size > largest_size)
                refuse("has ", key, " ", in_quotes(*found), ", expected a whole number from 1 to ",
                       largest_size);
            if constexpr (std::is_assignable_v<T&, Vec<>>) value = Vec<>(size);
        } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
            if (found != nullptr && !read_value(*found, value))
                refuse("has ", key, " ", in_quotes(*found), ", expected ", kind_of_value<T>());
            if constexpr (std::is_arithmetic_v<T>) {
                if (found != nullptr && !range.has(static_cast<double>(value))) {
                    char expected[160];
                    untoward::detail::write_range(expected, sizeof expected, range);
                    refuse("has ", key, " ", in_quotes(*found), ", expected ", kind_of_value<T>(), " ",
                           expected);
                }
            }
        } else if constexpr (is_type_argument<std::remove_const_t<T>>) {
            // Whoever made the policy has read it.
            if (found == nullptr && next_argument < text.arguments.size()) ++next_argument;
        } else if (next_value < text.values.size()) {
            read_part(key, text.values[next_value++], value);
        }
    }

    void finish() const {
        for (std::size_t i = 0; i < used.size(); ++i) {
            if (used[i]) continue;
            std::string names;
            for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
            refuse("has no option ", in_quotes(text.options[i].first),
                   names.empty() ? std::string(", and no other") : "; it has " + names);
        }
        if (next_argument < text.arguments.size())
            refuse("has too many arguments: ", in_quotes(text.arguments[next_argument]));
        if (next_value < text.values.size())
            refuse("has no place for ", in_quotes(text.values[next_value]),
                   ": an option is given as name=value");
    }

    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        fail(what, " ", in_quotes(text.name), " ", parts...);
    }

private:
    // A part that is a policy itself, of a type that is known.
    template <class T>
    void read_part(const char* key, const std::string& part, T& value) const {
        const PolicyText parsed = parse_policy(part);
        if constexpr (Named<T>) {
            if (parsed.name == T::name) return read_options(what, parsed, value);
        }
        refuse("has ", key, " ", in_quotes(part), ", expected ", policy_text(value));
    }
};

}  // namespace detail

/// A policy as C++ text. It has a name (core/options.hpp), or a member `std::string text() const`.
template <class Policy>
std::string policy_text(const Policy& policy) {
    if constexpr (requires {
                      { policy.text() } -> std::convertible_to<std::string>;
                  }) {
        return policy.text();
    } else {
        static_assert(Named<Policy>, "untoward: a policy that is saved or printed has a `name`");
        detail::OptionsWriter writer;
        if constexpr (HasOptions<Policy>) Policy::options(policy, writer);
        return detail::pascal_case(Policy::name) +
               (writer.arguments.empty() ? "" : detail::joined(writer.arguments, "<", ">")) +
               detail::joined(writer.values, "{", "}");
    }
}
template <class Inner>
std::string policy_text(const Weighted<Inner>& score) {
    const std::string inner = policy_text(score.score);
    const bool is_one =
        detail::split_outside(inner, '+').size() == 1 && detail::split_outside(inner, '*').size() == 1;
    return detail::value_text(score.weight) + " * " + (is_one ? inner : "(" + inner + ")");
}
template <class First, class Second>
std::string policy_text(const SumOfScores<First, Second>& score) {
    return policy_text(score.first) + " + " + policy_text(score.second);
}
template <class... Layers>
std::string policy_text(const Chain<Layers...>& chain) {
    return std::apply(
        [](const auto&... layer) {
            return detail::joined(std::vector<std::string>{policy_text(layer)...}, "Chain{", "}");
        },
        chain.layers);
}

template <class Sample, class EncoderType, class LatentType, class DecoderType, class Likelihood>
std::string policy_text(const Vae<Sample, EncoderType, LatentType, DecoderType, Likelihood>& model) {
    return detail::joined(
        {detail::shape_text(model.sample), policy_text(model.encoder), policy_text(model.latent),
         policy_text(model.decoder), policy_text(model.likelihood)},
        "Vae{", "}");
}

/// Sets a policy's options from its text; those that are not named keep their values. `what` is the kind of
/// policy, for messages. Throws Error for an option that it does not have or that has no such value.
template <class Policy>
void read_options(const char* what, const PolicyText& text, Policy& policy) {
    detail::OptionsReader reader(what, text);
    if constexpr (HasOptions<Policy>) Policy::options(policy, reader);
    reader.finish();
}

}  // namespace untoward::io
