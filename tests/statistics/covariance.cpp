// SPDX-License-Identifier: MIT
#include "untoward/statistics/covariance.hpp"

#include "statistics/fitted.hpp"
#include "support/allocation.hpp"

using namespace untoward;
using namespace untoward_test;
using statistics::columns;
using statistics::Mahalanobis;

TEST_CASE("symmetric matrices: factor, inverse and eigenvectors put the matrix together again") {
    for (const Index n : {1, 2, 3, 17, 60, 101}) {
        INFO(n);
        const Eigen::MatrixXd half = normal_rows(2 * n + 1, n, 9);
        const Eigen::MatrixXd a = transposed_times(half, half);
        Eigen::MatrixXd l = a;
        statistics::detail::cholesky(l);
        CHECK(largest_difference(times(l, l.transpose()), a) < 1e-12);
        CHECK(l.isLowerTriangular(0));
        const Eigen::MatrixXd u = statistics::detail::inverse_transposed(l);
        CHECK(transposed_times(u, l).isIdentity(1e-10));
        Eigen::MatrixXd q = a;
        const Eigen::VectorXd values = statistics::detail::eigenvectors(q);
        CHECK(transposed_times(q, q).isIdentity(1e-12));
        CHECK(largest_difference(times(a, q), times(q, Eigen::MatrixXd(values.asDiagonal()))) < 1e-11);
        for (Index i = 1; i < n; ++i) CHECK(values[i] <= values[i - 1]);
    }
    // Equal eigenvalues, and zeros.
    Eigen::MatrixXd ones = Eigen::MatrixXd::Ones(5, 5);
    const Eigen::VectorXd values = statistics::detail::eigenvectors(ones);
    CHECK(values[0] == Approx(5));
    CHECK(values.tail(4).norm() < 1e-14);
    CHECK(transposed_times(ones, ones).isIdentity(1e-14));
    Eigen::MatrixXd zero = Eigen::MatrixXd::Zero(4, 4);
    CHECK(statistics::detail::eigenvectors(zero).norm() == 0);
    CHECK(zero.isIdentity());
    Eigen::MatrixXd singular = Eigen::MatrixXd::Ones(3, 3);
    statistics::detail::cholesky(singular);
    CHECK(statistics::detail::inverse_transposed(singular).allFinite());
}

TEST_CASE("Mahalanobis: distances keep their promises") {
    const auto rows = normal_rows<float>(5, 300, 1);
    check_promises(Mahalanobis{}.fit(columns(rows)), normal_rows<float>(5, 260, 2));
    check_hard_rows<float>(Mahalanobis{});
    check_hard_rows<float>(Mahalanobis{.shrink = false});
}

TEST_CASE("Mahalanobis: contributions add up, and a feature apart from the others has its own square") {
    Eigen::MatrixXd rows = normal_rows(4, 4000, 11);
    rows.row(1) += 0.8 * rows.row(0);
    const auto fitted = Mahalanobis{.shrink = false, .floor = 0}.fit(columns(rows));
    const auto answer = evaluate(fitted, normal_rows(4, 40, 12));
    for (Index j = 0; j < 40; ++j) CHECK(answer.contributions.col(j).sum() == Approx(answer.scores[j]));
    // The last feature is nearly independent: d^2 / variance.
    Eigen::MatrixXd sample = statistics::covariance(columns(rows)).mean;
    sample(3) += 5;
    const auto moved = evaluate(fitted, sample);
    CHECK(moved.contributions(3) == Approx(25).epsilon(0.1));
    CHECK(moved.contributions.topRows(3).norm() < 1e-9);
}

TEST_CASE("Mahalanobis: without shrinkage no linear map of the features matters") {
    const Eigen::MatrixXd rows = normal_rows(3, 200, 21);
    const Eigen::MatrixXd others = normal_rows(3, 50, 22);
    Eigen::Matrix3d map;
    map << 2, 1, 0, -1, 40, 3, 0, 0.5, 0.125;
    const auto moved = [&](const Eigen::MatrixXd& x) -> Eigen::MatrixXd {
        return times(map, x).colwise() + Eigen::Vector3d(100, -3, 1e4);
    };
    const Mahalanobis plain{.shrink = false, .floor = 0};
    const auto fitted = plain.fit(columns(rows));
    const auto mapped_fit = plain.fit(columns(moved(rows)));
    CHECK(largest_difference(scores_of(mapped_fit, moved(others)), scores_of(fitted, others)) < 1e-8);
    CHECK(mapped_fit.log_determinant() == Approx(fitted.log_determinant() + 2 * std::log(7.125)));
    // With it, no rotation and no scale does.
    Eigen::Matrix3d turn;
    turn << 0, 0, 1, 0.6, 0.8, 0, -0.8, 0.6, 0;
    const Eigen::MatrixXd few = rows.leftCols(8);
    const auto shrunk = scores_of(Mahalanobis{}.fit(columns(few)), others);
    CHECK(largest_difference(
              scores_of(Mahalanobis{}.fit(columns(times(1000 * turn, few))), times(1000 * turn, others)),
              shrunk) < 1e-9);
}

TEST_CASE("Mahalanobis: normal rows are chi-squared; an offset costs float no more than its own digits") {
    const auto rows = normal_rows<float>(5, 20000, 31);
    const Eigen::MatrixXf others = normal_rows<float>(5, 20000, 32);
    const auto scores = scores_of(Mahalanobis{}.fit(columns(rows)), others);
    const double mean = scores.mean();
    CHECK(mean == Approx(5).epsilon(0.02));
    CHECK((scores.array() - mean).square().mean() == Approx(10).epsilon(0.06));
    const auto offset = [](const Eigen::MatrixXf& x) -> Eigen::MatrixXf { return x.array() + 4096.0F; };
    const auto shifted = scores_of(Mahalanobis{}.fit(columns(offset(rows))), offset(others));
    CHECK(largest_difference(shifted, scores) < 4e-3);
}

TEST_CASE("Mahalanobis: scoring allocates nothing, and the arena is known at compile time") {
    static_assert(statistics::MahalanobisSizes{.features = 30}.arena_bytes<float>(1) <= 3 * 128);
    static_assert(statistics::MahalanobisSizes{.features = 30}.arena_bytes<float>(128) ==
                  statistics::MahalanobisSizes{.features = 30}.arena_bytes<float>(100000));
    const auto rows = normal_rows<float>(30, 200, 1);
    const auto fitted = Mahalanobis{}.fit(columns(rows));
    Buffer<std::byte> memory(static_cast<Index>(fitted.arena_bytes(200)));
    Eigen::VectorXf scores(200);
    Eigen::MatrixXf contributions(30, 200);
    const AllocationCount count;
    Arena arena(memory);
    fitted.evaluate(columns(rows), arena, scores.data(), contributions.data());
    CHECK(count.since() == 0);
}
