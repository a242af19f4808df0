// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "autodiff/record.hpp"
#include "detector.hpp"
#include "scores/evidence.hpp"

// What a model has learned, seen by a person: samples of its own, reconstructions, the way from one sample to
// another, and latent coordinates. All of it in the data's unit and in the shape of data: features x n.

namespace untoward UNTOWARD_SETTING {

/// The encoder alone, as a layer: E[z|x], K x batch.
template <class Model>
struct Encode {
    [[no_unique_address]] Model model;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto parts = model.bind(scope);
        const auto posterior = parts.encode(x);
        return model.latent.mean(scope, posterior);
    }
};

/// The decoder alone, as a layer: from z, K x batch, to E[x|z], or to a draw x ~ p(x|z).
template <class Model>
struct Decode {
    [[no_unique_address]] Model model;
    bool draw = false;

    template <class Scope, class Z>
    constexpr auto operator()(Scope& scope, const Z& z) const {
        auto parts = model.bind(scope);
        const auto output = parts.decode(z);
        using Result = decltype(model.likelihood.expectation(scope, output));
        return draw ? Result(model.likelihood.sample(scope, output))
                    : Result(model.likelihood.expectation(scope, output));
    }
};

/// A draw z ~ p(z) for every column of its input, of which nothing else counts.
template <class Model>
struct DrawPrior {
    [[no_unique_address]] Model model;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& each) const {
        return model.latent.prior(scope, each.batch());
    }
};

namespace detail {

// Runs a layer over the columns of a matrix, block by block. Every column has noise of its own, and so has
// every stage.
template <class S, class Layer, class Shape>
Eigen::Matrix<S, Dynamic, Dynamic> run_over_columns(const Layer& layer, const S* parameters,
                                                    const Shape& shape,
                                                    const Eigen::Matrix<S, Dynamic, Dynamic>& x,
                                                    std::uint64_t seed, std::uint32_t stage) {
    constexpr Index block = 256;
    const Index most = std::min<Index>(block, std::max<Index>(x.cols(), 1));
    const Counts counts = count<S>(layer, most, shape);
    Eigen::Matrix<S, Dynamic, Dynamic> result(output_shape(layer, shape).size(), x.cols());
    // Noise of its own for every column is what a training pass has: it needs no more memory than that.
    Buffer<std::byte> memory(static_cast<Index>(counts.run_bytes + counts.record_bytes));
    Buffer<std::uint32_t> ids(most);
    for (Index begin = 0; begin < x.cols(); begin += most) {
        const Index n = (std::min)(most, x.cols() - begin);
        for (Index j = 0; j < n; ++j) ids[j] = static_cast<std::uint32_t>(begin + j);
        Arena arena(memory);
        Run<S> scope(parameters, arena, Pass{.seed = seed, .epoch = stage, .samples = ids.data()});
        const auto y =
            layer(scope, scope.input(Tensor<const S, Shape>(x.data() + begin * x.rows(), shape, n)));
        for (Index j = 0; j < n; ++j)
            result.col(begin + j) = y.column(detail::broadcast_column(y, j)).matrix();
    }
    return result;
}

template <class DetectorType, class Derived>
auto scaled_columns(const DetectorType& detector, const Eigen::DenseBase<Derived>& samples) {
    using S = typename DetectorType::Scalar;
    require_features(samples.rows(), samples.cols(), detector.features());
    Eigen::Matrix<S, Dynamic, Dynamic> x(samples.rows(), samples.cols());
    for (Index j = 0; j < x.cols(); ++j) {
        for (Index i = 0; i < x.rows(); ++i)
            x(i, j) = detector.scaling().apply(i, samples.derived().coeff(i, j));
    }
    return x;
}

template <class DetectorType, class Matrix>
Matrix in_data_unit(const DetectorType& detector, Matrix x) {
    for (Index j = 0; j < x.cols(); ++j) {
        for (Index i = 0; i < x.rows(); ++i) x(i, j) = detector.scaling().invert(i, x(i, j));
    }
    return x;
}

}  // namespace detail

/// The latent coordinates E[z|x] of samples (features x n, NaN = missing): K x n.
template <class RecipeType, class Storage, class Derived>
auto encode(const Detector<RecipeType, Storage>& detector, const Eigen::DenseBase<Derived>& samples) {
    const auto& model = detector.recipe().model;
    return detail::run_over_columns(Encode<std::remove_cvref_t<decltype(model)>>{model},
                                    detector.parameters().data(), model.sample,
                                    detail::scaled_columns(detector, samples), 0, 0);
}

/// What latent coordinates (K x n) stand for, in the data's unit, features x n: E[x|z], or a draw x ~ p(x|z)
/// keyed by `seed` and the column where `draw`.
template <class RecipeType, class Storage, class Derived>
auto decode(const Detector<RecipeType, Storage>& detector, const Eigen::MatrixBase<Derived>& z,
            bool draw = false, std::uint64_t seed = 0) {
    using S = typename Storage::Scalar;
    const auto& model = detector.recipe().model;
    if (z.rows() != model.latent.units.size())
        detail::refuse({"there are ", z.rows(), " latent coordinates, the model has ",
                        model.latent.units.size(), " (one column for each sample: K x n)"});
    const Eigen::Matrix<S, Dynamic, Dynamic> from = z.template cast<S>();
    return detail::in_data_unit(
        detector, detail::run_over_columns(Decode<std::remove_cvref_t<decltype(model)>>{model, draw},
                                           detector.parameters().data(), model.latent.units, from, seed, 1));
}

/// E[x | z = E[z|x]]: what the model makes of samples, features x n in the data's unit.
template <class RecipeType, class Storage, class Derived>
auto reconstruct(const Detector<RecipeType, Storage>& detector, const Eigen::DenseBase<Derived>& samples) {
    return decode(detector, encode(detector, samples));
}

/// n latent coordinates z ~ p(z), keyed by `seed` and the column: K x n. Needs a latent with a prior.
template <class RecipeType, class Storage>
auto sample_prior(const Detector<RecipeType, Storage>& detector, Index n, std::uint64_t seed = 0) {
    using S = typename Storage::Scalar;
    if (n < 0) detail::refuse({n, " samples cannot be drawn, expected 0 or more"});
    const auto& model = detector.recipe().model;
    const Eigen::Matrix<S, Dynamic, Dynamic> each = Eigen::Matrix<S, Dynamic, Dynamic>::Zero(1, n);
    return detail::run_over_columns(DrawPrior<std::remove_cvref_t<decltype(model)>>{model},
                                    detector.parameters().data(), Vec<1>{}, each, seed, 0);
}

/// n samples of the model's own, features x n in the data's unit: z ~ p(z), then x ~ p(x|z), or E[x|z] where
/// not `draw`: smoother than data, since the likelihood's spread is missing. The same seed gives the same
/// samples, and the first of many are those of few.
template <class RecipeType, class Storage>
auto generate(const Detector<RecipeType, Storage>& detector, Index n, std::uint64_t seed = 0,
              bool draw = true) {
    return decode(detector, sample_prior(detector, n, seed), draw, seed);
}

/// What lies between two samples: E[x|z] at `steps` (2 or more) places at equal distances on the line from
/// E[z|first] to E[z|last], features x steps in the data's unit. Where neighbours on it change abruptly the
/// latent space has a gap.
template <class RecipeType, class Storage, class First, class Last>
auto interpolate(const Detector<RecipeType, Storage>& detector, const Eigen::DenseBase<First>& first,
                 const Eigen::DenseBase<Last>& last, Index steps) {
    using S = typename Storage::Scalar;
    if (steps < 2)
        detail::refuse({"an interpolation has ", steps, " steps, expected 2 or more: it has two ends"});
    const Index features = detector.features();
    detail::require_sample(first.rows(), first.cols(), features);
    detail::require_sample(last.rows(), last.cols(), features);
    // In the type that they are given in, which the encoder's scaling centres before it rounds.
    using Given = std::common_type_t<typename First::Scalar, typename Last::Scalar>;
    Eigen::Matrix<Given, Dynamic, Dynamic> ends(features, 2);
    for (Index i = 0; i < features; ++i) {
        ends(i, 0) =
            static_cast<Given>(first.cols() == 1 ? first.derived().coeff(i, 0) : first.derived().coeff(0, i));
        ends(i, 1) =
            static_cast<Given>(last.cols() == 1 ? last.derived().coeff(i, 0) : last.derived().coeff(0, i));
    }
    const auto z = encode(detector, ends);
    Eigen::Matrix<S, Dynamic, Dynamic> line(z.rows(), steps);
    for (Index t = 0; t < steps; ++t) {
        const S share = static_cast<S>(t) / static_cast<S>(steps - 1);
        line.col(t) = (1 - share) * z.col(0) + share * z.col(1);
    }
    return decode(detector, line);
}

}  // namespace untoward
