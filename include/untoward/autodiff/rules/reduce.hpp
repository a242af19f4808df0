// SPDX-License-Identifier: MIT
#pragma once

#include "elementwise.hpp"

// Sums and means: of everything, per sample (over a column), per element (over the batch). In a layer:
//
//     const auto centre = mean_per_sample(scope, x);      // Vec<1>
//     return subtract(scope, x, centre);

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class S>
auto sum_of(const S* x, Index n) {
    return total(n, [](auto a) { return a; }, {x});
}

}  // namespace detail

/// factor * the sum of all elements of all samples: one number.
struct Sum {
    double factor = 1;

    constexpr Vec<1> shape(const auto&) const { return {}; }
    constexpr Index batch(Index) const { return 1; }
    void forward(auto y, auto x) const {
        using S = typename decltype(y)::Scalar;
        S total = 0;
        if (x.contiguous()) {
            total = detail::sum_of(x.data(), x.size());
        } else {
            for (Index j = 0; j < x.batch(); ++j) total += detail::sum_of(&x(0, j), x.rows());
        }
        y(0, 0) = static_cast<S>(factor) * total;
    }
    void backward(auto dy, auto, auto, auto dx) const {
        using S = typename decltype(dy)::Scalar;
        const S d = static_cast<S>(factor) * dy(0, 0);
        dx.write([d](const auto& to, bool accumulate) {
            if (accumulate) {
                change<1>(to.size(), [d](auto& sum) { sum += d; }, {to.data()});
            } else {
                change<1>(to.size(), [d](auto& sum) { sum = d; }, {to.data()});
            }
        });
    }
};

/// The sum over the elements of each sample: one number per sample.
struct SumPerSample {
    constexpr Vec<1> shape(const auto&) const { return {}; }
    void forward(auto y, auto x) const {
        for (Index j = 0; j < y.batch(); ++j) y(0, j) = detail::sum_of(&x(0, j), x.rows());
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.write([&](const auto& to, bool accumulate) {
            for (Index j = 0; j < to.batch(); ++j) {
                if (accumulate) {
                    to.column(j) += dy(0, j);
                } else {
                    to.column(j).setConstant(dy(0, j));
                }
            }
        });
    }
};

/// The sum over the batch, for each element: batch one.
struct SumOverBatch {
    constexpr auto shape(const auto& x) const { return x; }
    constexpr Index batch(Index) const { return 1; }
    void forward(auto y, auto x) const {
        add_reduced(
            y, false, [](auto a) { return a; }, x);
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.write([&](const auto& to, bool accumulate) {
            for (Index j = 0; j < to.batch(); ++j) {
                if (accumulate) {
                    to.column(j) += dy.column(0);
                } else {
                    to.column(j) = dy.column(0);
                }
            }
        });
    }
};

template <class Scope, class X>
constexpr auto sum(Scope& scope, const X& x) {
    return scope.apply(Sum{}, x);
}
/// factor * sum
template <class Scope, class X>
constexpr auto scaled_sum(Scope& scope, double factor, const X& x) {
    return scope.apply(Sum{factor}, x);
}
template <class Scope, class X>
constexpr auto sum_per_sample(Scope& scope, const X& x) {
    return scope.apply(SumPerSample{}, x);
}
template <class Scope, class X>
constexpr auto sum_over_batch(Scope& scope, const X& x) {
    return scope.apply(SumOverBatch{}, x);
}
template <class Scope, class X>
constexpr auto mean(Scope& scope, const X& x) {
    return scaled_sum(scope, 1.0 / static_cast<double>(x.shape().size() * x.batch()), x);
}
template <class Scope, class X>
constexpr auto mean_per_sample(Scope& scope, const X& x) {
    const auto total = sum_per_sample(scope, x);
    return scale(scope, 1.0 / static_cast<double>(x.shape().size()), total);
}
template <class Scope, class X>
constexpr auto mean_over_batch(Scope& scope, const X& x) {
    const auto total = sum_over_batch(scope, x);
    return scale(scope, 1.0 / static_cast<double>(x.batch()), total);
}

}  // namespace untoward
