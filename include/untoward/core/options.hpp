// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "../config.hpp"
#include "refuse.hpp"

#if UNTOWARD_HOSTED
#include <cstdio>
#endif

// Names and options of policies: activations, layers, likelihoods, scores, scalers, thresholds, optimisers,
// schedules. A policy that can be chosen by name at run time, saved and printed says two things of itself:
//
//     struct TopShare {
//         double share = 0.1;
//
//         static constexpr const char* name = "top-share";             // its C++ name in kebab case
//         static constexpr void options(auto& self, auto&& visit) {    // one line per option
//             visit("share", self.share);
//         }
//         ...
//     };
//
// `visit` reads the members or writes them. From these lines io/policy_text.hpp makes the C++ text
// "TopShare{.share = 0.1}", and a TopShare from it or from "top-share{share=0.1}"; a policy without options
// needs only its name. Template arguments stand between <>: a size (`Vec<N> units`), and a type that is
// visited as `as_argument<Activation>`. A part that is a policy itself, like the layer in a residual, stands
// in {} without a key. An enumeration says its names beside it:
//
//     enum class Norm { squared, l1, l2 };
//     constexpr OptionValues<3> option_values(Norm) { return {"Norm", {"squared", "l1", "l2"}}; }
//
// Where not every value makes sense, `visit("share", self.share, OptionRange{0, 1})` says which do. NaN is in no
// range, and is refused where there is none. Every public function that takes options checks them before anything
// else, in every build (`require_options`): a struct of options needs nothing but these lines. Nothing of this costs
// anything where it is not asked for.

namespace untoward UNTOWARD_SETTING {

/// The name of an enumeration and those of its values, which count up from 0.
template <std::size_t N>
struct OptionValues {
    const char* type;
    std::array<const char*, N> names;
};

/// The values that a number may have: from low to high, or between them where it is `open`. NaN is never one.
struct OptionRange {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool open = false;        ///< neither low nor high belongs to it
    bool open_above = false;  ///< high does not
    bool has_also = false;    ///< one value more does, with a meaning of its own:
    double also = 0;
    const char* meaning = nullptr;  ///< of that value, for messages

    [[nodiscard]] constexpr bool has(double value) const {
        const bool above = open ? value > low : value >= low;
        const bool below = open || open_above ? value < high : value <= high;
        return (above && below) || (has_also && value == also);
    }
    /// The same range and one value more: at_least(0).or_else(-1, "automatic").
    [[nodiscard]] constexpr OptionRange or_else(double value, const char* what_it_means) const {
        return {low, high, open, open_above, true, value, what_it_means};
    }
};

/// `low` or any finite number above it.
constexpr OptionRange at_least(double low) {
    return {low, (std::numeric_limits<double>::max)()};
}
/// Any finite number above `low`.
constexpr OptionRange above(double low) {
    return {low, std::numeric_limits<double>::infinity(), true};
}
/// From `low` to just below `high`.
constexpr OptionRange from_below(double low, double high) {
    return {low, high, false, true};
}
/// Any finite number.
constexpr OptionRange any_finite() {
    return {-(std::numeric_limits<double>::max)(), (std::numeric_limits<double>::max)()};
}

/// An option that is a type with a name, not a value.
template <class T>
struct TypeArgument {
    using type = T;
};
template <class T>
inline constexpr TypeArgument<T> as_argument{};

namespace detail {

struct IgnoreOption {
    constexpr void operator()(const char*, const auto&, const OptionRange& = {}) const {}
};

#if UNTOWARD_HOSTED

/// Writes "from 1 to 1024", "between 0 and 1", "0 or more": what a range says to a person.
inline void write_range(char* out, std::size_t size, const OptionRange& range) {
    constexpr double most = (std::numeric_limits<double>::max)();
    int n = 0;
    if (range.low < -most && range.high > most) {
        n = std::snprintf(out, size, "a number");
    } else if (range.low <= -most && range.high >= most) {
        n = std::snprintf(out, size, "a finite number");
    } else if (range.high >= most) {
        n = std::snprintf(out, size, range.open ? "more than %.10g" : "%.10g or more", range.low);
    } else if (range.open) {
        n = std::snprintf(out, size, "between %.10g and %.10g", range.low, range.high);
    } else {
        n = std::snprintf(out, size,
                          range.open_above ? "from %.10g to less than %.10g" : "from %.10g to %.10g",
                          range.low, range.high);
    }
    if (range.has_also && n >= 0 && static_cast<std::size_t>(n) < size)
        std::snprintf(out + n, size - static_cast<std::size_t>(n), ", or %.10g (%s)", range.also,
                      range.meaning);
}

/// "TrainingOptions.batch is -5, expected 1 or more". `policy` is a name in kebab case, or null.
[[noreturn]] UNTOWARD_NO_INLINE inline void refuse_option(const char* policy, const char* option,
                                                          double value, const OptionRange& range) {
    char name[80];
    std::size_t n = 0;
    bool upper = true;
    for (const char* c = policy == nullptr ? "options" : policy; *c != '\0' && n + 1 < sizeof name; ++c) {
        if (*c != '-') name[n++] = upper && *c >= 'a' && *c <= 'z' ? static_cast<char>(*c - 'a' + 'A') : *c;
        upper = *c == '-';
    }
    name[n] = '\0';
    char expected[160];
    write_range(expected, sizeof expected, range);
    char message[400];
    std::snprintf(message, sizeof message, "%s.%s is %.10g, expected %s", name, option, value, expected);
    refuse({message});
}

#else

[[noreturn]] inline void refuse_option(const char*, const char*, double, const OptionRange&) {
    __builtin_trap();
}

#endif

}  // namespace detail

/// A policy with a name of its own.
template <class T>
concept Named = requires {
    { T::name } -> std::convertible_to<const char*>;
};

/// A policy whose options can be visited.
template <class T>
concept HasOptions = requires(T& policy) {
    T::options(policy, detail::IgnoreOption{});
};

/// Refuses options that make no sense, before anything runs: a number outside of its range, NaN anywhere, also in the
/// parts of a part. It looks at what `options` visits; what has options of another kind (a recipe, a chain of layers)
/// has a member `check_options() const` that calls this for each. Hosted it throws Error: "Conformal.false_alarm_rate
/// is 2, expected between 0 and 1"; elsewhere it ends the program (refuse.hpp).
template <class T>
constexpr void require_options(const T& options);

namespace detail {

// One option of `require_options`. A size (`Vec<> units`) is at least 1 where no range says otherwise.
struct OptionCheck {
    const char* policy;

    template <class T>
    static constexpr bool is_size = requires(const T& value) {
        T::dynamic_rank;
        value.size();
    };

    template <class T>
    constexpr void operator()(const char* key, const T& value) const {
        (*this)(key, value, is_size<T> ? at_least(1) : OptionRange{});
    }
    template <class T>
    constexpr void operator()(const char* key, const T& value, const OptionRange& range) const {
        if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
        } else if constexpr (is_size<T>) {
            (*this)(key, value.size(), range);
        } else if constexpr (std::is_arithmetic_v<T>) {
            const auto number = static_cast<double>(value);
            if (!range.has(number)) [[unlikely]]
                refuse_option(policy, key, number, range);
        } else {
            require_options(value);
        }
    }
};

template <class T>
constexpr const char* option_owner() {
    if constexpr (Named<T>) {
        return T::name;
    } else {
        return nullptr;
    }
}

}  // namespace detail

template <class T>
constexpr void require_options([[maybe_unused]] const T& options) {
    if constexpr (requires { options.check_options(); }) {
        options.check_options();
    } else if constexpr (HasOptions<T>) {
        T::options(options, detail::OptionCheck{detail::option_owner<T>()});
    }
}

}  // namespace untoward
