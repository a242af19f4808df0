// SPDX-License-Identifier: MIT
// VAEs over sequences, from the library's layers alone: gradients, and everything that a score asks for.
#include "support/property.hpp"
#include "untoward/nn/bidirectional.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/transposed_convolution.hpp"
#include "untoward/scores/evidence.hpp"
#include "untoward/vae/elbo.hpp"

using namespace untoward;

namespace {

using Recurrent = Vae<Seq<2, 6>, Encoder<Bidirectional<Gru<3>>, LastStates>, Latent<2>,
                      Decoder<Repeat<6>, Gru<3>>, Gaussian>;
using Convolutional =
    Vae<Seq<2, 6>, Encoder<Convolution1d<3, 4, 2, 1>, Flatten>, Latent<2>,
        Decoder<Dense<9, Tanh>, ReshapeTo<Seq<3, 3>>, TransposedConvolution1d<3, 4, 2, 1>>, Gaussian>;

template <class Model>
struct Loss {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return NegativeElboLoss<Model>{}(scope, x).loss;
    }
};

void check_evidence() {
    const GatherEvidence<Recurrent> layer{{}, {.reconstruction = true, .draws = 2, .expectation = true}};
    const Seq<2, 6> shape;
    constexpr Index batch = 3;
    const auto inputs = property::random_inputs({shape.size()}, batch, -1, 1);
    const Counts counts = count<double>(layer, batch, shape);
    Buffer<double> parameters(counts.parameters);
    initialise(parameters.data(), 1, layer, shape);
    Buffer<std::byte> memory(static_cast<Index>(counts.run_bytes));
    Arena arena(memory);
    const AllocationCount allocations;
    Run<double> scope(parameters.data(), arena, Pass{.seed = 4});
    const auto evidence =
        layer(scope, Tensor<const double, Seq<2, 6>>(inputs.values[0].data(), shape, batch));
    CHECK(allocations.since() == 0);
    CHECK(arena.peak() == counts.run_bytes);
    CHECK(evidence.reconstruction().matrix().allFinite());
    CHECK(evidence.log_density().matrix().allFinite());
    CHECK((evidence.log_density().matrix().array() != 0).all());
    CHECK((evidence.kl.matrix().array() > 0).all());
}

}  // namespace

TEST_CASE("a recurrent encoder and decoder") {
    property::check_subject(property::Subject(Loss<Recurrent>{}, Seq<2, 6>{}),
                            {.batch = 2, .independent = false});
    check_evidence();
}

TEST_CASE("a convolutional encoder and decoder keep the length in the type") {
    constexpr Convolutional model;
    using Hidden = decltype(output_shape(model.encoder, model.sample));
    static_assert(std::is_same_v<Hidden, Vec<9>>);
    using Decoded = decltype(output_shape(model.decoder, model.latent.units));
    static_assert(std::is_same_v<Decoded, Seq<3, 6>>);
    // 4 x 3 x 2 + 3, 9 x 4 + 4, 2 x 9 + 9, 4 x 3 x 3 + 3, 3 x 2 + 2, 12
    constexpr Counts counts = count<float>(NegativeElboLoss<Convolutional>{}, 1, model.sample);
    static_assert(counts.parameters == 27 + 40 + 27 + 39 + 8 + 12);
    CHECK(check_gradient(Loss<Convolutional>{}, {.batch = 2}, model.sample).relative < 1e-7);
}
