// SPDX-License-Identifier: MIT
// Where parameters lie is part of every saved model: the same for every reader, at compile time and at run
// time, for every compiler.
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/count.hpp"
#include "untoward/autodiff/initialiser.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/convolution.hpp"
#include "untoward/nn/dense.hpp"
#include "untoward/nn/dropout.hpp"
#include "untoward/nn/gru.hpp"
#include "untoward/nn/residual.hpp"

using namespace untoward;

namespace {

struct Model {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        // Bound first and called last: its parameters come first all the same.
        auto head = scope.child("head", Dense<2>{}, Vec<5>{});
        const auto body = scope.call(
            "body",
            Chain<CausalConvolution1d<4, 3>, Residual<Dense<4, Tanh>>, Dropout, Gru<5>>{{2}, {}, {}, {}}, x);
        const auto scale = scope.parameter("scale", Vec<5>{}, Constant{1});
        const auto scaled = multiply(scope, body, scope.constant(Vec<1>{}, x.batch(), 2));
        const auto last = scope.repeat(1, scale, [](auto&, Index, const auto& state) { return state; }).last;
        static_cast<void>(scaled);
        return head(last);
    }
};

constexpr Counts counts = count<float>(Model{}, 1, Seq<3, 8>{});

}  // namespace

TEST_CASE("the layout of a model never changes") {
    // Literals: a change here makes every saved model unreadable.
    STATIC_REQUIRE(counts.layout_hash == 2462528276522949615u);
    STATIC_REQUIRE(layout_hash(Model{}, Seq<>(3, 8)) == counts.layout_hash);
    const Model model;
    CHECK(layout_hash(model, Seq<3, 8>{}) == counts.layout_hash);
    CHECK(layout_hash(model, Seq<>(3, 8)) == counts.layout_hash);
    CHECK(layout_hash(model, Seq<>(4, 8)) != counts.layout_hash);

    std::vector<std::string> lines;
    describe(
        [&](const ParameterInfo& p) {
            std::string line = p.path;
            for (Index i = 0; i < p.rank; ++i) line += (i == 0 ? " (" : ", ") + std::to_string(p.extents[i]);
            line += ") @" + std::to_string(p.offset) + (p.attributes.decay ? " decay" : "");
            lines.push_back(line);
        },
        model, Seq<>(3, 8));
    const std::vector<std::string> expected{
        "head.weight (2, 5) @0 decay",
        "head.bias (2) @10",
        "body.0.weight (3, 4, 3) @12 decay",
        "body.0.bias (4) @48",
        "body.1.layer.weight (4, 4) @52 decay",
        "body.1.layer.bias (4) @68",
        "body.3.weight_ih (15, 4) @72 decay",
        "body.3.weight_hh (15, 5) @132 decay",
        "body.3.bias_ih (15) @207",
        "body.3.bias_hh (15) @222",
        "scale (5) @237 decay",
    };
    CHECK(lines == expected);
    CHECK(counts.parameters == 242);
    CHECK(counts.tensors == 11);
}

TEST_CASE("what a model costs is known to the compiler") {
    STATIC_REQUIRE(count<float>(Dense<64, Relu>{}, 1, Vec<30>{}).parameters == 64 * 31);
    STATIC_REQUIRE(count<float>(Dense<64, Relu>{}, 1, Vec<30>{}).multiply_adds == 64 * 30);
    STATIC_REQUIRE(count<float>(Dense<64, Relu>{}, 1, Vec<30>{}).run_bytes == 256);
    STATIC_REQUIRE(count<double>(Dense<64, Relu>{}, 3, Seq<30, 5>{}).multiply_adds == 64 * 30 * 15);
    // A thousand steps cost the compiler as much as two.
    STATIC_REQUIRE(count<float>(Gru<5>{}, 1, Seq<3, 1000>{}).multiply_adds == 1000 * (15 * 3 + 15 * 5));
}

TEST_CASE("first values depend on seed and path only") {
    const auto values = [](const auto& layer, std::uint64_t seed) {
        std::vector<float> p(static_cast<std::size_t>(measure(layer, Vec<3>{}).scalars));
        initialise(p.data(), seed, layer, Vec<3>{});
        return p;
    };
    const auto small = values(Chain<Dense<4>, Dense<2>>{}, 7);
    const auto large = values(Chain<Dense<4>, Dense<2>, Dense<6>>{}, 7);
    CHECK(std::equal(small.begin(), small.end(), large.begin()));
    CHECK(small == values(Chain<Dense<4>, Dense<2>>{}, 7));
    CHECK(small != values(Chain<Dense<4>, Dense<2>>{}, 8));
    // PyTorch's bound, 1 / sqrt(fan in), is met and kept.
    float largest = 0;
    for (std::size_t i = 0; i < 16; ++i) largest = std::max(largest, std::abs(small[i]));
    CHECK(largest <= 0.57736f);
    CHECK(largest > 0.4f);
}
