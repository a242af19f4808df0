// SPDX-License-Identifier: MIT
// Layers, latents, likelihoods and whole models come back from their text, and a stranger's model is read or
// refused before anything of its size is allocated.
#include <string>

#include "support/catch.hpp"
#include "support/registries.hpp"
#include "untoward/dynamic/detector.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class Any>
void check_text(const Registry<Any>& registry, const std::string& typed, const std::string& text) {
    INFO(typed);
    CHECK(registry.make(typed).text() == text);
    CHECK(registry.make(text).text() == text);
}

AnyVae<float> model_of(const std::string& encoder, Index features = 4) {
    return make_vae({.features = features, .encoder = encoder, .latent = "latent<2>", .decoder = ""});
}

}  // namespace

TEST_CASE("every layer comes back from its text") {
    const auto& layers = layer_registry<float>();
    for (const char* activation :
         {"Identity", "Relu", "LeakyRelu", "Elu", "Gelu", "Silu", "Tanh", "Sigmoid", "Softplus"}) {
        const std::string kebab = io::detail::kebab_case(activation);
        const std::string text = std::string("Dense<7, ") + activation + ">{}";
        check_text(layers, "dense<7," + kebab + ">", text);
        check_text(layers, "dense{outputs=7,activation=" + kebab + "}", text);
    }
    check_text(layers, "dense<1048576>", "Dense<1048576, Identity>{}");
    check_text(layers, "dropout{rate=0.1f,monte_carlo=yes}", "Dropout{.rate = 0.1, .monte_carlo = true}");
    check_text(layers, "layer-norm{epsilon=1e-7}", "LayerNorm{.epsilon = 1e-07}");
    check_text(layers, "batch-norm{epsilon=0.25}", "BatchNorm{.epsilon = 0.25}");
    check_text(layers, "residual{residual{dropout}}",
               "Residual{Residual{Dropout{.rate = 0.5, .monte_carlo = false}}}");
    check_text(layers, "chain", "Chain{}");
    check_text(layers, "chain{chain{chain},layer-norm{epsilon=0.5}}",
               "Chain{Chain{Chain{}}, LayerNorm{.epsilon = 0.5}}");
    CHECK(layers.names() == "batch-norm, chain, dense, dropout, layer-norm, residual");

    for (const char* text : {"Chain{}", "Chain{Chain{}}", "Chain{Dense<3, Relu>{}, Chain{}}"})
        CHECK(make_layers(text).text() == text);
    CHECK(make_layers("").text() == "Chain{}");
    CHECK(make_layers("chain{dense<3>}").text() == "Chain{Dense<3, Identity>{}}");
}

TEST_CASE("what a layer has no use for is refused, not passed over") {
    for (const char* text :
         {"dropout{0.5}", "dense<3>{relu}", "dense<3,relu>{activation=tanh}", "dense<3,relu,5>",
          "dense<3>{units=3}", "layer-norm<3>", "chain<3>{dense<3>}", "chain{dense<3>, size=3}", "residual",
          "residual<3>{dropout}", "residual{dropout, dropout}", "residual{dropout, x=1}", "dense", "dense<0>",
          "dense<1048577>", "dense<relu>", "dense<3>{outputs=3}{}", "dense<3>,"}) {
        INFO(text);
        CHECK_THROWS_AS(layer_registry<float>().make(text), Error);
    }
    CHECK_THROWS_WITH(make_layers("chain{x=1}"), ContainsSubstring("layer 'chain' has layers in {}"));
    CHECK_THROWS_WITH(layer_registry<float>().make("dropout{0.1}"), ContainsSubstring("no place for '0.1'"));
    CHECK_THROWS_WITH(likelihood_registry<float>().make("gaussian{laplace}"),
                      ContainsSubstring("no place for 'laplace'"));
}

TEST_CASE("every latent and likelihood comes back from its text") {
    const auto& latents = latent_registry<float>();
    check_text(latents, "latent<3>", "Latent<3>{}");
    check_text(latents, "code{units=3}", "Code<3>{}");
    check_text(latents, "correlated-latent<1>", "CorrelatedLatent<1>{}");
    CHECK(latents.names() == "code, correlated-latent, latent");
    const auto& likelihoods = likelihood_registry<float>();
    for (const std::string& name : io::detail::split_outside(likelihoods.names(), ',')) {
        const std::string text = likelihoods.make(name).text();
        check_text(likelihoods, name, text);
        CHECK(io::parse_policy(text).name == name);
    }
    check_text(likelihoods, "fixed-gaussian{log_variance=-0.1}", "FixedGaussian{.log_variance = -0.1}");
    check_text(likelihoods, "student-t{degrees_of_freedom=2.5}", "StudentT{.degrees_of_freedom = 2.5}");
}

TEST_CASE("a residual around a layer of another size is an error, not memory that is none of its own") {
    for (const char* layers : {"residual{dense<7>}", "residual{dense<3>}",
                               "residual{chain{dense<4>, dense<1>}}", "residual{residual{dense<7>}}"}) {
        INFO(layers);
        const auto model = model_of(layers);
        CHECK_THROWS_WITH(measure(model, model.sample),
                          ContainsSubstring("layer 'residual'") && ContainsSubstring("values of 4"));
    }
    const auto same = model_of("residual{chain{dense<9,relu>, dense<4>}}");
    CHECK(measure(same, same.sample).scalars > 0);
}

TEST_CASE("a stranger's model is refused by its text, or by the first tensor that its file does not have") {
    const auto refuse = [](const char* text) {
        INFO(text);
        CHECK_THROWS_AS(make_vae(text), Error);
    };
    refuse("Vae{}");
    refuse("Vae{Vec<3>{}, Chain{}, Latent<1>{}, Chain{}}");
    refuse("Vae<3>{Vec<3>{}, Chain{}, Latent<1>{}, Chain{}, Gaussian{}}");
    refuse("Vae{Vec<3>{}, Chain{}, Latent<1>{}, Chain{}, Gaussian{}, .x = 1}");
    for (const char* features :
         {"0", "-1", "1048577", "9223372036854775807", "9223372036854775808", "", "3, 3"})
        refuse(
            ("Vae{Vec<" + std::string(features) + ">{}, Chain{}, Latent<1>{}, Chain{}, Gaussian{}}").c_str());

    // The largest that can be named: all of its sizes can be counted.
    const auto largest = make_vae(
        "Vae{Vec<1048576>{}, Chain{Dense<1048576>{}}, CorrelatedLatent<1048576>{}, Chain{}, Gaussian{}}");
    const Index most = Index{1} << 20;
    CHECK(measure(largest, largest.sample).scalars > most * most / 2 * most);
    for (Index features : {Index{0}, Index{-1}, most + 1})
        CHECK_THROWS_WITH(make_vae({.features = features}), ContainsSubstring("1 to 1048576 features"));
}
