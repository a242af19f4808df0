// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>

#include "../rule.hpp"

// One number for all elements of a sample, or for the channels of each position: logsumexp, maximum, minimum.
// (Sums and means are in reduce.hpp.) In a layer, the logarithms of probabilities:
//
//     const auto total = log_sum_exp_over_channels(scope, logits);     // Seq<C, T> to Seq<1, T>
//     return subtract(scope, logits, total);                           // what log_softmax does at once

namespace untoward UNTOWARD_SETTING {

/// A reduction over all elements of each sample: Vec<1>.
struct OverSample {
    constexpr Vec<1> shape(const auto&) const { return {}; }
    static constexpr Index length(const auto& x) { return x.size(); }
};

/// A reduction over the channels of each position: Shape<C, P...> to Shape<1, P...>.
struct OverChannels {
    constexpr auto shape(const auto& x) const {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            using Sample = std::remove_cvref_t<decltype(x)>;
            return Shape<1, Sample::template static_extent<I + 1>...>(1, x.template extent<I + 1>()...);
        }
        (std::make_index_sequence<std::remove_cvref_t<decltype(x)>::rank - 1>{});
    }
    static constexpr Index length(const auto& x) { return x.channels(); }
};

namespace detail {

// f(the number of the group in y, its first element in x, how many) for every group of every sample.
template <class Groups, class Y, class X, class Function>
void for_each_group(const Y& y, const X& x, const Function& function) {
    const Index n = Groups::length(x.shape());
    for (Index j = 0; j < y.batch(); ++j) {
        for (Index g = 0; g < y.rows(); ++g) function(y(g, j), &x(g * n, j), n);
    }
}

// log sum exp(x) as m + log sum exp(x - m), m the largest; where m is infinite or NaN it is the result.
template <class S>
S log_sum_exp(const S* x, Index n) {
    const ConstFlatMap<S> from(x, n);
    const S largest =
        n == 0 ? -std::numeric_limits<S>::infinity() : from.template maxCoeff<Eigen::PropagateNaN>();
    if (!std::isfinite(largest)) return largest;
    return largest + math::log((from - largest).exp().sum());
}

// Where the extreme first is, or the first NaN.
template <bool Largest, class S>
Index first_extreme(const S* x, Index n) {
    Index best = 0;
    for (Index i = 0; i < n; ++i) {
        if (std::isnan(x[i])) return i;
        if (Largest ? x[i] > x[best] : x[i] < x[best]) best = i;
    }
    return best;
}

}  // namespace detail

/// log sum exp(x) of each group, without overflow or underflow. -inf where every element is, and then nothing
/// is learned from it; +inf where one is; NaN where one is.
template <class Groups>
struct LogSumExp {
    constexpr auto shape(const auto& x) const { return Groups{}.shape(x); }
    void forward(auto y, auto x) const {
        detail::for_each_group<Groups>(
            y, x, [](auto& to, const auto* from, Index n) { to = detail::log_sum_exp(from, n); });
    }
    // dx = dy exp(x - y)
    void backward(auto dy, auto y, auto x, auto dx) const {
        using S = typename decltype(x)::Scalar;
        dx.write([&](const auto& to, bool accumulate) {
            if (!accumulate) to.flat().setZero();
            const Index n = Groups::length(x.shape());
            for (Index j = 0; j < y.batch(); ++j) {
                for (Index g = 0; g < y.rows(); ++g) {
                    if (y(g, j) == -std::numeric_limits<S>::infinity()) continue;
                    const detail::ConstFlatMap<S> from(&x(g * n, j), n);
                    detail::FlatMap<S>(&to(g * n, j), n) += dy(g, j) * (from - y(g, j)).exp();
                }
            }
        });
    }
};

/// The largest element of each group, or its smallest: NaN where one is. The first element that has it takes
/// the gradient.
template <class Groups, bool Largest>
struct Extreme {
    constexpr auto shape(const auto& x) const {
        UNTOWARD_ASSERT(Groups::length(x) > 0, "untoward: an extreme is one of at least one element");
        return Groups{}.shape(x);
    }
    void forward(auto y, auto x) const {
        detail::for_each_group<Groups>(y, x, [](auto& to, const auto* from, Index n) {
            to = from[detail::first_extreme<Largest>(from, n)];
        });
    }
    void backward(auto dy, auto, auto x, auto dx) const {
        if (!dx) return;
        const auto to = dx.partial();
        const Index n = Groups::length(x.shape());
        for (Index j = 0; j < dy.batch(); ++j) {
            for (Index g = 0; g < dy.rows(); ++g) {
                to(g * n + detail::first_extreme<Largest>(&x(g * n, j), n), j) += dy(g, j);
            }
        }
    }
};

/// log sum exp over all elements of each sample: Vec<1>
template <class Scope, class X>
constexpr auto log_sum_exp_per_sample(Scope& scope, const X& x) {
    return scope.apply(LogSumExp<OverSample>{}, x);
}
/// log sum exp over the channels of each position: Shape<1, P...>
template <class Scope, class X>
constexpr auto log_sum_exp_over_channels(Scope& scope, const X& x) {
    return scope.apply(LogSumExp<OverChannels>{}, x);
}
/// the largest element of each sample: Vec<1>
template <class Scope, class X>
constexpr auto max_per_sample(Scope& scope, const X& x) {
    return scope.apply(Extreme<OverSample, true>{}, x);
}
/// the largest channel of each position: Shape<1, P...>
template <class Scope, class X>
constexpr auto max_over_channels(Scope& scope, const X& x) {
    return scope.apply(Extreme<OverChannels, true>{}, x);
}
/// the smallest element of each sample: Vec<1>
template <class Scope, class X>
constexpr auto min_per_sample(Scope& scope, const X& x) {
    return scope.apply(Extreme<OverSample, false>{}, x);
}
/// the smallest channel of each position: Shape<1, P...>
template <class Scope, class X>
constexpr auto min_over_channels(Scope& scope, const X& x) {
    return scope.apply(Extreme<OverChannels, false>{}, x);
}

}  // namespace untoward
