// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/count.hpp"
#include "../autodiff/rules/arithmetic.hpp"
#include "../autodiff/run.hpp"
#include "../core/refuse.hpp"
#include "../vae/vae.hpp"

namespace untoward UNTOWARD_SETTING {

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

/// What a model says of a batch: computed once, read by every score. D x batch or K x batch each. What costs a pass of
/// the decoder is a member function: a score that reads what its `needs()` do not ask for is refused with an Error
/// that names the member of `Needs`, whether another part of a sum asked for it or not. On a device nothing is
/// checked: the same score has run on a host before.
template <class X, class Units, class Draws = NoDraws>
class Evidence {
public:
    static constexpr bool has_draws_apart = !std::is_same_v<Draws, NoDraws>;

    /// What every score may read; the rest is set where it was computed.
    constexpr Evidence(const X& input, const Units& posterior_mean, const Units& posterior_log_variance,
                       const Units& kl_of_units)
        : x(input), mean(posterior_mean), log_variance(posterior_log_variance), kl(kl_of_units),
          reconstruction_(input), log_density_(input), expectation_(input), log_density_at_mean_(),
          log_densities_(), sampled_kls_() {
        if constexpr (has_draws_apart) log_density_at_mean_ = input;
    }
    /// With room for what is kept of draws; it may be read once it is set.
    constexpr Evidence(const X& input, const Units& posterior_mean, const Units& posterior_log_variance,
                       const Units& kl_of_units, const X& at_mean, const Draws& densities, const Draws& kls)
        : x(input), mean(posterior_mean), log_variance(posterior_log_variance), kl(kl_of_units),
          reconstruction_(input), log_density_(input), expectation_(input), log_density_at_mean_(at_mean),
          log_densities_(densities), sampled_kls_(kls) {}

    X x;                 ///< the scaled input
    Units mean;          ///< of the posterior
    Units log_variance;  ///< of the posterior; -infinity where it has no spread
    Units kl;            ///< every unit's share of KL(q(z|x) || p(z))

    /// E[x | z = mean]
    [[nodiscard]] constexpr const X& reconstruction() const {
        require(of_reconstruction, "reconstruction", "reconstruction = true");
        return reconstruction_;
    }
    /// Mean over the draws of log p(x_d | z).
    [[nodiscard]] constexpr const X& log_density() const {
        require(of_log_density, "log_density", "draws, at least 1");
        return log_density_;
    }
    /// E[x | z = mean, kept within the prior]
    [[nodiscard]] constexpr const X& expectation() const {
        require(of_expectation, "expectation", "expectation = true");
        return expectation_;
    }
    /// log p(x_d | z = mean)
    [[nodiscard]] constexpr const auto& log_density_at_mean() const {
        require_draws_apart<has_draws_apart>();
        require(of_log_density_at_mean, "log_density_at_mean", "at_mean = true");
        return log_density_at_mean_;
    }
    /// log p(x_d | z) of each draw apart: D x draws of every sample.
    [[nodiscard]] constexpr const Draws& log_densities() const {
        require_draws_apart<has_draws_apart>();
        require(of_log_densities, "log_densities", "draws, at least 1, and each_draw = true");
        return log_densities_;
    }
    /// log q(z|x) - log p(z) of each draw: 1 x draws of every sample.
    [[nodiscard]] constexpr const Draws& sampled_kls() const {
        require_draws_apart<has_draws_apart>();
        require(of_sampled_kls, "sampled_kls", "draws, at least 1, and sampled_kl = true");
        return sampled_kls_;
    }

    // For what computes them: from now on they may be read.
    constexpr void set_reconstruction(const X& value) {
        reconstruction_ = value;
        grant(of_reconstruction);
    }
    constexpr void set_log_density(const X& value) {
        log_density_ = value;
        grant(of_log_density);
    }
    constexpr void set_expectation(const X& value) {
        expectation_ = value;
        grant(of_expectation);
    }
    constexpr void set_log_density_at_mean(const X& value) {
        log_density_at_mean_ = value;
        grant(of_log_density_at_mean);
    }
    constexpr void set_log_densities(const Draws& value) {
        log_densities_ = value;
        grant(of_log_densities);
    }
    constexpr void set_sampled_kls(const Draws& value) {
        sampled_kls_ = value;
        grant(of_sampled_kls);
    }

#if UNTOWARD_HOSTED
    /// The same for a score with these needs: what only its neighbours in a sum asked for cannot be read.
    [[nodiscard]] constexpr Evidence only(const Needs& needs) const {
        Evidence less = *this;
        less.granted_ &= asked_by(needs);
        return less;
    }
#endif

    /// The same numbers with run-time sizes, and samples as plain vectors: FlatEvidence.
    [[nodiscard]] auto flattened() const;

private:
    template <class, class, class>
    friend class Evidence;

    // What may be read, as bits.
    enum Grant : unsigned {
        of_reconstruction = 1,
        of_log_density = 2,
        of_expectation = 4,
        of_log_density_at_mean = 8,
        of_log_densities = 16,
        of_sampled_kls = 32,
    };
    static constexpr unsigned asked_by(const Needs& needs) {
        const auto bit = [](bool asks, Grant grant) { return asks ? static_cast<unsigned>(grant) : 0U; };
        const bool draws = needs.draws > 0;
        return bit(needs.reconstruction, of_reconstruction) | bit(draws, of_log_density) |
               bit(needs.expectation, of_expectation) | bit(needs.at_mean, of_log_density_at_mean) |
               bit(draws && needs.each_draw, of_log_densities) |
               bit(draws && needs.sampled_kl, of_sampled_kls);
    }
#if UNTOWARD_HOSTED
    constexpr void grant(Grant what) {
        granted_ |= what;
    }
    constexpr void require(Grant what, const char* name, const char* need) const {
        if ((granted_ & what) == 0) [[unlikely]]
            detail::refuse(
                {"a score reads ", name, "(), which its needs() do not ask for: return Needs with ", need});
    }
    unsigned granted_ = 0;
#else
    constexpr void grant(Grant) {}
    constexpr void require(Grant, const char*, const char*) const {}
#endif

    template <bool Has>
    static constexpr void require_draws_apart() {
        static_assert(Has,
                      "untoward: a score that looks at more of the draws than their mean says so: "
                      "static constexpr DrawDetail draw_detail = DrawDetail::apart, or kl");
    }

    using Apart = std::conditional_t<has_draws_apart, X, NoDraws>;
    // The input until they are set.
    X reconstruction_;
    X log_density_;
    X expectation_;
    [[no_unique_address]] Apart log_density_at_mean_;
    [[no_unique_address]] Draws log_densities_;
    [[no_unique_address]] Draws sampled_kls_;
};

namespace detail {

// The same numbers with run-time sizes, and samples as plain vectors.
template <class T, class Sample>
Tensor<const std::remove_const_t<T>, Vec<>> flattened(const Tensor<T, Sample>& x) {
    return {x.data(), Vec<>(x.rows()), x.batch(), x.stride()};
}

}  // namespace detail

/// What scores read whatever the model's sizes.
template <class S>
using FlatEvidence = Evidence<Tensor<const S, Vec<>>, Tensor<const S, Vec<>>, Tensor<const S, Seq<>>>;

template <class X, class Units, class Draws>
auto Evidence<X, Units, Draws>::flattened() const {
    using detail::flattened;
    FlatEvidence<typename X::Scalar> flat(flattened(x), flattened(mean), flattened(log_variance),
                                          flattened(kl));
    flat.reconstruction_ = flattened(reconstruction_);
    flat.log_density_ = flattened(log_density_);
    flat.expectation_ = flattened(expectation_);
    if constexpr (has_draws_apart) {
        flat.log_density_at_mean_ = flattened(log_density_at_mean_);
        flat.log_densities_ = log_densities_;
        flat.sampled_kls_ = sampled_kls_;
    }
#if UNTOWARD_HOSTED
    flat.granted_ = granted_;
#endif
    return flat;
}

namespace detail {

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
                *to = detail::sum_of_elements(column);
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
            const auto reconstruction = X(scope.call(
                "reconstruction",
                [&](auto& inner, const auto& z) {
                    const auto output = parts.decode(z);
                    if constexpr (draws_apart) {
                        if (needs.at_mean) {
                            const auto density = detail::log_density_of(likelihood, inner, x, output);
                            detail::keep(evidence.log_density_at_mean(), 0, density);
                        }
                    }
                    return detail::expectation_of(likelihood, inner, output, model.sample);
                },
                mean));
            if (needs.reconstruction) evidence.set_reconstruction(reconstruction);
        }
        if (needs.expectation) {
            evidence.set_expectation(X(scope.call(
                "expectation",
                [&](auto& inner, const auto& anywhere) {
                    const auto z = detail::within_prior_of(latent, inner, anywhere);
                    const auto output = parts.decode(z);
                    return detail::expectation_of(likelihood, inner, output, model.sample);
                },
                mean)));
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
                            if (needs.each_draw) detail::keep(evidence.log_densities(), draw, log_density);
                        }
                        if constexpr (Detail >= DrawDetail::perhaps_kl) {
                            if (needs.sampled_kl) {
                                const auto of_units = detail::sampled_kl_of<Detail == DrawDetail::kl>(
                                    latent, scope, posterior, z);
                                detail::keep(evidence.sampled_kls(), draw, of_units, true);
                            }
                        }
                        return add(scope, sum, log_density);
                    },
                    total));
            }
            evidence.set_log_density(X(scale(scope, 1.0 / static_cast<double>(draws), total)));
        }
        return evidence;
    }

private:
    // What does not depend on the decoder, and room for what is kept of draws.
    template <class Units, class Scope, class X>
    constexpr auto begin(Scope& scope, const X& x, const Units& mean, const Units& log_variance,
                         const Units& kl, Index draws) const {
        if constexpr (Detail == DrawDetail::mean_only) {
            return Evidence<X, Units>(x, mean, log_variance, kl);
        } else {
            const auto densities =
                scope.constant(Seq<>(x.shape().size(), needs.each_draw ? draws : 0), x.batch(), 0);
            const auto kls = scope.constant(Seq<>(1, needs.sampled_kl ? draws : 0), x.batch(), 0);
            const auto at_mean = needs.at_mean ? X(scope.constant(x.shape(), x.batch(), 0)) : x;
            using Draws = std::remove_const_t<decltype(kls)>;
            Evidence<X, Units, Draws> evidence(x, mean, log_variance, kl, at_mean, densities, kls);
            if (needs.at_mean) evidence.set_log_density_at_mean(at_mean);
            if (needs.each_draw && draws > 0) evidence.set_log_densities(densities);
            if (Detail >= DrawDetail::perhaps_kl && needs.sampled_kl && draws > 0)
                evidence.set_sampled_kls(kls);
            return evidence;
        }
    }
};

}  // namespace untoward
