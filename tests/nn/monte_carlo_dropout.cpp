// SPDX-License-Identifier: MIT
// Dropout that stays on in scoring draws the same noise for the same seed and draw, whatever the batch.
#include "support/property.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/dropout.hpp"

using namespace untoward;

namespace {

const Chain<Dropout, Dense<2>> model{Dropout{.rate = 0.4, .monte_carlo = true}, {}};
constexpr Index features = 40;

std::vector<double> scored(std::uint64_t seed, std::uint32_t draw, Index first, Index batch,
                           const auto& layer) {
    const Vec<features> shape;
    std::vector<double> parameters(static_cast<std::size_t>(measure(layer, shape).scalars));
    initialise(parameters.data(), 3, layer, shape);
    const auto all = property::random_inputs({features}, 5, -1, 1);
    Buffer<std::byte> memory(static_cast<Index>(count<double>(layer, batch, shape).run_bytes));
    Arena arena(memory);
    Run<double> scope(parameters.data(), arena, Pass{.seed = seed, .epoch = draw});
    const auto y = layer(
        scope, Tensor<const double, Vec<features>>(all.values[0].data() + first * features, shape, batch));
    CHECK(arena.peak() == arena.capacity());
    std::vector<double> result;
    property::append_output(result, y);
    return result;
}

}  // namespace

TEST_CASE("dropout that stays on keeps the promises of a layer") {
    property::check_properties(model, {.batch = 3}, Vec<5>{});
}

TEST_CASE("draws of dropout in scoring") {
    const auto one = scored(7, 0, 0, 5, model);
    CHECK(one == scored(7, 0, 0, 5, model));
    CHECK(one != scored(7, 1, 0, 5, model));
    CHECK(one != scored(8, 0, 0, 5, model));
    // A sample's draw does not depend on its place.
    const auto alone = scored(7, 0, 3, 1, model);
    CHECK(alone[0] == Approx(one[6]).epsilon(1e-14));
    CHECK(alone[1] == Approx(one[7]).epsilon(1e-14));
    const Chain<Dropout, Dense<2>> off{Dropout{.rate = 0.4}, {}};
    CHECK(scored(7, 0, 0, 5, off) == scored(8, 1, 0, 5, off));
}

TEST_CASE("the mean over draws is what is scored without dropout") {
    const Chain<Dropout, Dense<2>> off{Dropout{.rate = 0.4}, {}};
    const auto expected = scored(7, 0, 0, 1, off);
    constexpr int draws = 2000;
    double mean[2] = {};
    double square[2] = {};
    for (std::uint32_t draw = 0; draw < draws; ++draw) {
        const auto y = scored(7, draw, 0, 1, model);
        for (std::size_t i = 0; i < 2; ++i) {
            mean[i] += y[i] / draws;
            square[i] += y[i] * y[i] / draws;
        }
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const double error = std::sqrt((square[i] - mean[i] * mean[i]) / draws);
        CHECK(error > 0);
        CHECK(std::abs(mean[i] - expected[i]) < 4 * error);
    }
}
