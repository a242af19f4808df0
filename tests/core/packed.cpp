// SPDX-License-Identifier: MIT
#include "untoward/core/packed.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "untoward/core/random.hpp"

using namespace untoward;

TEST_CASE("bfloat16: the nearest number of eight bits, ties to even") {
    REQUIRE(static_cast<float>(BFloat16::from(1.0f)) == 1.0f);
    REQUIRE(static_cast<float>(BFloat16::from(-0.15625f)) == -0.15625f);
    REQUIRE(static_cast<float>(BFloat16::from(1.00390625f)) == 1.0f);  // halfway to 1.0078125: down to even
    REQUIRE(static_cast<float>(BFloat16::from(1.01171875f)) == 1.015625f);  // halfway: up to even
    REQUIRE(static_cast<double>(BFloat16::from(1.0040f)) == 1.0078125);
    REQUIRE(std::isnan(static_cast<float>(BFloat16::from(std::numeric_limits<float>::quiet_NaN()))));
    REQUIRE(std::isinf(static_cast<float>(BFloat16::from(std::numeric_limits<float>::infinity()))));
    RandomStream stream(1);
    for (int i = 0; i < 1000; ++i) {
        const float x = 100 * stream.normal();
        REQUIRE(std::abs(static_cast<float>(BFloat16::from(x)) - x) <= std::abs(x) / 256);
    }
}

TEST_CASE("packed rows: a product is that of the numbers that they stand for") {
    constexpr Index rows = 5, depth = 7, columns = 2;
    std::int8_t codes[rows * depth];
    BFloat16 halves[rows * depth];
    BFloat16 scales[rows];
    float bias[rows], x[depth * columns];
    RandomStream stream(2);
    for (BFloat16& value : scales) value = BFloat16::from(stream.uniform());
    for (float& value : bias) value = stream.normal();
    for (float& value : x) value = stream.normal();
    Eigen::MatrixXf of_codes(rows, depth), of_halves(rows, depth);
    for (Index i = 0; i < rows * depth; ++i) {
        codes[i] = static_cast<std::int8_t>(stream.below(255) - 127);
        halves[i] = BFloat16::from(stream.normal());
        of_codes(i / depth, i % depth) = static_cast<float>(scales[i / depth]) * static_cast<float>(codes[i]);
        of_halves(i / depth, i % depth) = static_cast<float>(halves[i]);
    }
    const bool add = GENERATE(false, true);
    const bool rectify = GENERATE(false, true);
    const auto check = [&](const auto& packed, const Eigen::MatrixXf& w) {
        Eigen::MatrixXf y = Eigen::MatrixXf::Ones(rows, columns);
        Eigen::MatrixXf expected = w * Eigen::Map<const Eigen::MatrixXf>(x, depth, columns);
        expected.colwise() += Eigen::Map<const Eigen::VectorXf>(bias, rows);
        if (add) expected += y;
        if (rectify) expected = expected.cwiseMax(0);
        product::forward<float>({y.data(), rows, columns, rows}, packed, {x, depth, columns, depth}, add,
                                bias, rectify);
        REQUIRE((y - expected).cwiseAbs().maxCoeff() <= 1e-5f * (1 + expected.cwiseAbs().maxCoeff()));
    };
    check(PackedRows<float, std::int8_t>{codes, scales}, of_codes);
    check(PackedRows<float, BFloat16>{halves, nullptr}, of_halves);
}
