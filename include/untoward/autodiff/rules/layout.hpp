// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "../rule.hpp"

// The same numbers in another order or shape. In a layer, a dense map over time instead of over channels:
//
//     const auto turned = transpose(scope, x);            // Seq<C, T> to Seq<T, C>
//     const auto mixed = scope.call("mix", Dense<16>{}, turned);
//     return transpose(scope, mixed);                     // Seq<C, 16>

namespace untoward UNTOWARD_SETTING {

/// A view of each sample in another shape of the same size: the numbers stay where they are.
template <class To>
struct Reshape {
    using IsView = void;
    [[no_unique_address]] To to;

    template <class Sample>
    constexpr auto shape(const Sample& x) const {
        constexpr bool known = To::static_size != Dynamic && Sample::static_size != Dynamic;
        if constexpr (known) {
            detail::require_same_extent<Reshape, To::static_size, Sample::static_size>(to.size(), x.size());
        } else {
            UNTOWARD_ASSERT(x.size() == to.size(), "untoward: a reshaped sample keeps its size");
        }
        static_cast<void>(x);
        return to;
    }
    auto view(const auto& x) const { return Tensor(x.data(), to, x.batch(), x.stride()); }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.add([](auto d) { return d; }, dy);
    }
};

/// The same value as a constant: nothing before it learns through it (PyTorch's detach). A view.
struct StopGradient {
    using IsView = void;
    constexpr auto shape(const auto& x) const { return x; }
    auto view(const auto& x) const { return x; }
    void backward(auto, auto, auto, auto) const {}
};

/// Extents in another order, as NumPy's transpose of each sample: extent i of the result is extent Axes[i] of
/// the input, and y[i_0, i_1, ...] = x where its index along Axes[k] is i_k.
template <std::size_t... Axes>
struct Permute {
    template <class Sample>
    constexpr auto shape(const Sample& x) const {
        static_assert(sizeof...(Axes) == Sample::rank && is_permutation(),
                      "untoward: a permutation names every extent of its input once");
        return Shape<Sample::template static_extent<Axes>...>(x.template extent<Axes>()...);
    }
    void forward(auto y, auto x) const {
        using S = typename decltype(y)::Scalar;
        const Strides strides(x.shape());
        for (Index j = 0; j < y.batch(); ++j) {
            const S* const from = &x(0, j);
            S* const to = &y(0, j);
            strides.for_each([&](Index i, Index k) { to[i] = from[k]; });
        }
    }
    void backward(auto dy, auto, auto, auto dx) const {
        using S = typename decltype(dy)::Scalar;
        dx.write([&](const auto& sum, bool accumulate) {
            const Strides strides(sum.shape());
            for (Index j = 0; j < dy.batch(); ++j) {
                const S* const from = &dy(0, j);
                S* const to = &sum(0, j);
                if (accumulate) {
                    strides.for_each([&](Index i, Index k) { to[k] += from[i]; });
                } else {
                    strides.for_each([&](Index i, Index k) { to[k] = from[i]; });
                }
            }
        });
    }

private:
    static constexpr std::size_t rank = sizeof...(Axes);

    static constexpr bool is_permutation() {
        std::array<bool, rank> seen{};
        for (const std::size_t axis : {Axes...}) {
            if (axis >= rank || seen[axis]) return false;
            seen[axis] = true;
        }
        return true;
    }

    // The result's extents, and how far apart the input has what lies side by side along each.
    struct Strides {
        std::array<Index, rank> extents;
        std::array<Index, rank> steps;

        template <class Sample>
        explicit Strides(const Sample& x) : extents{x.template extent<Axes>()...} {
            const std::array<Index, rank> of_x = [&]<std::size_t... I>(std::index_sequence<I...>) {
                return std::array<Index, rank>{x.template extent<I>()...};
            }
            (std::make_index_sequence<rank>{});
            constexpr std::array<std::size_t, rank> axes{Axes...};
            for (std::size_t i = 0; i < rank; ++i) {
                steps[i] = 1;
                for (std::size_t k = 0; k < axes[i]; ++k) steps[i] *= of_x[k];
            }
        }
        // f(place in the result, place in the input), in the order of the result.
        template <class Function>
        void for_each(const Function& function) const {
            Index size = 1;
            for (const Index extent : extents) size *= extent;
            std::array<Index, rank> at{};
            Index start = 0;
            for (Index i = 0; i < size;) {
                for (Index k = 0; k < extents[0]; ++k, ++i) function(i, start + k * steps[0]);
                // The next index along the others, as an odometer has it.
                for (std::size_t axis = 1; axis < rank; ++axis) {
                    start += steps[axis];
                    if (++at[axis] < extents[axis]) break;
                    start -= extents[axis] * steps[axis];
                    at[axis] = 0;
                }
            }
        }
    };
};

/// The steps of a sequence, last first: what a layer that reads backwards sees.
struct ReverseRule {
    template <class Sample>
    constexpr auto shape(const Sample& x) const {
        if constexpr (Sample::rank != 2) {
            static_cast<void>(detail::Refuse<mistake::InputIsNoSequence<ReverseRule, Sample>>::value);
        }
        return x;
    }
    void forward(auto y, auto x) const {
        for (Index j = 0; j < y.batch(); ++j) y.sample(j) = x.sample(j).rowwise().reverse();
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.write([&](const auto& to, bool accumulate) {
            for (Index j = 0; j < dy.batch(); ++j) {
                if (accumulate) {
                    to.sample(j) += dy.sample(j).rowwise().reverse();
                } else {
                    to.sample(j) = dy.sample(j).rowwise().reverse();
                }
            }
        });
    }
};

/// each sample in another shape of the same size: reshape(s, x, Shape<4, 2>{})
template <class Scope, class X, Index... Extents>
constexpr auto reshape(Scope& scope, const X& x, const Shape<Extents...>& to) {
    return scope.apply(Reshape<Shape<Extents...>>{to}, x);
}
template <class Scope, class X>
constexpr auto stop_gradient(Scope& scope, const X& x) {
    return scope.apply(StopGradient{}, x);
}
/// extents in another order: permute<0, 2, 1>(s, x) makes Shape<A, B, C> a Shape<A, C, B>
template <std::size_t... Axes, class Scope, class X>
constexpr auto permute(Scope& scope, const X& x) {
    return scope.apply(Permute<Axes...>{}, x);
}
/// positions for channels: Shape<C, T> to Shape<T, C>
template <class Scope, class X>
constexpr auto transpose(Scope& scope, const X& x) {
    return permute<1, 0>(scope, x);
}
/// the steps of a sequence, last first
template <class Scope, class X>
constexpr auto reverse(Scope& scope, const X& x) {
    return scope.apply(ReverseRule{}, x);
}

}  // namespace untoward
