// SPDX-License-Identifier: MIT
#include "untoward/embedded/trainer.hpp"

#include <limits>

#include "embedded/constants.hpp"
#include "support/allocation.hpp"
#include "support/catch.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

using Weights = InRam<Constants<ReconstructionError>>;
using Flash = FlashDetector<Weights>;
constexpr Index together = 4;
using Trainer = DeviceTrainer<Weights, together>;

RandomStream stream(3);
void next_batch(float* samples) {
    for (Index i = 0; i < together * Trainer::features; ++i) samples[i] = stream.normal();
}

}  // namespace

TEST_CASE("trainer: makes the fit better in the memory that it promises, or puts the weights back") {
    static Trainer trainer;
    Weights::load();
    const float sample[Trainer::features] = {1, -1, 0.5f, 2, -0.5f, 0};
    REQUIRE(Flash::score(sample) == FlashDetector<Constants<ReconstructionError>>::score(sample));
    float held_out[together * Trainer::features];
    next_batch(held_out);
    const AllocationCount count;
    const float before = trainer.loss(held_out);
    const bool is_better = trainer.improve(next_batch, 200, 0.005f, held_out);
    const float after = trainer.loss(held_out);
    const float score = Flash::score(sample);
    const bool is_worse = !trainer.improve(next_batch, 3, 50.0f, held_out);
    REQUIRE(count.since() == 0);
    REQUIRE(is_better);
    REQUIRE(after < before - 0.5f);
    REQUIRE(score != FlashDetector<Constants<ReconstructionError>>::score(sample));
    REQUIRE(is_worse);
    REQUIRE(trainer.loss(held_out) == after);
    REQUIRE(Flash::score(sample) == score);
    REQUIRE(trainer.arena_peak() == Trainer::arena_bytes);
}

TEST_CASE("trainer: readings that are missing, wild or broken leave weights that are numbers") {
    static Trainer trainer;
    Weights::load();
    float samples[together * Trainer::features];
    next_batch(samples);
    samples[0] = std::numeric_limits<float>::quiet_NaN();
    samples[7] = std::numeric_limits<float>::infinity();
    samples[8] = -1e30f;
    for (int i = 0; i < 20; ++i) trainer.step(samples, 0.01f);
    for (const float weight : Weights::parameters) REQUIRE(std::isfinite(weight));
}
