// SPDX-License-Identifier: MIT
// Scalers for likelihoods of a range of their own: UnitScaler and IdentityScaler.
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "untoward/core/random.hpp"
#include "untoward/data/scaler.hpp"

using namespace untoward;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

Eigen::MatrixXd row(std::initializer_list<double> values) {
    Eigen::MatrixXd rows(1, static_cast<Index>(values.size()));
    Index j = 0;
    for (const double v : values) rows(0, j++) = v;
    return rows;
}

}  // namespace

TEST_CASE("unit scaler: smallest to 0, largest to 1, what is beyond lies beyond") {
    const auto scaling = UnitScaler{}.fit(row({3, -1, missing, 7, 5}));
    REQUIRE(scaling.apply(0, -1) == 0);
    REQUIRE(scaling.apply(0, 7) == 1);
    REQUIRE(scaling.apply(0, 3) == 0.5);
    REQUIRE(scaling.apply(0, 15) == 2);
    REQUIRE(scaling.apply(0, -9) == -1);
    REQUIRE(scaling.apply(0, 1e30) == 1000);
    REQUIRE(scaling.apply(0, missing) == scaling.apply(0, 4));  // the median of -1, 3, 5, 7
    REQUIRE(scaling.invert(0, 0.25) == 1);
    REQUIRE(scaling.constant(0) == 0);
    Eigen::MatrixXf rows(3, 1000);
    fill_normal(rows.data(), rows.size(), {.seed = 5});
    const auto of_floats = UnitScaler{}.fit(rows);
    for (Index i = 0; i < 3; ++i) {
        float low = 1;
        float high = 0;
        for (Index j = 0; j < rows.cols(); ++j) {
            low = std::min(low, of_floats.apply(i, rows(i, j)));
            high = std::max(high, of_floats.apply(i, rows(i, j)));
        }
        // To the bit: a training row is never outside.
        REQUIRE(low == 0);
        REQUIRE(high == 1);
    }
}

TEST_CASE("unit scaler: constants and features without values are like the other scalers'") {
    for (const double value : {0.0, 1.0, -7.0, 1e9, 0.001, -0.25}) {
        INFO("constant " << value);
        const auto unit = UnitScaler{}.fit(row({value, value, missing}));
        const auto robust = RobustScaler{}.fit(row({value, value, missing}));
        REQUIRE(unit.constant(0) == 1);
        REQUIRE(unit.centre(0) == robust.centre(0));
        REQUIRE(unit.scale(0) == robust.scale(0));
        REQUIRE(unit.apply(0, value) == 0);
    }
    const auto empty = UnitScaler{}.fit(row({missing}));
    REQUIRE(empty.centre(0) == 0);
    REQUIRE(empty.scale(0) == 1);
    REQUIRE(empty.constant(0) == 1);
}

TEST_CASE("unit scaler: the ends of the number range give finite numbers, and a scale over 0") {
    const float most = std::numeric_limits<float>::max();
    Eigen::MatrixXf rows(2, 3);
    rows << most, -most, 0, 0, std::numeric_limits<float>::denorm_min(), 0;
    Eigen::MatrixXd wide(1, 3);
    wide << std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(), 0;
    const auto check = [](const auto& scaling, const auto& values) {
        for (Index i = 0; i < scaling.features(); ++i) {
            REQUIRE(scaling.scale(i) > 0);
            REQUIRE(std::isfinite(scaling.scale(i)));
            for (const auto value : values.row(i)) REQUIRE(std::isfinite(scaling.apply(i, value)));
        }
    };
    check(UnitScaler{}.fit(rows), rows);
    check(UnitScaler{}.fit(wide), wide);
}

TEST_CASE("identity scaler: every value as it is, but for missing and huge ones; constants are reported") {
    Eigen::MatrixXd rows(3, 4);
    rows << 0, 1, 1, missing, 5, 5, 5, 5, missing, missing, missing, missing;
    const auto scaling = IdentityScaler{}.fit(rows);
    for (Index i = 0; i < 3; ++i) {
        for (const double value : {0.0, 1.0, -0.5, 5.0, 999.0}) {
            REQUIRE(scaling.apply(i, value) == value);
            REQUIRE(scaling.invert(i, value) == value);
        }
        REQUIRE(scaling.apply(i, 1e30) == 1000);
    }
    REQUIRE(scaling.apply(0, missing) == 1);
    REQUIRE(scaling.apply(1, missing) == 5);
    REQUIRE(scaling.apply(2, missing) == 0);
    REQUIRE(scaling.constant == Eigen::Vector3d(0, 1, 1));
}

TEST_CASE("scalers say which numbers they keep") {
    static_assert(UnitScaler::keeps(DataKind::any) && UnitScaler::keeps(DataKind::unit));
    static_assert(!UnitScaler::keeps(DataKind::one_hot) && !UnitScaler::keeps(DataKind::counts));
    for (const DataKind kind : {DataKind::any, DataKind::unit, DataKind::one_hot, DataKind::counts}) {
        REQUIRE(IdentityScaler::keeps(kind));
    }
    // What UnitScaler keeps: numbers in [0, 1] are in it still.
    Eigen::MatrixXd rows(1, 4);
    rows << 0.25, 0.5, 0.75, 0.25;
    const auto scaling = UnitScaler{}.fit(rows);
    for (const double value : rows.row(0)) {
        REQUIRE((scaling.apply(0, value) >= 0 && scaling.apply(0, value) <= 1));
    }
}
