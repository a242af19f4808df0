// SPDX-License-Identifier: MIT
// A model whose sizes are known to the compiler: as at the call site of the design, and what it makes
// possible.
#include <algorithm>
#include <cstddef>
#include <memory>

#include "support/allocation.hpp"
#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/data/scaler.hpp"
#include "untoward/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/thresholds/conformal.hpp"
#include "untoward/train/fit.hpp"

using Model =
    untoward::Vae<untoward::Vec<30>,
                  untoward::Encoder<untoward::Dense<64, untoward::Relu>, untoward::Dense<32, untoward::Relu>>,
                  untoward::Latent<8>,
                  untoward::Decoder<untoward::Dense<32, untoward::Relu>, untoward::Dense<64, untoward::Relu>>,
                  untoward::Gaussian>;

namespace {

using namespace untoward;

using StaticRecipe = Recipe<RobustScaler, Model, NegativeElbo, Conformal>;
constexpr StaticRecipe static_recipe{};
constexpr std::size_t bytes = Detector<StaticRecipe>::judge_bytes(static_recipe);
static_assert(bytes ==
              Detector<StaticRecipe>::arena_bytes(static_recipe, 1, true) + 2 * align_up(30 * sizeof(float)));
static_assert(bytes < 8 * 1024, "one verdict needs less than 8 KiB");
static_assert(Detector<StaticRecipe>::arena_bytes(static_recipe, 1, false) <
              Detector<StaticRecipe>::arena_bytes(static_recipe, 1, true));
static_assert(std::is_empty_v<Model>, "sizes in the type take no room");

Eigen::MatrixXf normal_data() {
    return untoward_test::correlated(30, 600, 4);
}

const auto& detector() {
    static const auto fitted = [] {
        const Eigen::MatrixXf data = normal_data();
        // As the design writes it.
        untoward::Recipe recipe{untoward::RobustScaler{}, Model{}, untoward::NegativeElbo{},
                                untoward::Conformal{.false_alarm_rate = 0.01f}};

        auto fitted_detector = untoward::fit(recipe, data, {.epochs = 20, .seed = 7});
        return fitted_detector;
    }();
    return fitted;
}

}  // namespace

TEST_CASE("static model: verdicts in the caller's arena touch no heap") {
    const Eigen::MatrixXf samples = untoward_test::mirrored(30, 10, 8).rows;
    const auto& fitted = detector();
    alignas(storage_alignment) static std::byte memory[bytes];
    Arena arena(memory, sizeof memory);
    float scores[10];
    bool anomalies[10];
    const AllocationCount count;
    for (Index j = 0; j < samples.cols(); ++j) {
        const auto verdict = fitted.judge(samples.col(j), arena);
        scores[j] = verdict.score;
        anomalies[j] = verdict.is_anomaly;
    }
    const long allocations = count.since();
    REQUIRE(allocations == 0);
    REQUIRE(arena.used() == 0);
    REQUIRE(arena.peak() == bytes);
    for (Index j = 0; j < samples.cols(); ++j) {
        const auto verdict = fitted(samples.col(j));
        static_assert(std::is_same_v<decltype(verdict.contributions), std::array<Contribution<float>, 30>>);
        REQUIRE(verdict.score == scores[j]);
        REQUIRE(verdict.is_anomaly == anomalies[j]);
    }
    if (AllocationCount::counts()) {
        const AllocationCount other;
        const auto used = std::make_unique<int>(3);
        asm volatile("" : : "r"(used.get()) : "memory");  // or a compiler may leave it out
        REQUIRE(other.since() > 0);
    }
}

TEST_CASE("static model: run-time sizes give the same numbers") {
    using Layer = Dense<Dynamic, Relu>;
    using DynamicModel = Vae<Vec<>, Encoder<Layer, Layer>, Latent<>, Decoder<Layer, Layer>, Gaussian>;
    const DynamicModel model{Vec<>(30), {Layer(64), Layer(32)}, Latent<>(8), {Layer(32), Layer(64)}, {}};
    const Eigen::MatrixXf data = normal_data();
    const auto dynamic =
        fit(Recipe{RobustScaler{}, model, NegativeElbo{}, Conformal{.false_alarm_rate = 0.01f}}, data,
            {.epochs = 20, .seed = 7});
    const auto& fixed = detector();
    REQUIRE(std::equal(fixed.parameters().begin(), fixed.parameters().end(), dynamic.parameters().begin(),
                       dynamic.parameters().end()));
    REQUIRE(fixed.score(data) == dynamic.score(data));
    REQUIRE(fixed.threshold().scores() == dynamic.threshold().scores());
    const auto a = fixed(data.col(3));
    const auto b = dynamic(data.col(3));
    REQUIRE(a.score == b.score);
    REQUIRE(a.p_value == b.p_value);
    for (Index i = 0; i < 30; ++i) {
        REQUIRE(a.contributions[static_cast<std::size_t>(i)].feature == b.contributions[i].feature);
        REQUIRE(a.contributions[static_cast<std::size_t>(i)].excess == b.contributions[i].excess);
        REQUIRE(a.contributions[static_cast<std::size_t>(i)].expected == b.contributions[i].expected);
    }
}
