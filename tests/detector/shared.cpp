// SPDX-License-Identifier: MIT
// What several threads may do at once: score by one detector, fit, and change a detector for another under its
// scorers. Run again with ThreadSanitizer, for which the run-time parts are compiled here and not in the library of
// registries.
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/small_vae.hpp"
#include "untoward/dynamic/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/slog.hpp"
#include "untoward/thresholds/conformal.hpp"
#include "untoward/train/fit_ensemble.hpp"
#include "untoward/train/time_limit.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

constexpr Index callers = 4;

const Recipe typed{RobustScaler{}, SmallVae<>{}, NegativeElbo{.draws = 2},
                   Conformal{.false_alarm_rate = 0.1}};

// The same, erased: no name is looked up.
AnyRecipe<float> any_recipe() {
    const auto layers = [] { return AnyChain<float>({AnyLayer<float>(Dense<Dynamic, Tanh>(12))}); };
    return {AnyScaler<float>(RobustScaler{}),
            AnyVae<float>{Vec<>(small_features), layers(), AnyLatent<float>(Latent<>(3)), layers(),
                          AnyLikelihood<float>(Gaussian{})},
            AnyScore<float>(NegativeElbo{.draws = 2}),
            AnyThreshold<float>(Conformal{.false_alarm_rate = 0.1})};
}

const Eigen::MatrixXf& training_rows() {
    static const Eigen::MatrixXf rows = correlated(small_features, 300, 1);
    return rows;
}

template <class Vector>
bool same_values(const Vector& a, const Vector& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

/// call(i) for i = 0, ..., n - 1, each by a thread of its own.
template <class Call>
void at_once(Index n, const Call& call) {
    std::vector<std::thread> threads;
    for (Index i = 0; i < n; ++i) threads.emplace_back([&call, i] { call(i); });
    for (std::thread& thread : threads) thread.join();
}

/// Everything const of a detector, by many, who share their helpers too: what one alone is told.
template <class DetectorType>
void check_scored_by_many(const DetectorType& detector) {
    const Eigen::MatrixXf rows = correlated(small_features, 600, 2);
    const Eigen::VectorXf scores = detector.score(rows);
    const Eigen::VectorXf errors = detector.standard_error(rows.leftCols(20));
    const auto verdict = detector(rows.col(3));
    Threads helpers(2);
    std::atomic<int> wrong{0};
    at_once(callers, [&](Index caller) {
        for (int round = 0; round < 10; ++round) {
            const Eigen::VectorXf found =
                (caller + round) % 2 == 0 ? detector.score(rows, helpers) : detector.score(rows);
            wrong += same_values(found, scores) ? 0 : 1;
            wrong += same_values(Eigen::VectorXf(detector.standard_error(rows.leftCols(20))), errors) ? 0 : 1;
            const auto again = detector(rows.col(3));
            wrong += again.score == verdict.score && again.p_value == verdict.p_value &&
                             again.contributions[0].excess == verdict.contributions[0].excess
                         ? 0
                         : 1;
        }
    });
    CHECK(wrong == 0);
    // Tasks that score by the threads whose tasks they are.
    helpers.run(callers,
                [&](Index, Index) { wrong += same_values(detector.score(rows, helpers), scores) ? 0 : 1; });
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("one detector scored by many threads: each is told what one alone is told", "[threads]") {
    check_scored_by_many(fit(typed, training_rows(), quick(10)));
    check_scored_by_many(fit(any_recipe(), training_rows(), quick(10)));
}

TEST_CASE("one ensemble scored by many threads, members of fixed types and of run-time ones", "[threads]") {
    const Recipe member{RobustScaler{}, SmallVae<>{}, Slog{NegativeElbo{.draws = 2}}, NoThreshold{}};
    check_scored_by_many(fit(Ensemble{std::tuple{member, member}, Conformal{.false_alarm_rate = 0.1}},
                             training_rows(), quick(10)));
}

TEST_CASE("several fits at once, by the same options and rows: the bits of fits one by one", "[threads]") {
    // A callback that remembers: each training has its own, though all are given the same options.
    struct StopAfter {
        Index done = 0;
        void on_begin(const Training&) { done = 0; }
        void on_step(Training& training) {
            if (++done == 15) training.stop("enough");
        }
    };
    FitOptions options = quick(20);
    options.training.shards = 2;
    options.training.threads = 2;
    options.training.callbacks = {TimeLimit{.seconds = 1e9}, StopAfter{}};
    const auto fitted = [&](const auto& recipe, Index i) {
        FitOptions own = options;  // with the same callbacks
        own.seed = static_cast<std::uint64_t>(i / 2);
        return fit(recipe, training_rows(), own);
    };
    const auto check = [&](const auto& recipe) {
        using Result = decltype(fitted(recipe, 0));
        std::vector<std::unique_ptr<Result>> one_by_one(callers);
        std::vector<std::unique_ptr<Result>> found(callers);
        for (Index i = 0; i < callers; ++i)
            one_by_one[static_cast<std::size_t>(i)] = std::make_unique<Result>(fitted(recipe, i));
        at_once(callers, [&](Index i) {
            found[static_cast<std::size_t>(i)] = std::make_unique<Result>(fitted(recipe, i));
        });
        for (std::size_t i = 0; i < callers; ++i) {
            CHECK(same_values(found[i]->parameters(), one_by_one[i]->parameters()));
            CHECK(found[i]->threshold().threshold() == one_by_one[i]->threshold().threshold());
        }
        CHECK_FALSE(same_values(found[0]->parameters(), found[2]->parameters()));
    };
    check(typed);
    check(any_recipe());
}

TEST_CASE("a detector changed for another under its scorers: every row is scored by one of them",
          "[threads]") {
    using TheDetector = decltype(fit(typed, training_rows(), quick(1)));
    const Eigen::MatrixXf rows = correlated(small_features, 300, 2);
    const TheDetector originals[] = {fit(typed, training_rows(), quick(5)),
                                     fit(typed, training_rows(), quick(8))};
    const Eigen::VectorXf scores[] = {originals[0].score(rows), originals[1].score(rows)};
    REQUIRE_FALSE(same_values(scores[0], scores[1]));

    std::mutex mutex;  // of this pointer, not of the detector
    auto current = std::make_shared<const TheDetector>(originals[0]);
    std::atomic<Index> scoring{callers};
    std::atomic<int> wrong{0};
    at_once(callers + 1, [&](Index caller) {
        if (caller == callers) {
            for (std::size_t i = 1; scoring > 0; ++i) {
                auto next = std::make_shared<const TheDetector>(originals[i % 2]);
                const std::lock_guard lock(mutex);
                current.swap(next);
            }
            return;
        }
        for (int round = 0; round < 30; ++round) {
            const auto detector = [&] {
                const std::lock_guard lock(mutex);
                return current;
            }();
            const Eigen::VectorXf found = detector->score(rows);
            wrong += same_values(found, scores[0]) || same_values(found, scores[1]) ? 0 : 1;
        }
        --scoring;
    });
    CHECK(wrong == 0);
}
