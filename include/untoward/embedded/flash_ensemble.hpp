// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "flash_detector.hpp"

namespace untoward UNTOWARD_SETTING {

/// A fitted ensemble whose every number is a constant: what `FlashDetector` is to a detector of one model, and used alike.
/// `Definition` has the threshold, the vectors of the self-test and, where there are some, the columns; each of `Members`
/// is a definition without them. Score, shares and what is expected are the means of the members', which are asked one
/// after another in the same arena.
///
/// Threads: as FlashDetector.
template <class Definition, class... Members>
class FlashEnsemble : public detail::FlashJudge<FlashEnsemble<Definition, Members...>, Definition> {
    using Base = detail::FlashJudge<FlashEnsemble<Definition, Members...>, Definition>;
    using First = FlashDetector<std::tuple_element_t<0, std::tuple<Members...>>>;

public:
    using Base::expect;
    using Base::score;
    using typename Base::Scalar;

    static_assert(sizeof...(Members) > 0, "untoward: an ensemble has a member");
    static constexpr Index features = First::features;
    static constexpr Index member_count = sizeof...(Members);
    static constexpr Index parameter_count = (FlashDetector<Members>::parameter_count + ...);
    static_assert(((FlashDetector<Members>::features == features) && ...),
                  "untoward: the members of an ensemble judge the same features");

    /// Bytes of arena that a score takes, at most.
    static constexpr std::size_t arena_bytes = (std::max)({FlashDetector<Members>::arena_bytes...}) +
                                               align_up(static_cast<std::size_t>(features) * sizeof(Scalar));
    /// Bytes of arena that `expect` takes.
    static constexpr std::size_t expect_bytes = (std::max)({FlashDetector<Members>::expect_bytes...}) +
                                                align_up(static_cast<std::size_t>(features) * sizeof(Scalar));
    /// Bytes of constants in flash, without the vectors of the self-test.
    static constexpr std::size_t flash_bytes =
        (FlashDetector<Members>::flash_bytes + ...) + detail::threshold_bytes<Definition>();
    /// Multiplications of a forward pass of all members, without those of scores that learned something.
    static constexpr Index multiply_adds = (FlashDetector<Members>::multiply_adds + ...);

    /// The score of a sample in an arena of `arena_bytes`; `excess`, where not null, receives every
    /// feature's share of it less the training median of that share.
    static Scalar score(const Scalar* sample, Arena& arena, Scalar* excess = nullptr) {
        const std::size_t mark = arena.used();
        Scalar* const own = excess == nullptr ? nullptr : arena.allocate<Scalar>(features);
        Scalar sum = 0;
        clear(excess);
        const auto ask = [&]<class Member>(FlashDetector<Member>) {
            sum += share * FlashDetector<Member>::score(sample, arena, own);
            add(excess, own);
        };
        (ask(FlashDetector<Members>{}), ...);
        arena.rewind(mark);
        return sum;
    }
    /// What the members would expect of a normal sample nearby, in the data's unit; in an arena of `expect_bytes`.
    static void expect(const Scalar* sample, Arena& arena, Scalar* expected) {
        const std::size_t mark = arena.used();
        Scalar* const own = arena.allocate<Scalar>(features);
        clear(expected);
        const auto ask = [&]<class Member>(FlashDetector<Member>) {
            FlashDetector<Member>::expect(sample, arena, own);
            add(expected, own);
        };
        (ask(FlashDetector<Members>{}), ...);
        arena.rewind(mark);
    }

private:
    static constexpr Scalar share = Scalar(1) / static_cast<Scalar>(member_count);

    static void clear(Scalar* sums) {
        for (Index i = 0; i < features && sums != nullptr; ++i) sums[i] = 0;
    }
    static void add(Scalar* sums, const Scalar* values) {
        for (Index i = 0; i < features && sums != nullptr; ++i) sums[i] += share * values[i];
    }
};

}  // namespace untoward
