// SPDX-License-Identifier: MIT
#include "untoward/io/cpp_header.hpp"

#include "embedded/constants.hpp"
#include "support/catch.hpp"

using namespace untoward;
using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("header: texts stay in their literals and comments") {
    REQUIRE(io::detail::cpp_literal("a \"b\" \\ \n\x7f\xc3\xa9") == R"("a \"b\" \\ \012\177\303\251")");
    REQUIRE(io::detail::cpp_comment("a\nint x; \\") == "// a\\012int x; \\\\.\n");
}

TEST_CASE("header: a detector of fixed types is its parts' C++ and its numbers") {
    const auto detector = owned<Constants<ReconstructionError>>();
    const std::string text = io::cpp_header(detector, nullptr, {.name_space = "a::b"});
    CHECK_THAT(text,
               ContainsSubstring("inline constexpr auto model = Vae{Vec<6>{}, Chain{Dense<9, Relu>{}, "
                                 "Dense<5, Tanh>{}}, Latent<3>{}, Chain{Dense<7, Relu>{}}, Gaussian{}};"));
    // The compiler compares the layout of that model with the one that the weights were saved from.
    const auto& model = detector.recipe().model;
    CHECK_THAT(text, ContainsSubstring(
                         "static_assert(untoward::layout_hash(parts::model, parts::model.sample) == 0x" +
                         io::detail::hex(layout_hash(model, model.sample)) + "u"));
    CHECK_THAT(text, ContainsSubstring("score = ReconstructionError{.norm = Norm::squared};"));
    CHECK_THAT(text, ContainsSubstring("threshold = untoward::PlainThreshold<float>(10.0f, 0, 0);"));
    REQUIRE_THROWS_WITH(io::cpp_header(detector, nullptr, {.name_space = "a b"}), ContainsSubstring("'a b'"));
}

TEST_CASE("header: rounded weights are near, and rounding them again changes nothing") {
    const auto detector = owned<Constants<ReconstructionError>>();
    const std::size_t all = io::flash_bytes(detector);
    for (const auto weights : {io::HeaderWeights::bfloat16, io::HeaderWeights::int8}) {
        const auto rounded = io::with_rounded_weights(detector, weights);
        const auto difference = (rounded.parameters().array() - detector.parameters().array()).abs();
        REQUIRE(difference.maxCoeff() > 0);
        REQUIRE(difference.maxCoeff() <= 0.5f / 127 / 2 * 1.01f);  // weights within +-0.5
        const auto again = io::with_rounded_weights(rounded, weights);
        REQUIRE((again.parameters().array() - rounded.parameters().array()).abs().maxCoeff() < 1e-7f);
        REQUIRE(io::flash_bytes(detector, weights) < all);
        // Its test vectors are scores by what it holds.
        const auto samples = io::detail::make_test_samples(detector.scaling());
        CHECK_THAT(
            io::cpp_header(detector, nullptr, {.weights = weights}),
            ContainsSubstring(io::detail::cpp_floats("float", "golden_scores", rounded.score(samples))));
    }
}
