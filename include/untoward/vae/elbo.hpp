// SPDX-License-Identifier: MIT
#pragma once

#include "../autodiff/rules/arithmetic.hpp"
#include "vae.hpp"

namespace untoward {

namespace detail {

template <class Value>
struct ElboTerms {
    Value loss;            // reconstruction + beta kl
    Value reconstruction;  // -log p(x|z)
    Value kl;              // KL(q(z|x) || p(z))
};

}  // namespace detail

/// The negative evidence lower bound as a loss, one draw of z: summed over features and over latent units,
/// averaged over the batch, in nats (Kingma and Welling 2014; beta as in Higgins et al. 2017).
template <class Model>
struct NegativeElboLoss {
    [[no_unique_address]] Model model;
    double beta = 1;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto pass = model(scope, x);
        const double per_sample = 1.0 / static_cast<double>(x.batch());
        const auto log_density = sum(scope, pass.log_density);
        const auto reconstruction = scale(scope, -per_sample, log_density);
        const auto kl_sum = sum(scope, pass.kl);
        const auto kl = scale(scope, per_sample, kl_sum);
        const auto weighted = scale(scope, beta, kl);
        const auto loss = add(scope, reconstruction, weighted);
        return detail::ElboTerms<std::remove_const_t<decltype(loss)>>{loss, reconstruction, kl};
    }
};

}  // namespace untoward
