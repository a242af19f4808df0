// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "../rule.hpp"

// Softmax over the channels of each position. A position that holds a NaN is NaN throughout, and so is one
// whose largest number is infinite, as in PyTorch; -inf beside finite numbers has probability zero.
// In a layer:
//
//     const auto weights = softmax(scope, logits);        // Seq<C, T> to itself

namespace untoward UNTOWARD_SETTING {

namespace detail {

// y = exp(x - max x) / sum; y may be x.
template <class S>
void softmax(S* y, const S* x, Index n) {
    const ConstFlatMap<S> from(x, n);
    FlatMap<S> to(y, n);
    to = fast_exponentials(from - from.maxCoeff());
    // Eigen's exp ends at the smallest normal number: what is masked by -inf weighs nothing at all.
    to = (to <= (std::numeric_limits<S>::min)()).select(S(0), to);
    to /= sum_of_elements(to);
}
// dx = y (dy - sum(y dy))
template <class S>
void softmax_backward(S* dx, bool accumulate, const S* dy, const S* y, Index n) {
    const ConstFlatMap<S> d(dy, n);
    const ConstFlatMap<S> p(y, n);
    FlatMap<S> to(dx, n);
    const S mean = sum_of_elements(p * d);
    if (!accumulate) to.setZero();
    to += p * (d - mean);
}

// y = x - max x - log sum exp(x - max x)
template <class S>
void log_softmax(S* y, const S* x, Index n) {
    const ConstFlatMap<S> from(x, n);
    FlatMap<S> to(y, n);
    const S largest = from.maxCoeff();
    const S log_sum = math::log(sum_of_elements(fast_exponentials(from - largest)));
    to = from - largest - log_sum;
}
// dx = dy - exp(y) sum(dy)
template <class S>
void log_softmax_backward(S* dx, bool accumulate, const S* dy, const S* y, Index n) {
    const ConstFlatMap<S> d(dy, n);
    const ConstFlatMap<S> log_p(y, n);
    FlatMap<S> to(dx, n);
    const S sum = sum_of_elements(d);
    if (!accumulate) to.setZero();
    to += d - fast_exponentials(log_p) * sum;
}

// f(channels of a, channels of b..., how many) at every position of every sample.
template <class Function, class A, class... B>
void for_each_position(const Function& function, const A& a, const B&... b) {
    const Index n = a.shape().channels();
    if (n == 0) return;
    for (Index j = 0; j < a.batch(); ++j) {
        for (Index i = 0; i < a.rows(); i += n) function(&a(i, j), &b(i, j)..., n);
    }
}

}  // namespace detail

/// exp(x_c) / sum over c of exp(x_c), at every position. Any rank.
struct Softmax {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        detail::for_each_position([](auto* to, const auto* from, Index n) { detail::softmax(to, from, n); },
                                  y, x);
    }
    void backward(auto dy, auto y, auto, auto dx) const {
        using S = typename decltype(y)::Scalar;
        dx.write([&](const auto& to, bool accumulate) {
            detail::for_each_position(
                [accumulate](S* t, const S* d, const S* p, Index n) {
                    detail::softmax_backward(t, accumulate, d, p, n);
                },
                to, dy, y);
        });
    }
};

/// x_c - log sum over c of exp(x_c), at every position: the logarithm of `Softmax` without its underflow.
struct LogSoftmax {
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        detail::for_each_position(
            [](auto* to, const auto* from, Index n) { detail::log_softmax(to, from, n); }, y, x);
    }
    void backward(auto dy, auto y, auto, auto dx) const {
        using S = typename decltype(y)::Scalar;
        dx.write([&](const auto& to, bool accumulate) {
            detail::for_each_position(
                [accumulate](S* t, const S* d, const S* p, Index n) {
                    detail::log_softmax_backward(t, accumulate, d, p, n);
                },
                to, dy, y);
        });
    }
};

/// the probabilities of logits, over the channels of each position
template <class Scope, class X>
constexpr auto softmax(Scope& scope, const X& x) {
    return scope.apply(Softmax{}, x);
}
/// their logarithms
template <class Scope, class X>
constexpr auto log_softmax(Scope& scope, const X& x) {
    return scope.apply(LogSoftmax{}, x);
}

}  // namespace untoward
