// SPDX-License-Identifier: MIT
// scikit-learn's numbers: tests/reference/statistics.py.
#include "reference/statistics.hpp"

#include "statistics/fitted.hpp"
#include "untoward/statistics/expectation_maximisation.hpp"
#include "untoward/statistics/neighbours.hpp"
#include "untoward/statistics/principal_components.hpp"

using namespace untoward;
using namespace untoward_test;
using namespace untoward::statistics;

TEST_CASE("covariance: LedoitWolf's amount, covariance and distances") {
    for (const auto& c : reference::covariances) {
        CAPTURE(c.rows, c.features);
        const Eigen::MatrixXd rows = matrix_of(c.data, c.features);
        REQUIRE(rows.cols() == c.rows);
        const Covariance found = covariance(columns(rows));
        CHECK(found.shrinkage == Approx(c.shrinkage).epsilon(1e-11));
        CHECK(largest_difference(found.mean, matrix_of(c.location, c.features)) < 1e-12);
        CHECK(largest_difference(found.matrix, matrix_of(c.covariance, c.features)) < 1e-11);
        // Of two rows each is S itself: no shrinkage, a singular S, and theirs is a pseudoinverse.
        if (c.rows <= 2) continue;
        const Mahalanobis policy{.floor = 0};
        const Eigen::MatrixXd queries = matrix_of(c.queries, c.features);
        CHECK(largest_difference(scores_of(policy.fit(columns(rows)), queries),
                                 matrix_of(c.squared_distances, 4)) < 1e-9);
        CHECK(largest_difference(scores_of(policy.fit(columns(Eigen::MatrixXf(rows.cast<float>()))),
                                           Eigen::MatrixXf(queries.cast<float>())),
                                 matrix_of(c.squared_distances, 4)) < 1e-3);
    }
}

TEST_CASE("neighbours: distances to each of the first five") {
    const Eigen::MatrixXd rows = matrix_of(reference::neighbours_rows, 4);
    const Eigen::MatrixXd queries = matrix_of(reference::neighbours_queries, 4);
    const auto distances = matrix_of(reference::neighbours_distances, 5);
    const auto among_others = matrix_of(reference::neighbours_among_others, 5);
    for (Index k = 1; k <= 5; ++k) {
        const auto fitted = Neighbours{.k = k}.fit(columns(rows));
        // Theirs are from products, and wrong by about 1e-7 where they should be zero.
        CHECK(largest_difference(scores_of(fitted, queries), distances.row(k - 1).transpose()) < 1e-6);
        CHECK(largest_difference(scores_of(fitted, rows, true), among_others.row(k - 1).transpose()) < 1e-6);
    }
}

TEST_CASE("mixture: densities and BIC of given parameters, and where EM goes from there") {
    const Eigen::MatrixXd rows = matrix_of(reference::mixture_rows, 3);
    const Eigen::MatrixXd queries = matrix_of(reference::mixture_queries, 3);
    const Eigen::VectorXd weights = matrix_of(reference::mixture_weights, 3);
    const Eigen::MatrixXd means = matrix_of(reference::mixture_means, 3);
    for (const bool full : {true, false}) {
        const Eigen::MatrixXd shapes =
            matrix_of(full ? reference::mixture_full : reference::mixture_diagonal, 3);
        const auto given = gaussian_mixture<double>(weights, means, shapes, full);
        const auto& scores = full ? reference::mixture_full_scores : reference::mixture_diag_scores;
        CHECK(largest_difference(scores_of(given, queries), matrix_of(scores, 8)) < 1e-12);

        statistics::detail::MixtureFit<double> em(rows, 0);
        const auto& start =
            full ? reference::mixture_full_mean_and_bic : reference::mixture_diag_mean_and_bic;
        (void)em.run(given, 0, 0);
        CHECK(em.log_likelihood / 150 == Approx(start[0]).epsilon(1e-12));
        CHECK(em.bic(given.sizes) == Approx(start[1]).epsilon(1e-12));

        const auto fitted = em.run(given, 5000, 1e-13);
        const auto& end =
            full ? reference::mixture_full_fitted_mean_and_bic : reference::mixture_diag_fitted_mean_and_bic;
        CHECK(em.log_likelihood / 150 == Approx(end[0]).epsilon(1e-10));
        CHECK(em.bic(fitted.sizes) == Approx(end[1]).epsilon(1e-10));
        const auto& found =
            full ? reference::mixture_full_fitted_scores : reference::mixture_diag_fitted_scores;
        CHECK(largest_difference(scores_of(fitted, queries), matrix_of(found, 8)) < 1e-5);
        const auto& centres =
            full ? reference::mixture_full_fitted_means : reference::mixture_diag_fitted_means;
        CHECK(largest_difference(fitted.means, matrix_of(centres, 9)) < 1e-5);
    }
}

TEST_CASE("components: how many are kept, squared errors, standardised scores") {
    const PrincipalComponents kept{.explained = 0.9};
    const Eigen::MatrixXd tall = matrix_of(reference::components_tall_rows, 6);
    const Eigen::MatrixXd tall_queries = matrix_of(reference::components_tall_queries, 6);
    const auto fitted = kept.fit(columns(tall));
    CHECK(fitted.sizes.components == reference::components_tall_kept);
    CHECK(largest_difference(scores_of(fitted, tall_queries),
                             matrix_of(reference::components_tall_errors, 5)) < 1e-11);
    const PrincipalComponents all{.score = ComponentScore::standardised};
    CHECK(largest_difference(scores_of(all.fit(columns(tall)), tall_queries),
                             matrix_of(reference::components_tall_standardised, 5)) < 1e-9);

    const Eigen::MatrixXd wide = matrix_of(reference::components_wide_rows, 6);
    const Eigen::MatrixXd wide_queries = matrix_of(reference::components_wide_queries, 6);
    const auto few = kept.fit(columns(wide));
    CHECK(few.sizes.components == reference::components_wide_kept);
    CHECK(largest_difference(scores_of(few, wide_queries), matrix_of(reference::components_wide_errors, 5)) <
          1e-11);
}
