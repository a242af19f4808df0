// SPDX-License-Identifier: MIT
#pragma once

// Catch2 v2 (one header, Debian 12) and v3 (a library) look the same to a test that includes this.
// `Approx` is visible unqualified, and v3's names for the string matchers work in both:
//     REQUIRE(value == Approx(2.0).epsilon(1e-6));
//     REQUIRE_THROWS_WITH(call(), Catch::Matchers::ContainsSubstring("line 3"));

#if __has_include(<catch2/catch_all.hpp>)

#include <catch2/catch_all.hpp>
using Catch::Approx;

#else

#include <catch2/catch.hpp>

namespace Catch {
using Detail::Approx;
namespace Matchers {
inline auto ContainsSubstring(const std::string& text, CaseSensitive::Choice choice = CaseSensitive::Yes) {
    return Contains(text, choice);
}
}  // namespace Matchers
}  // namespace Catch

#endif
