// SPDX-License-Identifier: MIT
#pragma once

#include "../rule.hpp"

// Parts of samples: slices are views and cost nothing going forward.

namespace untoward {

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
    void backward(auto dy, auto, auto, auto dx) const {
        if (dx) dx.partial().matrix().middleRows(offset, dy.rows()) += dy.matrix();
    }
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
    void backward(auto dy, auto, auto, auto dx) const {
        if (dx) dx.partial().matrix().middleRows(index * dy.rows(), dy.rows()) += dy.matrix();
    }
};

/// Vectors one below the other.
struct Concatenate {
    template <Index... N>
    constexpr auto shape(const Shape<N>&... x) const {
        constexpr Index total = ((N == Dynamic) || ...) ? Dynamic : (N + ... + 0);
        return Vec<total>((x.size() + ...));
    }
    void forward(auto y, auto... x) const {
        Index row = 0;
        const auto copy = [&](const auto& part) {
            for (Index j = 0; j < y.batch(); ++j) {
                y.column(j).segment(row, part.rows()) = part.column(detail::broadcast_column(part, j));
            }
            row += part.rows();
        };
        (copy(x), ...);
    }
    template <class... Arguments>
    void backward(auto dy, auto, const Arguments&... arguments) const {
        // The inputs come first, then as many sinks.
        const auto all = std::forward_as_tuple(arguments...);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            Index row = 0;
            (give(dy, std::get<I>(all), std::get<I + sizeof...(Arguments) / 2>(all), row), ...);
        }
        (std::make_index_sequence<sizeof...(Arguments) / 2>{});
    }

private:
    static void give(const auto& dy, const auto& x, const auto& dx, Index& row) {
        const Index from = row;
        row += x.rows();
        dx.add([](const auto& d) { return d; },
               Tensor(dy.data() + from, Shape<Dynamic>(x.rows()), dy.batch(), dy.stride()));
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
template <class Scope, class... X>
constexpr auto concatenate(Scope& scope, const X&... x) {
    return scope.apply(Concatenate{}, x...);
}

}  // namespace untoward
