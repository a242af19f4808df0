// SPDX-License-Identifier: MIT
// A definition whose numbers are not those of its model, or whose columns do not make its features: one error.
#include "untoward/embedded.hpp"

using namespace untoward;

#ifndef CASE
#define CASE 0
#endif

struct Sound {
    using Scalar = float;
    static constexpr auto model =
        Vae{Vec<6>{}, Chain{Dense<2, Relu>{}}, Latent<1>{}, Chain{Dense<2, Relu>{}}, Gaussian{}};
    static constexpr auto score = ReconstructionError{};
    static constexpr float parameters[static_cast<std::size_t>(measure(model, model.sample).scalars)] = {};
    static constexpr float centre[6] = {}, scale[6] = {}, fill[6] = {}, typical[6] = {};
    static constexpr auto threshold = PlainThreshold<float>(10, 0, 0);
    static constexpr float golden_samples[6] = {}, golden_scores[1] = {};
};

template <class Definition>
float use(const float* cells) {
    float sample[6];
    FlashDetector<Definition>::code(cells, sample);
    return FlashDetector<Definition>::score(sample);
}

constexpr const char* levels[] = {"DE", "FR"};
constexpr FlashColumn number{"a", FlashCoding::number, 0, nullptr};
constexpr FlashColumn text{"b", FlashCoding::text, 2, levels};

struct Coded : Sound {
    static constexpr FlashColumn columns[] = {number, text, number, number};
};
#if CASE == 0
template float use<Coded>(const float*);
#endif

// Columns that make five features.
#if CASE == 1  // expect: untoward: the columns make the features of the model
struct Short : Sound {
    static constexpr FlashColumn columns[] = {number, text, number};
};
template float use<Short>(const float*);
#endif

// Weights of another model.
#if CASE == 2  // expect: untoward: these are not the parameters of this model
struct Other : Coded {
    static constexpr auto model =
        Vae{Vec<6>{}, Chain{Dense<3, Relu>{}}, Latent<1>{}, Chain{Dense<2, Relu>{}}, Gaussian{}};
};
template float use<Other>(const float*);
#endif

// A centre for five features.
#if CASE == 3  // expect: untoward: centre, scale, fill and typical have a number for every feature
struct Few : Coded {
    static constexpr float centre[] = {1, 2, 3, 4, 5};
};
template float use<Few>(const float*);
#endif
