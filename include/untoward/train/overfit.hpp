// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "../autodiff/initialiser.hpp"
#include "train.hpp"

namespace untoward UNTOWARD_SETTING {

/// How a model is tried on one batch.
struct OverfitOptions {
    Index batch = 32;     ///< rows of it, the first ones
    Index steps = 1000;   ///< at most
    double margin = 0.1;  ///< nats per feature by which -ELBO has to fall
    AnyOptimiser optimiser = Adam{};
    double learning_rate = automatic;
    double tolerance = 1e-3;  ///< relative, of the slope that the gradient promises
    bool check_gradient =
        true;  ///< false for losses with a stopped gradient, whose slope is another on purpose
    std::uint64_t seed = 0;

    static constexpr const char* name = "overfit-options";
    static constexpr void options(auto& self, auto&& visit) {
        visit("batch", self.batch, at_least(1));
        visit("steps", self.steps, at_least(1));
        visit("margin", self.margin, any_finite());
        visit("optimiser", self.optimiser);
        visit("learning_rate", self.learning_rate, learning_rates);
        visit("tolerance", self.tolerance, at_least(0));
        visit("seed", self.seed);
    }
};

/// What came of it.
struct OverfitReport {
    Index rows = 0;
    Index steps = 0;        ///< taken
    double first_loss = 0;  ///< -ELBO of the batch, nats per sample
    double last_loss = 0;
    double margin = 0;           ///< by which it had to fall, nats per sample
    bool gradient_right = true;  ///< of every parameter, where it was checked
    std::string parameter{};     ///< the one whose gradient is furthest off
    double promised = 0;         ///< its gradient's slope along a direction
    double measured = 0;         ///< the loss's slope along it
    std::string error{};         ///< what training threw, if it did

    [[nodiscard]] bool learns() const { return error.empty() && first_loss - last_loss >= margin; }
    /// The model is sound as far as one batch can tell.
    [[nodiscard]] bool passed() const { return gradient_right && learns(); }
    /// One sentence for a person.
    [[nodiscard]] std::string verdict() const {
        char text[400];
        if (!gradient_right) {
            std::snprintf(text, sizeof text,
                          "the gradient of %s is wrong: it promises a slope of %.4g where the loss has %.4g; "
                          "check every "
                          "rule of your own between it and the loss with check_gradient",
                          parameter.c_str(), promised, measured);
        } else if (!error.empty()) {
            return "training fails: " + error;
        } else {
            std::snprintf(text, sizeof text,
                          learns() ? "the model learns: -ELBO of %lld rows fell from %.4g to %.4g nats per "
                                     "sample in %lld steps"
                                   : "the model does not learn: -ELBO of %lld rows went from %.4g to %.4g "
                                     "nats per sample in %lld "
                                     "steps; look whether the rows are scaled, and try another learning rate "
                                     "or a wider model",
                          static_cast<long long>(rows), first_loss, last_loss, static_cast<long long>(steps));
        }
        return text;
    }
};

namespace detail {

// Compares the slope that the gradient promises with the loss's own, for every trainable tensor along a
// direction of its own: half the gradient's, which no sign error survives, half random, which no missing term
// survives.
template <class S, class Model>
void check_slopes(OverfitReport& report, const Model& model, Buffer<S> parameters,
                  const Eigen::Matrix<S, Dynamic, Dynamic>& rows, const OverfitOptions& options) {
    using Sample = typename Model::SampleShape;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;
    constexpr S h{1e-6};
    const NegativeElboLoss<Model> loss{model, 1};
    const Cursor size = measure(loss, model.sample);
    // Off the first values: a bias of 0 puts what follows on kinks.
    Buffer<S> shift(size.scalars);
    fill_uniform(shift.data(), shift.size(), NoiseKey{.seed = options.seed, .site = 11});
    describe(
        [&](const ParameterInfo& info) {
            for (Index i = info.offset; i < info.offset + info.size && info.attributes.trainable; ++i)
                parameters[i] += S(0.1) * shift[i] - S(0.05);
        },
        loss, model.sample);

    std::vector<std::uint32_t> ids(static_cast<std::size_t>(rows.cols()));
    std::iota(ids.begin(), ids.end(), 0U);
    const Pass pass{.training = true, .seed = options.seed, .samples = ids.data()};
    Buffer<std::byte> memory(static_cast<Index>(count<S>(loss, rows.cols(), model.sample).record_bytes));
    Buffer<S> gradient(size.scalars);
    const auto value = [&](bool backward) {
        Arena arena(memory);
        Tape<S> tape(arena, parameters.data(), gradient.data(), size, pass);
        Record<S> scope(tape);
        const auto terms =
            loss(scope, scope.input(Tensor<const S, Sample>(rows.data(), model.sample, rows.cols())));
        if (backward) tape.backward(terms.loss);
        return static_cast<double>(terms.loss.scalar());
    };
    const double scale = (std::max)(1.0, std::abs(value(true)));

    double worst = 0;
    describe(
        [&](const ParameterInfo& info) {
            if (!info.attributes.trainable || info.size == 0) return;
            using Map = Eigen::Map<Vector>;
            const Map g(gradient.data() + info.offset, info.size);
            Map p(parameters.data() + info.offset, info.size);
            Vector direction(info.size);
            fill_normal(direction.data(), info.size, NoiseKey{.seed = options.seed, .site = info.path_hash});
            direction.normalize();
            if (g.norm() > 0) direction += g / g.norm();
            const auto promised = static_cast<double>(g.dot(direction));
            const Vector here = p;
            p = here + h * direction;
            const double above = value(false);
            p = here - h * direction;
            const double below = value(false);
            p = here;
            const double measured = (above - below) / static_cast<double>(2 * h);
            const double error = std::abs(promised - measured) /
                                 (std::max)({std::abs(promised), std::abs(measured), 1e-5 * scale});
            // Written so that a NaN is the worst of all.
            if (error <= worst) return;
            worst = error;
            report.parameter = info.path;
            report.promised = promised;
            report.measured = measured;
        },
        loss, model.sample);
    report.gradient_right = worst <= options.tolerance;
}

}  // namespace detail

/// Whether a model can learn at all: checks the gradient of every parameter against the loss, then trains on
/// the first rows (scaled, features x n) until -ELBO has fallen by the margin. A model that cannot learn one
/// small batch by heart will not learn more, and here it takes a second to see. Everything is done in double.
/// Throws Error where there is no row, or another number of features than the model's.
///
///     const auto report = untoward::overfit_one_batch(model, rows);
///     if (!report.passed()) std::puts(report.verdict().c_str());
template <class Model, class Derived>
OverfitReport overfit_one_batch(const Model& model, const Eigen::DenseBase<Derived>& rows,
                                const OverfitOptions& options = {}) {
    require_options(options);
    if (rows.rows() != model.sample.size())
        fail("the rows have ", rows.rows(), " features, the model expects ", model.sample.size());
    const Eigen::MatrixXd batch =
        rows.derived().leftCols((std::min)(options.batch, rows.cols())).template cast<double>();
    TrainingOptions training{.min_steps = options.steps,
                             .max_steps = options.steps,
                             .batch = std::max<Index>(batch.cols(), 1),
                             .optimiser = options.optimiser,
                             .learning_rate = ConstantSchedule{options.learning_rate},
                             .beta = ConstantBeta{1},
                             .seed = options.seed};
    const NegativeElboLoss<Model> loss{model, 1};
    Buffer<double> parameters(measure(loss, model.sample).scalars);
    initialise(parameters.data(), options.seed, model, model.sample);
    Trainer<double, Model> trainer(model, parameters, batch, training);

    OverfitReport report;
    report.rows = batch.cols();
    report.margin = options.margin * static_cast<double>(batch.rows());
    if (options.check_gradient) detail::check_slopes(report, model, parameters, batch, options);
    report.first_loss = report.last_loss = trainer.evaluate(batch);
    try {
        while (report.steps < options.steps && !report.learns()) {
            trainer.step(report.steps, options.steps);
            ++report.steps;
            if (report.steps % 10 == 0 || report.steps == options.steps)
                report.last_loss = trainer.evaluate(batch);
        }
    } catch (const Error& error) {
        report.error = error.what();
    }
    return report;
}

}  // namespace untoward
