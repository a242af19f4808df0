// SPDX-License-Identifier: MIT
#pragma once

// The VAE of tests/reference/vae.hpp, with the noise as an input.

#include <vector>

#include "reference/vae.hpp"
#include "untoward/autodiff/count.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/train/adam.hpp"
#include "untoward/train/optimiser.hpp"
#include "untoward/vae/elbo.hpp"
#include "untoward/vae/vae.hpp"

namespace untoward_test {

using namespace untoward;

template <class Likelihood>
using FixedVae = Vae<Vec<5>, Encoder<Dense<7, Relu>, Dense<6, Relu>>, Latent<2>,
                     Decoder<Dense<6, Relu>, Dense<7, Relu>>, Likelihood>;

template <class Likelihood>
using DynamicVae = Vae<Vec<>, Encoder<Dense<Dynamic, Relu>, Dense<Dynamic, Relu>>, Latent<>,
                       Decoder<Dense<Dynamic, Relu>, Dense<Dynamic, Relu>>, Likelihood>;

template <class Likelihood>
DynamicVae<Likelihood> dynamic_vae() {
    using Layer = Dense<Dynamic, Relu>;
    return {Vec<>(5), {Layer(7), Layer(6)}, Latent<>(2), {Layer(6), Layer(7)}, {}};
}

/// Vae::operator() with the noise given, and the terms of its ELBO: what NegativeElboLoss does.
template <class Model>
struct LossWithNoise {
    Model model;
    double beta = 1;

    template <class Value, class Units, class Data>
    struct Result {
        Value loss, reconstruction, kl;
        Units mean, log_variance, kl_terms, z;
        Data output, log_density;
    };

    template <class Scope, class X, class Noise>
    constexpr auto operator()(Scope& scope, const X& x, const Noise& noise) const {
        auto parts = model.bind(scope);
        const auto posterior = parts.encode(x);
        const auto z = scope.apply(Reparameterise{}, posterior.mean, posterior.log_variance, noise);
        const auto output = parts.decode(z);
        const auto log_density = model.likelihood.log_density(scope, x, output);
        const auto kl_terms = normal_kl(scope, posterior.mean, posterior.log_variance);
        const double per_sample = 1.0 / static_cast<double>(x.batch());
        const auto log_density_sum = sum(scope, log_density);
        const auto reconstruction = scale(scope, -per_sample, log_density_sum);
        const auto kl_sum = sum(scope, kl_terms);
        const auto kl = scale(scope, per_sample, kl_sum);
        const auto weighted = scale(scope, beta, kl);
        const auto loss = add(scope, reconstruction, weighted);
        using Value = std::remove_const_t<decltype(loss)>;
        using Units = std::remove_const_t<decltype(z)>;
        using Data = std::remove_const_t<decltype(log_density)>;
        return Result<Value, Units, Data>{loss,
                                          reconstruction,
                                          kl,
                                          Units(posterior.mean),
                                          Units(posterior.log_variance),
                                          Units(kl_terms),
                                          z,
                                          Data(output.mean),
                                          log_density};
    }
};

/// What one pass gave, copied out of the arena.
struct Outcome {
    double loss = 0, reconstruction = 0, kl = 0;
    std::vector<double> gradient, mean, log_variance, kl_terms, z, output, log_density;
};

inline std::vector<double> values(const auto& var) {
    std::vector<double> result;
    for (Index j = 0; j < var.batch(); ++j) {
        for (Index i = 0; i < var.shape().size(); ++i)
            result.push_back(static_cast<double>(var.value()(i, j)));
    }
    return result;
}

/// One pass and its gradient; the loss is LossWithNoise.
template <class S, class Model>
Outcome pass(const Model& model, double beta, const S* parameters, const S* x, const S* noise, Index batch) {
    const LossWithNoise<Model> loss{model, beta};
    const auto& sample = model.sample;
    const auto units = model.latent.units;
    const Counts counts = count<S>(loss, batch, sample, units);
    Buffer<std::byte> memory(static_cast<Index>(counts.record_bytes));
    Buffer<S> gradient(counts.parameters);
    Arena arena(memory);
    Tape<S> tape(arena, parameters, gradient.data(), measure(loss, sample, units), Pass{.training = true});
    Record<S> scope(tape);
    const auto result =
        loss(scope, scope.input(Tensor<const S, std::remove_cvref_t<decltype(sample)>>(x, sample, batch)),
             scope.input(Tensor<const S, std::remove_cvref_t<decltype(units)>>(noise, units, batch)));
    tape.backward(result.loss);
    return {static_cast<double>(result.loss.scalar()),
            static_cast<double>(result.reconstruction.scalar()),
            static_cast<double>(result.kl.scalar()),
            {gradient.begin(), gradient.end()},
            values(result.mean),
            values(result.log_variance),
            values(result.kl_terms),
            values(result.z),
            values(result.output),
            values(result.log_density)};
}

}  // namespace untoward_test
