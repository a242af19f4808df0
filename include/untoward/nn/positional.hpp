// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "../autodiff/rules/arithmetic.hpp"
#include "../autodiff/scope.hpp"
#include "../core/options.hpp"
#include "initialisers.hpp"

// What tells a layer that sees all positions alike, such as attention, where each of them is.

namespace untoward UNTOWARD_SETTING {

/// x[c, t] + p[c, t], where p[2 i, t] = sin(t / base^(2 i / C)) and p[2 i + 1, t] the cosine of the same.
struct AddSinusoids {
    double base;

    template <Index C, Index T>
    constexpr auto shape(const Shape<C, T>& x) const {
        return x;
    }
    void forward(auto y, auto x) const {
        using S = typename decltype(y)::Scalar;
        const Index channels = y.shape().channels();
        for (Index c = 0; c < channels; ++c) {
            const double exponent = static_cast<double>(c - c % 2) / static_cast<double>(channels);
            const double frequency = std::pow(base, -exponent);
            for (Index t = 0; t < y.shape().positions(); ++t) {
                const double angle = static_cast<double>(t) * frequency;
                const S value = static_cast<S>(c % 2 == 0 ? std::sin(angle) : std::cos(angle));
                const Index i = c + t * channels;
                for (Index j = 0; j < y.batch(); ++j) y(i, j) = x(i, j) + value;
            }
        }
    }
    void backward(auto dy, auto, auto, auto dx) const {
        dx.add([](auto d) { return d; }, dy);
    }
};

/// Adds sines and cosines of the position to the channels of a sequence (Vaswani et al. 2017, section 3.5):
/// `Seq<C, T>` to itself, no parameters, any length.
///
///     Chain<Dense<32>, PositionalEncoding, TransformerBlock<4>>{}
struct PositionalEncoding {
    double base = 10000;  ///< the longest wavelength, in steps over 2 pi; above 0

    static constexpr const char* name = "positional-encoding";
    static constexpr void options(auto& self, auto&& visit) {
        visit("base", self.base, OptionRange{1, 1e12});
    }

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<PositionalEncoding>(scope, input);
        UNTOWARD_ASSERT(base > 0, "untoward: the base of a PositionalEncoding is above 0");
        return scope.apply(AddSinusoids{base}, x);
    }
};

/// Adds a learned vector to the channels at each position: `Seq<C, T>` to itself, for one T. Parameter
/// `weight` (T, C), normal with deviation 0.02 at first (Devlin et al. 2019).
///
///     Chain<Dense<32>, LearnedPositionalEncoding, TransformerBlock<4>>{}
struct LearnedPositionalEncoding {
    static constexpr const char* name = "learned-positional-encoding";

    template <class Scope, class Input>
    constexpr auto operator()(Scope& scope, const Input& input) const {
        const auto& x = detail::require_sequence<LearnedPositionalEncoding>(scope, input);
        const auto places =
            scope.parameter("weight", x.shape(), NormalInitial{0.02}, Attributes{.decay = false});
        return add(scope, x, places);
    }
};

}  // namespace untoward
