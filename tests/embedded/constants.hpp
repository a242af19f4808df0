// SPDX-License-Identifier: MIT
#pragma once

// A detector in flash with made-up numbers, and the `Detector` that has the same.

#include <algorithm>

#include "untoward/detector.hpp"
#include "untoward/embedded.hpp"

namespace untoward_test {

using namespace untoward;

template <class S, std::size_t N>
constexpr std::array<S, N> made_up(std::uint32_t seed, S low, S high) {
    std::array<S, N> values{};
    for (S& value : values) {
        seed = seed * 1664525u + 1013904223u;
        value = low + (high - low) * static_cast<S>(seed >> 8) / static_cast<S>(1 << 24);
    }
    return values;
}

// A member of an ensemble, or all of a detector but its threshold and test vectors.
template <class Score>
struct MemberConstants {
    using Scalar = float;
    static constexpr Index features = 6;
    static constexpr auto model = Vae{Vec<features>{}, Chain{Dense<9, Relu>{}, Dense<5, Tanh>{}}, Latent<3>{},
                                      Chain{Dense<7, Relu>{}}, Gaussian{}};
    static constexpr Score score{};
    static constexpr auto parameters =
        made_up<float, static_cast<std::size_t>(measure(model, Vec<features>{}).scalars)>(1, -0.5f, 0.5f);
    static constexpr auto centre = made_up<float, 6>(2, -3.0f, 3.0f);
    static constexpr auto scale = made_up<float, 6>(3, 0.5f, 2.0f);
    static constexpr auto fill = made_up<float, 6>(4, -3.0f, 3.0f);
    static constexpr auto typical = made_up<float, 6>(5, 0.0f, 1.0f);
};
template <class Score>
struct Constants : MemberConstants<Score> {
    static constexpr auto threshold = ConformalTail<float, 3>(0.1, 30, {12, 11, 10});
    static constexpr auto golden_samples = made_up<float, 12>(6, -5.0f, 5.0f);
    static constexpr std::array<float, 2> golden_scores{1e6f, 1e6f};
};

// A score whose parts all learned something. The numbers are no rows of any table; both detectors read the same.
struct LearnedConstants : Constants<ReconstructionError> {
    static constexpr auto score =
        0.5f * Slog{NegativeElbo{.draws = 3}} + 0.25f * NegativeLogP{WhitenedError{}} +
        0.3f * Slog{NeighbourScore{.space = Space::latent_and_residual, .k = 4}} +
        0.1f * MixtureScore{.space = Space::latent} + 0.2f * BalancedError{} +
        0.01f * MahalanobisScore{.space = Space::residual} + 0.01f * PrincipalComponentScore{};
    // By the sums from the left: features; features, rows, features; features, those of the neighbours (features,
    // rows, k) and of its scale; those of the mixture (features, components, full), no scale; features, no scale;
    // features, components, no scale.
    static constexpr Index learned_sizes[] = {6, 6, 3, 6, 6, 9, 70, 4, 6, 3, 2, 1, 0, 6, 0, 6, 2, 0};
    static constexpr Index neighbour_numbers = 3 * 9 * 32 + 9 * 2 * 16 + 9 * 2;
    static constexpr auto learned = [] {
        constexpr std::size_t before_ranks = 2 + 6;
        auto numbers =
            made_up<float, before_ranks + (3 + 4 + 6 + 6) +
                               static_cast<std::size_t>(2 + 6 + neighbour_numbers + 6) + (2 + 2 * 3 + 2 * 9) +
                               1 + (6 + 36) + (6 + 2 * 6 + 3)>(7, 0.5f, 2.0f);
        std::sort(numbers.begin() + before_ranks, numbers.begin() + before_ranks + 3);
        return numbers;
    }();
};

// The numbers of a definition for a fitted score that keeps its own.
struct LearnedReader {
    const Index*& sizes;
    const float*& numbers_left;

    void size(const char*, Index& value) const { value = *sizes++; }
    void numbers(const char*, Eigen::VectorXf& values, Index length) const {
        values = Eigen::Map<const Eigen::VectorXf>(numbers_left, length);
        numbers_left += length;
    }
    [[nodiscard]] LearnedReader part(const char*) const { return *this; }
};

// The detector with a definition's numbers.
template <class Definition>
auto owned() {
    using C = Definition;
    using Score = std::remove_const_t<decltype(C::score)>;
    struct NoScaler {};
    const auto vector = [](const auto& values) {
        return Eigen::VectorXf(Eigen::Map<const Eigen::VectorXf>(values.data(), C::features));
    };
    Buffer<float> parameters(static_cast<Index>(C::parameters.size()));
    std::copy(C::parameters.begin(), C::parameters.end(), parameters.data());
    auto score = untoward::detail::ScoreFitting<Score, Eigen::VectorXf>::blank(C::score);
    const Index* sizes = untoward::detail::learned_sizes<C>().data();
    const float* numbers = untoward::detail::learned_numbers<C>().data();
    LearnedReader reader{sizes, numbers};
    untoward::detail::visit_state(score, reader);
    float limit = 0;
    if constexpr (requires { C::threshold; }) limit = C::threshold.threshold();
    using R = Recipe<NoScaler, std::remove_cvref_t<decltype(C::model)>, Score, Fixed>;
    return Detector<R>(R{{}, C::model, C::score, {}},
                       {vector(C::centre), vector(C::scale), vector(C::fill), vector(C::fill)}, parameters,
                       vector(C::typical), PlainThreshold<float>(limit, 0, 0), score);
}

}  // namespace untoward_test
