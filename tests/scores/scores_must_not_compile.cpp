// SPDX-License-Identifier: MIT
// A probability of the data asks for a likelihood that has one.
#include "untoward/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/thresholds/fixed.hpp"

#ifndef CASE
#define CASE 0
#endif

using namespace untoward;

struct NoScaler {};
// Squared error, and nothing that says how large it may be.
struct SquaredError : FixedGaussian {
    static constexpr bool has_variance = !CASE;
};
template <class ScoreType>
using DetectorOf = Detector<
    Recipe<NoScaler, Vae<Vec<3>, Encoder<Dense<4, Relu>>, Latent<2>, Decoder<Dense<4, Relu>>, SquaredError>,
           ScoreType, Fixed>>;

template std::size_t DetectorOf<ReconstructionError>::arena_bytes(Index, bool) const;
#if CASE == 0
template std::size_t DetectorOf<ReconstructionProbability>::arena_bytes(Index, bool) const;
#endif
// A reconstruction probability.
#if CASE == 1  // expect: untoward: this score is a probability of the data
template std::size_t DetectorOf<ReconstructionProbability>::arena_bytes(Index, bool) const;
#endif
// The same in a sum.
#if CASE == 2  // expect: untoward: this score is a probability of the data
template std::size_t DetectorOf<SumOfScores<KlDivergence, Weighted<ReconstructionProbability>>>::arena_bytes(
    Index, bool) const;
#endif
// Importance weights of a code, which has no density.
#if CASE == 3  // expect: untoward: this score weighs draws of z by their densities
template std::size_t
Detector<Recipe<NoScaler, Vae<Vec<3>, Encoder<>, Code<2>, Decoder<>, FixedGaussian>,
                ImportanceWeightedLikelihood, Fixed>>::arena_bytes(Index, bool) const;
#endif
