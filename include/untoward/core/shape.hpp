// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "../config.hpp"
#include "mistake.hpp"

namespace untoward UNTOWARD_SETTING {

/// The shape of one sample: channels first, then positions. Any extent may be `Dynamic`; only those are
/// stored, so a fully static shape is an empty class.
///
/// Inside a column the channels of one position are adjacent, and positions follow one another in C order
/// (the last extent moves fastest): "channels last", so that as a NumPy or PyTorch array `Seq<3, 32>` has the
/// shape (32, 3) and `Image<3, 28, 28>` the shape (28, 28, 3). A parameter is shaped by the same rule: a
/// weight that PyTorch prints as (out, in) is a `Shape<in, out>`.
///
///     Shape<3, Dynamic> s(32);       // only the run-time extents
///     Shape<3, Dynamic> t(3, 32);    // or all of them; the static ones are checked
template <Index... Extents>
class Shape {
    static_assert(sizeof...(Extents) >= 1, "a shape has at least one extent");
    static_assert(((Extents >= 0 || Extents == Dynamic) && ...), "an extent is not negative");

public:
    static constexpr std::size_t rank = sizeof...(Extents);
    static constexpr std::size_t dynamic_rank = (std::size_t{Extents == Dynamic} + ...);
    static constexpr bool is_static = dynamic_rank == 0;

    /// The extent as a template argument: a number, or `Dynamic`.
    template <std::size_t I>
    static constexpr Index static_extent = std::array<Index, rank>{Extents...}[I];

    /// The number of elements of one sample where all extents are static, else `Dynamic`.
    static constexpr Index static_size = is_static ? (Extents * ... * 1) : Dynamic;

    constexpr Shape() = default;

    template <class... I>
    requires(sizeof...(I) > 0 && (sizeof...(I) == dynamic_rank || sizeof...(I) == rank) &&
             (std::is_convertible_v<I, Index> && ...)) constexpr explicit Shape(I... extents) {
        if constexpr (sizeof...(I) == dynamic_rank) {
            if constexpr (dynamic_rank > 0) stored_ = Stored{static_cast<Index>(extents)...};
        } else {
            const std::array<Index, rank> all{static_cast<Index>(extents)...};
            std::size_t next = 0;
            for (std::size_t i = 0; i < rank; ++i) {
                UNTOWARD_ASSERT(statics[i] == Dynamic || statics[i] == all[i],
                                "extent differs from the static one");
                if constexpr (dynamic_rank > 0) {
                    if (statics[i] == Dynamic) stored_[next++] = all[i];
                }
            }
            static_cast<void>(next);
        }
    }

    template <std::size_t I>
    [[nodiscard]] constexpr Index extent() const {
        static_assert(I < rank, "this shape has fewer extents");
        if constexpr (static_extent<I> != Dynamic) {
            return static_extent<I>;
        } else {
            return stored_[dynamic_before(I)];
        }
    }

    /// Elements of one sample.
    [[nodiscard]] constexpr Index size() const {
        return [this]<std::size_t... I>(std::index_sequence<I...>) {
            return (this->template extent<I>() * ... * 1);
        }
        (std::make_index_sequence<rank>{});
    }
    [[nodiscard]] constexpr Index channels() const { return extent<0>(); }
    [[nodiscard]] constexpr Index positions() const {
        return [this]<std::size_t... I>(std::index_sequence<I...>) {
            return (Index{1} * ... * this->template extent<I + 1>());
        }
        (std::make_index_sequence<rank - 1>{});
    }

    template <Index... Others>
    [[nodiscard]] constexpr bool operator==(const Shape<Others...>& other) const {
        if constexpr (sizeof...(Others) != rank) {
            return false;
        } else {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return ((this->template extent<I>() == other.template extent<I>()) && ...);
            }
            (std::make_index_sequence<rank>{});
        }
    }

    /// The same shape with every extent known at run time only: what kernels are compiled for, once.
    [[nodiscard]] constexpr auto erased() const {
        return [this]<std::size_t... I>(std::index_sequence<I...>) {
            return Shape<(static_cast<void>(I), Dynamic)...>(this->template extent<I>()...);
        }
        (std::make_index_sequence<rank>{});
    }

private:
    struct Nothing {};
    using Stored = std::conditional_t<is_static, Nothing, std::array<Index, is_static ? 1 : dynamic_rank>>;
    static constexpr std::array<Index, rank> statics{Extents...};

    static constexpr std::size_t dynamic_before(std::size_t i) {
        std::size_t n = 0;
        for (std::size_t j = 0; j < i; ++j) n += std::size_t{statics[j] == Dynamic};
        return n;
    }

    [[no_unique_address]] Stored stored_{};
};

/// N features.
template <Index N = Dynamic>
using Vec = Shape<N>;

/// C channels at each of T time steps.
template <Index C = Dynamic, Index T = Dynamic>
using Seq = Shape<C, T>;

/// C channels at each of H x W pixels; the pixels of one row are adjacent.
template <Index C = Dynamic, Index H = Dynamic, Index W = Dynamic>
using Image = Shape<C, H, W>;

/// C channels at each of D x H x W voxels.
template <Index C = Dynamic, Index D = Dynamic, Index H = Dynamic, Index W = Dynamic>
using Volume = Shape<C, D, H, W>;

template <class T>
inline constexpr bool is_shape = false;
template <Index... E>
inline constexpr bool is_shape<Shape<E...>> = true;

namespace detail {

// `Who` is named by the error. Whether the extents are equal as far as the compiler knows.
template <class Who, Index Expected, Index Found>
constexpr bool require_same_extent(Index expected, Index found) {
    if constexpr (Expected != Dynamic && Found != Dynamic && Expected != Found) {
        return Refuse<mistake::SizesDiffer<Who, mistake::Expected<Expected>, mistake::Found<Found>>>::value;
    } else {
        UNTOWARD_ASSERT(expected == found, "untoward: two extents differ");
        static_cast<void>(expected);
        static_cast<void>(found);
        return true;
    }
}

// Whether two shapes are the same as far as the compiler knows.
template <class A, class B>
inline constexpr bool may_be_same = false;
template <Index... A, Index... B>
requires(sizeof...(A) == sizeof...(B)) inline constexpr bool may_be_same<Shape<A...>, Shape<B...>> =
    ((A == Dynamic || B == Dynamic || A == B) && ...);

template <class Who, Index... Expected, Index... Found>
constexpr bool require_same_shape(const Shape<Expected...>& expected, const Shape<Found...>& found) {
    if constexpr (!may_be_same<Shape<Expected...>, Shape<Found...>>) {
        return Refuse<
            mistake::SizesDiffer<Who, mistake::Expected<Expected...>, mistake::Found<Found...>>>::value;
    } else {
        UNTOWARD_ASSERT(expected == found, "untoward: two shapes differ");
        static_cast<void>(expected);
        static_cast<void>(found);
        return true;
    }
}

constexpr Index broadcast_extent(Index a, Index b) {
    UNTOWARD_ASSERT(a == b || a == 1 || b == 1, "untoward: extents neither equal nor one");
    return a == 1 ? b : a;
}

template <Index A, Index B>
inline constexpr Index static_broadcast = A == 1 ? B : (A == Dynamic ? (B == 1 ? Dynamic : B) : A);

}  // namespace detail

/// The shape that both broadcast to: extents are equal or one. A shape of one element broadcasts to any rank.
/// `Who`, where given, is named by the error.
template <class Who = void, Index... A, Index... B>
constexpr auto broadcast(const Shape<A...>& a, const Shape<B...>& b) {
    constexpr bool same_rank = sizeof...(A) == sizeof...(B);
    constexpr bool fits = [] {
        if constexpr (same_rank) {
            return ((A == Dynamic || B == Dynamic || A == B || A == 1 || B == 1) && ...);
        } else {
            return Shape<A...>::static_size == 1 || Shape<B...>::static_size == 1;
        }
    }();
    if constexpr (!fits) {
        static_cast<void>(detail::Refuse<mistake::SizesDoNotBroadcast<Who, Shape<A...>, Shape<B...>>>::value);
        return a;
    } else if constexpr (same_rank) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return Shape<detail::static_broadcast<A, B>...>(
                detail::broadcast_extent(a.template extent<I>(), b.template extent<I>())...);
        }
        (std::make_index_sequence<sizeof...(A)>{});
    } else if constexpr (Shape<A...>::static_size == 1) {
        return b;
    } else {
        return a;
    }
}
/// The same of more shapes.
template <class Who = void, class A, class B, class C, class... More>
constexpr auto broadcast(const A& a, const B& b, const C& c, const More&... more) {
    return broadcast<Who>(broadcast<Who>(a, b), c, more...);
}

}  // namespace untoward
