// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "../scores/fitted.hpp"

// What a score learned of the training rows, on a device: the same fitted scores (scores/fitted.hpp) over numbers that
// stay in flash. A definition has them in two lists, in the order in which the score's `state` names them:
//
//     static constexpr untoward::Index learned_sizes[] = {...};
//     static constexpr Scalar learned[] = {...};
//
// One of both is left out where the score has none of it.

namespace untoward UNTOWARD_SETTING {

/// Numbers in flash where a fitted score has a vector of its own.
template <class S>
class FlashVector {
public:
    using Scalar = S;

    constexpr FlashVector() = default;
    constexpr FlashVector(const S* numbers, Index size) : numbers_(numbers), size_(size) {}

    [[nodiscard]] constexpr Index size() const { return size_; }
    [[nodiscard]] constexpr const S* data() const { return numbers_; }
    [[nodiscard]] constexpr const S* begin() const { return numbers_; }
    [[nodiscard]] constexpr const S* end() const { return numbers_ + size_; }
    constexpr const S& operator[](Index i) const { return numbers_[i]; }

    [[nodiscard]] auto array() const {
        return Eigen::Map<const Eigen::Array<S, Dynamic, 1>>(numbers_, size_);
    }

private:
    const S* numbers_ = nullptr;
    Index size_ = 0;
};

namespace detail {

template <class Definition>
constexpr std::span<const Index> learned_sizes() {
    if constexpr (requires { Definition::learned_sizes; }) {
        return Definition::learned_sizes;
    } else {
        return {};
    }
}
template <class Definition>
constexpr std::span<const typename Definition::Scalar> learned_numbers() {
    if constexpr (requires { Definition::learned; }) {
        return Definition::learned;
    } else {
        return {};
    }
}

// Gives the `state` of a fitted score what stands in both lists. Behind their ends nothing is read.
template <class S>
class FlashState {
public:
    struct Lists {
        std::span<const Index> sizes;
        std::span<const S> numbers;
        bool is_enough = true;
    };

    constexpr explicit FlashState(Lists& lists) : lists_(&lists) {}

    constexpr void size(const auto&, Index& value) const {
        // As in files: then no product of three overflows where an index has 64 bits.
        constexpr Index largest = 1 << 20;
        Lists& from = *lists_;
        from.is_enough =
            from.is_enough && !from.sizes.empty() && from.sizes[0] >= 0 && from.sizes[0] <= largest;
        if (!from.is_enough) return;
        value = from.sizes[0];
        from.sizes = from.sizes.subspan(1);
    }
    constexpr void numbers(const auto&, FlashVector<S>& values, Index length) const {
        Lists& from = *lists_;
        from.is_enough = from.is_enough && length <= static_cast<Index>(from.numbers.size());
        if (!from.is_enough) return;
        values = {from.numbers.data(), length};
        from.numbers = from.numbers.subspan(static_cast<std::size_t>(length));
    }
    [[nodiscard]] constexpr FlashState part(const auto&) const { return *this; }

private:
    Lists* lists_;
};

// The fitted score of a definition, and whether both lists are those of such a score, and of its model.
template <class Definition>
struct FlashScore {
    using S = typename Definition::Scalar;
    using Policy = std::remove_cvref_t<decltype(Definition::score)>;
    using Fitted = FittedScore<Policy, FlashVector<S>>;

    Fitted score;
    bool is_whole;

    static constexpr FlashScore read() {
        FlashScore result{ScoreFitting<Policy, FlashVector<S>>::blank(Definition::score), false};
        typename FlashState<S>::Lists lists{learned_sizes<Definition>(), learned_numbers<Definition>()};
        FlashState<S> state(lists);
        visit_state(result.score, state);
        const auto& model = Definition::model;
        result.is_whole = lists.is_enough && lists.sizes.empty() && lists.numbers.empty() &&
                          score_fits(result.score, model.sample.size(), model.latent.units.size());
        return result;
    }
};
template <class Definition>
inline constexpr FlashScore<Definition> flash_score = FlashScore<Definition>::read();

}  // namespace detail

}  // namespace untoward
