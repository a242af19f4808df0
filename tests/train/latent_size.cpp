// SPDX-License-Identifier: MIT
// The search for the latent size: what it tries, what it chooses of known data, and which rows it looks at.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/latent_size.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

// Says that it has no noise where it is told to: one model for all tests, which compiles once.
struct Units : Latent<> {
    bool without_noise = false;
    [[nodiscard]] bool holds_deterministic() const { return without_noise; }
};
using Layer = Dense<Dynamic, Identity>;  // as linear as the data
using Model = Vae<Vec<>, Encoder<Layer>, Units, Decoder<Layer>, Gaussian>;
using ModelRecipe = Recipe<StandardScaler, Model, NegativeElbo, Conformal>;
using Make = std::function<ModelRecipe(Index)>;
const Conformal threshold{.false_alarm_rate = 0.05};

Make recipe_for(Index features, bool without_noise = false) {
    return [=](Index units) {
        return ModelRecipe{StandardScaler{},
                           Model{Vec<>(features),
                                 Encoder<Layer>(Layer(24)),
                                 {Latent<>(units), without_noise},
                                 Decoder<Layer>(Layer(24)),
                                 {}},
                           NegativeElbo{}, threshold};
    };
}

FitOptions steps(Index n) {
    FitOptions options{.seed = 5};
    options.training.min_steps = options.training.max_steps = n;
    options.training.batch = 64;
    return options;
}

// Every feature is a mixture of so many factors, and noise of a third of a standard deviation.
Eigen::MatrixXf of_factors(Index factors, Index features, Index n) {
    RandomStream stream(3, 7);
    Eigen::MatrixXf loadings(features, factors);
    for (float& loading : loadings.reshaped()) loading = stream.normal();
    Eigen::MatrixXf rows(features, n);
    for (Index j = 0; j < n; ++j) {
        Eigen::VectorXf z(factors);
        for (float& unit : z) unit = stream.normal();
        rows.col(j).noalias() = loadings * z;
        for (float& value : rows.col(j)) value += 0.3f * stream.normal();
    }
    return rows;
}

}  // namespace

TEST_CASE("latent size: the rule of thumb, and the ladder around it") {
    CHECK(usual_latent_size(1) == 1);
    CHECK(usual_latent_size(12) == 2);
    CHECK(latent_sizes_to_try(1) == std::vector<Index>{1});
    CHECK(latent_sizes_to_try(6) == std::vector<Index>{1, 2, 4});
    CHECK(latent_sizes_to_try(12) == std::vector<Index>{2, 4, 8});
    CHECK(latent_sizes_to_try(100) == std::vector<Index>{2, 4, 8, 16});
    CHECK(latent_sizes_to_try(5000) == std::vector<Index>{2, 4, 8, 16, 32, 64});
    for (Index features = 20; features < 1280; ++features) {
        const Index usual = usual_latent_size(features);
        const auto sizes = latent_sizes_to_try(features);
        REQUIRE(usual <= features / 10);
        REQUIRE(20 * usual >= features - 20);
        REQUIRE(std::find(sizes.begin(), sizes.end(), usual) != sizes.end());
    }
}

TEST_CASE("latent size: the rule of one standard error, on losses made by hand") {
    // 18 of 20 rows count, whose mean is 2: the last two are badly off whatever the size. They are taken for 3s in
    // the error of that mean: 9 times 1 and 11 times 3 have a mean of 2.1, and squared deviations of 19.8.
    std::vector<double> best(20, 1.0);
    for (std::size_t i = 9; i < 18; ++i) best[i] = 3;
    best[18] = 1e9;
    best[19] = std::numeric_limits<double>::infinity();
    const double error = std::sqrt(19.8 / 19 / 20) * 20 / 18;
    const auto worse_by = [&best](double loss) {
        std::vector<double> losses = best;
        for (double& one : losses) one += loss;
        return losses;
    };
    const std::vector<std::size_t> one(20, 0);
    const auto far = detail::choose_latent_size(
        {1, 2, 4, 8}, {worse_by(2), worse_by(1.01 * error), best, worse_by(0.01)}, one);
    CHECK(far.chosen == 4);
    CHECK(far.best == 4);
    CHECK(far.validation_rows == 20);
    CHECK(far.rows_that_count == 18);
    CHECK(far.training_chance == 0);
    CHECK(far.of(4).bound == Approx(-2));
    CHECK(far.of(4).standard_error == Approx(error));

    // In two trainings, the second size is 1 better and then 1 worse than it is on the average.
    auto uneven = worse_by(0.9);
    std::vector<std::size_t> two(20, 0);
    for (std::size_t j = 0; j < 20; ++j) {
        two[j] = j % 2;
        uneven[j] += j % 2 == 0 ? 1 : -1;
    }
    two.back() = 1;
    const auto chance = detail::choose_latent_size({1, 2}, {uneven, best}, two);
    CHECK(chance.training_chance == Approx(1));  // (+-1/2)^2 in each of 4, 1 degree of freedom
    CHECK(chance.of(2).standard_error == Approx(std::sqrt(error * error + 0.5)));
    CHECK(chance.of(2).bound == Approx(-2));
    CHECK(chance.of(1).bound == Approx(-2.9));
    CHECK(chance.best == 2);
    CHECK(chance.chosen == 2);
    for (double& loss : uneven) loss -= 0.3;
    CHECK(detail::choose_latent_size({1, 2}, {uneven, best}, two).chosen == 1);
    CHECK(detail::choose_latent_size({1, 2}, {uneven, best}, one).chosen == 2);

    const auto near = detail::choose_latent_size(
        {1, 2, 4, 8}, {worse_by(1.01 * error), worse_by(0.99 * error), worse_by(0.1), best}, one);
    CHECK(near.chosen == 2);
    CHECK(near.best == 8);
    CHECK_THAT(near.verdict(), ContainsSubstring("2 latent units, 0 active: the smallest ") &&
                                   ContainsSubstring("of the best, which has 8"));
    CHECK_THAT(near.lines().at(1), ContainsSubstring("2 latent units: ") && ContainsSubstring("chosen"));
    CHECK_THROWS_WITH(near.of(3), ContainsSubstring("3 was not tried"));
    // What else there is to say of a choice.
    LatentSizeReport told{.chosen = 8, .best = 8, .usual = 2, .tried = {{.size = 4}, {.size = 8}}};
    CHECK_THAT(told.verdict(), ContainsSubstring("look independent"));
    told.tried[1].active_units = 3;
    CHECK_THAT(told.verdict(), ContainsSubstring("; 4 would have room"));
    told.tried[1].active_units = 7;
    CHECK_THAT(told.verdict(), ContainsSubstring("larger ones were not tried"));
    // A size with a bound that is not finite loses; where all have one, there is no choice.
    auto lost = best;
    lost[3] = std::numeric_limits<double>::infinity();
    CHECK(detail::choose_latent_size({1, 2}, {lost, best}, one).chosen == 2);
    const std::vector<double> none(20, std::numeric_limits<double>::infinity());
    CHECK_THROWS_WITH(detail::choose_latent_size({1, 2}, {none, none}, one), ContainsSubstring("finite"));
}

TEST_CASE("latent size: three factors in 12 columns are found") {
    const Eigen::MatrixXf rows = of_factors(3, 12, 1500);
    const auto found = search_latent_size(recipe_for(12), rows, steps(1000), {8, 4, 3, 2, 1, 3});
    for (const std::string& line : found.lines()) UNSCOPED_INFO(line);
    INFO(found.verdict());
    REQUIRE(found.tried.size() == 5);
    CHECK((found.chosen == 3 || found.chosen == 4));
    CHECK(found.of(1).active_units == 1);
    CHECK(found.of(2).active_units == 2);
    CHECK(found.of(found.chosen).active_units == 3);
    CHECK(found.of(2).bound < found.of(found.best).bound - 5 * found.of(found.best).standard_error);
    CHECK(found.usual == 2);
    CHECK(found.training_chance > 0.05);
    CHECK(found.training_chance < 0.3);
    const auto rest = static_cast<Index>(calibration_split(threshold, 1500, 5).rest.size());
    CHECK(found.validation_rows == 3 * rest / 5);
}

TEST_CASE("latent size: independent noise needs the smallest; the calibration rows are not looked at") {
    Eigen::MatrixXf rows(12, 600);
    fill_normal(rows.data(), rows.size(), {.seed = 4});
    const auto found = search_latent_size(recipe_for(12), rows, steps(600));
    INFO(found.verdict());
    CHECK(found.chosen == 2);
    CHECK(found.tried.back().size == 8);

    const CalibrationSplit split = calibration_split(threshold, rows.cols(), 5);
    Eigen::MatrixXf others = rows;
    for (const Index j : split.calibration) others.col(j).setConstant(j % 2 == 0 ? 1e20f : -3e35f);
    CHECK(search_latent_size(recipe_for(12), others, steps(600)).lines() == found.lines());
    // The others are: the first of them judges, once.
    others.col(split.rest.front()).setConstant(0);
    const auto changed = search_latent_size(recipe_for(12), others, steps(600));
    CHECK(changed.lines() != found.lines());
}

TEST_CASE("latent size: what cannot be searched is refused") {
    const Eigen::MatrixXf rows = untoward_test::correlated(6, 200, 2);
    const auto search = [&](const Make& make, Index n, std::vector<Index> sizes) {
        return search_latent_size(make, Eigen::MatrixXf(rows.leftCols(n)), steps(5), std::move(sizes));
    };
    CHECK_THROWS_WITH(search(recipe_for(6), 60, {2}),
                      ContainsSubstring("needs 50 rows beside 19 for calibration; there are 41"));
    CHECK_THROWS_WITH(search(recipe_for(6), 200, {4, 0}), ContainsSubstring("not 0"));
    CHECK_THROWS_WITH(search(recipe_for(5), 200, {2}), ContainsSubstring("expects 5"));
    CHECK_THROWS_WITH(
        search([](Index) { return recipe_for(6)(3); }, 200, {3, 4}),
        ContainsSubstring("asked for a recipe of 4 latent units") && ContainsSubstring("got one of 3"));
    CHECK_THROWS_WITH(search(recipe_for(6, true), 200, {2}), ContainsSubstring("without noise"));
    auto wild = steps(5);
    wild.training.learning_rate = ConstantSchedule{.peak = 1e30};
    CHECK_THROWS_WITH(search_latent_size(recipe_for(6), rows, wild, {2}),
                      ContainsSubstring("latent size 2: training step"));
}
