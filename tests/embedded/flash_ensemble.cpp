// SPDX-License-Identifier: MIT
#include "untoward/embedded/flash_ensemble.hpp"

#include "embedded/agreement.hpp"
#include "untoward/ensemble.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

// Members with other parameters, another model and another score.
struct Second : MemberConstants<NegativeElbo> {
    static constexpr auto parameters =
        made_up<float, MemberConstants<NegativeElbo>::parameters.size()>(11, -0.5f, 0.5f);
    static constexpr auto centre = made_up<float, 6>(12, -3.0f, 3.0f);
};
struct Small : MemberConstants<ReconstructionError> {
    static constexpr auto model =
        Vae{Vec<features>{}, Dense<3, Relu>{}, Latent<2>{}, Dense<4, Relu>{}, Gaussian{}};
    static constexpr auto parameters =
        made_up<float, static_cast<std::size_t>(measure(model, Vec<features>{}).scalars)>(21, -0.5f, 0.5f);
};

struct Whole {
    using Scalar = float;
    static constexpr auto threshold = ConformalTail<float, 3>(0.1, 30, {70, 60, 50});
    static constexpr auto golden_samples = made_up<float, 12>(6, -5.0f, 5.0f);
    static inline std::array<float, 2> golden_scores{};
};
using Flash = FlashEnsemble<Whole, LearnedConstants, Second, Small>;

auto owned_ensemble() {
    const std::tuple members{owned<LearnedConstants>(), owned<Second>(), owned<Small>()};
    const Ensemble ensemble{std::apply([](const auto&... of) { return std::tuple{of.recipe()...}; }, members),
                            Fixed{}};
    return Detector<std::remove_const_t<decltype(ensemble)>>(
        ensemble, members, PlainThreshold<float>(Whole::threshold.threshold(), 0, 0));
}

}  // namespace

TEST_CASE("ensemble in flash: says what an ensemble with the same numbers says, without a heap") {
    check_agreement<Flash>(owned_ensemble(), Whole::threshold);
}

TEST_CASE("ensemble in flash: its bounds are those of its members") {
    STATIC_REQUIRE(Flash::member_count == 3);
    STATIC_REQUIRE(Flash::features == 6);
    STATIC_REQUIRE(Flash::parameter_count == FlashDetector<LearnedConstants>::parameter_count +
                                                 FlashDetector<Second>::parameter_count +
                                                 FlashDetector<Small>::parameter_count);
    STATIC_REQUIRE(Flash::flash_bytes > sizeof LearnedConstants::learned + 4 * Flash::parameter_count);
    const float sample[Flash::features] = {1, 2, 3, 4, 5, 6};
    float excess[Flash::features];
    alignas(storage_alignment) std::byte memory[Flash::arena_bytes + Flash::expect_bytes];
    Arena arena(memory, sizeof memory);
    Flash::score(sample, arena, excess);
    REQUIRE(arena.used() == 0);
    REQUIRE(arena.peak() <= Flash::arena_bytes);
    Arena other(memory, sizeof memory);
    Flash::expect(sample, other, excess);
    REQUIRE(other.peak() == Flash::expect_bytes);
}

TEST_CASE("ensemble in flash: the self-test is of all members together") {
    REQUIRE_FALSE(Flash::self_test());
    for (std::size_t i = 0; i < 2; ++i)
        Whole::golden_scores[i] = Flash::score(Whole::golden_samples.data() + i * 6);
    REQUIRE(Flash::self_test());
    Whole::golden_scores[1] *= 1.001f;
    REQUIRE_FALSE(Flash::self_test());
}
