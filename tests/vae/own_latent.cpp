// SPDX-License-Identifier: MIT
#include "vae/own_latent.hpp"

#include "support/property.hpp"

using namespace untoward;

namespace {

struct All {
    template <class Scope, class Hidden>
    constexpr auto operator()(Scope& scope, const Hidden& hidden) const {
        const own::LaplaceLatent<3> latent;
        const auto posterior = scope.call("latent", latent, hidden);
        const auto z = latent.sample(scope, posterior);
        const auto kl = latent.kl(scope, posterior);
        const auto mean = latent.mean(scope, posterior);
        const auto log_variance = latent.log_variance(scope, posterior);
        return std::tuple(z, kl, mean, log_variance);
    }
};

}  // namespace

TEST_CASE("a latent of a user's own keeps the library's promises") {
    property::check_function(All{}, {}, Vec<4>{});
}
