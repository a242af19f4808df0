// SPDX-License-Identifier: MIT
// Training and scoring by several threads: the same bits as by one. Run again with ThreadSanitizer.
#include "support/catch.hpp"

#include "trained.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;

namespace {

TrainingOptions sharded(Index shards, Index threads) {
    TrainingOptions options = tiny_options(60);
    options.shards = shards;
    options.threads = threads;
    return options;
}

}  // namespace

TEST_CASE("training by any number of threads gives the same bits", "[train]") {
    for (const Index shards : {1, 3, 8}) {
        const auto alone = train<float>(sharded(shards, 1));
        for (const Index threads : {2, 3, 5}) {
            const auto together = train<float>(sharded(shards, threads));
            CHECK(same_bits(alone.parameters, together.parameters));
            CHECK(same(alone.report, together.report));
        }
    }
}

TEST_CASE("shards large enough for every thread to get one", "[train]") {
    const auto after = [](Index threads) {
        TrainingOptions options = sharded(4, threads);
        options.min_steps = options.max_steps = 20;
        options.batch = 4000;
        return train<float>(options, tiny_rows<float>(4000, 1), tiny_rows<float>(3000, 2));
    };
    const auto alone = after(1);
    const auto together = after(4);
    CHECK(same_bits(alone.parameters, together.parameters));
    CHECK(same(alone.report, together.report));
}

TEST_CASE("shards give the gradient of the whole batch, up to rounding", "[train]") {
    // After few steps, since rounding grows from step to step.
    const auto after = [](Index shards) {
        TrainingOptions options = tiny_options(5);
        options.shards = shards;
        options.batch = 31;  // no multiple of any of them
        return train<double>(options);
    };
    const auto whole = after(1);
    for (const Index shards : {2, 3, 7, 31, 1000}) {
        const auto parts = after(shards);
        REQUIRE(parts.parameters.size() == whole.parameters.size());
        double largest = 0;
        for (Index i = 0; i < whole.parameters.size(); ++i)
            largest = std::max(largest, std::abs(parts.parameters[i] - whole.parameters[i]));
        CHECK(largest < 1e-9);
        CHECK(std::abs(parts.report.training_losses[0] - whole.report.training_losses[0]) < 1e-9);
    }
}

TEST_CASE("a number that is not finite is found in any shard", "[train]") {
    Rows<float> rows = tiny_rows<float>(32, 1);
    rows(1, 20) = 1e38f;
    for (const Index shards : {1, 4}) {
        TrainingOptions options = sharded(shards, 2);
        options.max_gradient_norm = 0;
        CHECK_THROWS_WITH((train<float>(options, rows, Rows<float>())),
                          ContainsSubstring("training step 1: the output of layer"));
    }
}

TEST_CASE("shards and threads that make no sense", "[train]") {
    CHECK_THROWS_WITH(train<float>(sharded(0, 1)), ContainsSubstring("TrainingOptions.shards is 0"));
    CHECK_THROWS_WITH(train<float>(sharded(1, -2)), ContainsSubstring("TrainingOptions.threads is -2"));
}

TEST_CASE("scores by any number of threads are the same bits", "[detector]") {
    const Rows<float> rows = tiny_rows<float>(500, 1);
    TrainingOptions training = tiny_options(20);
    const auto detector = fit(Recipe{StandardScaler{}, Tiny{}, NegativeElbo{}, Conformal{}}, rows,
                              {.seed = 1, .training = training});
    for (const Index n : {0, 1, 255, 256, 257, 1500}) {
        const Rows<float> some = tiny_rows<float>(n, 2);
        const Eigen::VectorXf alone = detector.score(some);
        for (const Index count : {1, 2, 5}) {
            Threads threads(count);
            const Eigen::VectorXf together = detector.score(some, threads);
            REQUIRE(together.size() == n);
            CHECK((together.array() == alone.array()).all());
        }
    }
}
