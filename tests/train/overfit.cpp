// SPDX-License-Identifier: MIT
#include "untoward/train/overfit.hpp"

#include "support/catch.hpp"
#include "train/trained.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::tiny_rows;

namespace {

enum class Mistake { none, sign, factor, missing, one_element };

// y = tanh(x), with a derivative that is right or wrong.
struct Suspect {
    Mistake mistake;
    constexpr auto shape(const auto& x) const { return x; }
    void forward(auto y, auto x) const {
        assign(
            y, [](auto a) { return math::tanh(a); }, x);
    }
    void backward(auto dy, auto y, auto, auto dx) const {
        if (mistake == Mistake::missing) {
            dx.add([](auto d) { return 0 * d; }, dy);
            return;
        }
        const double factor = mistake == Mistake::sign ? -1 : mistake == Mistake::factor ? 1.1 : 1;
        dx.add([=](auto d, auto a) { return factor * d * (1 - a * a); }, dy, y);
        if (mistake == Mistake::one_element && dx) {
            const auto to = dx.partial();
            for (Index j = 0; j < to.batch(); ++j) to(1, j) *= 1.5;
        }
    }
};

struct Layer {
    Mistake mistake = Mistake::none;
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        return scope.apply(Suspect{mistake}, x);
    }
};

using Model = Vae<Vec<3>, Encoder<Dense<4>, Layer>, Latent<2>, Decoder<Dense<4, Tanh>>, Gaussian>;

Model model_of(Mistake mistake) {
    return {{}, {Dense<4>{}, Layer{mistake}}, {}, Decoder<Dense<4, Tanh>>{}, {}};
}

}  // namespace

TEST_CASE("overfit: a sound model learns one batch, and stops when it has") {
    const auto report = overfit_one_batch(model_of(Mistake::none), tiny_rows<float>(200, 1));
    INFO(report.verdict());
    REQUIRE(report.passed());
    REQUIRE(report.rows == 32);
    REQUIRE(report.steps < 1000);
    REQUIRE(report.first_loss - report.last_loss >= 0.3);
    REQUIRE_THAT(report.verdict(), ContainsSubstring("the model learns: -ELBO of 32 rows fell from "));
    // Fewer rows than a batch.
    REQUIRE(overfit_one_batch(model_of(Mistake::none), tiny_rows<double>(5, 1)).rows == 5);
}

TEST_CASE("overfit: a rule with a wrong derivative is found, and the parameter before it is named") {
    for (const Mistake mistake : {Mistake::sign, Mistake::factor, Mistake::missing, Mistake::one_element}) {
        INFO(static_cast<int>(mistake));
        const auto report = overfit_one_batch(model_of(mistake), tiny_rows<float>(200, 1));
        INFO(report.verdict());
        REQUIRE_FALSE(report.gradient_right);
        REQUIRE_FALSE(report.passed());
        REQUIRE_THAT(report.parameter, ContainsSubstring("encoder.0."));
        REQUIRE_THAT(report.verdict(),
                     ContainsSubstring("the gradient of encoder.0.") && ContainsSubstring("is wrong"));
        // Not where the slope is another on purpose.
        REQUIRE(overfit_one_batch(model_of(mistake), tiny_rows<float>(200, 1), {.check_gradient = false})
                    .gradient_right);
    }
}

TEST_CASE("overfit: what does not learn, or cannot, says so") {
    const Model model = model_of(Mistake::none);
    const auto rows = tiny_rows<float>(50, 1);
    const auto still = overfit_one_batch(model, rows, {.steps = 50, .learning_rate = 0});
    REQUIRE(still.gradient_right);
    REQUIRE_FALSE(still.passed());
    REQUIRE(still.steps == 50);
    REQUIRE(still.last_loss == still.first_loss);
    REQUIRE_THAT(still.verdict(), ContainsSubstring("the model does not learn"));
    const auto greedy = overfit_one_batch(model, rows, {.steps = 20, .margin = 1000});
    REQUIRE(greedy.last_loss < greedy.first_loss);
    REQUIRE_FALSE(greedy.passed());
    const auto wild = overfit_one_batch(model, rows, {.learning_rate = 1e300});
    REQUIRE_FALSE(wild.passed());
    REQUIRE_THAT(wild.verdict(),
                 ContainsSubstring("training fails: training step ") && ContainsSubstring("not finite"));
    REQUIRE_THROWS_WITH(overfit_one_batch(model, untoward_test::Rows<float>(2, 5)),
                        ContainsSubstring("2 features"));
    REQUIRE_THROWS_WITH(overfit_one_batch(model, untoward_test::Rows<float>(3, 0)),
                        ContainsSubstring("one row"));
}
