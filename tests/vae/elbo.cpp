// SPDX-License-Identifier: MIT
#include "untoward/vae/elbo.hpp"

#include <span>

#include "support/catch.hpp"
#include "vae/reference_vae.hpp"

using namespace untoward;
using untoward_test::FixedVae;
using untoward_test::Outcome;
namespace reference = untoward::reference;

namespace {

constexpr Index batch = reference::vae_batch;
constexpr Index latent = reference::vae_latent;
constexpr Index features = reference::vae_features;

void require_near(const std::vector<double>& found, std::span<const double> expected, const char* what) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO(what << "[" << i << "]");
        REQUIRE(found[i] == Approx(expected[i]).epsilon(1e-10).margin(1e-12));
    }
}

template <class Likelihood>
Outcome pass(const double* parameters, const double* x, const double* noise) {
    return untoward_test::pass<double>(FixedVae<Likelihood>{}, reference::vae_beta, parameters, x, noise,
                                       batch);
}

}  // namespace

TEST_CASE("ELBO: loss, terms and every gradient equal PyTorch's, with clamps active in some units") {
    const auto q = pass<Gaussian>(reference::vae_parameters, reference::vae_x, reference::vae_eps);
    REQUIRE(q.loss == Approx(reference::vae_loss).epsilon(1e-10));
    REQUIRE(q.reconstruction == Approx(reference::vae_reconstruction).epsilon(1e-10));
    REQUIRE(q.kl == Approx(reference::vae_kl).epsilon(1e-10));
    require_near(q.gradient, reference::vae_gradient, "gradient");
    require_near(q.mean, reference::vae_mu, "mu");
    require_near(q.log_variance, reference::vae_log_variance, "log_variance");
    require_near(q.z, reference::vae_z, "z");
    require_near(q.output, reference::vae_mean, "mean");
    require_near(q.kl_terms, reference::vae_kl_terms, "kl_terms");
    // Some are clamped above, some below, some not at all.
    Index high = 0;
    Index low = 0;
    for (const double raw : reference::vae_raw_log_variance) {
        high += raw > posterior_log_variance_high;
        low += raw < posterior_log_variance_low;
    }
    REQUIRE(high > 0);
    REQUIRE(low > 0);
    REQUIRE(high + low < batch * latent);
    // The decoder's log-variance of feature 1 is over its limit: no gradient.
    REQUIRE(q.gradient[q.gradient.size() - features + 1] == 0);
    REQUIRE(q.gradient[q.gradient.size() - features] != 0);
}

TEST_CASE("ELBO: sums over features and over units, means over the batch") {
    const auto q = pass<Gaussian>(reference::vae_parameters, reference::vae_x, reference::vae_eps);
    double reconstruction = 0;
    double kl = 0;
    for (Index j = 0; j < batch; ++j) {
        double sample_reconstruction = 0;
        double sample_kl = 0;
        for (Index i = 0; i < features; ++i)
            sample_reconstruction -= q.log_density[static_cast<std::size_t>(i + j * features)];
        for (Index k = 0; k < latent; ++k) sample_kl += q.kl_terms[static_cast<std::size_t>(k + j * latent)];
        REQUIRE(sample_reconstruction == Approx(reference::vae_reconstruction_per_sample[j]).epsilon(1e-10));
        REQUIRE(sample_kl == Approx(reference::vae_kl_per_sample[j]).epsilon(1e-10));
        REQUIRE(-(sample_reconstruction + sample_kl) ==
                Approx(reference::vae_elbo_per_sample[j]).epsilon(1e-10));
        REQUIRE(sample_reconstruction + reference::vae_beta * sample_kl ==
                Approx(reference::vae_loss_per_sample[j]).epsilon(1e-10));
        reconstruction += sample_reconstruction / batch;
        kl += sample_kl / batch;
    }
    REQUIRE(q.reconstruction == Approx(reconstruction).epsilon(1e-12));
    REQUIRE(q.kl == Approx(kl).epsilon(1e-12));
    REQUIRE(q.loss == Approx(reconstruction + reference::vae_beta * kl).epsilon(1e-12));
    for (Index k = 0; k < latent; ++k) {
        double unit = 0;
        for (Index j = 0; j < batch; ++j)
            unit += q.kl_terms[static_cast<std::size_t>(k + j * latent)] / batch;
        REQUIRE(unit == Approx(reference::vae_kl_per_unit[k]).epsilon(1e-10));
    }
}

TEST_CASE("ELBO: a decoder's log-variance below its limit") {
    const auto q =
        pass<Gaussian>(reference::vae_low_parameters, reference::vae_low_x, reference::vae_low_eps);
    REQUIRE(q.loss == Approx(reference::vae_low_loss).epsilon(1e-10));
    REQUIRE(q.reconstruction == Approx(reference::vae_low_reconstruction).epsilon(1e-10));
    REQUIRE(q.kl == Approx(reference::vae_low_kl).epsilon(1e-10));
    require_near(q.gradient, reference::vae_low_gradient, "gradient");
    REQUIRE(q.gradient[q.gradient.size() - features + 3] == 0);
}

TEST_CASE("ELBO: a fixed variance of one") {
    const auto q = pass<FixedGaussian>(reference::vae_fixed_parameters, reference::vae_fixed_x,
                                       reference::vae_fixed_eps);
    REQUIRE(q.loss == Approx(reference::vae_fixed_loss).epsilon(1e-10));
    REQUIRE(q.reconstruction == Approx(reference::vae_fixed_reconstruction).epsilon(1e-10));
    REQUIRE(q.kl == Approx(reference::vae_fixed_kl).epsilon(1e-10));
    require_near(q.gradient, reference::vae_fixed_gradient, "gradient");
}

TEST_CASE("ELBO: ordinary parameters") {
    const auto q =
        pass<Gaussian>(reference::vae_plain_parameters, reference::vae_plain_x, reference::vae_plain_eps);
    REQUIRE(q.loss == Approx(reference::vae_plain_loss).epsilon(1e-10));
    REQUIRE(q.reconstruction == Approx(reference::vae_plain_reconstruction).epsilon(1e-10));
    REQUIRE(q.kl == Approx(reference::vae_plain_kl).epsilon(1e-10));
    require_near(q.gradient, reference::vae_plain_gradient, "gradient");
    require_near(q.mean, reference::vae_plain_mu, "mu");
    require_near(q.kl_terms, reference::vae_plain_kl_terms, "kl_terms");
    require_near(q.output, reference::vae_plain_mean, "mean");
}

namespace {

template <std::size_t N>
void train(const double (&first)[N], const double* x, const double* noise, double max_norm,
           std::span<const double> losses, std::span<const double> norms, double last_loss,
           std::span<const double> trained) {
    Buffer<double> parameters(static_cast<Index>(N));
    std::copy(std::begin(first), std::end(first), parameters.begin());
    Optimiser<double> adam(Adam{}, parameters.size());
    for (std::size_t i = 0; i < losses.size(); ++i) {
        auto q = pass<Gaussian>(parameters.data(), x, noise);
        INFO("step " << i);
        REQUIRE(q.loss == Approx(losses[i]).epsilon(1e-10));
        const double norm = clip_norm(q.gradient.data(), static_cast<Index>(N), max_norm);
        REQUIRE(norm == Approx(norms[i]).epsilon(1e-10));
        adam.step(parameters.data(), q.gradient.data(), reference::vae_train_learning_rate);
    }
    REQUIRE(pass<Gaussian>(parameters.data(), x, noise).loss == Approx(last_loss).epsilon(1e-10));
    require_near({parameters.begin(), parameters.end()}, trained, "parameters");
}

}  // namespace

TEST_CASE("training: 100 steps of Adam after clipping give PyTorch's losses, norms and parameters") {
    train(reference::vae_plain_parameters, reference::vae_plain_x, reference::vae_plain_eps,
          reference::vae_plain_train_max_norm, reference::vae_plain_train_losses,
          reference::vae_plain_train_norms, reference::vae_plain_train_last_loss,
          reference::vae_plain_train_parameters);
    train(reference::vae_parameters, reference::vae_x, reference::vae_eps, reference::vae_train_max_norm,
          reference::vae_train_losses, reference::vae_train_norms, reference::vae_train_last_loss,
          reference::vae_train_parameters);
}
