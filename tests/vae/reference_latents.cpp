// SPDX-License-Identifier: MIT
// Latents and objectives against PyTorch (tests/reference/distributions.py): a Vae with a Code is a plain autoencoder, a
// full-covariance posterior, free bits.
#include <limits>

#include "reference/distributions.hpp"
#include "support/torch_inputs.hpp"
#include "untoward/scores/evidence.hpp"
#include "untoward/vae/correlated_latent.hpp"
#include "untoward/vae/elbo.hpp"

using namespace untoward;
using namespace untoward::reference;

namespace {

using Autoencoder = Vae<Vec<5>, Encoder<Dense<7, Relu>>, Code<2>, Decoder<Dense<6, Relu>>, FixedGaussian>;

template <class S>
void check_autoencoder(double beta, double free_bits, double tolerance) {
    const NegativeElboLoss<Autoencoder> loss{{}, beta, free_bits};
    const auto parameters = torch::as<S>(autoencoder_parameters);
    const auto x = torch::as<S>(autoencoder_x);
    const Cursor size = measure(loss, Vec<5>{});
    REQUIRE(size.scalars == static_cast<Index>(parameters.size()));
    std::vector<S> gradient(parameters.size());
    Buffer<std::byte> memory(static_cast<Index>(count<S>(loss, 4, Vec<5>{}).record_bytes));
    Arena arena(memory);
    const std::uint32_t ids[] = {3, 1, 4, 1};
    Tape<S> tape(arena, parameters.data(), gradient.data(), size, Pass{.training = true, .samples = ids});
    Record<S> scope(tape);
    const auto terms = loss(scope, scope.input(Tensor<const S, Vec<5>>(x.data(), {}, 4)));
    tape.backward(terms.loss);
    REQUIRE(arena.peak() == arena.capacity());
    const double expected = autoencoder_loss + beta * 2 * free_bits;  // a constant
    REQUIRE(static_cast<double>(terms.loss.scalar()) == Approx(expected).epsilon(tolerance));
    REQUIRE(static_cast<double>(terms.reconstruction.scalar()) ==
            Approx(autoencoder_loss).epsilon(tolerance));
    REQUIRE(terms.kl.scalar() == 0);
    torch::require_equal(gradient.data(), autoencoder_gradient, tolerance);
}

}  // namespace

TEST_CASE("a Vae with a Code is a plain autoencoder: loss and gradient, whatever beta") {
    check_autoencoder<double>(1, 0, 1e-10);
    check_autoencoder<double>(30, 0.5, 1e-10);
    check_autoencoder<float>(1, 0, 1e-5);
}

TEST_CASE("a code is not kept near 0, as there is no prior") {
    std::vector<double> far(std::begin(autoencoder_x), std::end(autoencoder_x));
    for (double& value : far) value *= 50;
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    Run<double> scope(autoencoder_parameters, arena);
    const auto evidence = GatherEvidence<Autoencoder>{{}, {.reconstruction = true, .expectation = true}}(
        scope, Tensor<const double, Vec<5>>(far.data(), {}, 4));
    REQUIRE(evidence.mean.matrix().cwiseAbs().maxCoeff() > 2 * prior_bulk);
    REQUIRE(evidence.expectation().matrix() == evidence.reconstruction().matrix());
}

TEST_CASE("a code as evidence: z is the mean, one draw is all draws, and nothing is noise") {
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    const Tensor<const double, Vec<5>> x(autoencoder_x, {}, 4);
    const auto evidence_for = [&](const Needs& needs) {
        Run<double> scope(autoencoder_parameters, arena, Pass{.seed = needs.seed});
        return GatherEvidence<Autoencoder>{{}, needs}(scope, x);
    };
    const auto few = evidence_for({.reconstruction = true, .draws = 1});
    const auto many = evidence_for({.draws = 8, .seed = 99});
    torch::require_equal(few.mean.data(), autoencoder_code, 1e-10);
    torch::require_equal(few.reconstruction().data(), autoencoder_reconstruction, 1e-10);
    REQUIRE(few.log_density().matrix() == many.log_density().matrix());
    REQUIRE(few.kl.matrix().isZero(0));
    REQUIRE((few.log_variance.matrix().array() == -std::numeric_limits<double>::infinity()).all());
    static_assert(count<double>(GatherEvidence<Autoencoder>{{}, {.draws = 8}}, 4, Vec<5>{}).multiply_adds ==
                  count<double>(GatherEvidence<Autoencoder>{{}, {.draws = 1}}, 4, Vec<5>{}).multiply_adds);
}

namespace {

// z of given noise and the KL of every sample, with the reference's weights: their sum is the loss.
struct CorrelatedLoss {
    template <class Scope, class Hidden, class Noise, class Z, class K>
    constexpr auto operator()(Scope& scope, const Hidden& hidden, const Noise& noise, const Z& upstream_z,
                              const K& upstream_kl) const {
        const CorrelatedLatent<3> latent;
        const auto posterior = latent(scope, hidden);
        const auto z = scope.apply(CorrelateNoise{}, posterior.mean, posterior.factor, noise);
        const auto kl = latent.kl(scope, posterior);
        const auto log_variance = latent.log_variance(scope, posterior);
        const auto per_sample = sum_per_sample(scope, kl);
        const auto weighted_z = multiply(scope, z, upstream_z);
        const auto weighted_kl = multiply(scope, per_sample, upstream_kl);
        const auto a = sum(scope, weighted_z);
        const auto b = sum(scope, weighted_kl);
        const auto loss = add(scope, a, b);
        return std::tuple(loss, z, per_sample, log_variance);
    }
};

}  // namespace

TEST_CASE("a full-covariance posterior: draws, KL and every gradient equal PyTorch's, with clamps active") {
    std::vector<double> parameters(std::begin(correlated_weight), std::end(correlated_weight));
    parameters.insert(parameters.end(), std::begin(correlated_bias), std::end(correlated_bias));
    std::vector<double> gradient(parameters.size());
    Buffer<std::byte> memory(1 << 18);
    Arena arena(memory);
    const Cursor size = measure(CorrelatedLatent<3>{}, Vec<4>{});
    REQUIRE(size.scalars == static_cast<Index>(parameters.size()));
    Tape<double> tape(arena, parameters.data(), gradient.data(), size, Pass{});
    Record<double> scope(tape);
    const auto h = scope.variable(Tensor<const double, Vec<4>>(correlated_h, {}, 5));
    const auto eps = scope.variable(Tensor<const double, Vec<3>>(correlated_eps, {}, 5));
    const auto [loss, z, kl, log_variance] = CorrelatedLoss{}(
        scope, h, eps, scope.input(Tensor<const double, Vec<3>>(correlated_upstream_z, {}, 5)),
        scope.input(Tensor<const double, Vec<1>>(correlated_upstream_kl, {}, 5)));
    tape.backward(loss);
    torch::require_equal(z.value().data(), correlated_z, 1e-10);
    torch::require_equal(kl.value().data(), correlated_kl, 1e-10);
    torch::require_equal(log_variance.value().data(), correlated_log_variance, 1e-10);
    torch::require_equal(tape.gradient_of(h).data(), correlated_dh, 1e-10);
    torch::require_equal(tape.gradient_of(eps).data(), correlated_deps, 1e-10);
    torch::require_equal(gradient.data(), correlated_dweight, 1e-10);
    torch::require_equal(gradient.data() + std::size(correlated_weight), correlated_dbias, 1e-10);
}
