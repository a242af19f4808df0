// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>

#include "../config.hpp"

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
// Where not every value makes sense, `visit("share", self.share, OptionRange{0, 1})` says which do. Nothing
// of this costs anything where it is not asked for.

namespace untoward {

/// The name of an enumeration and those of its values, which count up from 0.
template <std::size_t N>
struct OptionValues {
    const char* type;
    std::array<const char*, N> names;
};

/// The values that a number may have: from low to high, or between them where it is `open`.
struct OptionRange {
    double low;
    double high;
    bool open = false;

    [[nodiscard]] constexpr bool has(double value) const {
        return open ? value > low && value < high : value >= low && value <= high;
    }
};

/// An option that is a type with a name, not a value.
template <class T>
struct TypeArgument {
    using type = T;
};
template <class T>
inline constexpr TypeArgument<T> as_argument{};

namespace detail {

struct IgnoreOption {
    constexpr void operator()(const char*, const auto&, const OptionRange& = {0, 0}) const {}
};

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

}  // namespace untoward
