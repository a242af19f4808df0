// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>

#include "arithmetic.hpp"

// Windows over the positions of sequences, images and volumes, each channel on its own: the largest or the
// mean number of each window, and every position repeated. A window is a shape of positions: Shape<2> over
// time, Shape<2, 2> over pixels (height, width), Shape<2, 2, 2> over voxels; an extent may be Dynamic.
// In a layer:
//
//     const auto half = max_pool(scope, x, Shape<2>{});   // Seq<C, 64> to Seq<C, 32>
//     return upsample(scope, half, Shape<2>{});           // and back to 64 steps

namespace untoward UNTOWARD_SETTING {

namespace detail {

// Where windows lie. Three extents, slowest first; what has fewer has ones before them.
struct Windows {
    using Extents = std::array<Index, 3>;
    Extents of_input;
    Extents of_output;
    Extents kernel;
    Extents stride;

    // f(output position, first input position) for every window.
    template <class Function>
    void for_each(const Function& function) const {
        Index output = 0;
        for (Index d = 0; d < of_output[0]; ++d) {
            for (Index h = 0; h < of_output[1]; ++h) {
                for (Index w = 0; w < of_output[2]; ++w, ++output)
                    function(output, input_position(d * stride[0], h * stride[1], w * stride[2]));
            }
        }
    }
    // f(input position) for every position of the window that starts there, until f says true.
    template <class Function>
    void search(Index start, const Function& function) const {
        for (Index d = 0; d < kernel[0]; ++d) {
            for (Index h = 0; h < kernel[1]; ++h) {
                for (Index w = 0; w < kernel[2]; ++w) {
                    if (function(start + input_position(d, h, w))) return;
                }
            }
        }
    }
    template <class Function>
    void for_each_in(Index start, const Function& function) const {
        search(start, [&](Index i) {
            function(i);
            return false;
        });
    }
    [[nodiscard]] Index size() const { return kernel[0] * kernel[1] * kernel[2]; }

private:
    [[nodiscard]] Index input_position(Index d, Index h, Index w) const {
        return (d * of_input[1] + h) * of_input[2] + w;
    }
};

// The extents of a shape behind the first `Skip`, to the right in an array of three.
template <std::size_t Skip, class Sample>
Windows::Extents last_extents(const Sample& shape) {
    static_assert(Sample::rank - Skip <= 3, "untoward: windows have one to three extents");
    Windows::Extents result{1, 1, 1};
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((result[3 - (Sample::rank - Skip) + I] = shape.template extent<I + Skip>()), ...);
    }
    (std::make_index_sequence<Sample::rank - Skip>{});
    return result;
}

template <class S>
void pool_max(const Windows& windows, Index channels, S* y, const S* x) {
    windows.for_each([&](Index output, Index start) {
        S* const to = y + output * channels;
        std::copy_n(x + start * channels, channels, to);
        windows.for_each_in(start, [&](Index i) {
            const S* const from = x + i * channels;
            for (Index c = 0; c < channels; ++c) to[c] = larger_or_nan(to[c], from[c]);
        });
    });
}
template <class S>
void pool_max_backward(const Windows& windows, Index channels, S* dx, const S* dy, const S* y, const S* x) {
    windows.for_each([&](Index output, Index start) {
        for (Index c = 0; c < channels; ++c) {
            const Index at = output * channels + c;
            windows.search(start, [&](Index i) {
                const S value = x[i * channels + c];
                if (value != y[at] && !std::isnan(value)) return false;
                dx[i * channels + c] += dy[at];
                return true;
            });
        }
    });
}

template <class S>
void pool_mean(const Windows& windows, Index channels, S* y, const S* x) {
    windows.for_each([&](Index output, Index start) {
        FlatMap<S> to(y + output * channels, channels);
        to.setZero();
        windows.for_each_in(start, [&](Index i) { to += ConstFlatMap<S>(x + i * channels, channels); });
        to /= static_cast<S>(windows.size());
    });
}
template <class S>
void pool_mean_backward(const Windows& windows, Index channels, S* dx, const S* dy) {
    const S share = S(1) / static_cast<S>(windows.size());
    windows.for_each([&](Index output, Index start) {
        const ConstFlatMap<S> d(dy + output * channels, channels);
        windows.for_each_in(start, [&](Index i) { FlatMap<S>(dx + i * channels, channels) += share * d; });
    });
}

// Every position of x into its window of y, and the gradient back.
template <class S>
void spread(const Windows& windows, Index channels, S* y, const S* x) {
    windows.for_each([&](Index from, Index start) {
        windows.for_each_in(start,
                            [&](Index i) { std::copy_n(x + from * channels, channels, y + i * channels); });
    });
}
template <class S>
void collect(const Windows& windows, Index channels, S* dx, const S* dy) {
    windows.for_each([&](Index to, Index start) {
        FlatMap<S> sum(dx + to * channels, channels);
        windows.for_each_in(start, [&](Index i) { sum += ConstFlatMap<S>(dy + i * channels, channels); });
    });
}

// What both pools share: Shape<C, L...> to Shape<C, (L - kernel) / stride + 1...>, rounded down.
template <class Kernel, class Stride>
struct Pool {
    [[no_unique_address]] Kernel kernel{};
    [[no_unique_address]] Stride stride{};

    template <Index C, Index... L>
    constexpr auto shape(const Shape<C, L...>& x) const {
        constexpr bool same_rank = sizeof...(L) == Kernel::rank && sizeof...(L) == Stride::rank;
        static_assert(same_rank, "untoward: a window has an extent for each extent of the positions");
        if constexpr (same_rank) {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return Shape<C, static_extent<L, I>...>(x.channels(),
                                                        extent<L, I>(x.template extent<I + 1>())...);
            }
            (std::make_index_sequence<sizeof...(L)>{});
        }
    }

protected:
    Windows windows(const auto& y, const auto& x) const {
        return {last_extents<1>(x.shape()), last_extents<1>(y.shape()), last_extents<0>(kernel),
                last_extents<0>(stride)};
    }

private:
    template <Index L, std::size_t I>
    static constexpr Index static_extent = [] {
        constexpr Index k = Kernel::template static_extent<I>;
        constexpr Index s = Stride::template static_extent<I>;
        static_assert(k != 0 && s != 0, "untoward: a window and its stride are at least one");
        static_assert(L == Dynamic || k == Dynamic || k <= L, "untoward: a window is inside its input");
        return L == Dynamic || k == Dynamic || s == Dynamic ? Dynamic : (L - k) / s + 1;
    }();
    template <Index L, std::size_t I>
    constexpr Index extent(Index length) const {
        const Index k = kernel.template extent<I>();
        const Index s = stride.template extent<I>();
        UNTOWARD_ASSERT(k >= 1 && s >= 1, "untoward: a window and its stride are at least one");
        UNTOWARD_ASSERT(k <= length, "untoward: a window is inside its input");
        return (length - k) / s + 1;
    }
};

}  // namespace detail

/// The largest number of each window, per channel; what lies behind the last whole window is left out, and
/// nothing is padded (PyTorch's max_pool). NaN where one is. The first position that has it takes the
/// gradient.
template <class Kernel, class Stride = Kernel>
struct MaxPool : detail::Pool<Kernel, Stride> {
    void forward(auto y, auto x) const {
        const auto windows = this->windows(y, x);
        for (Index j = 0; j < y.batch(); ++j)
            detail::pool_max(windows, y.shape().channels(), &y(0, j), &x(0, j));
    }
    void backward(auto dy, auto y, auto x, auto dx) const {
        using S = typename decltype(x)::Scalar;
        if (!dx) return;
        const auto to = dx.partial();
        const auto windows = this->windows(dy, to);
        for (Index j = 0; j < dy.batch(); ++j) {
            detail::pool_max_backward<S>(windows, y.shape().channels(), &to(0, j), &dy(0, j), &y(0, j),
                                         &x(0, j));
        }
    }
};

/// The mean of each window, per channel; windows as in `MaxPool`.
template <class Kernel, class Stride = Kernel>
struct AveragePool : detail::Pool<Kernel, Stride> {
    void forward(auto y, auto x) const {
        const auto windows = this->windows(y, x);
        for (Index j = 0; j < y.batch(); ++j)
            detail::pool_mean(windows, y.shape().channels(), &y(0, j), &x(0, j));
    }
    void backward(auto dy, auto, auto, auto dx) const {
        using S = typename decltype(dy)::Scalar;
        if (!dx) return;
        const auto to = dx.partial();
        const auto windows = this->windows(dy, to);
        for (Index j = 0; j < dy.batch(); ++j)
            detail::pool_mean_backward<S>(windows, dy.shape().channels(), &to(0, j), &dy(0, j));
    }
};

/// Every position repeated: Shape<C, L...> to Shape<C, L factor...> (PyTorch's nearest up-sampling by a whole
/// number).
template <class Factor>
struct Upsample {
    [[no_unique_address]] Factor factor{};

    template <Index C, Index... L>
    constexpr auto shape(const Shape<C, L...>& x) const {
        constexpr bool same_rank = sizeof...(L) == Factor::rank;
        static_assert(same_rank, "untoward: up-sampling has a factor for each extent of the positions");
        if constexpr (same_rank) {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                (require_factor(factor.template extent<I>()), ...);
                return Shape<C, static_product<L, Factor::template static_extent<I>>...>(
                    x.channels(), x.template extent<I + 1>() * factor.template extent<I>()...);
            }
            (std::make_index_sequence<sizeof...(L)>{});
        }
    }
    void forward(auto y, auto x) const {
        const auto windows = repeats(y, x);
        for (Index j = 0; j < y.batch(); ++j)
            detail::spread(windows, y.shape().channels(), &y(0, j), &x(0, j));
    }
    void backward(auto dy, auto, auto, auto dx) const {
        using S = typename decltype(dy)::Scalar;
        if (!dx) return;
        const auto to = dx.partial();
        const auto windows = repeats(dy, to);
        for (Index j = 0; j < dy.batch(); ++j)
            detail::collect<S>(windows, dy.shape().channels(), &to(0, j), &dy(0, j));
    }

private:
    template <Index A, Index B>
    static constexpr Index static_product = A == Dynamic || B == Dynamic ? Dynamic : A* B;

    static constexpr void require_factor(Index f) {
        UNTOWARD_ASSERT(f >= 1, "untoward: a factor of up-sampling is at least one");
        static_cast<void>(f);
    }
    // A position of x is a window of y.
    detail::Windows repeats(const auto& y, const auto& x) const {
        return {detail::last_extents<1>(y.shape()), detail::last_extents<1>(x.shape()),
                detail::last_extents<0>(factor), detail::last_extents<0>(factor)};
    }
};

/// the largest of each window: max_pool(s, x, Shape<2>{}), or with a stride of its own
template <class Scope, class X, Index... K, Index... Strides>
constexpr auto max_pool(Scope& scope, const X& x, const Shape<K...>& kernel,
                        const Shape<Strides...>& stride) {
    return scope.apply(MaxPool<Shape<K...>, Shape<Strides...>>{{kernel, stride}}, x);
}
template <class Scope, class X, Index... K>
constexpr auto max_pool(Scope& scope, const X& x, const Shape<K...>& kernel) {
    return max_pool(scope, x, kernel, kernel);
}
/// the mean of each window
template <class Scope, class X, Index... K, Index... Strides>
constexpr auto average_pool(Scope& scope, const X& x, const Shape<K...>& kernel,
                            const Shape<Strides...>& stride) {
    return scope.apply(AveragePool<Shape<K...>, Shape<Strides...>>{{kernel, stride}}, x);
}
template <class Scope, class X, Index... K>
constexpr auto average_pool(Scope& scope, const X& x, const Shape<K...>& kernel) {
    return average_pool(scope, x, kernel, kernel);
}
/// every position as often as the factor says: upsample(s, x, Shape<2, 2>{})
template <class Scope, class X, Index... F>
constexpr auto upsample(Scope& scope, const X& x, const Shape<F...>& factor) {
    return scope.apply(Upsample<Shape<F...>>{factor}, x);
}

}  // namespace untoward
