// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <type_traits>

#include "../core/arena.hpp"
#include "../data/scaling.hpp"
#include "flash_judge.hpp"
#include "learned.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Definition>
concept HasPackedWeights = requires {
    Definition::codes;
};

// Numbers of each kind among the parameters of a model whose matrices are packed.
struct PackedSizes {
    Index codes = 0;
    Index rows = 0;
    Index others = 0;
};
template <class Model>
constexpr PackedSizes pack_places(const Model& model, PackedPlace* places) {
    PackedSizes sizes;
    describe(
        [&](const ParameterInfo& info) {
            const bool is_matrix = info.rank == 2;
            if (places != nullptr) *places++ = {is_matrix ? sizes.codes : sizes.others, sizes.rows};
            (is_matrix ? sizes.codes : sizes.others) += info.size;
            if (is_matrix) sizes.rows += info.extents[0];
        },
        model, model.sample);
    return sizes;
}
template <class Definition>
inline constexpr PackedSizes packed_sizes = pack_places(Definition::model, nullptr);
template <class Definition>
inline constexpr auto packed_places = [] {
    constexpr Index tensors = measure(Definition::model, Definition::model.sample).tensors;
    std::array<PackedPlace, static_cast<std::size_t>(tensors)> places{};
    pack_places(Definition::model, places.data());
    return places;
}();

template <class Definition>
constexpr bool has_all_parameters() {
    const auto is = [](const auto& values, Index size) {
        return std::size(values) == static_cast<std::size_t>(size);
    };
    if constexpr (HasPackedWeights<Definition>) {
        constexpr PackedSizes sizes = packed_sizes<Definition>;
        if constexpr (requires { Definition::scales; }) {
            if (!is(Definition::scales, sizes.rows)) return false;
        }
        return is(Definition::codes, sizes.codes) && is(Definition::others, sizes.others);
    } else {
        return is(Definition::parameters, measure(Definition::model, Definition::model.sample).scalars);
    }
}
// One number for every feature in each of the lists that are by features.
template <class Definition>
constexpr bool has_all_features(std::size_t features) {
    return std::size(Definition::centre) == features && std::size(Definition::scale) == features &&
           std::size(Definition::fill) == features && std::size(Definition::typical) == features;
}
template <class Definition>
constexpr std::size_t parameter_bytes() {
    if constexpr (!HasPackedWeights<Definition>) {
        return sizeof Definition::parameters;
    } else if constexpr (requires { Definition::scales; }) {
        return sizeof Definition::codes + sizeof Definition::others + sizeof Definition::scales;
    } else {
        return sizeof Definition::codes + sizeof Definition::others;
    }
}
// The packed parameters of a definition: a source for `Run` without state, so that every address is a constant.
template <class Definition>
struct FlashWeights {
    using S = typename Definition::Scalar;
    using Code = std::remove_cvref_t<decltype(Definition::codes[0])>;

    UNTOWARD_INLINE static constexpr PackedRows<S, Code> rows(Index tensor) {
        const PackedPlace place = packed_places<Definition>[static_cast<std::size_t>(tensor)];
        if constexpr (requires { Definition::scales; }) {
            return {std::data(Definition::codes) + place.begin, std::data(Definition::scales) + place.scale};
        } else {
            return {std::data(Definition::codes) + place.begin, nullptr};
        }
    }
    UNTOWARD_INLINE static constexpr const S* numbers(Index tensor) {
        return std::data(Definition::others) +
               packed_places<Definition>[static_cast<std::size_t>(tensor)].begin;
    }
};
template <class Definition>
constexpr auto flash_weights() {
    if constexpr (HasPackedWeights<Definition>) {
        return FlashWeights<Definition>{};
    } else {
        return std::data(Definition::parameters);
    }
}

// A member of an ensemble has no threshold of its own.
template <class Definition>
constexpr std::size_t threshold_bytes() {
    if constexpr (requires { Definition::threshold; }) {
        return sizeof Definition::threshold;
    } else {
        return 0;
    }
}

// What a detector in flash computes for its score, or to say what it expects: all of it a constant.
template <class Definition>
inline constexpr auto flash_score_layer =
    GatherEvidence<std::remove_cvref_t<decltype(Definition::model)>,
                   draw_detail<std::remove_cvref_t<decltype(Definition::score)>>()>{
        Definition::model, needs_of(Definition::score)};
template <class Definition>
inline constexpr auto flash_expectation_layer =
    GatherEvidence<std::remove_cvref_t<decltype(Definition::model)>>{Definition::model,
                                                                     Needs{.expectation = true}};

}  // namespace detail

/// A fitted detector whose every number is a constant: the run-time half of `Detector`, by the same scaler, model, scores
/// and thresholds and the same reader, `Run`.
///
/// Threads: it has no state: all functions may be called from anywhere, an interrupt too, at once, each with an arena of
/// its own where one is given. Of weights in RAM (trainer.hpp) not while these are trained.
///
/// `Definition` is what `untoward export` writes:
///
///     struct Definition {
///         using Scalar = float;
///         static constexpr auto model = Vae{...};                // options of model and score are constants, too:
///         static constexpr auto score = NegativeElbo{...};       // what they do not need is not compiled
///         static constexpr Scalar parameters[] = {...};
///         static constexpr Scalar centre[] = {...}, scale[] = {...}, fill[] = {...}, typical[] = {...};
///         static constexpr auto threshold = ConformalTail<Scalar, 8>(0.01, 1000, {...});
///         static constexpr Scalar golden_samples[] = {...}, golden_scores[] = {...};
///     };
///
/// In place of `parameters` it may have matrices of fewer bits: `codes` (of std::int8_t or BFloat16), `scales` of their
/// rows (BFloat16) where they are integers, and the `others`, all in the order of the parameters; where the score learned
/// something of the training rows, `learned_sizes` and `learned` (learned.hpp); and, where cells of a table are to be
/// coded as they were for fitting, `static constexpr FlashColumn columns[]`.
///
/// A sample is an array of `features` numbers in the data's units, NaN where one is missing. Where no arena is given, one
/// of `arena_bytes` is on the stack.
template <class Definition>
class FlashDetector : public detail::FlashJudge<FlashDetector<Definition>, Definition> {
    using Base = detail::FlashJudge<FlashDetector<Definition>, Definition>;

public:
    using Base::expect;
    using Base::score;
    using typename Base::Scalar;
    using Model = std::remove_cvref_t<decltype(Definition::model)>;
    using Sample = typename Model::SampleShape;

    static_assert(Sample::is_static, "untoward: the sizes of a model in flash are known to the compiler");
    static constexpr Index features = Sample::static_size;
    static constexpr Index parameter_count = measure(Definition::model, Sample{}).scalars;

    static_assert(detail::flash_score<Definition>.is_whole,
                  "untoward: what was learned is of another score, or of another model");
    static_assert(detail::has_all_parameters<Definition>(),
                  "untoward: these are not the parameters of this model");
    static_assert(detail::has_all_features<Definition>(static_cast<std::size_t>(features)),
                  "untoward: centre, scale, fill and typical have a number for every feature");

    /// Bytes of arena that a score takes; at most, where it learned something.
    static constexpr std::size_t arena_bytes =
        2 * align_up(static_cast<std::size_t>(features) * sizeof(Scalar)) + align_up(sizeof(Scalar)) +
        detail::score_bytes(detail::flash_score<Definition>.score, 1) +
        detail::count_pass<Scalar>(false, detail::flash_score_layer<Definition>, 1, Sample{}).run_bytes;
    /// Bytes of arena that `expect` takes.
    static constexpr std::size_t expect_bytes =
        align_up(static_cast<std::size_t>(features) * sizeof(Scalar)) +
        detail::count_pass<Scalar>(false, detail::flash_expectation_layer<Definition>, 1, Sample{}).run_bytes;
    /// Bytes of constants in flash, without the vectors of the self-test.
    static constexpr std::size_t flash_bytes =
        detail::parameter_bytes<Definition>() + sizeof Definition::centre + sizeof Definition::scale +
        sizeof Definition::fill + sizeof Definition::typical + detail::threshold_bytes<Definition>() +
        detail::learned_numbers<Definition>().size_bytes();
    /// Multiplications of a forward pass, without those of a score that learned something.
    static constexpr Index multiply_adds =
        detail::count_pass<Scalar>(false, detail::flash_score_layer<Definition>, 1, Sample{}).multiply_adds;

    /// The score of a sample in an arena of `arena_bytes`. `excess`, where not null, receives every feature's share of
    /// it less the training median of that share.
    UNTOWARD_FLATTEN static Scalar score(const Scalar* sample, Arena& arena, Scalar* excess = nullptr) {
        const std::size_t mark = arena.used();
        const Tensor<Scalar, Sample> x = scaled(sample, arena);
        ScoreSheet<Scalar> sheet{{arena.allocate<Scalar>(features), Vec<>(features), 1},
                                 {arena.allocate<Scalar>(1), Vec<1>{}, 1},
                                 &arena,
                                 has_learned ? excess : nullptr};
        sheet.features.flat().setZero();
        sheet.rest.flat().setZero();
        for (Index i = 0; i < features && sheet.blame != nullptr; ++i) excess[i] = 0;

        constexpr const auto& layer = detail::flash_score_layer<Definition>;
        Run<Scalar, Weights> scope(detail::flash_weights<Definition>(), arena,
                                   Pass{.seed = layer.needs.seed});
        const auto evidence = layer(scope, scope.input(Tensor<const Scalar, Sample>(x)));
        detail::add_score(detail::flash_score<Definition>.score, sheet, evidence, Scalar(1));

        // Added up as Detector does, by a product with ones: x was read for the last time.
        Scalar score = sheet.rest(0, 0);
        if constexpr (detail::HasPackedWeights<Definition> && product::detail::has_plain_loops) {
            // The same sum; a product of ordinary numbers would be in the image for this alone.
            for (Index i = 0; i < features; ++i) score += sheet.features(i, 0);
        } else {
            for (Index i = 0; i < features; ++i) x(i, 0) = 1;
            product::forward<Scalar>({&score, 1, 1, 1}, sheet.features.data(),
                                     {x.data(), features, 1, features}, false, sheet.rest.data());
        }
        bool is_valid = !std::isnan(score);
        for (Index i = 0; i < features; ++i) {
            is_valid = is_valid && !std::isinf(sample[i]);
            if (excess == nullptr) continue;
            const Scalar share = sheet.features(i, 0) + (has_learned ? excess[i] : 0);
            const Scalar more = share - std::data(Definition::typical)[i];
            excess[i] = std::isnan(more) || std::isinf(sample[i]) ? infinity : more;
        }
        arena.rewind(mark);
        return is_valid ? score : infinity;
    }

    /// What the model would expect of a normal sample nearby, in the data's unit; in an arena of `expect_bytes`.
    UNTOWARD_FLATTEN static void expect(const Scalar* sample, Arena& arena, Scalar* expected) {
        const std::size_t mark = arena.used();
        const Tensor<Scalar, Sample> x = scaled(sample, arena);
        constexpr const auto& layer = detail::flash_expectation_layer<Definition>;
        Run<Scalar, Weights> scope(detail::flash_weights<Definition>(), arena, Pass{});
        const auto evidence = layer(scope, scope.input(Tensor<const Scalar, Sample>(x)));
        for (Index i = 0; i < features; ++i) expected[i] = scaling().invert(i, evidence.expectation()(i, 0));
        arena.rewind(mark);
    }
    /// A sample in scaled units, with the median in place of what is missing: what the model sees.
    static void scale(const Scalar* sample, Scalar* scaled) {
        for (Index i = 0; i < features; ++i) scaled[i] = scaling().apply(i, sample[i]);
    }

private:
    using Weights = decltype(detail::flash_weights<Definition>());

    static constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    // Then features may have shares of what is counted as a whole.
    static constexpr bool has_learned =
        !detail::is_own_fitted<std::remove_cvref_t<decltype(Definition::score)>>;

    using Map = Eigen::Map<const Eigen::Matrix<Scalar, features, 1>>;
    static Scaling<Map> scaling() {
        const Map fill(std::data(Definition::fill));
        return {Map(std::data(Definition::centre)), Map(std::data(Definition::scale)), fill, fill};
    }
    static Tensor<Scalar, Sample> scaled(const Scalar* sample, Arena& arena) {
        const Tensor<Scalar, Sample> x(arena.allocate<Scalar>(features), Sample{}, 1);
        scale(sample, x.data());
        return x;
    }
};

}  // namespace untoward
