// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>

#include "../autodiff/rules/rows.hpp"
#include "distribution.hpp"
#include "support.hpp"

namespace untoward UNTOWARD_SETTING {

/// log sum over k of w_k exp(a_k) with w = softmax(logits), of every sample: the log density of a mixture
/// whose components have the log densities a, K x batch.
struct MixtureLogDensity {
    template <Index K, Index A>
    constexpr Vec<1> shape(const Vec<K>& logits, const Vec<A>& densities) const {
        detail::require_same_extent<MixtureLogDensity, A, K>(densities.size(), logits.size());
        return {};
    }
    void forward(auto y, auto logits, auto densities) const {
        for (Index j = 0; j < y.batch(); ++j) {
            const auto l = logits.column(detail::broadcast_column(logits, j));
            const auto a = densities.column(detail::broadcast_column(densities, j));
            y(0, j) = detail::log_sum_exp(l + a) - detail::log_sum_exp(l);
        }
    }
    // The share of every component in the density is softmax(l + a).
    void backward(auto dy, auto, auto logits, auto densities, auto dlogits, auto ddensities) const {
        detail::add_by_sample(dlogits, dy.batch(), [&](Index j, auto to) {
            const auto l = logits.column(detail::broadcast_column(logits, j));
            const auto a = densities.column(detail::broadcast_column(densities, j));
            to += dy(0, j) * (detail::shares(l + a) - detail::shares(l));
        });
        detail::add_by_sample(ddensities, dy.batch(), [&](Index j, auto to) {
            const auto l = logits.column(detail::broadcast_column(logits, j));
            const auto a = densities.column(detail::broadcast_column(densities, j));
            to += dy(0, j) * detail::shares(l + a);
        });
    }
};

/// sum over k of softmax(logits)_k x_k for K values of one shape.
struct MixtureMean {
    template <Index K, class First, class... Others>
    constexpr auto shape(const Vec<K>& logits, const First& first, const Others&...) const {
        constexpr Index Found = 1 + static_cast<Index>(sizeof...(Others));
        detail::require_same_extent<MixtureMean, Found, K>(Found, logits.size());
        return first;
    }
    // The weights of every sample.
    constexpr Index saved(Index batch, const auto& logits, const auto&...) const {
        return logits.size() * batch;
    }
    template <class S>
    void forward(S* weights, auto y, auto logits, auto... x) const {
        for (Index j = 0; j < y.batch(); ++j) {
            detail::FlatMap<S>(weights, logits.rows()) =
                detail::shares(logits.column(detail::broadcast_column(logits, j)));
            auto to = y.column(j);
            to.setZero();
            ((to += *weights++ * x.column(detail::broadcast_column(x, j))), ...);
        }
    }
    template <class S, class... Arguments>
    void backward(const S* weights, auto dy, auto y, auto logits, const Arguments&... arguments) const {
        // K values, then the sink for the logits, then K sinks.
        constexpr std::size_t K = (sizeof...(Arguments) - 1) / 2;
        const auto all = std::forward_as_tuple(arguments...);
        const auto weight = [&](Index k, Index j) { return weights[j * logits.rows() + k]; };
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            // d w_k (x_k - y)
            detail::add_by_sample(std::get<K>(all), dy.batch(), [&](Index j, auto to) {
                const auto of = [&](Index k, const auto& x) {
                    const auto difference = x.column(detail::broadcast_column(x, j)) - y.column(j);
                    to[k] += weight(k, j) * (dy.column(j) * difference).sum();
                };
                (of(static_cast<Index>(I), std::get<I>(all)), ...);
            });
            const auto give = [&](Index k, const auto& sink) {
                detail::add_by_sample(sink, dy.batch(),
                                      [&](Index j, auto to) { to += weight(k, j) * dy.column(j); });
            };
            (give(static_cast<Index>(I), std::get<K + 1 + I>(all)), ...);
        }
        (std::make_index_sequence<K>{});
    }
};

/// One of K values of one shape for every sample: the one that uniform noise (Vec<1>) falls on by inverse CDF
/// of softmax(logits). The gradient goes to the value that was chosen; none to the logits.
struct Choose {
    template <Index K, class First, class... Others>
    constexpr auto shape(const Vec<K>& logits, const Vec<1>&, const First& first, const Others&...) const {
        constexpr Index Found = 1 + static_cast<Index>(sizeof...(Others));
        detail::require_same_extent<Choose, Found, K>(Found, logits.size());
        return first;
    }
    void forward(auto y, auto logits, auto noise, auto... x) const {
        for (Index j = 0; j < y.batch(); ++j) {
            Index k = chosen(logits, noise, j);
            auto to = y.column(j);
            ((k-- == 0 ? static_cast<void>(to = x.column(detail::broadcast_column(x, j))) : void()), ...);
        }
    }
    template <class... Arguments>
    void backward(auto dy, auto, auto logits, auto noise, const Arguments&... arguments) const {
        // K values, then the sinks for logits and noise, then K sinks.
        constexpr std::size_t K = (sizeof...(Arguments) - 2) / 2;
        const auto all = std::forward_as_tuple(arguments...);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const auto give = [&](Index k, const auto& sink) {
                detail::add_by_sample(sink, dy.batch(), [&](Index j, auto to) {
                    if (chosen(logits, noise, j) == k) to += dy.column(j);
                });
            };
            (give(static_cast<Index>(I), std::get<K + 2 + I>(all)), ...);
        }
        (std::make_index_sequence<K>{});
    }

private:
    static Index chosen(const auto& logits, const auto& noise, Index j) {
        return detail::class_at(logits.column(detail::broadcast_column(logits, j)),
                                noise(0, detail::broadcast_column(noise, j)));
    }
};

namespace distributions {

/// One of several distributions of one shape, whatever their kinds, with the weights softmax(logits), logits
/// K x batch. Every sample comes from one component, so the density is per sample (Vec<1>). A draw has the
/// gradient of the component that it came from, none for the weights. No KL in closed form.
///
///     distributions::Mixture p{logits, distributions::Normal{a, b}, distributions::Laplace{c, d}};
template <class Logits, class... Components>
struct Mixture {
    static_assert(sizeof...(Components) >= 1, "untoward: a mixture has at least one component");

    Logits logits;
    std::tuple<Components...> components;

    constexpr explicit Mixture(const Logits& weights, const Components&... parts)
        : logits(weights), components(parts...) {}

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        const auto densities = each([&](const auto& component) {
            const auto density = component.log_density(scope, x);
            if constexpr (std::remove_cvref_t<decltype(density)>::SampleShape::static_size == 1) {
                return density;
            } else {
                return sum_per_sample(scope, density);
            }
        });
        const auto all = std::apply([&](const auto&... d) { return concatenate(scope, d...); }, densities);
        return scope.apply(MixtureLogDensity{}, logits, all);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto noise = scope.uniform(Vec<1>{}, logits.batch());
        const auto draws = each([&](const auto& component) { return component.sample(scope); });
        return std::apply([&](const auto&... x) { return scope.apply(Choose{}, logits, noise, x...); },
                          draws);
    }
    template <class Scope>
    constexpr auto expectation(Scope& scope) const {
        const auto means = each([&](const auto& component) { return component.expectation(scope); });
        return std::apply([&](const auto&... x) { return scope.apply(MixtureMean{}, logits, x...); }, means);
    }

private:
    // function(component) of every one, in order: braces, so that calls on a scope do not share an expression.
    template <class Function>
    constexpr auto each(const Function& function) const {
        return std::apply(
            [&](const auto&... component) {
                return std::tuple<decltype(function(component))...>{function(component)...};
            },
            components);
    }
};

template <class Logits, class... Components>
Mixture(const Logits&, const Components&...) -> Mixture<Logits, Components...>;

}  // namespace distributions

}  // namespace untoward
