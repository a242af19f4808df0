// SPDX-License-Identifier: MIT
#include "untoward/train/train.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "support/catch.hpp"
#include "untoward/core/random.hpp"
#include "untoward/train/latent_report.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr Index features = 3;

/// A layer that does nothing but remember the first feature of every sample that is recorded, which here is
/// the number of its row.
struct Remember {
    std::vector<Index>* rows = nullptr;

    template <class Scope, class X>
    constexpr auto operator()(Scope&, const X& x) const {
        if constexpr (requires { x.gradient(); }) {
            for (Index j = 0; rows != nullptr && j < x.batch(); ++j)
                rows->push_back(std::lround(x.value()(0, j)));
        }
        return x;
    }
};

using Model =
    Vae<Vec<features>, Encoder<Remember, Dense<4, Tanh>>, Latent<2>, Decoder<Dense<4, Tanh>>, Gaussian>;
using Matrix = Eigen::MatrixXf;

Model model_of(std::vector<Index>* rows = nullptr) {
    return {{}, {Remember{rows}, Dense<4, Tanh>{}}, {}, Decoder<Dense<4, Tanh>>{}, {}};
}

Buffer<float> first_parameters(std::uint64_t seed = 1) {
    Buffer<float> parameters(measure(Model{}, Vec<features>{}).scalars);
    initialise(parameters.data(), seed, Model{}, Vec<features>{});
    return parameters;
}

Matrix normal_rows(Index n, std::uint64_t seed) {
    Matrix rows(features, n);
    fill_normal(rows.data(), rows.size(), {.seed = seed});
    rows.row(1) = 0.9f * rows.row(0) + 0.1f * rows.row(1);
    return rows;
}

/// What was trained on, and with what: 0.05 rather than the default, to see things happen in few steps.
TrainingOptions options_of(Index steps, Index batch = 32) {
    return {.min_steps = steps,
            .max_steps = steps,
            .batch = batch,
            .learning_rate = CosineSchedule{.peak = 0.05},
            .evaluations = 10,
            .seed = 3};
}

struct Trained {
    Buffer<float> parameters = first_parameters();
    TrainingReport report;
    double held_out = 0;  ///< evaluated afterwards
    Index planned = 0;
};
Trained train(const Matrix& rows, const Matrix& held_out, const TrainingOptions& options,
              std::vector<Index>* seen = nullptr, Buffer<float> parameters = first_parameters()) {
    Trained result{std::move(parameters), {}};
    Trainer<float, Model> trainer(model_of(seen), result.parameters, rows, options);
    result.planned = trainer.planned_steps();
    result.report = trainer.run(held_out);
    result.held_out = trainer.evaluate(held_out.cols() > 0 ? held_out : rows);
    return result;
}

bool same_bits(const Buffer<float>& a, const Buffer<float>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

TEST_CASE("trainer: batches are full, and no row is used once more than another") {
    for (const auto& [n, batch] :
         {std::pair<Index, Index>{10, 4}, {7, 7}, {5, 128}, {9, 1}, {13, 8}, {1, 16}}) {
        INFO(n << " rows, batches of " << batch);
        Matrix rows = normal_rows(n, 1);
        for (Index j = 0; j < n; ++j) rows(0, j) = static_cast<float>(j);
        std::vector<Index> seen;
        TrainingOptions options = options_of(0, batch);
        options.epochs = 6;
        options.learning_rate = CosineSchedule{.peak = 1e-3};
        const Trained trained = train(rows, Matrix(features, 0), options, &seen);
        const Index used = std::min(n, batch);
        REQUIRE(trained.planned == 6 * ((n + used - 1) / used));
        REQUIRE(trained.report.steps == trained.planned);
        REQUIRE(static_cast<Index>(seen.size()) == trained.planned * used);
        // Each run of n rows, wherever batches end, is a permutation of all.
        bool orders_differ = n < 5;
        for (std::size_t begin = 0; begin + static_cast<std::size_t>(n) <= seen.size();
             begin += static_cast<std::size_t>(n)) {
            std::vector<Index> pass(seen.begin() + static_cast<std::ptrdiff_t>(begin),
                                    seen.begin() + static_cast<std::ptrdiff_t>(begin) + n);
            orders_differ = orders_differ || !std::equal(pass.begin(), pass.end(), seen.begin());
            std::sort(pass.begin(), pass.end());
            for (Index i = 0; i < n; ++i) REQUIRE(pass[static_cast<std::size_t>(i)] == i);
        }
        REQUIRE(orders_differ);
    }
}

TEST_CASE("trainer: how many steps are planned") {
    const auto planned = [](Index n, const TrainingOptions& options) {
        const Matrix rows = normal_rows(n, 1);
        Buffer<float> parameters = first_parameters();
        return Trainer<float, Model>(model_of(), parameters, rows, options).planned_steps();
    };
    TrainingOptions options{.min_steps = 100, .max_steps = 300, .batch = 10};
    REQUIRE(planned(20, options) == 100);  // 20 passes are 40
    REQUIRE(planned(95, options) == 200);
    REQUIRE(planned(5000, options) == 300);
    options.epochs = 3;
    REQUIRE(planned(95, options) == 30);
    REQUIRE(planned(3, options) == 3);
    options.epochs = 100;
    REQUIRE(planned(95, options) == 300);
}

TEST_CASE("trainer: it learns, and keeps the parameters that were best on the rows held out") {
    const Matrix rows = normal_rows(400, 1);
    const Matrix held_out = normal_rows(200, 2);
    const Trained trained = train(rows, held_out, options_of(400));
    const auto& report = trained.report;
    REQUIRE(trained.held_out == report.loss);
    REQUIRE(report.held_out_losses.size() == report.training_losses.size());
    REQUIRE(report.best_step > 0);
    REQUIRE(report.best_step <= report.steps);
    // From the ramp's end on; 40 steps a stretch.
    const auto first = report.held_out_losses.begin() + 2;
    REQUIRE(report.loss == *std::min_element(first, report.held_out_losses.end()));
    REQUIRE(report.held_out_losses[static_cast<std::size_t>(report.best_step / 40 - 1)] == report.loss);
    const Trained untrained = train(rows, held_out, [] {
        auto options = options_of(1);
        options.learning_rate = CosineSchedule{.peak = 0};
        return options;
    }());
    REQUIRE(report.loss < untrained.report.loss - 0.5);
}

TEST_CASE("trainer: stops early when the held-out loss rises, and restores the best") {
    // Rows to learn by heart, and others of another kind: what is learned only hurts there.
    const Matrix rows = normal_rows(8, 1).array() * 0.1f + 3;
    const Matrix held_out = -rows;
    auto options = options_of(2000, 8);
    options.evaluations = 100;
    options.patience = 5;
    options.beta = LinearBeta{.ramp = 0};
    const Trained trained = train(rows, held_out, options);
    REQUIRE(trained.report.stopped_early);
    REQUIRE(trained.report.steps < 2000);
    REQUIRE(trained.report.steps == trained.report.best_step + 5 * 20);
    REQUIRE(trained.held_out == trained.report.loss);
    REQUIRE(trained.report.held_out_losses.back() > trained.report.loss);
    // With nothing held out, the training rows are asked and nothing stops.
    options.min_steps = options.max_steps = 200;
    const Trained all = train(rows, Matrix(features, 0), options);
    REQUIRE_FALSE(all.report.stopped_early);
    REQUIRE(all.report.steps == 200);
    REQUIRE(all.held_out == all.report.loss);
}

TEST_CASE("trainer: a ramp that never ends, or no ramp: the report has a loss all the same") {
    for (const double ramp : {0.0, 1.0}) {
        auto options = options_of(50);
        options.beta = LinearBeta{.ramp = ramp};
        const Trained trained = train(normal_rows(50, 1), normal_rows(50, 2), options);
        REQUIRE(std::isfinite(trained.report.loss));
        REQUIRE(trained.held_out == trained.report.loss);
        if (ramp == 1) REQUIRE(trained.report.best_step == 50);
    }
}

TEST_CASE("trainer: the same seed gives the same bits, another seed others") {
    const Matrix rows = normal_rows(100, 1);
    auto options = options_of(30);
    const Trained a = train(rows, Matrix(features, 0), options);
    const Trained b = train(rows, Matrix(features, 0), options);
    options.seed = 4;
    const Trained c = train(rows, Matrix(features, 0), options);
    REQUIRE(same_bits(a.parameters, b.parameters));
    REQUIRE(a.report.loss == b.report.loss);
    REQUIRE_FALSE(same_bits(a.parameters, c.parameters));
}

TEST_CASE("trainer: what cannot train says so") {
    REQUIRE_THROWS_WITH(train(Matrix(features, 0), Matrix(features, 0), options_of(10)),
                        ContainsSubstring("at least one row"));
    auto options = options_of(10);
    options.min_steps = 11;
    REQUIRE_THROWS_WITH(train(normal_rows(5, 1), Matrix(features, 0), options),
                        ContainsSubstring("max_steps is 10, expected 11 or more"));
    REQUIRE_THROWS_WITH(
        train(normal_rows(5, 1), Matrix(features, 0), options_of(10), nullptr, Buffer<float>(3)),
        ContainsSubstring("has 3 values"));
}

TEST_CASE("trainer: samples of another number of features are refused, wherever they are given") {
    const auto says = "the model expects 3";
    const Matrix right = normal_rows(5, 1), wrong = Matrix::Zero(2, 5);
    CHECK_THROWS_WITH(train(wrong, Matrix(features, 0), options_of(10)), ContainsSubstring(says));
    CHECK_THROWS_WITH(train(right, wrong, options_of(10)), ContainsSubstring(says));
    CHECK_THROWS_WITH(train(normal_rows(5, 1).transpose(), right, options_of(10)),
                      ContainsSubstring("was it transposed?"));
    Buffer<float> parameters = first_parameters();
    const Trainer<float, Model> trainer(model_of(), parameters, right, options_of(10));
    CHECK_THROWS_WITH(trainer.evaluate(wrong), ContainsSubstring(says));
    CHECK_THROWS_WITH(inspect_latent(model_of(), parameters.data(), wrong), ContainsSubstring(says));
}

TEST_CASE("trainer: a number that is not finite is an error that names step and layer") {
    const Matrix rows = normal_rows(50, 1);
    const Matrix none(features, 0);
    describe(
        [&](const ParameterInfo& info) {
            Buffer<float> parameters = first_parameters();
            parameters[info.offset] = std::numeric_limits<float>::quiet_NaN();
            const std::string path = info.path;
            const std::string layer = path.substr(0, path.rfind('.'));
            INFO(path);
            REQUIRE_THROWS_WITH(train(rows, none, options_of(10), nullptr, parameters),
                                ContainsSubstring("step 1:") && ContainsSubstring("layer " + layer) &&
                                    ContainsSubstring("not finite"));
        },
        Model{}, Vec<features>{});

    for (const double rate : {1e22, 1e30, 1e300}) {
        INFO("learning rate " << rate);
        auto options = options_of(100);
        options.learning_rate = CosineSchedule{.peak = rate};
        REQUIRE_THROWS_WITH(train(rows, none, options), ContainsSubstring("training step ") &&
                                                            ContainsSubstring("is not finite") &&
                                                            ContainsSubstring("learning rate"));
    }
    // The last step is looked at, too.
    auto options = options_of(1);
    options.learning_rate = CosineSchedule{.peak = 1e300};
    REQUIRE_THROWS_WITH(train(rows, none, options),
                        ContainsSubstring("training step 1: parameter encoder.1.weight is not finite"));
    options = options_of(20);
    options.max_gradient_norm = 0;  // no clipping
    REQUIRE(std::isfinite(train(rows, none, options).report.loss));
}

TEST_CASE("trainer: the loss that chooses is the mean over the nine tenths of rows that fit best") {
    const Matrix rows = normal_rows(20, 1);
    Buffer<float> parameters = first_parameters();
    const Trainer<float, Model> trainer(model_of(), parameters, rows, options_of(10));
    std::vector<double> losses;
    for (Index j = 0; j < rows.cols(); ++j) losses.push_back(trainer.evaluate(rows.col(j)));
    std::sort(losses.begin(), losses.end());
    double mean = 0;
    for (std::size_t i = 0; i < 18; ++i) mean += losses[i] / 18;
    REQUIRE(trainer.evaluate(rows) == Approx(mean).epsilon(1e-5));
    // So a few wild rows change little, and rows without a number as little.
    Matrix wild = rows;
    wild.col(3).setConstant(1000);
    REQUIRE(trainer.evaluate(wild) < 2 * std::abs(mean));
    wild.col(4).setConstant(std::numeric_limits<float>::quiet_NaN());
    REQUIRE(trainer.evaluate(wild) < 2 * std::abs(mean));
    wild.middleCols(5, 2).setConstant(std::numeric_limits<float>::quiet_NaN());
    REQUIRE_FALSE(std::isfinite(trainer.evaluate(wild)));
    REQUIRE(trainer.evaluate(Matrix(features, 0)) == 0);
}
