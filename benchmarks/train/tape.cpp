// SPDX-License-Identifier: MIT
// What the tape costs: a step of W1 at batch 64 by Trainer::step, and the same step written out by hand for this
// one network: the same products, epilogues, noise, clipping and Adam of the library, element-wise work fused as
// one would write it, no scope and no tape. Before anything is timed the two must agree in loss, gradient and
// parameters.
//
// Where the library gets a better product, epilogue or function, it belongs into the hand-written step as well.
#include <numeric>

#include "support/workloads.hpp"

namespace {

using namespace bench;
using u::product::Columns;

constexpr Index batch = 64;
constexpr Index features = 32;
constexpr Index units = 8;

class ByHand {
public:
    explicit ByHand(u::TrainingOptions options = training_options(batch))
        : rows_(rows_of(features, 4096)), parameters_(initial_parameters(TableModel{})),
          gradient_(parameters_.size()), moments_{u::Buffer<float>(parameters_.size()),
                                                  u::Buffer<float>(parameters_.size())},
          options_(std::move(options)), stream_(rows_.cols(), options_.seed) {
        Index place = 0;
        for (Layer& layer : layers_) {
            layer.weight = place;
            layer.bias = place + layer.in * layer.out;
            place = layer.bias + layer.out;
            layer.y = u::Buffer<float>(layer.out * batch);
            layer.dy = u::Buffer<float>(layer.out * batch);
        }
        UNTOWARD_ASSERT(place == parameters_.size(), "the layers are not the model's");
    }

    struct Terms {
        double loss;
        double reconstruction;
        double kl;
        double gradient_norm;
    };

    Terms step(Index number, Index steps) {
        next_batch();
        const auto beta = static_cast<float>(options_.beta(number, steps));

        const Columns<const float> x{x_.data(), features, batch, features};
        forward<u::Relu>(layers_[0], x);
        forward<u::Relu>(layers_[1], output(layers_[0]));
        forward<u::Identity>(layers_[2], output(layers_[1]));
        const float kl = draw();
        const Columns<const float> z{z_.data(), units, batch, units};
        forward<u::Relu>(layers_[3], z);
        forward<u::Relu>(layers_[4], output(layers_[3]));
        forward<u::Identity>(layers_[5], output(layers_[4]));

        // Squared error, with the constants of a normal density of variance 1, and what it gives back.
        const float squares = squared_error();
        const Terms terms{0, 0.5 * (static_cast<double>(squares) / batch + features * 1.8378770664093453),
                          static_cast<double>(kl), 0};

        backward<u::Identity>(layers_[5], output(layers_[4]), gradient_of(layers_[4]));
        backward<u::Relu>(layers_[4], output(layers_[3]), gradient_of(layers_[3]));
        backward<u::Relu>(layers_[3], z, {dz_.data(), units, batch, units});
        draw_backward(beta);
        backward<u::Identity>(layers_[2], output(layers_[1]), gradient_of(layers_[1]));
        backward<u::Relu>(layers_[1], output(layers_[0]), gradient_of(layers_[0]));
        backward<u::Relu>(layers_[0], x, {});

        const double norm = u::clip_norm(gradient_.data(), gradient_.size(), options_.max_gradient_norm);
        float* const moments[] = {moments_[0].data(), moments_[1].data()};
        u::Adam{}(u::Update<float>{parameters_.data(), gradient_.data(), moments, parameters_.size(),
                                   options_.learning_rate(number, steps), ++steps_, true});
        return {terms.reconstruction + terms.kl, terms.reconstruction, terms.kl, norm};
    }

    [[nodiscard]] const u::Buffer<float>& gradient() const { return gradient_; }
    [[nodiscard]] const u::Buffer<float>& parameters() const { return parameters_; }

private:
    struct Layer {
        Index in;
        Index out;
        Index weight = 0;
        Index bias = 0;
        u::Buffer<float> y{};
        u::Buffer<float> dy{};
    };

    static Columns<float> output(Layer& layer) { return {layer.y.data(), layer.out, batch, layer.out}; }
    static Columns<float> gradient_of(Layer& layer) { return {layer.dy.data(), layer.out, batch, layer.out}; }

    void next_batch() {
        stream_.next(ids_);
        const auto row = [&](Index j) {
            return rows_.data() + Index{ids_[static_cast<std::size_t>(j)]} * features;
        };
        constexpr Index ahead = 16;
        const auto ask_for = [&](Index j) {
            for (Index i = 0; i < features; i += 16) __builtin_prefetch(row(j) + i);
        };
        for (Index j = 0; j < std::min<Index>(ahead, batch); ++j) ask_for(j);
        for (Index j = 0; j < batch; ++j) {
            if (j + ahead < batch) ask_for(j + ahead);
            std::copy_n(row(j), features, x_.data() + j * features);
        }
    }

    template <class Activation>
    void forward(Layer& layer, const Columns<const float>& x) {
        const Columns<float> y = output(layer);
        u::product::forward<float>(y, parameters_.data() + layer.weight, x, false,
                                   parameters_.data() + layer.bias, std::is_same_v<Activation, u::Relu>);
    }
    // Where dx has no data nobody asks for it.
    template <class Activation>
    void backward(Layer& layer, const Columns<const float>& x, const Columns<float>& dx) {
        const Columns<float> dy = gradient_of(layer);
        const u::ColumnSums<float> sums{
            dy.data, dy.stride, layer.y.data(), layer.out, layer.out, batch, gradient_.data() + layer.bias,
            false};
        if constexpr (std::is_same_v<Activation, u::Relu>)
            u::detail::run_sum_columns<float, true>(sums);
        else
            u::detail::run_sum_columns<float, false>(sums);
        u::product::backward_weight<float>(gradient_.data() + layer.weight, dy, x, false);
        if (dx.data != nullptr)
            u::product::backward_input<float>(dx, parameters_.data() + layer.weight, dy, false);
    }

    // z = mean + exp(log_variance / 2) noise; returns the mean KL. One exp does for both.
    float draw() {
        // The one noise site of the model: the first in its outermost scope.
        const std::uint64_t site = u::detail::combine(0, 1);
        u::fill_normal(noise_.data(), units, units,
                       {.seed = options_.seed, .site = site, .epoch = stream_.epoch()},
                       std::span<const std::uint32_t>(ids_));
        // The halves of the heads lie crosswise, and eight numbers do not fill a vector.
        const float* const heads = layers_[2].y.data();
        for (Index j = 0; j < batch; ++j) {
            std::copy_n(heads + 2 * units * j, units, mean_.data() + units * j);
            std::copy_n(heads + 2 * units * j + units, units, log_variance_.data() + units * j);
        }
        // exp(log_variance / 2), and z; both log-variances are needed later on.
        u::change<2>(z_.size(),
                     [](auto& z, auto& deviation, auto mean, auto raw, auto noise) {
                         deviation = u::math::exp(0.5f * bounded(raw));
                         z = mean + deviation * noise;
                     },
                     {z_.data(), deviation_.data(), mean_.data(), log_variance_.data(), noise_.data()});
        const float* const in[] = {mean_.data(), deviation_.data(), log_variance_.data()};
        const float sum = u::total(
            z_.size(), [](auto m, auto d, auto raw) { return m * m + d * d - 1.0f - bounded(raw); }, in);
        return 0.5f / batch * sum;
    }
    void draw_backward(float beta) {
        const float weight = beta / batch;
        // In place of mean and log-variance, their gradients.
        u::change<2>(z_.size(),
                     [weight](auto& mean, auto& raw, auto deviation, auto noise, auto dz) {
                         mean = dz + weight * mean;
                         const auto inside = bounded(raw) == raw;
                         raw = inside
                                   ? 0.5f * (dz * deviation * noise + weight * (deviation * deviation - 1.0f))
                                   : 0.0f;
                     },
                     {mean_.data(), log_variance_.data(), deviation_.data(), noise_.data(), dz_.data()});
        float* const dheads = layers_[2].dy.data();
        for (Index j = 0; j < batch; ++j) {
            std::copy_n(mean_.data() + units * j, units, dheads + 2 * units * j);
            std::copy_n(log_variance_.data() + units * j, units, dheads + 2 * units * j + units);
        }
    }
    static auto bounded(auto raw) {
        return u::math::detail::at_least(
            u::math::detail::at_most(raw, static_cast<float>(u::posterior_log_variance_high)),
            static_cast<float>(u::posterior_log_variance_low));
    }

    float squared_error() {
        Layer& last = layers_[5];
        const float* const in[] = {last.y.data(), x_.data()};
        float* const out[] = {last.dy.data(), last.y.data(), x_.data()};
        u::change<1>(
            last.dy.size(), [](auto& d, auto mean, auto x) { d = (mean - x) * (1.0f / batch); }, out);
        return u::total(
            last.dy.size(), [](auto mean, auto x) { return (mean - x) * (mean - x); }, in);
    }

    Eigen::MatrixXf rows_;
    u::Buffer<float> parameters_;
    u::Buffer<float> gradient_;
    u::Buffer<float> moments_[2];
    u::TrainingOptions options_;
    u::detail::RowStream stream_;
    std::vector<std::uint32_t> ids_ = std::vector<std::uint32_t>(batch);
    Layer layers_[6] = {{features, 128}, {128, 64}, {64, 2 * units}, {units, 64}, {64, 128}, {128, features}};
    u::Buffer<float> x_{features * batch};
    u::Buffer<float> noise_{units * batch};
    u::Buffer<float> mean_{units * batch};
    u::Buffer<float> log_variance_{units * batch};
    u::Buffer<float> deviation_{units * batch};
    u::Buffer<float> z_{units * batch};
    u::Buffer<float> dz_{units * batch};
    std::int64_t steps_ = 0;
};

bool near(const char* what, double a, double b, double tolerance) {
    if (std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b))) return true;
    std::fprintf(stderr, "%s: %.9g by Trainer::step, %.9g by hand\n", what, a, b);
    return false;
}

// The largest difference of two vectors, as a share of the largest number.
double difference(const u::Buffer<float>& a, const u::Buffer<float>& b) {
    const float most = a.array().abs().maxCoeff();
    return static_cast<double>((a.array() - b.array()).abs().maxCoeff() / most);
}

// The gradient by tape of the first batch.
u::Buffer<float> first_gradient() {
    const TableModel model;
    const u::NegativeElboLoss<TableModel> loss{model};
    const Eigen::MatrixXf rows = rows_of(features, 4096);
    u::detail::RowStream stream(rows.cols(), 0);
    std::vector<std::uint32_t> ids(batch);
    stream.next(ids);
    Eigen::MatrixXf x(features, batch);
    for (Index j = 0; j < batch; ++j) x.col(j) = rows.col(ids[static_cast<std::size_t>(j)]);
    const u::Buffer<float> parameters = initial_parameters(model);
    u::Buffer<float> gradient(parameters.size());
    u::Buffer<std::byte> memory(static_cast<Index>(u::count<float>(loss, batch, model.sample).record_bytes));
    u::Arena arena(memory);
    u::Tape<float> tape(arena, parameters.data(), gradient.data(), u::measure(loss, model.sample),
                        {.training = true, .samples = ids.data()});
    u::Record<float> scope(tape);
    const auto terms =
        loss(scope, scope.input(u::Tensor<const float, u::Vec<features>>(x.data(), model.sample, batch)));
    tape.backward(terms.loss);
    return gradient;
}

bool check() {
    constexpr Index steps = 1000;
    constexpr double rounding = 2e-6;
    ByHand hand;
    Training<TableModel> trainer(TableModel{}, batch);
    bool fine = true;
    for (Index i = 0; i < 20; ++i) {
        const auto theirs = trainer.step();
        const auto ours = hand.step(i, steps);
        fine = near("loss", theirs.loss, ours.loss, rounding) &&
               near("reconstruction", theirs.reconstruction, ours.reconstruction, rounding) &&
               near("kl", theirs.kl, ours.kl, 10 * rounding) &&
               near("norm of the gradient", theirs.gradient_norm, ours.gradient_norm, 10 * rounding) && fine;
        if (i > 0) continue;
        const double apart = difference(first_gradient(), hand.gradient());
        if (apart > rounding) {
            std::fprintf(stderr, "the gradients differ by %g of their largest number\n", apart);
            fine = false;
        }
    }
    // Adam makes a whole step of a gradient that is nothing but rounding; few are.
    const double apart = difference(trainer.parameters(), hand.parameters());
    if (apart > 1e-3) {
        std::fprintf(stderr, "after 20 steps the parameters differ by %g of their largest number\n", apart);
        fine = false;
    }
    return fine;
}

}  // namespace

int main(int argc, char** argv) {
    if (!check()) return 1;
    const Contender hand = contender("by hand", [] {
        auto work = std::make_shared<ByHand>();
        return [work, i = Index{0}]() mutable {
            benchmark::DoNotOptimize(work->step(i++, Index{1} << 40).loss);
        };
    });
    Contender tape = training(TableModel{}, batch);
    tape.label = "Trainer::step";
    add({"W1 training, batch 64", 2 * table_training * batch, {hand, tape}});
    return run(argc, argv);
}
