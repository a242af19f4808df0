// SPDX-License-Identifier: MIT
// Every latent's posterior, draw, moments and KL keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/vae/correlated_latent.hpp"
#include "untoward/vae/latent.hpp"

using namespace untoward;
using property::check_properties;

namespace {

template <class LatentType>
struct All {
    LatentType latent;

    template <class Scope, class Hidden>
    constexpr auto operator()(Scope& scope, const Hidden& hidden) const {
        const auto posterior = scope.call("latent", latent, hidden);
        const auto z = latent.sample(scope, posterior);
        const auto kl = latent.kl(scope, posterior);
        const auto mean = latent.mean(scope, posterior);
        const auto within = latent.within_prior(scope, mean);
        const auto log_variance = latent.log_variance(scope, posterior);
        const auto spread = exp(scope, log_variance);  // -infinity is 0
        return std::tuple(z, kl, mean, within, spread);
    }
};

}  // namespace

TEST_CASE("a diagonal posterior") {
    check_properties(All<Latent<3>>{}, {}, Vec<5>{});
    property::check_function(All<Latent<>>{Latent<>(1)}, {.batch = 1}, Vec<>(2));
}

TEST_CASE("a full-covariance posterior") {
    check_properties(All<CorrelatedLatent<3>>{}, {}, Vec<5>{});
    property::check_function(All<CorrelatedLatent<>>{CorrelatedLatent<>(1)}, {.batch = 1}, Vec<>(2));
    // Beyond the range of its diagonal: the gradient is that of a constant.
    check_properties(All<CorrelatedLatent<2>>{}, {.low = -12, .high = 12, .tolerance = 1e-5}, Vec<3>{});
}

TEST_CASE("a code without a spread") {
    check_properties(All<Code<3>>{}, {}, Vec<5>{});
    property::check_function(All<Code<>>{Code<>(1)}, {.batch = 1}, Vec<>(2));
}
