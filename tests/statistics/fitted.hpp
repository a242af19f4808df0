// SPDX-License-Identifier: MIT
#pragma once

// What the tests of the statistics share: rows, scores, and what holds of every fitted statistic.

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "untoward/statistics/rows.hpp"

namespace untoward_test {

using untoward::Index;

template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;

/// Independent standard normals, features x n.
template <class S = double>
Matrix<S> normal_rows(Index features, Index n, std::uint64_t seed) {
    Matrix<S> rows(features, n);
    untoward::fill_normal(rows.data(), rows.size(), untoward::NoiseKey{.seed = seed});
    return rows;
}

inline Eigen::Map<const Eigen::MatrixXd> matrix_of(const std::vector<double>& values, Index rows) {
    return {values.data(), rows, static_cast<Index>(values.size()) / rows};
}

/// a b, or a' b: in loops, which compile in no time.
inline Eigen::MatrixXd times(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(a.rows(), b.cols());
    for (Index j = 0; j < b.cols(); ++j) {
        for (Index k = 0; k < a.cols(); ++k) {
            for (Index i = 0; i < a.rows(); ++i) result(i, j) += a(i, k) * b(k, j);
        }
    }
    return result;
}
inline Eigen::MatrixXd transposed_times(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    return times(a.transpose(), b);
}

/// In double, whatever was scored.
struct Answer {
    Eigen::VectorXd scores;
    Eigen::MatrixXd contributions;
};

/// In an arena that is as large as it says and no larger.
template <class Fitted, class S, class... More>
Answer evaluate(const Fitted& fitted, const Matrix<S>& x, More... more) {
    untoward::Buffer<std::byte> memory(static_cast<Index>(fitted.arena_bytes(x.cols())));
    untoward::Arena arena(memory);
    Matrix<S> scores(x.cols(), 1);
    Matrix<S> contributions(x.rows(), x.cols());
    fitted.evaluate(untoward::statistics::columns(x), arena, scores.data(), contributions.data(), more...);
    CHECK(arena.used() == 0);
    CHECK(arena.peak() <= fitted.arena_bytes(x.cols()));
    return {scores.template cast<double>(), contributions.template cast<double>()};
}

template <class Fitted, class S, class... More>
Eigen::VectorXd scores_of(const Fitted& fitted, const Matrix<S>& x, More... more) {
    return evaluate(fitted, x, more...).scores;
}

/// Relative where numbers are large.
inline double largest_difference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0;
    for (Index i = 0; i < a.size(); ++i) {
        const double x = a.data()[i];
        const double y = b.data()[i];
        const double difference = std::abs(x - y) / (1 + std::abs(y));
        if (x != y && !(difference <= largest)) largest = difference;
    }
    return largest;
}

inline bool are_equal(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
    return a.size() == b.size() && a == b;
}

/// The same statistic over maps of the numbers of one that owns them, put together from its two lists.
template <template <class> class Fitted, class Vector>
auto mapped(const Fitted<Vector>& fitted) {
    using Map = Eigen::Map<const Vector>;
    typename Fitted<Vector>::Sizes sizes;
    std::vector<Index> integers;
    Fitted<Vector>::Sizes::list(fitted.sizes,
                                [&](const char*, const Index& size) { integers.push_back(size); });
    std::size_t next = 0;
    Fitted<Vector>::Sizes::list(sizes, [&](const char*, Index& size) { size = integers[next++]; });
    std::vector<Map> maps;
    Fitted<Vector>::numbers(fitted, [&](const char* name, const Vector& numbers, Index size) {
        INFO(name);
        CHECK(numbers.size() == size);
        CHECK(numbers.allFinite());
        maps.emplace_back(numbers.data(), size);
    });
    if constexpr (requires { Fitted<Map>{sizes, maps[0], maps[1], maps[2]}; }) {
        return Fitted<Map>{sizes, maps[0], maps[1], maps[2]};
    } else {
        return Fitted<Map>{sizes, maps[0], maps[1]};
    }
}

/// What is promised of every statistic: maps do as well as owned numbers, one sample as well as many, at any
/// stride; NaN gives NaN, infinity no number, and neither touches its neighbours.
template <class Fitted, class S>
void check_promises(const Fitted& fitted, Matrix<S> x) {
    const Answer all = evaluate(fitted, x);
    CHECK(all.scores.allFinite());
    CHECK(all.contributions.allFinite());
    const auto over_maps = mapped(fitted);
    CHECK(are_equal(scores_of(over_maps, x), all.scores));
    const double tolerance = sizeof(S) == 8 ? 1e-9 : 2e-4;
    for (Index j = 0; j < x.cols(); j += 7) {
        const Answer one = evaluate(fitted, Matrix<S>(x.col(j)));
        CHECK(largest_difference(one.scores, all.scores.segment(j, 1)) < tolerance);
        CHECK(largest_difference(one.contributions, all.contributions.col(j)) < tolerance);
    }
    const Index last = x.cols() - 1;
    x(x.rows() - 1, last) = std::numeric_limits<S>::quiet_NaN();
    x(0, 0) = std::numeric_limits<S>::infinity();
    const auto odd = scores_of(fitted, x);
    CHECK(std::isnan(odd[last]));
    CHECK(!std::isfinite(odd[0]));
    CHECK(largest_difference(odd.segment(1, last - 1), all.scores.segment(1, last - 1)) < tolerance);
    x = normal_rows<S>(x.rows() + 3, 12, 77);
    const Matrix<S> packed = x.topRows(x.rows() - 3);
    untoward::Buffer<std::byte> memory(static_cast<Index>(fitted.arena_bytes(x.cols())));
    untoward::Arena arena(memory);
    Matrix<S> scores(x.cols(), 1);
    fitted.evaluate(untoward::statistics::columns(x.topRows(x.rows() - 3)), arena, scores.data());
    CHECK(largest_difference(scores.template cast<double>(), scores_of(fitted, packed)) < tolerance);
    CHECK(scores_of(fitted, Matrix<S>(packed.rows(), 0)).size() == 0);
}

/// Rows that are hard on a fit, and a policy that takes them all: scores of rows like them are numbers.
template <class S, class Policy>
void check_hard_rows(const Policy& policy) {
    const auto check = [&](const char* name, const Matrix<S>& rows) {
        INFO(name);
        const auto fitted = policy.fit(untoward::statistics::columns(rows), 5);
        const Answer answer = evaluate(fitted, Matrix<S>(rows.leftCols(std::min<Index>(rows.cols(), 200))));
        CHECK(answer.scores.allFinite());
        CHECK(answer.contributions.allFinite());
        const auto other = policy.fit(untoward::statistics::columns(rows), 5);
        CHECK(are_equal(scores_of(other, rows), scores_of(fitted, rows)));
    };
    const Matrix<S> rows = normal_rows<S>(6, 90, 3);
    check("plain", rows);
    check("one row", rows.leftCols(1));
    check("fewer rows than columns", rows.leftCols(4));
    check("one column", rows.topRows(1));
    check("one row again and again", rows.col(0).replicate(1, 70));
    check("rows twice", rows.replicate(1, 2));
    Matrix<S> changed = rows;
    changed.row(2).setConstant(S(7));
    changed.row(4).setZero();
    check("constant columns", changed);
    check("nothing varies", Matrix<S>::Constant(6, 90, S(-2.5)));
    check("a huge offset", (rows.array() + S(1e5)).matrix());
    changed = rows;
    changed.row(1) = 2 * changed.row(0) - changed.row(3);
    check("a column that others determine", changed);
    changed = rows;
    changed.row(0) *= S(1e6);
    changed.row(1) *= S(1e-6);
    check("units apart", changed);
    // What is no number is passed over.
    Matrix<S> with_gaps(6, 93);
    with_gaps << normal_rows<S>(6, 3, 4), rows;
    with_gaps(1, 0) = std::numeric_limits<S>::quiet_NaN();
    with_gaps(5, 1) = std::numeric_limits<S>::infinity();
    with_gaps(0, 2) = -std::numeric_limits<S>::infinity();
    const auto fitted = policy.fit(untoward::statistics::columns(with_gaps), 5);
    const auto plain = policy.fit(untoward::statistics::columns(rows), 5);
    CHECK(are_equal(scores_of(fitted, rows), scores_of(plain, rows)));
    const auto nothing = policy.fit(untoward::statistics::columns(Matrix<S>(6, 0)), 5);
    CHECK(!scores_of(nothing, rows).hasNaN());
}

}  // namespace untoward_test
