// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

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
// `visit` reads the members or writes them. From these lines `dynamic/` makes the spelling
// "top-share{share=0.1}", the C++ text "TopShare{.share = 0.1}", and a TopShare from either; a policy without
// options needs only its name. Nothing of this costs anything where it is not asked for.

namespace untoward {

namespace detail {

struct IgnoreOption {
    constexpr void operator()(const char*, const auto&) const {}
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
