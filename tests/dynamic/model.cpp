// SPDX-License-Identifier: MIT
// A model chosen at run time is the model of the same types: its layout, its text and its bits.
#include "support/property.hpp"
#include "support/registries.hpp"
#include "untoward/dynamic/detector.hpp"
#include "untoward/vae/elbo.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

#define TEXT_OF(...) #__VA_ARGS__
#define AS_TEXT(...) TEXT_OF(__VA_ARGS__)
// The same tokens, once for the compiler and once for the registry.
#define MODEL                                                                                          \
    Vae {                                                                                              \
        Vec<5>{}, Chain{Dense<6, Tanh>{}, Dense<4, Relu>{}}, Latent<2>{}, Chain{Dense<4, Softplus>{}}, \
            Gaussian {}                                                                                \
    }

namespace {

const auto fixed = MODEL;
const AnyVae<double> any = make_vae<double>(AS_TEXT(MODEL));
const char* const text =
    "Vae{Vec<5>{}, Chain{Dense<6, Tanh>{}, Dense<4, Relu>{}}, Latent<2>{}, Chain{Dense<4, Softplus>{}}, "
    "Gaussian{}}";

template <class Model>
struct Loss {
    Model model;
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto terms = NegativeElboLoss<Model>{model, 0.5}(scope, x);
        return terms.loss;
    }
};

}  // namespace

TEST_CASE("a model is printed as the C++ that makes it, and made of what it prints") {
    CHECK(io::policy_text(any) == text);
    CHECK(io::policy_text(fixed) == text);
    CHECK(layout_hash(any, any.sample) == layout_hash(fixed, fixed.sample));
    CHECK(io::policy_text(make_vae<double>({.features = 5,
                                            .encoder = "dense<6,tanh>, dense{outputs=4,activation=relu}",
                                            .latent = "latent<2>",
                                            .decoder = "dense<4,softplus>"})) == text);
    CHECK(io::policy_text(
              make_vae<double>({.features = 1, .encoder = "", .latent = "code<1>", .decoder = ""})) ==
          "Vae{Vec<1>{}, Chain{}, Code<1>{}, Chain{}, Gaussian{}}");
}

TEST_CASE("an erased model has every property of a model, and the bits of the fixed one") {
    using property::Subject;
    const Subject erased(Loss<AnyVae<double>>{any}, Vec<>(5));
    const Subject typed(Loss<std::remove_const_t<decltype(fixed)>>{fixed}, Vec<5>{});
    CHECK(erased.names() == typed.names());
    CHECK(property::same_bits(erased.first_parameters(), typed.first_parameters()));
    const Counts a = erased.counts(3);
    const Counts b = typed.counts(3);
    CHECK(a.run_bytes == b.run_bytes);
    CHECK(a.record_bytes == b.record_bytes);
    CHECK(a.multiply_adds == b.multiply_adds);
    CHECK(property::same_bits(property::check_subject(erased, {.independent = false}),
                              property::check_subject(typed, {.independent = false})));
}
