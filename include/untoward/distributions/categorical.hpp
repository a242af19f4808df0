// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/softmax.hpp"
#include "distribution.hpp"
#include "support.hpp"

// One class of several at each position, by logits: the channels are the classes, data is one-hot.

namespace untoward UNTOWARD_SETTING {

/// x_c log softmax(logits)_c of every class at every position: their sum is the log probability of the class
/// that is 1. For x in [0, 1] with a sum of 1. What lies outside of [0, 1], and what a position's sum lacks of
/// 1 or has too much, loses 50 times its square (the latter shared among the classes), so that neither a 2
/// nor a position without any class looks more normal than a class.
struct CategoricalLogDensity {
    constexpr auto shape(const auto& x, const auto& logits) const {
        detail::require_same_shape<CategoricalLogDensity>(logits, x);
        return x;
    }
    void forward(auto y, auto x, auto logits) const {
        for (Index j = 0; j < y.batch(); ++j) {
            detail::at_positions(
                j, y.rows(), y.shape().channels(),
                [](auto to, const auto& a, const auto& l) {
                    const auto kept = inside(a);
                    const auto lack = 1 - detail::sum_of_elements(kept);
                    const auto share = curvature(a) / 2 * lack * lack / count(a);
                    to = kept * (l - detail::log_sum_exp(l)) - curvature(a) / 2 * (a - kept).square() - share;
                },
                y, x, logits);
        }
    }
    void backward(auto dy, auto, auto x, auto logits, auto dx, auto dlogits) const {
        using S = typename decltype(x)::Scalar;
        detail::add_at_positions(
            dx, dy.batch(),
            [](auto to, const auto& d, const auto& a, const auto& l) {
                const auto kept = inside(a);
                const S of_lack = curvature(a) * (1 - detail::sum_of_elements(kept)) *
                                  detail::sum_of_elements(d) / count(a);
                to += (a == kept).select(d * (l - detail::log_sum_exp(l)) + of_lack, S(0)) -
                      curvature(a) * d * (a - kept);
            },
            dy, x, logits);
        detail::add_at_positions(
            dlogits, dy.batch(),
            [](auto to, const auto& d, const auto& a, const auto& l) {
                const S total = detail::sum_of_elements(d * inside(a));
                to += d * inside(a) - total * detail::shares(l);
            },
            dy, x, logits);
    }

private:
    static auto inside(const auto& x) {
        using S = typename std::remove_cvref_t<decltype(x)>::Scalar;
        return x.unaryExpr([](S a) { return detail::kept_within(a, S(0), S(1)); });
    }
    static auto curvature(const auto& x) {
        return static_cast<typename std::remove_cvref_t<decltype(x)>::Scalar>(detail::outside_curvature);
    }
    static auto count(const auto& x) {
        return static_cast<typename std::remove_cvref_t<decltype(x)>::Scalar>(x.size());
    }
};

/// KL of two categorical distributions by their logits, at every position (one channel):
///     sum over c of p_c (log p_c - log q_c)
struct CategoricalKl {
    constexpr auto shape(const auto& p, const auto& q) const {
        detail::require_same_shape<CategoricalKl>(q, p);
        return detail::one_channel(p);
    }
    void forward(auto y, auto p, auto q) const {
        for (Index j = 0; j < y.batch(); ++j) {
            Index position = 0;
            detail::at_positions(
                j, p.rows(), p.shape().channels(),
                [&](const auto& a, const auto& b) {
                    y(position++, j) = detail::sum_of_elements(detail::shares(a) * ratio(a, b));
                },
                p, q);
        }
    }
    void backward(auto dy, auto, auto p, auto q, auto dp, auto dq) const {
        using S = typename decltype(p)::Scalar;
        const auto add = [&](const auto& sink, const auto& function) {
            sink.write([&](const auto& to, bool accumulate) {
                if (!accumulate) to.flat().setZero();
                for (Index j = 0; j < dy.batch(); ++j) {
                    Index position = 0;
                    detail::at_positions(
                        j, to.rows(), to.shape().channels(),
                        [&](auto t, const auto& a, const auto& b) { function(t, dy(position++, j), a, b); },
                        to, p, q);
                }
            });
        };
        add(dp, [](auto& t, S d, const auto& a, const auto& b) {
            const S kl = detail::sum_of_elements(detail::shares(a) * ratio(a, b));
            t += d * detail::shares(a) * (ratio(a, b) - kl);
        });
        add(dq, [](auto& t, S d, const auto& a, const auto& b) {
            t += d * (detail::shares(b) - detail::shares(a));
        });
    }

private:
    static auto ratio(const auto& a, const auto& b) {
        return a - b + (detail::log_sum_exp(b) - detail::log_sum_exp(a));
    }
};

/// A one-hot draw at every position, by inverse CDF of uniform noise (one channel). No gradient.
struct CategoricalDraw {
    constexpr auto shape(const auto& noise, const auto& logits) const {
        detail::require_same_shape<CategoricalDraw>(detail::one_channel(logits), noise);
        return logits;
    }
    void forward(auto y, auto noise, auto logits) const {
        for (Index j = 0; j < y.batch(); ++j) {
            Index position = 0;
            detail::at_positions(
                j, y.rows(), y.shape().channels(),
                [&](auto to, const auto& l) {
                    const auto u = noise(position++, detail::broadcast_column(noise, j));
                    to.setZero();
                    to[detail::class_at(l, u)] = 1;
                },
                y, logits);
        }
    }
    void backward(auto, auto, auto, auto, auto, auto) const {}
};

namespace distributions {

/// One class at each position, with the probabilities softmax(logits) over the channels. The density is given
/// in parts, one of every element, that add up over the channels; KL is of every position. Draws are one-hot,
/// without a gradient.
///
///     distributions::Categorical p{logits};
template <class Logits>
struct Categorical {
    Logits logits;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        return scope.apply(CategoricalLogDensity{}, x, logits);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto noise = scope.uniform(detail::one_channel(logits.shape()), logits.batch());
        return scope.apply(CategoricalDraw{}, noise, logits);
    }
    /// The probability of every class.
    template <class Scope>
    constexpr auto expectation(Scope& scope) const {
        return softmax(scope, logits);
    }
    /// KL to another, at every position.
    template <class Scope, class L>
    constexpr auto kl(Scope& scope, const Categorical<L>& p) const {
        return scope.apply(CategoricalKl{}, logits, p.logits);
    }
};

template <class Logits>
Categorical(const Logits&) -> Categorical<Logits>;

}  // namespace distributions

}  // namespace untoward
