// SPDX-License-Identifier: MIT
#pragma once

#include "../core/options.hpp"
#include "../distributions/student_t.hpp"
#include "scale.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

template <class Sample>
struct StudentTHead {
    [[no_unique_address]] Sample sample;
    double degrees_of_freedom;

    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto location = scope.call("location", head_for(sample), x);
        const auto log_scale = learned_log_scale(scope, sample);
        return distributions::StudentT{location, log_scale, degrees_of_freedom};
    }
};

}  // namespace detail

/// Student's t as a likelihood, whose scale is learned, one per feature and the same for every sample: wild
/// values among the training rows are expected now and then, and do not widen what is normal. Parameters
/// `location.weight`, `location.bias` and `log_scale`, which is kept in [-3, 2].
///
///     Vae model{Vec<30>{}, Encoder<Dense<64, Relu>>{}, Latent<8>{}, Decoder<Dense<64, Relu>>{},
///               StudentT{.degrees_of_freedom = 3}};
struct StudentT {
    double degrees_of_freedom = 4;  ///< over 2; the fewer, the heavier the tails

    static constexpr bool has_variance = true;
    static constexpr DataKind data = DataKind::any;
    static constexpr const char* name = "student-t";
    static constexpr void options(auto& self, auto&& visit) {
        visit("degrees_of_freedom", self.degrees_of_freedom, OptionRange{2, 1e6, true});
    }

    template <class Sample>
    constexpr auto layer(const Sample& sample) const {
        return detail::StudentTHead<Sample>{sample, degrees_of_freedom};
    }
    template <class Scope, class X, class Output>
    constexpr auto log_density(Scope& scope, const X& x, const Output& output) const {
        return output.log_density(scope, x);
    }
    template <class Scope, class Output>
    constexpr auto expectation(Scope& scope, const Output& output) const {
        return output.expectation(scope);
    }
    template <class Scope, class Output>
    constexpr auto sample(Scope& scope, const Output& output) const {
        return output.sample(scope);
    }
};

}  // namespace untoward
