// SPDX-License-Identifier: MIT
#include "untoward/vae/vae.hpp"

#include <cstring>
#include <string>

#include "support/catch.hpp"
#include "untoward/autodiff/run.hpp"
#include "vae/reference_vae.hpp"

using namespace untoward;
using untoward_test::dynamic_vae;
using untoward_test::FixedVae;
using untoward_test::Outcome;
namespace reference = untoward::reference;

namespace {

constexpr Index batch = reference::vae_batch;

/// "path rows x columns", in order.
template <class Model>
std::vector<std::string> names(const Model& model) {
    std::vector<std::string> result;
    Index offset = 0;
    describe(
        [&](const ParameterInfo& info) {
            std::string text = info.path;
            for (Index i = 0; i < info.rank; ++i)
                text += (i == 0 ? " " : "x") + std::to_string(info.extents[i]);
            result.push_back(text);
            REQUIRE(info.offset == offset);
            REQUIRE(info.attributes.trainable);
            // Weight decay is for weights.
            REQUIRE(info.attributes.decay == (text.find("weight") != std::string::npos));
            offset += info.size;
        },
        model, model.sample);
    return result;
}

}  // namespace

TEST_CASE("VAE: the names and shapes of all parameters, as PyTorch would have them") {
    const std::vector<std::string> expected{
        "encoder.0.weight 7x5",     "encoder.0.bias 7",           "encoder.1.weight 6x7",
        "encoder.1.bias 6",         "latent.weight 4x6",          "latent.bias 4",
        "decoder.0.weight 6x2",     "decoder.0.bias 6",           "decoder.1.weight 7x6",
        "decoder.1.bias 7",         "likelihood.mean.weight 5x7", "likelihood.mean.bias 5",
        "likelihood.log_variance 5"};
    REQUIRE(names(FixedVae<Gaussian>{}) == expected);
    REQUIRE(names(dynamic_vae<Gaussian>()) == expected);
    const std::vector<std::string> fixed(expected.begin(), expected.end() - 1);
    REQUIRE(names(FixedVae<FixedGaussian>{}) == fixed);
    REQUIRE(measure(FixedVae<Gaussian>{}, Vec<5>{}).scalars == reference::vae_parameter_count);
    REQUIRE(measure(FixedVae<FixedGaussian>{}, Vec<5>{}).scalars == reference::vae_fixed_parameter_count);
    // The loss adds none, and a layout is known to the compiler.
    static_assert(measure(NegativeElboLoss<FixedVae<Gaussian>>{}, Vec<5>{}).scalars == 230);
    static_assert(layout_hash(FixedVae<Gaussian>{}, Vec<5>{}) ==
                  layout_hash(NegativeElboLoss<FixedVae<Gaussian>>{}, Vec<5>{}));
    REQUIRE(layout_hash(dynamic_vae<Gaussian>(), Vec<>(5)) == layout_hash(FixedVae<Gaussian>{}, Vec<5>{}));
    REQUIRE(layout_hash(FixedVae<FixedGaussian>{}, Vec<5>{}) != layout_hash(FixedVae<Gaussian>{}, Vec<5>{}));
}

TEST_CASE("VAE: run-time sizes give the bits of compile-time sizes, floats come close") {
    const auto fixed = untoward_test::pass<double>(FixedVae<Gaussian>{}, 0.7, reference::vae_parameters,
                                                   reference::vae_x, reference::vae_eps, batch);
    const auto dynamic = untoward_test::pass<double>(dynamic_vae<Gaussian>(), 0.7, reference::vae_parameters,
                                                     reference::vae_x, reference::vae_eps, batch);
    REQUIRE(fixed.loss == dynamic.loss);
    REQUIRE(fixed.gradient == dynamic.gradient);
    REQUIRE(fixed.z == dynamic.z);

    const auto narrow = [](const auto& values) {
        return std::vector<float>(std::begin(values), std::end(values));
    };
    const auto single = untoward_test::pass<float>(
        dynamic_vae<Gaussian>(), 0.7, narrow(reference::vae_plain_parameters).data(),
        narrow(reference::vae_plain_x).data(), narrow(reference::vae_plain_eps).data(), batch);
    REQUIRE(single.loss == Approx(reference::vae_plain_loss).epsilon(1e-5));
    REQUIRE(single.kl == Approx(reference::vae_plain_kl).epsilon(1e-5));
    for (std::size_t i = 0; i < single.gradient.size(); ++i) {
        REQUIRE(single.gradient[i] == Approx(reference::vae_plain_gradient[i]).epsilon(1e-4).margin(1e-5));
    }
}

TEST_CASE("effective beta: the KL term reaches the posterior's log-variance") {
    // latent.bias follows encoder.* (42 + 48) and latent.weight (24): means, then log-variances.
    const std::size_t bias = 42 + 48 + 24 + 2;
    const auto slope = [&](double beta) {
        return untoward_test::pass<double>(FixedVae<Gaussian>{}, beta, reference::vae_plain_parameters,
                                           reference::vae_plain_x, reference::vae_plain_eps, batch)
            .gradient;
    };
    const auto none = slope(0);
    const auto one = slope(1);
    const auto four = slope(4);
    const auto q = untoward_test::pass<double>(FixedVae<Gaussian>{}, 1, reference::vae_plain_parameters,
                                               reference::vae_plain_x, reference::vae_plain_eps, batch);
    for (std::size_t k = 0; k < 2; ++k) {
        double kl_slope = 0;  // d kl / d log-variance = (exp(log-variance) - 1) / 2, mean over the batch
        for (std::size_t j = 0; j < batch; ++j)
            kl_slope += 0.5 * (std::exp(q.log_variance[k + 2 * j]) - 1) / batch;
        REQUIRE(std::abs(kl_slope) > 1e-4);
        REQUIRE(one[bias + k] != 0);
        REQUIRE(one[bias + k] - none[bias + k] == Approx(kl_slope).epsilon(1e-9));
        REQUIRE(four[bias + k] - none[bias + k] == Approx(4 * kl_slope).epsilon(1e-9));
    }
    // Without the KL term the noise is all that reaches it: none with noise of 0.
    const double silence[batch * 2] = {};
    const auto plain = untoward_test::pass<double>(FixedVae<Gaussian>{}, 0, reference::vae_plain_parameters,
                                                   reference::vae_plain_x, silence, batch);
    for (std::size_t k = 0; k < 2; ++k) {
        REQUIRE(none[bias + k] != 0);
        REQUIRE(plain.gradient[bias + k] == 0);
    }
}

TEST_CASE("NegativeElboLoss: the same as its parts under the noise of its pass, bit for bit") {
    const FixedVae<Gaussian> model;
    const std::uint32_t ids[batch] = {5, 2, 9, 1000};
    const Pass pass{.training = true, .seed = 4, .epoch = 3, .samples = ids};
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);

    Run<double> noise_scope(nullptr, arena, pass);
    const auto noise = noise_scope.normal(Vec<2>{}, batch);
    REQUIRE(noise.batch() == batch);
    const auto parts = untoward_test::pass<double>(model, 0.3, reference::vae_plain_parameters,
                                                   reference::vae_plain_x, noise.data(), batch);

    arena.rewind();
    const NegativeElboLoss<FixedVae<Gaussian>> loss{model, 0.3};
    std::vector<double> gradient(230);
    Tape<double> tape(arena, reference::vae_plain_parameters, gradient.data(), measure(loss, Vec<5>{}), pass);
    Record<double> scope(tape);
    const auto terms =
        loss(scope, scope.input(Tensor<const double, Vec<5>>(reference::vae_plain_x, {}, batch)));
    tape.backward(terms.loss);
    REQUIRE(terms.loss.scalar() == parts.loss);
    REQUIRE(terms.reconstruction.scalar() == parts.reconstruction);
    REQUIRE(terms.kl.scalar() == parts.kl);
    REQUIRE(terms.loss.scalar() ==
            Approx(terms.reconstruction.scalar() + 0.3 * terms.kl.scalar()).epsilon(1e-14));
    REQUIRE(gradient == parts.gradient);
    REQUIRE(arena.peak() <= static_cast<std::size_t>(memory.size()));
    static_assert(count<double>(NegativeElboLoss<FixedVae<Gaussian>>{}, 4, Vec<5>{}).record_bytes > 0);
}
