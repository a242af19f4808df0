// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/count.hpp"
#include "../autodiff/rules/arithmetic.hpp"
#include "../autodiff/run.hpp"
#include "../core/refuse.hpp"
#include "../vae/vae.hpp"

namespace untoward {

/// What a score asks of a model. A composed score asks for the union, so the encoder runs once and nothing is
/// computed that nobody asked for.
struct Needs {
    bool reconstruction = false;  ///< the decoder's answer to the posterior's mean
    Index draws = 0;              ///< log densities under this many draws of z
    std::uint64_t seed = 0;       ///< of the draws
    bool expectation = false;     ///< what a normal sample nearby would look like, to explain with
    bool at_mean = false;         ///< log densities under z = mean
    bool each_draw = false;       ///< log densities under each draw apart, not only their mean
    bool sampled_kl = false;      ///< log q(z|x) - log p(z) of each draw

    constexpr Needs operator|(const Needs& other) const {
        UNTOWARD_ASSERT(draws == 0 || other.draws == 0 || seed == other.seed,
                        "untoward: scores that are added share their draws, so their seeds are the same");
        return {reconstruction || other.reconstruction,
                draws > other.draws ? draws : other.draws,
                draws > 0 ? seed : other.seed,
                expectation || other.expectation,
                at_mean || other.at_mean,
                each_draw || other.each_draw,
                sampled_kl || other.sampled_kl};
    }
};

/// How much of the draws a score may look at, whatever its options: known to the compiler, so that the others do
/// not pay for it. A score that needs more than the mean over the draws says, for one,
/// `static constexpr DrawDetail draw_detail = DrawDetail::apart`.
enum class DrawDetail {
    mean_only,   ///< `log_density`
    apart,       ///< `log_density_at_mean` and `log_densities` too, where `Needs` asks for them
    perhaps_kl,  ///< `sampled_kls` besides, which are NaN where the latent has no `sampled_kl`
    kl,          ///< the same, and such a latent does not compile
};

/// In place of what is known of draws where no score may look at them apart.
struct NoDraws {};

namespace detail {

// A member of `Needs`, for the message of who forgot it.
enum class Need { reconstruction, draws, expectation, at_mean, each_draw, sampled_kl };

[[noreturn]] UNTOWARD_NO_INLINE inline void refuse_output(Need need) {
    struct Names {
        const char* output;
        const char* need;
    };
    constexpr Names all[] = {{"reconstruction", "reconstruction = true"},
                             {"log_density", "draws = 1 or more"},
                             {"expectation", "expectation = true"},
                             {"log_density_at_mean", "at_mean = true"},
                             {"log_densities", "each_draw = true"},
                             {"sampled_kls", "sampled_kl = true"}};
    const Names& names = all[static_cast<int>(need)];
    refuse({"a score reads ", names.output, "() and did not ask for it: its needs() must have .", names.need});
}

}  // namespace detail

/// Something that a model computes of a batch where a score asks for it. Reading what nobody asked for is refused in
/// every build. (A device runs scores that a host has fitted and run before: there nothing is checked.)
template <class X, detail::Need Which>
class Output {
public:
    constexpr Output() = default;
    constexpr Output(const X& value) : value_(value), is_computed_(true) {}
    /// Not computed: something of the right type takes its place, which nobody sees.
    static constexpr Output none(const X& in_its_place) {
        Output output(in_its_place);
        output.is_computed_ = false;
        return output;
    }

    constexpr const X& operator()() const {
#ifndef UNTOWARD_PLAIN
        if (!is_computed_) [[unlikely]]
            detail::refuse_output(Which);
#endif
        return value_;
    }
    [[nodiscard]] constexpr bool is_computed() const { return is_computed_; }
    /// Where it is, or would be.
    [[nodiscard]] constexpr const X& place() const { return value_; }

private:
    X value_{};
    bool is_computed_ = false;
};

/// What a model says of a batch: computed once, read by every score. D x batch or K x batch each. What is called, as in
/// `evidence.reconstruction()`, is there where `Needs` asks for it.
template <class X, class Units, class Draws = NoDraws>
struct Evidence {
    X x;                                                   ///< the scaled input
    Units mean;                                            ///< of the posterior
    Units log_variance;                                    ///< of the posterior; -infinity where it has no spread
    Units kl;                                              ///< every unit's share of KL(q(z|x) || p(z))
    Output<X, detail::Need::reconstruction> reconstruction;  ///< E[x | z = mean]
    Output<X, detail::Need::draws> log_density;            ///< mean over the draws of log p(x_d | z)
    Output<X, detail::Need::expectation> expectation;      ///< E[x | z = mean, kept within the prior]
    /// log p(x_d | z = mean)
    [[no_unique_address]] std::conditional_t<std::is_same_v<Draws, NoDraws>, NoDraws,
                                             Output<X, detail::Need::at_mean>>
        log_density_at_mean{};
    /// log p(x_d | z) of each draw: D x draws of every sample
    [[no_unique_address]] std::conditional_t<std::is_same_v<Draws, NoDraws>, NoDraws,
                                             Output<Draws, detail::Need::each_draw>>
        log_densities{};
    /// log q(z|x) - log p(z) of each draw: 1 x draws of every sample
    [[no_unique_address]] std::conditional_t<std::is_same_v<Draws, NoDraws>, NoDraws,
                                             Output<Draws, detail::Need::sampled_kl>>
        sampled_kls{};
};

namespace detail {

// The same numbers with run-time sizes, and samples as plain vectors.
template <class T, class Sample>
Tensor<const std::remove_const_t<T>, Vec<>> flattened(const Tensor<T, Sample>& x) {
    return {x.data(), Vec<>(x.rows()), x.batch(), x.stride()};
}
template <class X, Need Which>
auto flattened(const Output<X, Which>& output) {
    using Flat = Output<decltype(flattened(output.place())), Which>;
    return output.is_computed() ? Flat(flattened(output.place())) : Flat::none(flattened(output.place()));
}

}  // namespace detail

/// What scores read whatever the model's sizes.
template <class S>
using FlatEvidence = Evidence<Tensor<const S, Vec<>>, Tensor<const S, Vec<>>, Tensor<const S, Seq<>>>;

namespace detail {

template <class X, class Units, class Draws>
auto flattened(const Evidence<X, Units, Draws>& e) {
    FlatEvidence<typename X::Scalar> flat{
        flattened(e.x),          flattened(e.mean),           flattened(e.log_variance),
        flattened(e.kl),         flattened(e.reconstruction), flattened(e.log_density),
        flattened(e.expectation)};
    if constexpr (!std::is_same_v<Draws, NoDraws>) {
        flat.log_density_at_mean = flattened(e.log_density_at_mean);
        flat.log_densities = e.log_densities;
        flat.sampled_kls = e.sampled_kls;
    }
    return flat;
}

// Puts what was computed where the evidence has room for it; `sum` makes one number of every column. Nothing for
// readers that do not compute. The room was allocated for this by the layer that calls.
template <class Room, class Value>
constexpr void keep(const Room& room, Index position, const Value& value, bool sum = false) {
    if constexpr (requires { room.data(); }) {
        using S = typename Room::Scalar;
        const Index rows = sum ? 1 : value.rows();
        for (Index j = 0; j < room.batch(); ++j) {
            S* const to = const_cast<S*>(room.data()) + j * room.stride() + position * rows;
            const auto column = value.column(value.batch() == 1 ? 0 : j);
            if (sum) {
                *to = column.sum();
            } else {
                FlatMap<S>(to, rows) = column;
            }
        }
    }
}

}  // namespace detail

/// A model's pass over a batch for a score, as a layer: so that `count` knows its arena. What `Needs` asks for
/// beyond the `Detail` is a mistake.
template <class Model, DrawDetail Detail = DrawDetail::mean_only>
struct GatherEvidence {
    [[no_unique_address]] Model model;
    Needs needs;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        constexpr bool draws_apart = Detail != DrawDetail::mean_only;
        UNTOWARD_ASSERT(draws_apart || !(needs.at_mean || needs.each_draw || needs.sampled_kl),
                        "untoward: a score that needs more of the draws than their mean has a draw_detail");
        auto parts = model.bind(scope);
        const auto& likelihood = model.likelihood;
        const auto& latent = model.latent;
        const auto posterior = parts.encode(x);
        const auto kl = detail::kl_of(latent, scope, posterior);
        const auto mean = detail::mean_of(latent, scope, posterior);
        const auto log_variance = detail::log_variance_of(latent, scope, posterior);
        using Units = std::remove_const_t<decltype(kl)>;
        const Index draws = needs.draws > 0 && detail::is_deterministic(latent) ? 1 : needs.draws;
        auto evidence = begin<Units>(scope, x, Units(mean), Units(log_variance), kl, draws);
        if (needs.reconstruction || (draws_apart && needs.at_mean)) {
            const X reconstruction(scope.call(
                "reconstruction",
                [&](auto& inner, const auto& z) {
                    const auto output = parts.decode(z);
                    if constexpr (draws_apart) {
                        if (needs.at_mean) {
                            const auto density = detail::log_density_of(likelihood, inner, x, output);
                            detail::keep(evidence.log_density_at_mean.place(), 0, density);
                        }
                    }
                    return detail::expectation_of(likelihood, inner, output, model.sample);
                },
                mean));
            if (needs.reconstruction) evidence.reconstruction = reconstruction;
        }
        if (needs.expectation) {
            evidence.expectation = X(scope.call(
                "expectation",
                [&](auto& inner, const auto& anywhere) {
                    const auto z = detail::within_prior_of(latent, inner, anywhere);
                    const auto output = parts.decode(z);
                    return detail::expectation_of(likelihood, inner, output, model.sample);
                },
                mean));
        }
        if (draws > 0) {
            auto total = X(scope.constant(x.shape(), x.batch(), 0));
            for (Index draw = 0; draw < draws; ++draw) {
                // As a layer of its own, so that the arena gets back all but the new total.
                total = X(scope.call(
                    Name::index(draw),
                    [&](auto&, const auto& sum) {
                        const auto z = detail::draw_of(latent, scope, posterior);
                        const auto output = parts.decode(z);
                        const auto log_density = detail::log_density_of(likelihood, scope, x, output);
                        if constexpr (draws_apart) {
                            if (needs.each_draw) detail::keep(evidence.log_densities.place(), draw, log_density);
                        }
                        if constexpr (Detail >= DrawDetail::perhaps_kl) {
                            if (needs.sampled_kl) {
                                const auto of_units = detail::sampled_kl_of<Detail == DrawDetail::kl>(
                                    latent, scope, posterior, z);
                                detail::keep(evidence.sampled_kls.place(), draw, of_units, true);
                            }
                        }
                        return add(scope, sum, log_density);
                    },
                    total));
            }
            evidence.log_density = X(scale(scope, 1.0 / static_cast<double>(draws), total));
        }
        return evidence;
    }

private:
    // What does not depend on the decoder, and room for what is kept of draws.
    template <class Units, class Scope, class X>
    constexpr auto begin(Scope& scope, const X& x, const Units& mean, const Units& log_variance,
                         const Units& kl, Index draws) const {
        using detail::Need;
        const auto none = Output<X, Need::reconstruction>::none(x);
        const auto no_density = Output<X, Need::draws>::none(x);
        const auto no_expectation = Output<X, Need::expectation>::none(x);
        if constexpr (Detail == DrawDetail::mean_only) {
            return Evidence<X, Units>{x, mean, log_variance, kl, none, no_density, no_expectation};
        } else {
            const auto densities =
                scope.constant(Seq<>(x.shape().size(), needs.each_draw ? draws : 0), x.batch(), 0);
            const auto kls = scope.constant(Seq<>(1, needs.sampled_kl ? draws : 0), x.batch(), 0);
            const auto at_mean = needs.at_mean ? X(scope.constant(x.shape(), x.batch(), 0)) : x;
            using Draws = std::remove_const_t<decltype(kls)>;
            using AtMean = Output<X, Need::at_mean>;
            using Densities = Output<Draws, Need::each_draw>;
            using Kls = Output<Draws, Need::sampled_kl>;
            return Evidence<X, Units, Draws>{x,
                                             mean,
                                             log_variance,
                                             kl,
                                             none,
                                             no_density,
                                             no_expectation,
                                             needs.at_mean ? AtMean(at_mean) : AtMean::none(at_mean),
                                             needs.each_draw ? Densities(densities) : Densities::none(densities),
                                             needs.sampled_kl ? Kls(kls) : Kls::none(kls)};
        }
    }
};

}  // namespace untoward
