// SPDX-License-Identifier: MIT
// Windows over positions, and every position repeated.
#include "untoward/autodiff/rules/pooling.hpp"

#include <limits>

#include "support/property.hpp"

using namespace untoward;
using property::check_rule;

namespace {

template <class Rule, class Sample>
std::vector<double> apply(const Rule& rule, const Sample& shape, const std::vector<double>& x) {
    const auto to = rule.shape(shape);
    const Index batch = static_cast<Index>(x.size()) / shape.size();
    std::vector<double> y(static_cast<std::size_t>(to.size() * batch), -1);
    rule.forward(Tensor(y.data(), to.erased(), batch),
                 Tensor<const double, Sample>(x.data(), shape, batch).erased());
    return y;
}

}  // namespace

TEST_CASE("the largest of each window") {
    check_rule(MaxPool<Shape<2>>{}, {}, Seq<3, 5>{});
    check_rule(MaxPool<Shape<Dynamic>, Shape<Dynamic>>{{Shape<Dynamic>(3), Shape<Dynamic>(1)}}, {.batch = 1},
               Seq<>(2, 5));
    check_rule(MaxPool<Shape<2, 3>, Shape<1, 2>>{}, {}, Image<2, 3, 5>{});
    check_rule(MaxPool<Shape<1, 1>>{}, {}, Image<1, 2, 2>{});
    check_rule(MaxPool<Shape<2, 1, 2>>{}, {}, Volume<2, 3, 2, 4>{});
}

TEST_CASE("the mean of each window") {
    check_rule(AveragePool<Shape<3>>{}, {}, Seq<3, 7>{});
    check_rule(AveragePool<Shape<2>, Shape<3>>{}, {.batch = 1}, Seq<>(1, 6));
    check_rule(AveragePool<Shape<3, 2>, Shape<2, 1>>{}, {}, Image<2, 5, 3>{});
    check_rule(AveragePool<Shape<1, 3, 2>>{}, {}, Volume<1, 2, 3, 2>{});
}

TEST_CASE("every position repeated") {
    check_rule(Upsample<Shape<3>>{}, {}, Seq<2, 3>{});
    check_rule(Upsample<Shape<Dynamic>>{Shape<Dynamic>(2)}, {.batch = 1}, Seq<>(3, 1));
    check_rule(Upsample<Shape<2, 1>>{}, {}, Image<3, 2, 2>{});
    check_rule(Upsample<Shape<2, 3, 1>>{}, {}, Volume<1, 1, 2, 2>{});
}

TEST_CASE("where things are") {
    // Two channels over time, 9 left out.
    CHECK(apply(MaxPool<Shape<2>>{}, Seq<2, 5>{}, {1, -1, 2, -2, 3, 3, 0, 4, 9, 9}) ==
          std::vector<double>{2, -1, 3, 4});
    // One channel, two rows of three pixels.
    const std::vector<double> pixels{1, 2, 3, 4, 5, 6};
    CHECK(apply(AveragePool<Shape<2, 2>, Shape<1, 1>>{}, Image<1, 2, 3>{}, pixels) ==
          std::vector<double>{3, 4});
    CHECK(apply(Upsample<Shape<2, 1>>{}, Image<1, 2, 3>{}, pixels) ==
          std::vector<double>{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
    CHECK(apply(Upsample<Shape<1, 2>>{}, Image<1, 2, 3>{}, pixels) ==
          std::vector<double>{1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6});
}

TEST_CASE("extents that the compiler knows") {
    STATIC_REQUIRE(std::is_same_v<decltype(MaxPool<Shape<3, 2>, Shape<2, 2>>{}.shape(Image<8, 28, 27>{})),
                                  Image<8, 13, 13>>);
    STATIC_REQUIRE(
        std::is_same_v<decltype(AveragePool<Shape<2>>{}.shape(Seq<8, Dynamic>(5))), Seq<8, Dynamic>>);
    STATIC_REQUIRE(AveragePool<Shape<2>>{}.shape(Seq<8, Dynamic>(5)).positions() == 2);
    STATIC_REQUIRE(
        std::is_same_v<decltype(Upsample<Shape<2, 3>>{}.shape(Image<8, 5, 7>{})), Image<8, 10, 21>>);
}

TEST_CASE("one NaN in a window is the window's, and takes its gradient; the first of equals does") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double inf = std::numeric_limits<double>::infinity();
    // Nine channels: Eigen's packets and what is left over.
    constexpr Index channels = 9;
    const auto column = [](double a, double b, double c) {
        std::vector<double> x;
        for (const double v : {a, b, c}) x.insert(x.end(), channels, v);
        return x;
    };
    const auto check = [&](double a, double b, double c, double largest, std::size_t takes) {
        INFO(a << ", " << b << ", " << c);
        const auto x = column(a, b, c);
        const MaxPool<Shape<3>> rule{};
        const auto y = apply(rule, Seq<channels, 3>{}, x);
        std::vector<double> dy(channels, 1);
        std::vector<double> gradient(x.size(), 7);
        Gradient<double> slot{gradient.data(), false};
        const Seq<> of_x(channels, 3);
        const Seq<> of_y(channels, 1);
        rule.backward(Tensor(dy.data(), of_y, 1), Tensor<const double, Seq<>>(y.data(), of_y, 1),
                      Tensor<const double, Seq<>>(x.data(), of_x, 1), Sink(&slot, of_x, 1));
        for (std::size_t i = 0; i < channels; ++i) {
            CHECK((std::isnan(largest) ? std::isnan(y[i]) : y[i] == largest));
            for (std::size_t t = 0; t < 3; ++t) CHECK(gradient[t * channels + i] == (t == takes ? 1 : 0));
        }
        const auto mean = apply(AveragePool<Shape<3>>{}, Seq<channels, 3>{}, x);
        CHECK(std::isnan(mean[0]) == std::isnan(a + b + c));
    };
    check(nan, 1, 2, nan, 0);
    check(1, nan, 2, nan, 1);
    check(1, 2, nan, nan, 2);
    check(inf, nan, nan, nan, 1);
    check(-inf, -inf, -inf, -inf, 0);
    check(-inf, 1, inf, inf, 2);
    check(1, 3, 3, 3, 1);
    check(2, 2, 2, 2, 0);
}
