// SPDX-License-Identifier: MIT
// Layers between sequences and vectors, and embeddings, keep the promises of support/property.hpp; encoders
// and decoders of sequences are written with the library's layers alone.
#include "support/property.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/embedding.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/sequence.hpp"
#include "untoward/nn/transposed_convolution.hpp"

using namespace untoward;
using property::check_properties;
using property::check_subject;
using property::Subject;

TEST_CASE("a vector at every step, and the last of them") {
    check_properties(Chain<Repeat<3>, LastStep, Repeat<1>, Flatten, Repeat<2>>{}, {.batch = 3}, Vec<5>{});
}

TEST_CASE("a sample in other shapes") {
    check_properties(Chain<ReshapeTo<Image<2, 3, 1>>, Dense<3>, Flatten, ReshapeTo<Seq<3, 3>>>{},
                     {.batch = 2}, Seq<1, 6>{});
}

TEST_CASE("a sequence through a vector and back") {
    const Chain encoder{Convolution1d<3, 2, 2>{}, Flatten{}, Dense<2>{}};
    const Chain decoder{Dense<6>{}, ReshapeTo{Seq<3, 2>{}}, TransposedConvolution1d<2, 2, 2>{}};
    const Chain model{encoder, decoder};
    CHECK(output_shape(model, Seq<2, 4>{}) == Seq<2, 4>{});
    static_assert(std::is_same_v<decltype(output_shape(model, Seq<2, 4>{})), Shape<2, 4>>);
    check_subject(Subject(model, Seq<2, 4>{}), {.batch = 2});
}

TEST_CASE("embeddings") {
    // Rounded: 0 to 4. Between two numbers the slope is zero, which is what the gradient says.
    check_properties(Embedding<5, 3>{}, {.batch = 4, .low = -0.4, .high = 4.4}, Vec<2>{});
    check_subject(Subject(Embedding<1, 1>{}, Seq<1, 3>{}), {.batch = 1, .low = -0.4, .high = 0.4});
}
