// SPDX-License-Identifier: MIT
#include "untoward/embedded/learned.hpp"

#include "embedded/agreement.hpp"
#include "scores/relative_error.hpp"

using namespace untoward;
using namespace untoward_test;

TEST_CASE("learned score in flash: says what a detector with the same numbers says, without a heap") {
    check_agreement<LearnedConstants>();
}

TEST_CASE("learned score in flash: keeps to the arena and the flash that it promises") {
    using Flash = FlashDetector<LearnedConstants>;
    const float sample[Flash::features] = {1, 2, 3, 4, 5, 6};
    float excess[Flash::features];
    alignas(storage_alignment) std::byte memory[Flash::arena_bytes];
    Arena arena(memory, sizeof memory);
    REQUIRE(Flash::score(sample, arena, excess) == Flash::score(sample));
    REQUIRE(arena.used() == 0);
    REQUIRE(arena.peak() <= Flash::arena_bytes);
    REQUIRE(2 * arena.peak() > Flash::arena_bytes);
    STATIC_REQUIRE(Flash::flash_bytes - FlashDetector<Constants<ReconstructionError>>::flash_bytes ==
                   sizeof LearnedConstants::learned);
}

namespace {

struct OwnConstants : Constants<ReconstructionError> {
    static constexpr elsewhere::RelativeError score{.floor = 0.1f};
    static constexpr Index learned_sizes[] = {6};
    static constexpr auto learned = made_up<float, 6>(8, 0.5f, 2.0f);
};

}  // namespace

TEST_CASE("learned score in flash: one of the user's own") {
    check_agreement<OwnConstants>();
}

namespace {

template <std::size_t Numbers, class Score>
struct Learned : Constants<ReconstructionError> {
    static constexpr Score score{};
    static constexpr auto learned = made_up<float, Numbers>(1, 0.5f, 2.0f);
};
template <Index... Sizes>
struct Whitened : Learned<6, WhitenedError> {
    static constexpr Index learned_sizes[] = {Sizes...};
};
template <std::size_t First, std::size_t Second>
struct Ranks : Learned<2 + 3 + 6, NegativeLogP<ReconstructionError>> {
    static constexpr Index learned_sizes[] = {6, 2};
    static constexpr float learned[] = {First, Second, 3, 2, 1, 0, 0, 0, 0, 0, 0};
};

}  // namespace

TEST_CASE("learned score in flash: the lists must be those of the score and of the model") {
    using untoward::detail::flash_score;
    STATIC_REQUIRE(flash_score<LearnedConstants>.is_whole);
    STATIC_REQUIRE(flash_score<Whitened<6>>.is_whole);
    STATIC_REQUIRE_FALSE(flash_score<Whitened<5>>.is_whole);     // another model's
    STATIC_REQUIRE_FALSE(flash_score<Whitened<7>>.is_whole);     // more than there are
    STATIC_REQUIRE_FALSE(flash_score<Whitened<6, 1>>.is_whole);  // of another score
    STATIC_REQUIRE_FALSE(flash_score<Whitened<-6>>.is_whole);
    STATIC_REQUIRE_FALSE(flash_score<Whitened<Index{1} << 40>>.is_whole);
    STATIC_REQUIRE_FALSE(flash_score<Learned<6, WhitenedError>>.is_whole);        // no sizes
    STATIC_REQUIRE_FALSE(flash_score<Learned<1, ReconstructionError>>.is_whole);  // that learns nothing
    STATIC_REQUIRE(flash_score<Learned<1, BalancedError>>.is_whole);
    STATIC_REQUIRE(flash_score<Ranks<1, 2>>.is_whole);
    STATIC_REQUIRE_FALSE(flash_score<Ranks<2, 1>>.is_whole);  // not ascending
}
