// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "../autodiff/record.hpp"
#include "../core/refuse.hpp"
#include "../vae/elbo.hpp"
#include "flash_detector.hpp"

// Training where the detector runs: a few steps toward what is normal there, by the library's own loss, tape and rules,
// in memory whose size the compiler knows.
//
//     using Weights = untoward::InRam<pump::Definition>;          // the exported weights, in RAM
//     using Detector = untoward::FlashDetector<Weights>;          // judges by what they are now
//     static untoward::DeviceTrainer<Weights, 8> trainer;         // 8 samples at a time
//     static untoward::ConformalTail<float, 16> threshold(0.01);
//
//     Weights::load();
//     const bool is_better = trainer.improve(next_batch, 200, 0.002f, held_out);
//     if (is_better) {
//         threshold.reset();                                      // its scores were those of other weights
//         ... threshold.add(Detector::score(normal)) ...
//     }
//
// It is for one model with weights of full precision. What a score learned of the training rows (learned.hpp) stays as it
// was exported, and is then of another model, unless it is of the input alone.

namespace untoward UNTOWARD_SETTING {

/// A detector's definition with its weights in RAM, one copy for the whole program.
template <class Definition>
struct InRam : Definition {
    using Scalar = typename Definition::Scalar;

    static inline Scalar parameters[std::size(Definition::parameters)] = {};

    /// The weights in flash, as they were exported.
    static void load() {
        for (std::size_t i = 0; i < std::size(parameters); ++i) parameters[i] = Definition::parameters[i];
    }
};

/// Steps of gradient descent on the negative ELBO of `Batch` samples at a time, and the way back. `Definition` is one
/// whose parameters are in RAM.
///
/// Threads: one at a time, and no interrupt: a definition's parameters are one array for the whole program, so nothing is
/// judged and no other trainer of that definition runs while a step is under way.
template <class Definition, Index Batch>
class DeviceTrainer {
public:
    using Detector = FlashDetector<Definition>;
    using Scalar = typename Detector::Scalar;
    using Sample = typename Detector::Sample;
    using Loss = NegativeElboLoss<typename Detector::Model>;

    static constexpr Index features = Detector::features;
    static constexpr Index parameter_count = Detector::parameter_count;
    /// Bytes of arena that a step takes: its batch, what it computes and the way back.
    static constexpr std::size_t arena_bytes =
        align_up(static_cast<std::size_t>(features * Batch) * sizeof(Scalar)) +
        count<Scalar>(Loss{Definition::model}, Batch, Sample{}).record_bytes;

    /// One step on `Batch` samples, one after another in the data's units: every parameter less `rate` times its
    /// gradient, which is shortened to a length of `longest`. The loss before it, in nats a sample; where that is not
    /// finite nothing changes. A rate or a length that is negative or NaN is refused. Noise depends on the seed and on the number of the step.
    Scalar step(const Scalar* samples, Scalar rate, std::uint64_t seed = 0, Scalar longest = Scalar(10)) {
        if (!(rate >= 0 && longest >= 0)) [[unlikely]]
            detail::refuse({"a step has a negative rate or length, or NaN, expected 0 or more"});
        const Scalar loss = pass(samples, seed, ++steps_, true);
        Scalar squares = 0;
        for (const Scalar g : gradient_) squares += g * g;
        if (!std::isfinite(loss) || !std::isfinite(squares)) return loss;
        const Scalar length = math::sqrt(squares);
        if (length > longest) rate *= longest / length;
        for (Index i = 0; i < parameter_count; ++i) Definition::parameters[i] -= rate * gradient_[i];
        return loss;
    }

    /// The loss of `Batch` samples under noise that is the same each time.
    Scalar loss(const Scalar* samples, std::uint64_t seed = 0) { return pass(samples, seed, 0, false); }

    /// `steps` steps on batches that next(samples) writes, `Batch` samples each. Where the loss of `held_out`, `Batch`
    /// samples that next does not give, is not less afterwards, the weights are put back as they were. Whether they are
    /// new; then every threshold is to be calibrated anew.
    template <class Next>
    bool improve(const Next& next, Index steps, Scalar rate, const Scalar* held_out, std::uint64_t seed = 0) {
        keep();
        const Scalar before = loss(held_out, seed);
        Scalar samples[features * Batch];
        for (Index i = 0; i < steps; ++i) {
            next(samples);
            step(samples, rate, seed);
        }
        const bool is_better = loss(held_out, seed) < before;
        if (!is_better) roll_back();
        return is_better;
    }

    /// Remembers the weights.
    void keep() { copy(Definition::parameters, kept_); }
    /// Puts the weights back as they were when `keep` was called last.
    void roll_back() { copy(kept_, Definition::parameters); }

    /// The most arena that was used so far.
    [[nodiscard]] std::size_t arena_peak() const { return peak_; }

private:
    static void copy(const Scalar* from, Scalar* to) {
        for (Index i = 0; i < parameter_count; ++i) to[i] = from[i];
    }

    UNTOWARD_FLATTEN Scalar pass(const Scalar* samples, std::uint64_t seed, std::uint32_t number,
                                 bool goes_back) {
        Arena arena(memory_, arena_bytes);
        const Tensor<Scalar, Sample> x(arena.allocate<Scalar>(features * Batch), Sample{}, Batch);
        for (Index j = 0; j < Batch; ++j) Detector::scale(samples + j * features, &x(0, j));
        std::uint32_t ids[Batch];
        for (Index j = 0; j < Batch; ++j) ids[j] = static_cast<std::uint32_t>(j);
        constexpr Loss loss{Definition::model};
        Tape<Scalar> tape(arena, Definition::parameters, gradient_, measure(Definition::model, Sample{}),
                          {.training = true, .seed = seed, .epoch = number, .samples = ids});
        Record<Scalar> scope(tape);
        const auto terms = loss(scope, scope.input(Tensor<const Scalar, Sample>(x)));
        const Scalar value = *terms.loss.value().data();
        if (goes_back) tape.backward(terms.loss);
        if (arena.peak() > peak_) peak_ = arena.peak();
        return value;
    }

    Scalar gradient_[parameter_count] = {};
    Scalar kept_[parameter_count] = {};
    alignas(storage_alignment) std::byte memory_[arena_bytes] = {};
    std::uint32_t steps_ = 0;
    std::size_t peak_ = 0;
};

}  // namespace untoward
