// SPDX-License-Identifier: MIT
// Tied weights, one trunk for several heads, one bound encoder for two models, frozen layers.
#include "support/property.hpp"
#include "untoward/nn/batch_norm.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/frozen.hpp"
#include "untoward/nn/heads.hpp"
#include "untoward/nn/tied.hpp"
#include "untoward/vae/vae.hpp"

using namespace untoward;
using property::check_properties;
using property::check_subject;
using property::Subject;

namespace {

struct TiedAutoencoder {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto wide = scope.child("wide", TiedDense<5, 4, Tanh>{}, Vec<5>{});
        auto narrow = scope.child("narrow", TiedDense<>{.inputs = Vec<>(4), .outputs = Vec<>(2)}, Vec<4>{});
        const auto h = wide(x);
        const auto code = narrow(h);
        const auto g = narrow(code, transposed);
        return wide(g, transposed);
    }
};

template <class Up, class Down>
struct BothWays {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        auto tied = scope.child("tied", TiedDense<3, 1, Up, Down>{}, x.shape());
        const auto h = tied(x);
        return tied(h, transposed);
    }
};

// Two models with one encoder: each reconstructs an input of its own.
struct TwoModels {
    template <class Scope, class X, class Y>
    constexpr auto operator()(Scope& scope, const X& x, const Y& y) const {
        auto encoder = scope.child("encoder", Dense<3, Tanh>{}, x.shape());
        const auto code_of_x = encoder(x);
        const auto a = scope.call("a", Dense<2>{}, code_of_x);
        const auto code_of_y = encoder(y);
        const auto b = scope.call("b", Dense<1>{}, code_of_y);
        return std::tuple{a, b};
    }
};

std::vector<double> gradient_of(const auto& layer, const auto& shape) {
    const Subject subject(layer, shape);
    const auto inputs = property::random_inputs({shape.size()}, 4, -1, 1);
    return subject.record(subject.first_parameters(), inputs, true, true).gradient;
}

}  // namespace

TEST_CASE("an autoencoder with tied weights") {
    check_properties(TiedAutoencoder{}, {.batch = 3}, Vec<5>{});
    const Subject subject(TiedAutoencoder{}, Vec<5>{});
    // 5 x 4 and 4 x 2 once, and the biases of both ways.
    CHECK(subject.size() == Cursor{20 + 4 + 5 + 8 + 2 + 4, 6});
    CHECK(subject.names() == std::vector<std::string>{"wide.weight 4 5 @0", "wide.bias 4 @20",
                                                      "wide.transposed_bias 5 @24", "narrow.weight 2 4 @29",
                                                      "narrow.bias 2 @37", "narrow.transposed_bias 4 @39"});
}

TEST_CASE("tied weights over positions") {
    check_subject(Subject(BothWays<Sigmoid, Tanh>{}, Seq<3, 4>{}), {.batch = 2});
    CHECK(check_gradient(BothWays<Gelu, Silu>{}, {}, Seq<3, 2>{}).relative < 1e-7);
}

TEST_CASE("one trunk, two heads") {
    check_properties(Heads<Chain<Dense<4, Tanh>>, Dense<3>, Dense<1, Sigmoid>>{}, {.batch = 3}, Vec<5>{});
}

TEST_CASE("two models with one encoder") {
    check_subject(Subject(TwoModels{}, Vec<2>{}, Vec<2>{}), {.batch = 3});
    CHECK(Subject(TwoModels{}, Vec<2>{}, Vec<2>{}).size() == Cursor{9 + 8 + 4, 6});
}

TEST_CASE("a frozen layer has the same layout and no gradient, and passes gradients through") {
    using Free = Chain<Dense<4, Tanh>, Chain<Dense<3, Tanh>, BatchNorm>, Dense<2>>;
    using Held = Chain<Dense<4, Tanh>, Frozen<Chain<Dense<3, Tanh>, BatchNorm>>, Dense<2>>;
    const Vec<5> shape;
    CHECK(layout_hash(Free{}, shape) == layout_hash(Held{}, shape));
    CHECK(Subject(Free{}, shape).first_parameters() == Subject(Held{}, shape).first_parameters());
    describe(
        [](const ParameterInfo& p) {
            INFO(p.path);
            CHECK(p.attributes.trainable == (p.path[0] != '1'));
            CHECK(!p.attributes.statistic);
        },
        Held{}, shape);

    const auto free = gradient_of(Free{}, shape);
    const auto held = gradient_of(Held{}, shape);
    REQUIRE(free.size() == held.size());
    const std::size_t first = 4 * 5 + 4;
    const std::size_t frozen = 3 * 4 + 3 + 4 * 3;
    for (std::size_t i = 0; i < free.size(); ++i) {
        INFO(i);
        if (i < first || i >= first + frozen) {
            CHECK(held[i] == Approx(free[i]).margin(1e-15));
            CHECK(free[i] != 0);
        } else {
            CHECK(held[i] == 0);
        }
    }
}

TEST_CASE("the frozen encoder of a VAE") {
    using Model = Vae<Vec<5>, Frozen<Encoder<Dense<4, Tanh>>>, Latent<2>, Decoder<Dense<3, Tanh>>, Gaussian>;
    int frozen = 0;
    int trained = 0;
    describe(
        [&](const ParameterInfo& p) {
            INFO(p.path);
            const bool of_encoder = std::string(p.path).starts_with("encoder.0.");
            CHECK(p.attributes.trainable != of_encoder);
            ++(of_encoder ? frozen : trained);
        },
        Model{}, Vec<5>{});
    CHECK(frozen == 2);
    CHECK(trained == 7);
}
