// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "../autodiff/rules/arithmetic.hpp"
#include "vae.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Value>
struct ElboTerms {
    Value loss;            // reconstruction + beta kl, or the free-bits term in place of kl
    Value reconstruction;  // -log p(x|z)
    Value kl;              // KL(q(z|x) || p(z))
};

}  // namespace detail

/// The negative evidence lower bound as a loss, one draw of z: summed over features and over latent units,
/// averaged over the batch, in nats (Kingma and Welling 2014; beta as in Higgins et al. 2017). With free bits
/// the KL term of the loss is the sum over units of max(free_bits, mean over the batch of KL_k) (Kingma et
/// al. 2016): a unit that uses less than that is not pressed any further, which keeps it from collapsing.
template <class Model>
struct NegativeElboLoss {
    [[no_unique_address]] Model model;
    double beta = 1;
    double free_bits = 0;  ///< nats for every unit

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto pass = model(scope, x);
        const double per_sample = 1.0 / static_cast<double>(x.batch());
        const auto reconstruction = scaled_sum(scope, -per_sample, pass.log_density);
        const auto kl = scaled_sum(scope, per_sample, pass.kl);
        const auto penalty = free_bits > 0 ? with_free_bits(scope, pass.kl) : kl;
        const auto loss = add_scaled(scope, reconstruction, beta, penalty);
        return detail::ElboTerms<std::remove_const_t<decltype(loss)>>{loss, reconstruction, kl};
    }

private:
    template <class Scope, class Kl>
    constexpr auto with_free_bits(Scope& scope, const Kl& kl) const {
        const auto mean_of_units = mean_over_batch(scope, kl);
        const auto floored = clamp(scope, mean_of_units, free_bits, std::numeric_limits<double>::infinity());
        return sum(scope, floored);
    }
};

}  // namespace untoward
