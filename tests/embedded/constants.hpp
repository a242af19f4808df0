// SPDX-License-Identifier: MIT
#pragma once

// A detector in flash with made-up numbers, and the `Detector` that has the same.

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

template <class Score>
struct Constants {
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
    static constexpr auto threshold = ConformalTail<float, 3>(0.1, 30, {12, 11, 10});
    static constexpr auto golden_samples = made_up<float, 12>(6, -5.0f, 5.0f);
    static constexpr std::array<float, 2> golden_scores{1e6f, 1e6f};
};

template <class Score>
auto owned() {
    using C = Constants<Score>;
    struct NoScaler {};
    const auto vector = [](const auto& values) {
        return Eigen::VectorXf(Eigen::Map<const Eigen::VectorXf>(values.data(), C::features));
    };
    Buffer<float> parameters(static_cast<Index>(C::parameters.size()));
    std::copy(C::parameters.begin(), C::parameters.end(), parameters.data());
    using R = Recipe<NoScaler, std::remove_cvref_t<decltype(C::model)>, Score, Fixed>;
    return Detector<R>(R{}, {vector(C::centre), vector(C::scale), vector(C::fill), vector(C::fill)},
                       parameters, vector(C::typical), PlainThreshold<float>(C::threshold.threshold(), 0, 0));
}

}  // namespace untoward_test
