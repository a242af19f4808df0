// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "../autodiff/describe.hpp"
#include "../autodiff/record.hpp"
#include "../core/error.hpp"
#include "../vae/elbo.hpp"
#include "batches.hpp"
#include "evaluate.hpp"
#include "options.hpp"
#include "session.hpp"

namespace untoward UNTOWARD_SETTING {

namespace detail {

// The path of the first parameter for which `values`, one for each, are not finite; empty where all are.
template <class S>
std::string first_not_finite(const Buffer<S>& values, const auto& layer, const auto&... shapes) {
    std::string path;
    describe(
        [&](const ParameterInfo& info) {
            for (Index i = info.offset; i < info.offset + info.size && path.empty(); ++i) {
                if (!std::isfinite(values[i])) path = info.path;
            }
        },
        layer, shapes...);
    return path;
}

}  // namespace detail

/// Trains a VAE on scaled data: minibatches of a shuffled, endless stream of rows; the best parameters by the
/// held-out -ELBO (beta 1, fixed draws) are the ones that stay.
///
/// Threads: one caller for a trainer, its parameters and the callbacks of its options; trainers at once do not meet, and
/// may look at the same rows and start from the same options.
template <class S, class Model>
class Trainer {
public:
    using Sample = typename Model::SampleShape;
    using Loss = NegativeElboLoss<Model>;
    using Matrix = Eigen::Matrix<S, Dynamic, Dynamic>;

    /// The share of its difference from the batch's value that a running average loses in a step, as
    /// PyTorch's batch norm has it.
    static constexpr double statistic_share = 0.1;

    /// `rows`: scaled, features x n, and used until the trainer is gone; so is `parameters`, already
    /// initialised.
    Trainer(const Model& model, Buffer<S>& parameters, const Matrix& rows, const TrainingOptions& options)
        : loss_{model, 1, options.free_bits}, parameters_(parameters), rows_(rows),
          options_(checked(options, model)),
          batch_(std::max<Index>((std::min)(options.batch, rows.cols()), 1)),
          size_(measure(loss_, model.sample)), gradient_(size_.scalars),
          ranges_(parameter_ranges(options.optimiser.decays(), loss_, model.sample)),
          optimiser_(options.optimiser, ranges_.trainable, size_.scalars),
          average_(options.averaging ? parameters : Buffer<S>()), stream_(rows.cols(), options.seed),
          ids_(static_cast<std::size_t>(batch_)), x_(rows.rows() * batch_), threads_(options.threads) {
        detail::require_features(rows.rows(), rows.cols(), model.sample.size(), "the model");
        if (rows.cols() < 1) fail("training needs at least one row");
        if (size_.scalars != parameters.size())
            fail("the parameter vector has ", parameters.size(), " values, the model ", size_.scalars);
        if (!options_.learning_rate || !options_.beta)
            fail("training needs a schedule of the learning rate and one of beta");
        if (options_.learning_rate.is_automatic()) {
            options_.learning_rate.set_peak(
                options_.optimiser.learning_rate(rows.rows(), default_learning_rate(rows.rows())));
        }
        const Index shards = (std::min)(options_.shards, batch_);
        const Index most = (batch_ + shards - 1) / shards;
        const auto bytes = static_cast<Index>(align_up(count<S>(loss_, most, model.sample).record_bytes));
        memory_ = Buffer<std::byte>(bytes * shards);
        for (Index i = 0; i < shards; ++i) {
            const Index begin = i * batch_ / shards;
            shards_.push_back({.begin = begin,
                               .size = (i + 1) * batch_ / shards - begin,
                               .arena = Arena(memory_.data() + i * bytes, static_cast<std::size_t>(bytes)),
                               .gradient = Buffer<S>(i == 0 ? 0 : size_.scalars)});
        }
    }

    [[nodiscard]] Index planned_steps() const { return untoward::planned_steps(options_, rows_.cols()); }

    struct Terms {
        double loss;
        double reconstruction;
        double kl;
        double gradient_norm;
        double learning_rate;
        double beta;
    };

    /// One step: a batch, forward, backward, clip, optimiser, running averages, average of the weights.
    Terms step(Index number, Index steps) {
        next_batch();
        loss_.beta = options_.beta(number, steps);
        if (!(loss_.beta >= 0)) fail("training step ", number + 1, ": beta is ", loss_.beta);
        threads_.run(static_cast<Index>(shards_.size()),
                     [&](Index i, Index) { work(shards_[static_cast<std::size_t>(i)]); });
        Terms result = add_up();
        result.learning_rate = options_.learning_rate(number, steps);
        result.beta = loss_.beta;
        const double limit = options_.max_gradient_norm > 0
                                 ? options_.max_gradient_norm
                                 : static_cast<double>((std::numeric_limits<S>::max)());
        result.gradient_norm =
            static_cast<double>(clip_norm(gradient_.data(), std::span(ranges_.trainable), limit));
        if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) report_not_finite(number);
        optimiser_.step(parameters_.data(), gradient_.data(), result.learning_rate);
        for (const ParameterRange& range : ranges_.statistics) {
            for (Index i = range.begin; i < range.begin + range.size; ++i)
                parameters_[i] -= static_cast<S>(statistic_share) * gradient_[i];
        }
        if (options_.averaging) {
            const auto weight = static_cast<S>(options_.averaging(number, steps));
            // To the bit.
            if (weight == 1)
                std::copy(parameters_.begin(), parameters_.end(), average_.begin());
            else
                for (Index i = 0; i < average_.size(); ++i)
                    average_[i] += weight * (parameters_[i] - average_[i]);
        }
        return result;
    }

    /// Trains; `held_out` (scaled, features x m) chooses the best parameters. Where it is empty some training
    /// rows are asked instead, and training does not stop early.
    TrainingReport run(const Matrix& held_out) {
        if (held_out.cols() > 0)
            detail::require_features(held_out.rows(), held_out.cols(), loss_.model.sample.size(),
                                     "the model");
        const Index steps = planned_steps();
        const bool may_stop = held_out.cols() > 0;
        constexpr Index enough = 500;
        const Matrix& judge = may_stop ? held_out : Matrix(rows_.leftCols((std::min)(rows_.cols(), enough)));
        const Index stretch = std::max<Index>(1, steps / std::max<Index>(options_.evaluations, 1));

        const double first_loss = evaluate(judge, kept());
        Session session(*this, held_out, steps);
        session.report.planned_steps = steps;
        session.report.first_loss = first_loss;
        session.report.features = rows_.rows();
        session.begin(options_.callbacks);
        while (!session.over()) {
            const Index i = session.step;
            const Terms terms = step(i, steps);
            session.add(terms,
                        options_.max_gradient_norm > 0 && terms.gradient_norm > options_.max_gradient_norm);
            for (AnyCallback& callback : options_.callbacks) callback.on_step(session);
            if ((i + 1) % stretch != 0 && i + 1 != steps) continue;
            const double loss = evaluate(judge, kept());
            if (!std::isfinite(loss)) report_lost(i);
            // While beta still grows, -ELBO is not yet what training minimises.
            const bool counts = options_.beta.complete(i, steps) || i + 1 == steps;
            if (session.add_evaluation(loss, counts, may_stop, options_.patience)) best_ = kept();
            if (counts) options_.learning_rate.observe(loss);
            for (AnyCallback& callback : options_.callbacks) callback.on_evaluation(session);
        }
        // Where nothing was judged yet, what is there is the best there is.
        const bool judged = std::isfinite(session.best_loss);
        const Buffer<S> result = judged ? best_ : kept();
        session.report.loss = judged ? session.best_loss : evaluate(judge, result);
        if (!judged) session.report.best_step = session.step;
        session.report.seconds = session.seconds();
        session.report.rows_never_seen = std::max<Index>(rows_.cols() - session.step * batch_, 0);
        if (session.report.stopped_early)
            session.report.stopped_by =
                "no better held-out loss in " + std::to_string(options_.patience) + " evaluations";
        for (AnyCallback& callback : options_.callbacks) callback.on_end(session);
        parameters_ = result;
        return session.report;
    }

    /// -ELBO (beta 1, fixed draws) in nats per sample of scaled rows, over the nine tenths of them that it
    /// fits best: in a few rare rows it can be larger than in all others together, and would then tell of
    /// them alone.
    [[nodiscard]] double evaluate(const Matrix& rows) const {
        detail::require_features(rows.rows(), rows.cols(), loss_.model.sample.size(), "the model");
        return evaluate(rows, parameters_);
    }

private:
    // A part of the batch, and what it says of the loss.
    struct Shard {
        Index begin;
        Index size;
        Arena arena;
        Buffer<S> gradient;  // the first works in that of the whole batch
        S loss = 0;
        S reconstruction = 0;
        S kl = 0;
    };

    // One run: what callbacks see of it.
    class Session final : public TrainingSession {
    public:
        Session(Trainer& trainer, const Matrix& held_out, Index planned)
            : TrainingSession(planned), trainer_(trainer), held_out_(held_out) {}

        [[nodiscard]] std::vector<Setting> settings() const override {
            const TrainingOptions& o = trainer_.options_;
            detail::SettingsList list;
            list.text("scalar", sizeof(S) == 4 ? "float" : "double");
            list.text("layout", detail::hash_text(layout_hash(trainer_.loss_, trainer_.loss_.model.sample)));
            list.number("parameters", trainer_.size_.scalars);
            list.number("features", trainer_.rows_.rows());
            list.number("rows", trainer_.rows_.cols());
            list.text("rows_hash", detail::hash_of_numbers(trainer_.rows_));
            list.number("held_out_rows", held_out_.cols());
            list.text("held_out_rows_hash", detail::hash_of_numbers(held_out_));
            list.number("seed", o.seed);
            list.number("steps", steps);
            list.number("batch", trainer_.batch_);
            list.number("shards", static_cast<Index>(trainer_.shards_.size()));
            list.text("optimiser", o.optimiser.text());
            list.text("learning_rate", o.learning_rate.text());
            list.text("beta", o.beta.text());
            list.number("free_bits", o.free_bits);
            list.text("averaging", o.averaging.text());
            list.number("max_gradient_norm", o.max_gradient_norm);
            list.number("evaluations", o.evaluations);
            list.number("patience", o.patience);
            return list.settings;
        }
        void visit_state(StateVisitor& visitor) override {
            const auto numbers = [&](const char* name, Buffer<S>& buffer) {
                visitor.visit(name, std::span(buffer.data(), static_cast<std::size_t>(buffer.size())));
            };
            numbers("parameters", trainer_.parameters_);
            if (trainer_.best_.size() == 0) trainer_.best_ = trainer_.parameters_;
            numbers("best", trainer_.best_);
            if (trainer_.options_.averaging) numbers("average", trainer_.average_);
            trainer_.optimiser_.visit_state(visitor);
            trainer_.options_.learning_rate.visit_state("learning_rate", visitor);
            trainer_.options_.beta.visit_state("beta", visitor);
            if (trainer_.options_.averaging) trainer_.options_.averaging.visit_state("averaging", visitor);
            trainer_.stream_.visit_state(visitor);
            visit_progress(visitor);
        }
        void begin(std::vector<AnyCallback>& callbacks) {
            for (AnyCallback& callback : callbacks) {
                callback.check_options();
                callback.on_begin(*this);
            }
            check_progress();
            trainer_.stream_.restored();
        }
        void add(const Terms& terms, bool clipped) {
            loss = terms.loss;
            reconstruction = terms.reconstruction;
            kl = terms.kl;
            gradient_norm = terms.gradient_norm;
            learning_rate = terms.learning_rate;
            beta = terms.beta;
            report.clipped_steps += clipped ? 1 : 0;
            add_step();
        }

    private:
        Trainer& trainer_;
        const Matrix& held_out_;
    };

    // Before anything is computed from them.
    static const TrainingOptions& checked(const TrainingOptions& options, const Model& model) {
        require_options(options);
        require_options(model);
        return options;
    }

    // What is evaluated and kept.
    [[nodiscard]] const Buffer<S>& kept() const { return options_.averaging ? average_ : parameters_; }

    [[nodiscard]] double evaluate(const Matrix& rows, const Buffer<S>& parameters) const {
        return detail::typical_loss(loss_.model, parameters.data(), rows, threads_);
    }

    Tape<S> tape_of(Shard& shard) {
        shard.arena.rewind();
        S* const gradient = (shard.gradient.size() == 0 ? gradient_ : shard.gradient).data();
        const Pass pass{.training = true,
                        .seed = options_.seed,
                        .epoch = stream_.epoch(),
                        .samples = ids_.data() + shard.begin};
        return Tape<S>(shard.arena, parameters_.data(), gradient, size_, pass);
    }
    auto forward(Tape<S>& tape, const Shard& shard) {
        Record<S> scope(tape);
        return loss_(scope, scope.input(Tensor<const S, Sample>(x_.data() + shard.begin * rows_.rows(),
                                                                loss_.model.sample, shard.size)));
    }
    void work(Shard& shard) {
        Tape<S> tape = tape_of(shard);
        const auto terms = forward(tape, shard);
        tape.backward(terms.loss);
        shard.loss = terms.reconstruction.scalar() + terms.kl.scalar();
        shard.reconstruction = terms.reconstruction.scalar();
        shard.kl = terms.kl.scalar();
    }
    // What the shards say, together: means over the batch, in the shards' order.
    Terms add_up() {
        if (shards_.size() == 1) {
            const Shard& all = shards_[0];
            return {static_cast<double>(all.loss),
                    static_cast<double>(all.reconstruction),
                    static_cast<double>(all.kl),
                    0,
                    0,
                    0};
        }
        Terms terms{};
        for (const Shard& shard : shards_) {
            const double share = static_cast<double>(shard.size) / static_cast<double>(batch_);
            terms.loss += share * static_cast<double>(shard.loss);
            terms.reconstruction += share * static_cast<double>(shard.reconstruction);
            terms.kl += share * static_cast<double>(shard.kl);
        }
        constexpr Index block = 8192;
        threads_.run((size_.scalars + block - 1) / block, [&](Index i, Index) {
            const Index begin = i * block;
            const Index n = (std::min)(block, size_.scalars - begin);
            S* const sum = gradient_.data() + begin;
            for (std::size_t k = 1; k < shards_.size(); ++k) {
                const auto batch = static_cast<S>(batch_);
                const S before = k > 1 ? S(1) : static_cast<S>(shards_[0].size) / batch;
                const S share = static_cast<S>(shards_[k].size) / batch;
                change<1>(n,
                          [before, share](auto& total, auto part) { total = before * total + share * part; },
                          {sum, shards_[k].gradient.data() + begin});
            }
        });
        return terms;
    }

    void next_batch() {
        stream_.next(ids_);
        const auto row = [&](Index j) {
            return rows_.data() + Index{ids_[static_cast<std::size_t>(j)]} * rows_.rows();
        };
        // Rows lie anywhere: the next but some are asked for while one is copied.
        constexpr Index ahead = 16;
        constexpr Index line = 64 / static_cast<Index>(sizeof(S));
        const Index begin_of_row = (std::min)(rows_.rows(), 8 * line);  // the processor sees what follows
        const auto ask_for = [&](Index j) {
            for (Index i = 0; i < begin_of_row; i += line) __builtin_prefetch(row(j) + i);
        };
        for (Index j = 0; j < (std::min)(ahead, batch_); ++j) ask_for(j);
        for (Index j = 0; j < batch_; ++j) {
            if (j + ahead < batch_) ask_for(j + ahead);
            std::copy_n(row(j), rows_.rows(), x_.data() + j * rows_.rows());
        }
    }

    // Repeats the step while looking at every value, to say where the first bad one is.
    [[noreturn]] void report_not_finite(Index number) {
        std::string where;
        for (Shard& shard : shards_) {
            detail::Watch watch;
            Tape<S> tape = tape_of(shard);
            tape.watch = &watch;
            const auto terms = forward(tape, shard);
            if (watch.found) {
                where =
                    std::string("the output of layer ") + (watch.where[0] != '\0' ? watch.where : "(loss)");
                break;
            }
            tape.backward(terms.loss);
            const Buffer<S>& gradient = shard.gradient.size() == 0 ? gradient_ : shard.gradient;
            const std::string path = detail::first_not_finite(gradient, loss_, loss_.model.sample);
            if (where.empty() && !path.empty()) where = "the gradient of " + path;
        }
        if (where.empty()) where = "the gradient's norm";
        fail("training step ", number + 1, ": ", where, " is not finite; a lower learning rate may help");
    }

    // Names the first parameter that a step left without a number.
    [[noreturn]] void report_lost(Index number) const {
        const std::string path = detail::first_not_finite(parameters_, loss_, loss_.model.sample);
        if (!path.empty())
            fail("training step ", number + 1, ": parameter ", path,
                 " is not finite; a lower learning rate may help");
        fail("training step ", number + 1,
             ": the held-out loss is not finite; a lower learning rate may help");
    }

    Loss loss_;
    Buffer<S>& parameters_;
    const Matrix& rows_;
    TrainingOptions options_;
    Index batch_;
    Cursor size_;
    Buffer<S> gradient_;
    ParameterRanges ranges_;
    Optimiser<S> optimiser_;
    Buffer<S> average_;  // empty where there is none
    Buffer<S> best_;     // empty until an evaluation counted
    detail::RowStream stream_;
    std::vector<std::uint32_t> ids_;
    Buffer<S> x_;
    Buffer<std::byte> memory_;
    std::vector<Shard> shards_;
    mutable Threads threads_;
};

}  // namespace untoward
