// SPDX-License-Identifier: MIT
#include "untoward/embedded/flash_detector.hpp"

#include "embedded/agreement.hpp"

using namespace untoward;
using namespace untoward_test;
using Errors = SumOfScores<ReconstructionError, KlDivergence>;

static_assert(FlashDetector<Constants<Errors>>::features == 6);
static_assert(FlashDetector<Constants<Errors>>::flash_bytes < 2048);

TEST_CASE("detector in flash: says what a detector with the same numbers says, without a heap") {
    check_agreement<Constants<Errors>>();
}

TEST_CASE("detector in flash: takes the arena that it promises") {
    check_arena<Constants<Errors>>();
}

namespace {

struct Right : Constants<Errors> {
    static inline std::array<float, 2> golden_scores{};
};

}  // namespace

TEST_CASE("detector in flash: the self-test passes where scores are those of the exporting host") {
    using Flash = FlashDetector<Right>;
    REQUIRE_FALSE(FlashDetector<Constants<Errors>>::self_test());
    for (std::size_t i = 0; i < 2; ++i)
        Right::golden_scores[i] = Flash::score(Right::golden_samples.data() + i * 6) + 1e-6f;
    REQUIRE(Flash::self_test());
    Right::golden_scores[1] *= 1.001f;
    REQUIRE_FALSE(Flash::self_test());
    REQUIRE(Flash::self_test(0.01f));
    Right::golden_scores[0] = std::numeric_limits<float>::quiet_NaN();
    REQUIRE_FALSE(Flash::self_test(0.01f));
}
