// SPDX-License-Identifier: MIT
#include "untoward/data/scaler.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "untoward/core/random.hpp"

using namespace untoward;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

Eigen::MatrixXd row(std::initializer_list<double> values) {
    Eigen::MatrixXd rows(1, static_cast<Index>(values.size()));
    Index j = 0;
    for (const double v : values) rows(0, j++) = v;
    return rows;
}

}  // namespace

TEST_CASE("standard scaler: mean and population standard deviation, as NumPy and scikit-learn") {
    // numpy.mean, numpy.std of [1, 2, 4, 8, 16]
    const auto scaling = StandardScaler{}.fit(row({1, 2, 4, 8, 16}));
    REQUIRE(scaling.centre(0) == Approx(6.2).epsilon(1e-14));
    REQUIRE(scaling.scale(0) == Approx(5.455272678794342).epsilon(1e-14));
    REQUIRE(scaling.constant(0) == 0);
    REQUIRE(scaling.fill(0) == 4);
    REQUIRE(scaling.features() == 1);
}

TEST_CASE("robust scaler: median and interquartile range by linear interpolation, as numpy.percentile") {
    // numpy.percentile([1, 2, 4, 8, 16, 100], [25, 50, 75]) = [2.5, 6, 14]
    const auto even = RobustScaler{}.fit(row({100, 16, 8, 1, 2, 4}));
    REQUIRE(even.centre(0) == 6);
    REQUIRE(even.scale(0) == Approx((14 - 2.5) / 1.349).epsilon(1e-14));
    REQUIRE(even.fill(0) == 6);
    // numpy.percentile([1, 2, 4, 8], [25, 50, 75]) = [1.75, 3, 5]
    const auto four = RobustScaler{}.fit(row({1, 2, 4, 8}));
    REQUIRE(four.centre(0) == 3);
    REQUIRE(four.scale(0) == Approx((5 - 1.75) / 1.349).epsilon(1e-14));
}

TEST_CASE("scalers: on normal data both find the mean and the standard deviation") {
    Eigen::MatrixXd rows(1, 20000);
    fill_normal(rows.data(), rows.size(), {.seed = 3});
    rows.array() = 5 + 2 * rows.array();
    const auto standard = StandardScaler{}.fit(rows);
    const auto robust = RobustScaler{}.fit(rows);
    REQUIRE(standard.centre(0) == Approx(5).margin(0.06));
    REQUIRE(standard.scale(0) == Approx(2).epsilon(0.02));
    REQUIRE(robust.centre(0) == Approx(5).margin(0.08));
    REQUIRE(robust.scale(0) == Approx(2).epsilon(0.04));
    // A few wild values move the one, not the other.
    rows.leftCols(20).setConstant(1e6);
    REQUIRE(RobustScaler{}.fit(rows).scale(0) == Approx(robust.scale(0)).epsilon(0.01));
    REQUIRE(StandardScaler{}.fit(rows).scale(0) > 1000);
}

TEST_CASE("scalers: missing values are passed over, and take the median") {
    const auto with = RobustScaler{}.fit(row({missing, 1, 2, missing, 4, 8, 16, missing}));
    const auto without = RobustScaler{}.fit(row({1, 2, 4, 8, 16}));
    REQUIRE(with.centre(0) == without.centre(0));
    REQUIRE(with.scale(0) == without.scale(0));
    REQUIRE(with.fill(0) == 4);
    REQUIRE(with.apply(0, missing) == with.apply(0, 4));
    // The mean is not the median: a missing value is not the centre of the standard scaler.
    const auto standard = StandardScaler{}.fit(row({1, 2, missing, 4, 8, 16}));
    REQUIRE(standard.apply(0, missing) == standard.apply(0, 4));
    REQUIRE(standard.apply(0, missing) < 0);
}

TEST_CASE("scalers: a feature without any value has centre 0 and scale 1, and is reported") {
    for (const auto& scaling :
         {RobustScaler{}.fit(row({missing, missing})), StandardScaler{}.fit(row({missing}))}) {
        REQUIRE(scaling.centre(0) == 0);
        REQUIRE(scaling.scale(0) == 1);
        REQUIRE(scaling.constant(0) == 1);
        REQUIRE(scaling.apply(0, missing) == 0);
    }
}

TEST_CASE("scalers: a constant feature is floored to min(1, its size), and reported") {
    const auto check = [](double value, double expected_scale) {
        INFO("constant " << value);
        for (const auto& scaling : {RobustScaler{}.fit(row({value, value, missing, value})),
                                    StandardScaler{}.fit(row({value, value}))}) {
            REQUIRE(scaling.constant(0) == 1);
            REQUIRE(scaling.centre(0) == value);
            REQUIRE(scaling.scale(0) == expected_scale);
            REQUIRE(scaling.apply(0, value) == 0);
        }
    };
    check(0, 1);
    check(1, 1);
    check(-7, 1);
    check(1e9, 1);
    check(0.001, 0.001);
    check(-0.25, 0.25);
}

TEST_CASE("scalers: rounding of a large constant is no spread") {
    Eigen::MatrixXf rows(1, 1000);
    for (Index j = 0; j < rows.cols(); ++j)
        rows(0, j) = j % 2 == 0 ? 16777216.0f : 16777218.0f;  // one unit apart
    const auto scaling = StandardScaler{}.fit(rows);
    REQUIRE(scaling.constant(0) == scaling.too_coarse);
    REQUIRE(scaling.scale(0) == 1);
}

TEST_CASE(
    "scalers: values far from zero vary when their type tells them apart, and are too coarse when it does "
    "not") {
    std::srand(1);
    const Eigen::RowVectorXd noise = Eigen::RowVectorXd::Random(400);
    const Eigen::MatrixXd longitude = (1e-4 * noise.array() + 116.3).matrix();
    const Eigen::MatrixXd northing = (0.01 * noise.array() + 5523417.5).matrix();
    for (const auto& scaling :
         {RobustScaler{}.fit(longitude.cast<float>()), StandardScaler{}.fit(longitude.cast<float>())}) {
        REQUIRE(scaling.constant(0) == scaling.varied);
        REQUIRE(scaling.scale(0) > 3e-5f);
        REQUIRE(scaling.scale(0) < 3e-4f);
        REQUIRE(std::abs(scaling.apply(0, 116.31f)) > 50);
    }
    // A float knows half metres there, a double much less.
    REQUIRE(RobustScaler{}.fit(northing.cast<float>()).constant(0) == 1);
    const auto scaling = RobustScaler{}.fit(northing);
    REQUIRE(scaling.constant(0) == scaling.varied);
    REQUIRE(scaling.apply(0, 5523417.5 + 0.15) > 8);
    const Eigen::MatrixXd stamps = (noise.array() * 1e3 + 1.7e18).matrix();  // 256 apart
    REQUIRE(RobustScaler{}.fit((stamps.array() / 1e3).round().matrix() * 1e3).constant(0) == scaling.varied);
    const Eigen::MatrixXd steps = ((noise.array() > 0).cast<double>() * 256 + 1.7e18).matrix();
    REQUIRE(RobustScaler{}.fit(steps).constant(0) == scaling.too_coarse);
}

TEST_CASE(
    "scaling: a double in a scaling of floats is centred as it is given, and a float gives a float's bits") {
    Scaling<Eigen::VectorXf> scaling;
    scaling.centre = Eigen::VectorXf::Constant(1, 5523417.5f);
    scaling.scale = Eigen::VectorXf::Constant(1, 0.01f);
    scaling.fill = scaling.centre;
    scaling.constant = Eigen::VectorXf::Zero(1);
    REQUIRE(scaling.apply(0, 5523417.51) == Approx(1).epsilon(1e-5));
    REQUIRE(scaling.apply(0, 5523417.5) == 0);
    REQUIRE(scaling.apply(0, 5523418.0) == scaling.apply(0, 5523418.0f));
    REQUIRE(scaling.apply(0, 1e300) == 1000);
    REQUIRE(scaling.apply(0, -1e300) == -1000);
    REQUIRE(scaling.apply(0, std::numeric_limits<double>::quiet_NaN()) == 0);
    REQUIRE(scaling.apply(0, 16777217) == 1000);
}

TEST_CASE("robust scaler: where the interquartile range is 0 the standard deviation takes its place") {
    // numpy.std([0] * 9 + [10]) = 3
    const auto scaling = RobustScaler{}.fit(row({0, 0, 0, 0, 0, 0, 0, 0, 0, 10}));
    REQUIRE(scaling.centre(0) == 0);
    REQUIRE(scaling.scale(0) == Approx(3).epsilon(1e-14));
    REQUIRE(scaling.constant(0) == 0);
}

TEST_CASE("scaling: values beyond 1000 are clipped, also infinite ones; invert goes back") {
    const auto scaling = StandardScaler{}.fit(row({1, 2, 4, 8, 16}).cast<float>());
    REQUIRE(scaling.apply(0, 1e30f) == 1000);
    REQUIRE(scaling.apply(0, -1e30f) == -1000);
    REQUIRE(scaling.apply(0, infinity) == 1000);
    REQUIRE(scaling.apply(0, -infinity) == -1000);
    REQUIRE(scaling.apply(0, std::numeric_limits<float>::lowest()) == -1000);
    for (const float value : {-3.0f, 0.0f, 4.0f, 5000.0f}) {
        REQUIRE(scaling.invert(0, scaling.apply(0, value)) == Approx(value).epsilon(1e-6).margin(1e-5));
    }
}

TEST_CASE("scalers: the ends of the number range give finite numbers, and a scale over 0") {
    const float most = std::numeric_limits<float>::max() / 4;
    const float least = std::numeric_limits<float>::denorm_min();
    Eigen::MatrixXf rows(4, 5);
    rows << most, -most, most, 0, 1,  //
        0, least, 0, least, 0,        //
        least, least, least, least, least, 1e-38f, 2e-38f, 0, 3e-38f, 1;
    Eigen::MatrixXd wide(2, 4);
    wide << 1e300, -1e300, 5e299, 0,  //
        1e-300, 2e-300, 3e-300, 5e-300;
    const auto check = [](const auto& scaling, const auto& values) {
        for (Index i = 0; i < scaling.features(); ++i) {
            INFO("feature " << i);
            REQUIRE(scaling.scale(i) > 0);
            REQUIRE(std::isfinite(scaling.scale(i)));
            REQUIRE(std::isfinite(scaling.centre(i)));
            for (const auto value : values.row(i)) {
                REQUIRE(std::isfinite(scaling.apply(i, value)));
                REQUIRE(std::abs(scaling.apply(i, value)) < 10);
            }
        }
    };
    check(StandardScaler{}.fit(rows), rows);
    check(StandardScaler{}.fit(wide), wide);
    check(RobustScaler{}.fit(wide), wide);
}

TEST_CASE("scalers: shift and scale of the data come through") {
    Eigen::MatrixXd rows(1, 101);
    fill_normal(rows.data(), rows.size(), {.seed = 8});
    const Eigen::MatrixXd moved = rows.array() * 12.5 - 300;
    const auto scaler = [](const auto& policy, const auto& x, double value) {
        return policy.fit(x).apply(0, value);
    };
    for (const double value : {-1.0, 0.0, 0.3, 2.0}) {
        REQUIRE(scaler(RobustScaler{}, rows, value) ==
                Approx(scaler(RobustScaler{}, moved, value * 12.5 - 300)).epsilon(1e-10).margin(1e-12));
        REQUIRE(scaler(StandardScaler{}, rows, value) ==
                Approx(scaler(StandardScaler{}, moved, value * 12.5 - 300)).epsilon(1e-10).margin(1e-12));
    }
}
