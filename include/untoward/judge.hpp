// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "recipe.hpp"
#include "thresholds/threshold.hpp"

// A verdict, and what everything that gives one does alike: a detector (detector.hpp) and an ensemble of them
// (ensemble.hpp).

namespace untoward UNTOWARD_SETTING {

/// How much one feature is to blame.
template <class S>
struct Contribution {
    Index feature = 0;
    S excess = 0;    ///< its share of the score, less the training median of that share
    S observed = 0;  ///< in the data's unit; NaN where missing
    S expected = 0;  ///< what the model would expect of a normal sample nearby, in the data's unit
};

/// What a detector says of one sample.
template <class S, class Sample>
struct Verdict {
    S score = 0;    ///< higher is more anomalous; infinite where a value was
    S p_value = 1;  ///< P(a normal sample scores as high), where the threshold has p-values; else NaN
    bool is_anomaly = false;
    bool is_valid = true;  ///< false where a value was infinite: then anomalous
    Index missing = 0;     ///< values that were NaN and took the training median
    /// Every feature, the most to blame first.
    std::conditional_t<
        Sample::is_static,
        std::array<Contribution<S>, static_cast<std::size_t>(Sample::is_static ? Sample::static_size : 0)>,
        Buffer<Contribution<S>>>
        contributions{};
};

namespace detail {

// One worker, who does all there is to do, in order.
struct InOrder {
    [[nodiscard]] static constexpr Index count() { return 1; }
    static void run(Index tasks, const auto& task) {
        for (Index i = 0; i < tasks; ++i) task(i, Index{0});
    }
};

// A double that no float holds is, too.
template <class S, class Number>
bool is_infinite(Number value) {
    return std::isinf(static_cast<S>(value));
}

// What detectors do alike, whatever computes their scores: `Self` has features(), arena_bytes(batch, explain),
// judge_bytes() and evaluate(samples, arena, scores, contributions, expected); for standard errors draws(),
// deviation_bytes(batch) and add_deviations(samples, arena, deviations, weight).
template <class Self, class S, class SampleShape, class ThresholdType>
class Judge {
public:
    using Scalar = S;
    using Sample = SampleShape;
    using Threshold = ThresholdType;
    using VerdictType = Verdict<S, Sample>;

    /// Samples scored at a time.
    static constexpr Index block_size = 256;

    [[nodiscard]] const Threshold& threshold() const { return threshold_; }
    /// The same detector with another threshold, calibrated to scores (thresholds/rounding.hpp) or chosen by hand.
    void set_threshold(Threshold threshold) { threshold_ = std::move(threshold); }

    /// The scores of many samples, features x n; cut into blocks that stay in the cache. Another number of features is
    /// refused, in every build (core/refuse.hpp).
    template <class Derived>
    [[nodiscard]] auto score(const Eigen::DenseBase<Derived>& samples) const {
        InOrder alone;
        return score(samples, alone);
    }
    /// The same by `Threads` (core/threads.hpp), or by anything that has `count()` and `run(tasks, task)` as they
    /// do. The numbers do not depend on how many there are.
    template <class Derived, class Workers>
    [[nodiscard]] Eigen::Matrix<S, Dynamic, 1> score(const Eigen::DenseBase<Derived>& samples,
                                                     Workers& workers) const {
        require_static_features<Sample::static_size, Derived::RowsAtCompileTime>();
        const Index n = samples.cols();
        require_features(samples.rows(), n, self().features());
        Eigen::Matrix<S, Dynamic, 1> scores(n);
        const Index block = std::min<Index>(block_size, std::max<Index>(n, 1));
        const Index blocks = (n + block - 1) / block;
        const auto bytes = static_cast<Index>(align_up(self().arena_bytes(block, false)));
        Buffer<std::byte> memory(bytes * workers.count());
        workers.run(blocks, [&](Index i, Index worker) {
            Arena arena(memory.data() + worker * bytes, static_cast<std::size_t>(bytes));
            const Index begin = i * block;
            self().evaluate(samples.derived().middleCols(begin, (std::min)(block, n - begin)), arena,
                            scores.data() + begin);
        });
        return scores;
    }

    /// The Monte Carlo standard error of the score of every sample: how far the score would lie, with other draws,
    /// from where it is with infinitely many (scores/draws.hpp). 0 for scores without draws; NaN where it is not
    /// known: of one draw, of a score in the unit of its rank, of a sample with an infinite value. Another pass over
    /// the samples, features x n, which keeps every draw.
    template <class Derived>
    [[nodiscard]] Eigen::Matrix<S, Dynamic, 1> standard_error(
        const Eigen::DenseBase<Derived>& samples) const {
        const Index n = samples.cols();
        require_features(samples.rows(), n, self().features());
        const Index draws = self().draws();
        Eigen::Matrix<S, Dynamic, 1> errors(n);
        errors.setZero();
        if (n == 0 || draws == 0) return errors;
        constexpr Index numbers_at_once = Index{1} << 20;
        const Index block = std::clamp<Index>(numbers_at_once / (draws * self().features()), 1,
                                              std::min<Index>(block_size, n));
        Eigen::Matrix<S, Dynamic, Dynamic> deviations(draws, block);
        Buffer<std::byte> memory(static_cast<Index>(self().deviation_bytes(block)));
        Arena arena(memory);
        for (Index begin = 0; begin < n; begin += block) {
            const Index count = (std::min)(block, n - begin);
            deviations.setZero();
            self().add_deviations(samples.derived().middleCols(begin, count), arena,
                                  Tensor<S, Vec<>>(deviations.data(), Vec<>(draws), count), S(1));
            errors.segment(begin, count) = deviations.leftCols(count).colwise().norm().transpose();
        }
        return errors;
    }

    /// The verdict on one sample of `features()` values, a column or a row; anything else is refused, in every build.
    template <class Derived>
    [[nodiscard]] VerdictType operator()(const Eigen::DenseBase<Derived>& sample) const {
        Buffer<std::byte> memory(static_cast<Index>(self().judge_bytes()));
        Arena arena(memory);
        return judge(sample, arena);
    }
    /// The same in the caller's arena, of `judge_bytes()`; no other memory where the model's sizes are
    /// static.
    template <class Derived>
    [[nodiscard]] VerdictType judge(const Eigen::DenseBase<Derived>& sample, Arena& arena) const {
        const Index n = self().features();
        require_static_features<Sample::static_size, Derived::SizeAtCompileTime>();
        require_sample(sample.rows(), sample.cols(), n);
        const ArenaScope scope(arena);
        S* const contributions = arena.allocate<S>(n);
        S* const expected = arena.allocate<S>(n);
        VerdictType verdict;
        self().evaluate(sample.derived().reshaped(n, 1), arena, &verdict.score, contributions, expected);
        if constexpr (!Sample::is_static) verdict.contributions = Buffer<Contribution<S>>(n);
        Contribution<S>* const blame = verdict.contributions.data();
        const bool is_row = sample.cols() != 1;
        for (Index i = 0; i < n; ++i) {
            const auto given = is_row ? sample.derived().coeff(0, i) : sample.derived().coeff(i, 0);
            const auto value = static_cast<S>(given);
            blame[i] = {i, contributions[i], value, expected[i]};
            verdict.missing += std::isnan(value) ? 1 : 0;
            verdict.is_valid = verdict.is_valid && !is_infinite<S>(given);
        }
        std::sort(verdict.contributions.begin(), verdict.contributions.end(),
                  [](const auto& a, const auto& b) {
                      return a.excess != b.excess ? a.excess > b.excess : a.feature < b.feature;
                  });
        verdict.is_anomaly = threshold_.is_anomaly(verdict.score);
        verdict.p_value = p_value(verdict.score);
        return verdict;
    }

    // What else samples are kept in.
    template <class Other>
    requires(!EigenDense<Other>) auto score(const Other&) const {
        refuse_samples<Other>();
        return Eigen::Matrix<S, Dynamic, 1>();
    }
    template <class Other>
    requires(!EigenDense<Other>) VerdictType operator()(const Other&) const {
        refuse_samples<Other>();
        return {};
    }

    /// P(a normal sample scores as high), or NaN where the threshold knows no p-values.
    [[nodiscard]] S p_value(S score) const {
        if constexpr (HasPValue<Threshold>) {
            return threshold_.p_value(score);
        } else {
            return std::numeric_limits<S>::quiet_NaN();
        }
    }

protected:
    explicit Judge(Threshold threshold) : threshold_(std::move(threshold)) {}

private:
    [[nodiscard]] const Self& self() const { return static_cast<const Self&>(*this); }

    Threshold threshold_;
};

}  // namespace detail

}  // namespace untoward
