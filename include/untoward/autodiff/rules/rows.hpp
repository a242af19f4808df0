// SPDX-License-Identifier: MIT
#pragma once

#include "../rule.hpp"

// Parts of samples: slices are views and cost nothing going forward. In a layer, a gated half:
//
//     const auto value = slice(scope, x, 0, Vec<8>{});    // x is Vec<16>
//     const auto gate = slice(scope, x, 8, Vec<8>{});
//     const auto open = activate<Sigmoid>(scope, gate);
//     return multiply(scope, open, value);

namespace untoward UNTOWARD_SETTING {

namespace detail {

// dy is a part of dx, from this row on. Columns may be of few numbers: a loop that looks for its bounds in each is slower.
void add_to_rows(const auto& dx, Index begin, const auto& dy) {
    if (!dx) return;
    const auto to = dx.partial();
    using S = typename decltype(to)::Scalar;
    using Four = Eigen::Array<S, 4, 1>;
    for (Index j = 0; j < dy.batch(); ++j) {
        S* const sum = to.data() + begin + j * to.stride();
        const S* const part = dy.data() + j * dy.stride();
        Index i = 0;
        for (; i + 4 <= dy.rows(); i += 4) Eigen::Map<Four>(sum + i) += Eigen::Map<const Four>(part + i);
        for (; i < dy.rows(); ++i) sum[i] += part[i];
    }
}

}  // namespace detail

/// Elements [offset, offset + count) of a vector, as a view.
template <Index Count>
struct Slice {
    using IsView = void;
    Index offset;
    [[no_unique_address]] Vec<Count> count;

    template <Index N>
    constexpr auto shape(const Shape<N>& x) const {
        static_assert(N == Dynamic || Count == Dynamic || Count <= N,
                      "untoward: a slice is part of its vector");
        UNTOWARD_ASSERT(offset >= 0 && offset + count.size() <= x.size(),
                        "untoward: a slice is part of its vector");
        static_cast<void>(x);
        return count;
    }
    auto view(const auto& x) const { return Tensor(x.data() + offset, count, x.batch(), x.stride()); }
    void backward(auto dy, auto, auto, auto dx) const { detail::add_to_rows(dx, offset, dy); }
};

/// All channels at one position of a sequence, as a view.
struct Position {
    using IsView = void;
    Index index;

    template <Index C, Index T>
    constexpr auto shape(const Shape<C, T>& x) const {
        UNTOWARD_ASSERT(index >= 0 && index < x.template extent<1>(),
                        "untoward: a position is inside its sequence");
        return Vec<C>(x.template extent<0>());
    }
    auto view(const auto& x) const {
        const auto channels = shape(x.shape());
        return Tensor(x.data() + index * channels.size(), channels, x.batch(), x.stride());
    }
    void backward(auto dy, auto, auto, auto dx) const { detail::add_to_rows(dx, index * dy.rows(), dy); }
};

/// Vectors one below the other; sequences, images and volumes channel beside channel, at each position.
struct Concatenate {
    template <Index C, Index... P, class... Others>
    constexpr auto shape(const Shape<C, P...>& first, const Others&... others) const {
        constexpr bool same_rank = ((Others::rank == sizeof...(P) + 1) && ...);
        if constexpr (same_rank) {
            constexpr Index total = ((Others::template static_extent<0> == Dynamic) || ... || (C == Dynamic))
                                        ? Dynamic
                                        : (Others::template static_extent<0> + ... + C);
            const auto with_others = [&]<std::size_t... I>(std::index_sequence<I...>) {
                (require_same_positions<P, I + 1>(first, others...), ...);
                return Shape<total, known_extent<P, I + 1, Others...>()...>(
                    (others.channels() + ... + first.channels()), first.template extent<I + 1>()...);
            };
            return with_others(std::make_index_sequence<sizeof...(P)>{});
        } else {
            static_cast<void>(
                detail::Refuse<mistake::PositionsDiffer<Concatenate, Shape<C, P...>, Others...>>::value);
            return first;
        }
    }
    void forward(auto y, auto... x) const {
        Index channel = 0;
        const auto copy = [&](auto part) {
            for_each_block(y, part, channel, [](const auto& to, const auto& from, bool) {
                assign(
                    to, [](auto a) { return a; }, from);
            });
            channel += part.shape().channels();
        };
        (copy(x), ...);
    }
    template <class... Arguments>
    void backward(auto dy, auto, const Arguments&... arguments) const {
        // The inputs come first, then as many sinks.
        const auto all = std::forward_as_tuple(arguments...);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            Index channel = 0;
            (give(dy, std::get<I>(all), std::get<I + sizeof...(Arguments) / 2>(all), channel), ...);
        }
        (std::make_index_sequence<sizeof...(Arguments) / 2>{});
    }

private:
    template <Index P, std::size_t I, class First, class... Others>
    static constexpr void require_same_positions(const First& first, const Others&... others) {
        (detail::require_same_extent<Concatenate, P, Others::template static_extent<I>>(
             first.template extent<I>(), others.template extent<I>()),
         ...);
    }
    // The extent that any of them knows.
    template <Index P, std::size_t I, class... Others>
    static constexpr Index known_extent() {
        Index known = P;
        ((known = known == Dynamic ? Others::template static_extent<I> : known), ...);
        return known;
    }
    static void give(const auto& dy, const auto& x, const auto& dx, Index& channel) {
        const Index from = channel;
        channel += x.shape().channels();
        dx.write([&](const auto& to, bool accumulate) {
            if (dy.batch() == 0 && !accumulate) to.flat().setZero();
            for_each_block(dy, to, from, [accumulate](const auto& whole, const auto& part, bool again) {
                add_reduced(
                    part, accumulate || again, [](auto d) { return d; }, whole);
            });
        });
    }
    // Calls f(channels of y from `channel`, part, whether this part was met before), both as columns of
    // channels: the samples where there is one position, else the positions of each sample.
    template <class Function>
    static void for_each_block(const auto& y, const auto& part, Index channel, const Function& function) {
        const Vec<> channels(part.shape().channels());
        const Index stride = y.shape().channels();
        const Index positions = y.shape().positions();
        if (positions == 1) {
            function(Tensor(y.data() + channel, channels, y.batch(), y.stride()),
                     Tensor(part.data(), channels, part.batch(), part.stride()), false);
            return;
        }
        for (Index j = 0; j < y.batch(); ++j) {
            const Index own = detail::broadcast_column(part, j);
            function(Tensor(y.data() + channel + j * y.stride(), channels, positions, stride),
                     Tensor(part.data() + own * part.stride(), channels, positions), own != j);
        }
    }
};

/// count elements of a vector from `offset`
template <class Scope, class X, Index Count>
constexpr auto slice(Scope& scope, const X& x, Index offset, const Vec<Count>& count) {
    return scope.apply(Slice<Count>{offset, count}, x);
}
/// the channels at position t of a sequence
template <class Scope, class X>
constexpr auto position(Scope& scope, const X& x, Index t) {
    return scope.apply(Position{t}, x);
}
/// the channels of several values beside each other, at each position
template <class Scope, class... X>
constexpr auto concatenate(Scope& scope, const X&... x) {
    return scope.apply(Concatenate{}, x...);
}

}  // namespace untoward
