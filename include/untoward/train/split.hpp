// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "../core/error.hpp"
#include "../core/options.hpp"
#include "../core/random.hpp"
#include "../thresholds/conformal.hpp"

// Which samples calibrate the threshold, which are held out to choose the best step, and which train. What a conformal
// threshold promises holds for samples that are exchangeable with those that calibrated it. Samples that stand for
// themselves are split at random. Neighbours in a series, like overlapping windows, are nearly copies of each other:
// split at random, the model has seen copies of its calibration samples, scores them too low, and the threshold alarms
// several times as often as it promised. These are split in time, or by what they belong to:
//
//     fit(recipe, windows_of(series, {.length = 64}), {.seed = 7});              // data/windows.hpp: by itself
//     fit(recipe, samples, {.seed = 7, .split = LaterBlock{.gap = 63}});         // samples in the order of time
//     fit(recipe, samples, {.seed = 7, .split = Groups{.of_sample = patients}}); // nobody is on both sides

namespace untoward UNTOWARD_SETTING {

/// Samples at random: for those that do not depend on each other.
struct RandomSplit {};

/// Samples in the order of time: the last ones calibrate, the last ones before those are held out, and `gap` samples
/// between two parts belong to none. An ensemble's members hold out blocks one after the other, with a gap on both
/// sides. Let the gap be as long as samples depend on each other: for windows, all that overlap.
struct LaterBlock {
    Index gap = 0;

    static constexpr const char* name = "later-block";
    static constexpr void options(auto& self, auto&& visit) { visit("gap", self.gap, OptionRange{0, 1e15}); }
};

/// Samples of one group (a patient, a machine, a day) stay together: groups are drawn at random until there are as
/// many samples as are to be set aside, or a few more.
struct Groups {
    std::vector<Index> of_sample;  ///< any number for each sample, equal for those of one group
};

/// How samples are split; nothing is random, or in blocks for windows that know their overlap (data/windows.hpp).
using SplitPolicy = std::variant<std::monostate, RandomSplit, LaterBlock, Groups>;

/// Which samples are set aside for calibration, and which are left to fit everything else. What is in neither lies in
/// a gap between them.
struct CalibrationSplit {
    std::vector<Index> calibration;
    std::vector<Index> rest;
};

namespace detail {

// The numbers of samples, group by group in the order in which groups come first.
inline std::vector<std::vector<Index>> by_group(std::span<const Index> samples, const Groups& groups) {
    std::vector<std::pair<Index, std::size_t>> order;  // group, and where its first sample stands
    for (std::size_t i = 0; i < samples.size(); ++i)
        order.emplace_back(groups.of_sample[static_cast<std::size_t>(samples[i])], i);
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == 0 || order[i].first != order[i - 1].first) places.emplace_back();
        places.back().push_back(order[i].second);
    }
    std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a[0] < b[0]; });
    std::vector<std::vector<Index>> result;
    for (const auto& group : places) {
        result.emplace_back();
        for (const std::size_t i : group) result.back().push_back(samples[i]);
    }
    return result;
}

inline void append(std::vector<Index>& to, std::span<const Index> more) {
    to.insert(to.end(), more.begin(), more.end());
}

// Samples in front, then those that stay: [begin, end) of `samples` and what is further from it than the gap. Returns
// how many are in front.
inline std::size_t block_in_front(std::vector<Index>& samples, std::size_t begin, std::size_t end, Index gap,
                                  const char* what) {
    // Of two samples with a gap of g between them the numbers differ by g + 1.
    const Index first = samples[begin] - gap;
    const Index last = samples[end - 1] + gap;
    std::vector<Index> result(samples.begin() + static_cast<std::ptrdiff_t>(begin),
                              samples.begin() + static_cast<std::ptrdiff_t>(end));
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (i < begin ? samples[i] < first : i >= end && samples[i] > last) result.push_back(samples[i]);
    }
    if (result.size() == end - begin)
        fail("a gap of ", gap, " samples beside ", end - begin, " ", what, " leaves none of ", samples.size(),
             " to train on");
    samples = std::move(result);
    return end - begin;
}

// Whole groups in front, the first ones, until they have `wanted` samples; one group stays. Returns how many samples
// are in front.
inline std::size_t groups_in_front(std::vector<Index>& samples, std::size_t wanted, const Groups& groups) {
    const auto all = by_group(samples, groups);
    std::vector<Index> result;
    std::size_t front = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (front < wanted && i + 1 < all.size()) front += all[i].size();
        append(result, all[i]);
    }
    samples = std::move(result);
    return front;
}

// Throws Error where a policy is none for n samples.
inline void require_split(const SplitPolicy& policy, Index n) {
    if (const auto* block = std::get_if<LaterBlock>(&policy)) require_options(*block);
    const auto* groups = std::get_if<Groups>(&policy);
    if (groups != nullptr && static_cast<Index>(groups->of_sample.size()) != n)
        fail("the split by groups has ", groups->of_sample.size(),
             " numbers of groups, expected one for each of ", n, " samples");
}

// How many of n samples choose the best step. With few the model needs them all, and a tenth of them would judge
// nothing reliably: then the training samples choose it themselves.
inline std::size_t held_out_of(std::size_t n) {
    constexpr std::size_t samples_to_spare = 2000;
    return n >= samples_to_spare ? n / 10 : 0;
}

// Puts the samples that are held out of training in front, and leaves out those of a gap. Returns how many they are.
inline std::size_t hold_out(std::vector<Index>& samples, const SplitPolicy& policy) {
    const std::size_t wanted = held_out_of(samples.size());
    if (wanted == 0) return 0;
    if (const auto* block = std::get_if<LaterBlock>(&policy))
        return block_in_front(samples, samples.size() - wanted, samples.size(), block->gap,
                              "held-out samples");
    if (const auto* groups = std::get_if<Groups>(&policy)) return groups_in_front(samples, wanted, *groups);
    return wanted;
}

// The same for a member of an ensemble, or for one training of several: its fifth in front, another one for each of
// five. Of a few samples nothing is held out: a member needs them all.
inline std::size_t hold_out_fold(Index member, std::vector<Index>& samples, const SplitPolicy& policy = {}) {
    constexpr std::size_t folds = 5;
    constexpr std::size_t least = 4 * folds;
    if (samples.size() < least) return 0;
    const auto number = static_cast<std::size_t>(member);
    if (const auto* groups = std::get_if<Groups>(&policy)) {
        // Groups are dealt out, so that each fold has one where there are enough.
        const auto all = by_group(samples, *groups);
        if (all.size() < 2) return 0;
        const std::size_t hands = (std::min)(folds, all.size());
        std::vector<Index> front;
        std::vector<Index> others;
        for (std::size_t i = 0; i < all.size(); ++i)
            append(i % hands == number % hands ? front : others, all[i]);
        const std::size_t held_out = front.size();
        append(front, others);
        samples = std::move(front);
        return held_out;
    }
    const std::size_t fold = number % folds;
    const std::size_t begin = fold * samples.size() / folds;
    const std::size_t end = (fold + 1) * samples.size() / folds;
    if (const auto* block = std::get_if<LaterBlock>(&policy))
        return block_in_front(samples, begin, end, block->gap, "held-out samples");
    std::rotate(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(begin), samples.end());
    return end - begin;
}

}  // namespace detail

/// The split that `fit` makes of n samples for this threshold policy, seed and split policy: ask for it where something
/// of your own (a vocabulary, a feature selection) is to be learned without the calibration samples. Throws Error:
/// fewer than two samples, a gap that leaves none to train on, another number of groups than of samples, one group.
template <class ThresholdPolicy>
CalibrationSplit calibration_split(const ThresholdPolicy& threshold, Index n, std::uint64_t seed,
                                   const SplitPolicy& policy = {}) {
    constexpr std::uint64_t split_site = 1;
    require_options(threshold);
    detail::require_split(policy, n);
    if (n < 2)
        fail("fitting needs at least 2 rows, one of them for calibration; there ", n == 1 ? "is " : "are ",
             n);
    std::vector<Index> order(static_cast<std::size_t>(n));
    auto calibration =
        static_cast<std::size_t>(std::clamp<Index>(rows_for_calibration(threshold, n), 1, n - 1));
    if (const auto* block = std::get_if<LaterBlock>(&policy)) {
        for (Index i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
        detail::block_in_front(order, order.size() - calibration, order.size(), block->gap,
                               "calibration samples");
    } else {
        permutation(seed, split_site, std::span<Index>(order));
        if (const auto* groups = std::get_if<Groups>(&policy)) {
            calibration = detail::groups_in_front(order, calibration, *groups);
            if (calibration == 0)
                fail("all ", n, " samples are of one group, expected 2 or more: one of them for calibration");
        }
    }
    const auto middle = order.begin() + static_cast<std::ptrdiff_t>(calibration);
    return {{order.begin(), middle}, {middle, order.end()}};
}

}  // namespace untoward
