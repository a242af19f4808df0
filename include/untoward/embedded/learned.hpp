// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iterator>
#include <type_traits>

#include "../scores/fitted.hpp"

// What a score learned of the training rows, on a device: the same fitted scores (scores/fitted.hpp) over numbers that
// stay in flash. A definition has them in two lists, in the order in which the score's `state` names them:
//
//     static constexpr untoward::Index learned_sizes[] = {...};
//     static constexpr Scalar learned[] = {...};
//
// One of both is left out where the score has none of it.

namespace untoward {

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
constexpr const Index* learned_sizes() {
    if constexpr (requires { Definition::learned_sizes; }) {
        return std::data(Definition::learned_sizes);
    } else {
        return nullptr;
    }
}
template <class Definition>
constexpr const typename Definition::Scalar* learned() {
    if constexpr (requires { Definition::learned; }) {
        return std::data(Definition::learned);
    } else {
        return nullptr;
    }
}
template <class Definition>
constexpr Index learned_size_count() {
    if constexpr (requires { Definition::learned_sizes; }) {
        return static_cast<Index>(std::size(Definition::learned_sizes));
    } else {
        return 0;
    }
}
template <class Definition>
constexpr Index learned_count() {
    if constexpr (requires { Definition::learned; }) {
        return static_cast<Index>(std::size(Definition::learned));
    } else {
        return 0;
    }
}

// Gives the `state` of a fitted score what stands in both lists. Behind their ends nothing is read.
template <class S>
class FlashState {
public:
    struct Lists {
        const Index* sizes;
        Index sizes_left;
        const S* numbers;
        Index numbers_left;
        bool is_enough = true;
    };

    constexpr explicit FlashState(Lists& lists) : lists_(&lists) {}

    constexpr void size(const auto&, Index& value) const {
        Lists& from = *lists_;
        // As in files: then no product of three overflows where an index has 64 bits.
        constexpr Index largest = 1 << 20;
        from.is_enough = from.is_enough && from.sizes_left > 0 && *from.sizes >= 0 && *from.sizes <= largest;
        if (!from.is_enough) return;
        value = *from.sizes++;
        --from.sizes_left;
    }
    constexpr void numbers(const auto&, FlashVector<S>& values, Index length) const {
        Lists& from = *lists_;
        from.is_enough = from.is_enough && length <= from.numbers_left;
        if (!from.is_enough) return;
        values = {from.numbers, length};
        from.numbers += length;
        from.numbers_left -= length;
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
        typename FlashState<S>::Lists lists{learned_sizes<Definition>(), learned_size_count<Definition>(),
                                            learned<Definition>(), learned_count<Definition>()};
        FlashState<S> state(lists);
        visit_state(result.score, state);
        const auto& model = Definition::model;
        result.is_whole = lists.is_enough && lists.sizes_left == 0 && lists.numbers_left == 0 &&
                          score_fits(result.score, model.sample.size(), model.latent.units.size());
        return result;
    }
};
template <class Definition>
inline constexpr FlashScore<Definition> flash_score = FlashScore<Definition>::read();

}  // namespace detail

}  // namespace untoward
