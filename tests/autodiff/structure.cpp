// SPDX-License-Identifier: MIT
// How layers are put together: children called several times, layers that return several values.
#include "support/property.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;
using property::check_properties;

namespace {

template <class Mean, class Spread>
struct Posterior {
    Mean mean;
    Spread spread;
};

// Two heads, given back as a struct.
struct Heads {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto mean = scope.call("mean", Dense<2>{}, x);
        const auto spread = scope.call("spread", Dense<2, Softplus>{}, x);
        return Posterior<std::remove_const_t<decltype(mean)>, std::remove_const_t<decltype(spread)>>{mean,
                                                                                                     spread};
    }
};

// Three draws through one decoder, bound before the encoder is called.
struct Sampler {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto decode = scope.child("decoder", Dense<3, Tanh>{}, Vec<2>{});
        auto heads = scope.child("heads", Heads{}, x.shape());
        const auto posterior = heads(x);
        const auto draw = [&] {
            const auto noise = scope.normal(Vec<2>{}, x.batch());
            const auto moved = multiply(scope, posterior.spread, noise);
            const auto z = add(scope, posterior.mean, moved);
            return decode(z);
        };
        const auto a = draw();
        const auto b = draw();
        const auto c = draw();
        return std::tuple(a, b, c);
    }
};

// Parameters that nobody trains, and a child that nobody calls.
struct Partly {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto frozen = scope.parameter("frozen", Vec<3>{}, Constant{2}, Attributes{.trainable = false});
        static_cast<void>(scope.child("unused", Dense<4>{}, x.shape()));
        const auto used = scope.parameter("used", Vec<3>{}, Constant{3});
        const auto y = multiply(scope, x, frozen);
        return multiply(scope, y, used);
    }
};

}  // namespace

TEST_CASE("a decoder called three times, behind a layer that returns a struct") {
    check_properties(Sampler{}, {.batch = 4}, Vec<5>{});
}

TEST_CASE("parameters without a gradient get zero") {
    const property::Subject subject(Partly{}, Vec<3>{});
    const auto parameters = subject.first_parameters();
    const auto inputs = property::random_inputs({3}, 2, -1, 1);
    const auto outcome = subject.record(parameters, inputs, true, false);
    CHECK(outcome.peak == subject.counts(2).record_bytes);
    CHECK(outcome.cursor == subject.size());
    for (std::size_t i = 0; i < 3 + 16; ++i) CHECK(outcome.gradient[i] == 0);
    for (std::size_t i = 19; i < 22; ++i) CHECK(outcome.gradient[i] != 0);
}
