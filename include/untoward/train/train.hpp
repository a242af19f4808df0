// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "../autodiff/describe.hpp"
#include "../autodiff/record.hpp"
#include "../core/error.hpp"
#include "../scores/elbo.hpp"
#include "../vae/elbo.hpp"
#include "adam.hpp"
#include "schedule.hpp"

namespace untoward {

/// Where training is, for a progress display.
struct TrainingProgress {
    Index step;      ///< steps done
    Index steps;     ///< planned
    double loss;     ///< running mean of -ELBO per sample, in nats
    double kl;       ///< running mean of its KL term
    double seconds;  ///< since the start
    bool finished;   ///< the last call
};

/// The peak learning rate for a number of features: 4e-3 up to 32 of them, then in inverse proportion to
/// their number down to 1.5e-3. One step of Adam moves every weight alike, so what it changes in a unit's
/// input grows with the number of its weights (Yang and Hu 2021): wide tables want smaller steps.
inline double default_learning_rate(Index features) {
    return std::clamp(4e-3 * 32.0 / static_cast<double>(std::max<Index>(features, 1)), 1.5e-3, 4e-3);
}

/// How to train.
struct TrainingOptions {
    Index epochs = 0;  ///< passes over the rows; 0: 20, within the next two numbers of steps
    Index min_steps = 1500;
    Index max_steps = 4000;
    Index batch = 128;  ///< rows a step; all rows where there are fewer
    CosineSchedule learning_rate{};
    BetaSchedule beta{};
    double max_gradient_norm = 1000;  ///< global-norm clipping; 0 turns it off
    Index evaluations = 40;           ///< of the held-out loss, over all of training
    Index patience = 12;              ///< evaluations without a better one before training stops
    std::uint64_t seed = 0;
    std::function<void(const TrainingProgress&)> progress{};
};

/// What happened in training.
struct TrainingReport {
    Index steps = 0;      ///< done
    Index best_step = 0;  ///< whose parameters were kept
    bool stopped_early = false;
    double seconds = 0;
    double loss = 0;  ///< `Trainer::evaluate` of the parameters kept, on the rows that chose them
    std::vector<double> training_losses;  ///< mean over each stretch between evaluations
    std::vector<double> held_out_losses;  ///< at each evaluation
};

namespace detail {

template <class S>
std::string path_of_parameter(Index scalar, const auto& layer, const auto&... shapes) {
    std::string path;
    describe(
        [&](const ParameterInfo& info) {
            if (scalar >= info.offset && scalar < info.offset + info.size) path = info.path;
        },
        layer, shapes...);
    return path;
}

}  // namespace detail

/// Trains a VAE on scaled data: minibatches of a shuffled, endless stream of rows; Adam; the best parameters
/// by the held-out -ELBO (beta 1, fixed draws) are the ones that stay.
template <class S, class Model>
class Trainer {
public:
    using Sample = typename Model::SampleShape;
    using Loss = NegativeElboLoss<Model>;
    using Matrix = Eigen::Matrix<S, Dynamic, Dynamic>;

    /// `rows`: scaled, features x n, and used until the trainer is gone; so is `parameters`, already
    /// initialised.
    Trainer(const Model& model, Buffer<S>& parameters, const Matrix& rows, const TrainingOptions& options)
        : loss_{model, 1},
          parameters_(parameters),
          rows_(rows),
          options_(options),
          batch_(std::max<Index>(std::min(options.batch, rows.cols()), 1)),
          size_(measure(loss_, model.sample)),
          gradient_(size_.scalars),
          adam_(size_.scalars),
          order_(static_cast<std::size_t>(rows.cols())),
          ids_(static_cast<std::size_t>(batch_)),
          x_(rows.rows() * batch_),
          memory_(static_cast<Index>(count<S>(loss_, batch_, model.sample).record_bytes)),
          arena_(memory_) {
        if (options_.learning_rate.peak == CosineSchedule::automatic) {
            options_.learning_rate.peak = default_learning_rate(rows.rows());
        }
        if (rows.cols() < 1) fail("training needs at least one row");
        if (size_.scalars != parameters.size())
            fail("the parameter vector has ", parameters.size(), " values, the model ", size_.scalars);
    }

    [[nodiscard]] Index planned_steps() const {
        const Index n = rows_.cols();
        const Index a_pass = (n + batch_ - 1) / batch_;
        if (options_.epochs > 0) return options_.epochs * a_pass;
        return std::clamp(20 * a_pass, options_.min_steps, std::max(options_.min_steps, options_.max_steps));
    }

    struct Terms {
        double loss;
        double reconstruction;
        double kl;
        double gradient_norm;
    };

    /// One step: a batch, forward, backward, clip, Adam.
    Terms step(Index number, Index steps) {
        next_batch();
        loss_.beta = options_.beta(number, steps);
        arena_.rewind();
        const Pass pass{.training = true, .seed = options_.seed, .epoch = epoch_, .samples = ids_.data()};
        Tape<S> tape(arena_, parameters_.data(), gradient_.data(), size_, pass);
        const auto terms = forward(tape);
        tape.backward(terms.loss);
        Terms result{static_cast<double>(terms.reconstruction.scalar() + terms.kl.scalar()),
                     static_cast<double>(terms.reconstruction.scalar()),
                     static_cast<double>(terms.kl.scalar()), 0};
        const double limit =
            options_.max_gradient_norm > 0 ? options_.max_gradient_norm : std::numeric_limits<S>::max();
        result.gradient_norm = static_cast<double>(clip_norm(gradient_.data(), gradient_.size(), limit));
        if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm))
            report_not_finite(number, pass);
        adam_.step(parameters_.data(), gradient_.data(), options_.learning_rate(number, steps));
        return result;
    }

    /// Trains; `held_out` (scaled, features x m) chooses the best parameters. Where it is empty some training
    /// rows are asked instead, and training does not stop early.
    TrainingReport run(const Matrix& held_out) {
        const Index steps = planned_steps();
        if (steps < 1)
            fail("training would take no step: epochs, min_steps and max_steps are ", options_.epochs, ", ",
                 options_.min_steps, ", ", options_.max_steps);
        const bool may_stop = held_out.cols() > 0;
        constexpr Index enough = 500;
        const Matrix& judge = may_stop ? held_out : Matrix(rows_.leftCols(std::min(rows_.cols(), enough)));
        const Index stretch = std::max<Index>(1, steps / std::max<Index>(options_.evaluations, 1));
        TrainingReport report;
        Buffer<S> best = parameters_;  // until an evaluation counts, which the last one does
        double best_loss = std::numeric_limits<double>::infinity();
        Index waited = 0;
        double sum_loss = 0;
        double sum_kl = 0;
        Index summed = 0;
        const auto start = std::chrono::steady_clock::now();
        const auto seconds = [&] {
            return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        };
        for (Index i = 0; i < steps; ++i) {
            const Terms terms = step(i, steps);
            sum_loss += terms.loss;
            sum_kl += terms.kl;
            ++summed;
            report.steps = i + 1;
            if ((i + 1) % stretch != 0 && i + 1 != steps) continue;
            report.training_losses.push_back(sum_loss / static_cast<double>(summed));
            const double loss = evaluate(judge);
            if (!std::isfinite(loss)) report_lost(i);
            report.held_out_losses.push_back(loss);
            if (options_.progress) {
                options_.progress({i + 1, steps, sum_loss / static_cast<double>(summed),
                                   sum_kl / static_cast<double>(summed), seconds(), false});
            }
            sum_loss = sum_kl = 0;
            summed = 0;
            // While beta still grows, -ELBO is not yet what training minimises.
            if (!options_.beta.complete(i, steps) && i + 1 != steps) continue;
            if (loss < best_loss) {
                best_loss = loss;
                best = parameters_;
                report.best_step = i + 1;
                waited = 0;
            } else if (may_stop && ++waited >= options_.patience) {
                report.stopped_early = true;
                break;
            }
        }
        parameters_ = best;
        report.loss = best_loss;
        report.seconds = seconds();
        if (options_.progress) options_.progress({report.steps, steps, report.loss, 0, report.seconds, true});
        return report;
    }

    /// -ELBO (beta 1, fixed draws) in nats per sample of scaled rows, over the nine tenths of them that it
    /// fits best: in a few rare rows it can be larger than in all others together, and would then tell of
    /// them alone.
    [[nodiscard]] double evaluate(const Matrix& rows) const {
        constexpr Index block = 256;
        constexpr NegativeElbo score{.draws = 2, .seed = 0x5eed};
        const GatherEvidence<Model> layer{loss_.model, score.needs()};
        const Index most = std::min<Index>(block, std::max<Index>(rows.cols(), 1));
        Buffer<std::byte> memory(static_cast<Index>(count<S>(layer, most, loss_.model.sample).run_bytes));
        std::vector<double> losses;
        losses.reserve(static_cast<std::size_t>(rows.cols()));
        for (Index begin = 0; begin < rows.cols(); begin += most) {
            const Index n = std::min(most, rows.cols() - begin);
            Arena arena(memory);
            Run<S> scope(parameters_.data(), arena, Pass{.seed = score.seed});
            const auto evidence = layer(
                scope, Tensor<const S, Sample>(rows.data() + begin * rows.rows(), loss_.model.sample, n));
            for (Index j = 0; j < n; ++j) {
                const auto loss =
                    static_cast<double>(evidence.kl.column(j).sum() - evidence.log_density.column(j).sum());
                // A NaN has no place in an order.
                losses.push_back(std::isnan(loss) ? std::numeric_limits<double>::infinity() : loss);
            }
        }
        const std::size_t kept = losses.size() - losses.size() / 10;
        std::nth_element(losses.begin(),
                         losses.begin() + static_cast<std::ptrdiff_t>(kept == 0 ? 0 : kept - 1),
                         losses.end());
        double total = 0;
        for (std::size_t i = 0; i < kept; ++i) total += losses[i];
        return total / static_cast<double>(std::max<std::size_t>(kept, 1));
    }

private:
    auto forward(Tape<S>& tape) {
        Record<S> scope(tape);
        return loss_(scope, scope.input(Tensor<const S, Sample>(x_.data(), loss_.model.sample, batch_)));
    }

    // Takes the next rows of the endless shuffled stream: every batch is full, and no row is left out.
    void next_batch() {
        for (Index j = 0; j < batch_; ++j) {
            if (position_ == 0) permutation(options_.seed, rows_site, std::span<Index>(order_), epoch_);
            const Index row = order_[static_cast<std::size_t>(position_)];
            ids_[static_cast<std::size_t>(j)] = static_cast<std::uint32_t>(row);
            std::copy_n(rows_.data() + row * rows_.rows(), rows_.rows(), x_.data() + j * rows_.rows());
            if (++position_ == rows_.cols()) {
                position_ = 0;
                ++epoch_;
            }
        }
    }

    // Repeats the step while looking at every value, to say where the first bad one is.
    [[noreturn]] void report_not_finite(Index number, const Pass& pass) {
        arena_.rewind();
        detail::Watch watch;
        Tape<S> tape(arena_, parameters_.data(), gradient_.data(), size_, pass);
        tape.watch = &watch;
        const auto terms = forward(tape);
        std::string where = watch.found ? std::string("the output of layer ") +
                                              (watch.where[0] != '\0' ? watch.where : "(loss)")
                                        : "";
        if (!watch.found) {
            tape.backward(terms.loss);
            for (Index i = 0; i < gradient_.size() && where.empty(); ++i) {
                if (!std::isfinite(gradient_[i])) {
                    where = "the gradient of " + detail::path_of_parameter<S>(i, loss_, loss_.model.sample);
                }
            }
            if (where.empty()) where = "the gradient's norm";
        }
        fail("training step ", number + 1, ": ", where, " is not finite; a lower learning rate may help");
    }

    // Names the first parameter that a step left without a number.
    [[noreturn]] void report_lost(Index number) const {
        for (Index i = 0; i < parameters_.size(); ++i) {
            if (!std::isfinite(parameters_[i])) {
                fail("training step ", number + 1, ": parameter ",
                     detail::path_of_parameter<S>(i, loss_, loss_.model.sample),
                     " is not finite; a lower learning rate may help");
            }
        }
        fail("training step ", number + 1,
             ": the held-out loss is not finite; a lower learning rate may help");
    }

    static constexpr std::uint64_t rows_site = 2;  // of the shuffles; `fit` uses 1 for the split

    Loss loss_;
    Buffer<S>& parameters_;
    const Matrix& rows_;
    TrainingOptions options_;
    Index batch_;
    Cursor size_;
    Buffer<S> gradient_;
    Adam<S> adam_;
    std::vector<Index> order_;
    std::vector<std::uint32_t> ids_;
    Buffer<S> x_;
    Buffer<std::byte> memory_;
    Arena arena_;
    Index position_ = 0;
    std::uint32_t epoch_ = 0;
};

}  // namespace untoward
