// SPDX-License-Identifier: MIT
#pragma once

#include "config.hpp"

// Names of the library's types, for headers that only mention them.

namespace untoward UNTOWARD_SETTING {

class Arena;
class Error;
class Name;
struct Attributes;
struct Counts;
struct Cursor;
struct Needs;
struct Pass;

template <Index... Extents>
class Shape;
template <class T>
class Buffer;
template <class T, class Sample>
class Tensor;
template <class S, class Sample>
class Var;
template <class S>
class Tape;
template <class S, class Weights>
class Run;
template <class S>
class Record;
template <class S>
class Initialise;
class Describe;

template <Index Out, class Activation>
struct Dense;
template <class... Layers>
struct Chain;
template <class Layer>
struct Residual;
template <Index Hidden>
struct Gru;
template <Index Out, Index Kernel>
struct CausalConvolution1d;
template <Index Out, Index Kernel, Index Stride, Index Padding, Index Dilation>
struct Convolution1d;
template <Index Out, Index Kernel, Index Stride, Index Padding, Index OutputPadding, Index Dilation>
struct TransposedConvolution1d;
template <Index Out, Index Kernel, class Activation>
struct TemporalBlock;
template <Index Hidden>
struct Lstm;
template <class Layer>
struct Bidirectional;
template <Index Heads>
struct MultiHeadSelfAttention;
template <Index Heads, Index FeedForward, class Activation>
struct TransformerBlock;
template <Index Entries, Index Units>
struct Embedding;
template <class Layer>
struct Frozen;
template <class Trunk, class... Layers>
struct Heads;
template <Index In, Index Out, class Up, class Down>
struct TiedDense;
template <Index Steps>
struct Repeat;
template <class Sample>
struct ReshapeTo;
struct BatchNorm;
struct Dropout;
struct Flatten;
struct LastStates;
struct LastStep;
struct LayerNorm;
struct LearnedPositionalEncoding;
struct PositionalEncoding;

template <Index K>
struct Latent;
template <Index K>
struct CorrelatedLatent;
template <Index K>
struct Code;
struct Gaussian;
struct FixedGaussian;
struct HeteroscedasticGaussian;
struct Bernoulli;
struct Categorical;
struct Laplace;
struct Poisson;
struct StudentT;
template <class Sample, class EncoderType, class LatentType, class DecoderType, class Likelihood>
struct Vae;

struct NegativeElbo;
struct KlDivergence;
struct ReconstructionError;
struct ReconstructionProbability;
struct ImportanceWeightedLikelihood;
struct TopShare;
struct WhitenedError;
struct BalancedError;
struct NeighbourScore;
struct MixtureScore;
struct MahalanobisScore;
struct PrincipalComponentScore;

struct Fixed;
struct Quantile;
struct Conformal;
template <class Vector>
class ConformalThreshold;

template <class Vector>
struct Scaling;
struct RobustScaler;
struct StandardScaler;
struct UnitScaler;
struct IdentityScaler;

template <class Scaler, class Model, class ScoreType, class Threshold>
struct Recipe;
template <class Members, class ThresholdPolicy>
struct Ensemble;
template <class S>
struct Owned;
template <class RecipeType, class Storage>
class Detector;

struct Adam;
struct AdamW;
struct Sgd;
class AnyOptimiser;
class AnySchedule;
class AnyCallback;
class Training;
struct TrainingOptions;
struct TrainingReport;
template <class S, class Model>
class Trainer;

}  // namespace untoward
