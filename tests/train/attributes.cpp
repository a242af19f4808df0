// SPDX-License-Identifier: MIT
// Frozen parameters and running averages in training.
#include <string>

#include "support/catch.hpp"
#include "train/trained.hpp"
#include "untoward/train/average.hpp"
#include "untoward/train/sgd.hpp"

using namespace untoward;
using untoward_test::Rows;
using untoward_test::tiny_options;
using untoward_test::tiny_rows;
using untoward_test::train;

namespace {

// Keeps a running mean of its input and subtracts it; in training it subtracts the batch's own.
struct Centre {
    struct Rule {
        bool training;
        constexpr auto shape(const auto& x, const auto&) const { return x; }
        constexpr Index batch(Index x, Index) const { return x; }
        void forward(auto y, auto x, auto mean) const {
            for (Index i = 0; i < x.rows(); ++i) {
                const auto centre = training ? x.matrix().row(i).mean() : mean(i, 0);
                for (Index j = 0; j < x.batch(); ++j) y(i, j) = x(i, j) - centre;
            }
        }
        void backward(auto dy, auto, auto x, auto mean, auto dx, auto dmean) const {
            dx.add([](auto d) { return d; }, dy);
            if (!dmean) return;
            const auto to = dmean.partial();
            for (Index i = 0; i < x.rows(); ++i) to(i, 0) += mean(i, 0) - x.matrix().row(i).mean();
        }
    };
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto mean = scope.parameter("mean", x.shape(), Constant{0}, running_average);
        return scope.apply(Rule{scope.training()}, x, mean);
    }
};

struct FrozenDense {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        scope.freeze();
        return Dense<4, Tanh>{}(scope, x);
    }
};

using Mixed =
    Vae<Vec<3>, Encoder<Centre, FrozenDense, Dense<4, Tanh>>, Latent<2>, Decoder<Dense<4, Tanh>>, Gaussian>;

struct Place {
    Index begin = -1;
    Index end = -1;
};
Place place_of(const std::string& prefix) {
    Place place;
    describe(
        [&](const ParameterInfo& info) {
            if (std::string(info.path).rfind(prefix, 0) != 0) return;
            if (place.begin < 0) place.begin = info.offset;
            place.end = info.offset + info.size;
        },
        Mixed{}, Vec<3>{});
    REQUIRE(place.begin >= 0);
    return place;
}

const AnyOptimiser optimisers[] = {Adam{}, AdamW{.decay = 0.5}, Sgd{.momentum = 0.9, .decay = 0.5}};

}  // namespace

TEST_CASE(
    "training: frozen parameters keep their bits, running averages follow the data, whatever the optimiser") {
    const Rows<float> rows = tiny_rows<float>(200, 1).array() + 7;
    const Place mean = place_of("encoder.0.mean");
    const Place frozen = place_of("encoder.1");
    const Place free = place_of("encoder.2");
    Buffer<float> first(measure(Mixed{}, Vec<3>{}).scalars);
    initialise(first.data(), 1, Mixed{}, Vec<3>{});
    for (const AnyOptimiser& optimiser : optimisers) {
        for (const bool averaged : {false, true}) {
            INFO(optimiser.text() << (averaged ? ", averaged" : ""));
            auto options = tiny_options(150);
            options.optimiser = optimiser;
            options.learning_rate = ConstantSchedule{0.001};
            // It starts at 0 and is 7 in the end: by the parameters, or by their average over the last steps.
            if (averaged) options.averaging = UniformAverage{.last = 0.5};
            options.beta = LinearBeta{.ramp = 1};  // the last step is the one that counts
            const auto trained = train<float>(options, rows, Rows<float>(3, 0), Mixed{});
            REQUIRE(trained.report.best_step == 150);
            for (Index i = mean.begin; i < mean.end; ++i)
                REQUIRE(trained.parameters[i] == Approx(7).margin(0.3));
            for (Index i = frozen.begin; i < frozen.end; ++i) REQUIRE(trained.parameters[i] == first[i]);
            Index moved = 0;
            for (Index i = free.begin; i < free.end; ++i) moved += trained.parameters[i] != first[i] ? 1 : 0;
            REQUIRE(moved == free.end - free.begin);
        }
    }
}

TEST_CASE(
    "training: a running average goes a tenth of the way in a step, and is no part of the gradient's norm") {
    const Rows<double> rows = (tiny_rows<double>(32, 1).array() + 1e6).matrix();
    const Place mean = place_of("encoder.0.mean");
    Buffer<double> parameters(measure(Mixed{}, Vec<3>{}).scalars);
    initialise(parameters.data(), 1, Mixed{}, Vec<3>{});
    const auto options = tiny_options(10);
    const Rows<double> centred = tiny_rows<double>(32, 1);
    Trainer<double, Mixed> trainer(Mixed{}, parameters, rows, options);
    double expected[3] = {};
    for (Index step = 0; step < 4; ++step) {
        const auto terms = trainer.step(step, 10);
        // The data are centred before they meet a weight, except in the likelihood: 1e6 there.
        REQUIRE(std::isfinite(terms.gradient_norm));
        for (Index i = 0; i < 3; ++i) {
            // All rows are in each batch.
            expected[i] -= 0.1 * (expected[i] - rows.row(i).mean());
            REQUIRE(parameters[mean.begin + i] == Approx(expected[i]).epsilon(1e-9));
        }
    }
}
