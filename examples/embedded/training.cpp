// SPDX-License-Identifier: MIT
// A bearing of another machine, which runs louder than the one that the detector was fitted to: a few steps of training
// where it runs, and a threshold calibrated there, make its windows normal again.
#include <untoward/embedded.hpp>
#include <untoward/embedded/trainer.hpp>

#include "detector.hpp"
#include "platform.hpp"
#include "print.hpp"
#include "signal.hpp"

using Weights = untoward::InRam<vibration::Definition>;
using Detector = untoward::FlashDetector<Weights>;
constexpr untoward::Index at_a_time = 8;
using Trainer = untoward::DeviceTrainer<Weights, at_a_time>;

static_assert(sizeof(Trainer) <= 40 * 1024);

namespace {

Trainer trainer;
untoward::ConformalTail<float, 16> threshold(0.01);
vibration::Accelerometer accelerometer(30);
untoward::SlidingWindow<float, 1, vibration::window, vibration::hop> window;

void next_window(float* sample) {
    while (!window.push(1.3f * accelerometer.next(false))) continue;
    window.copy_to(sample);
}
void next_batch(float* samples) {
    for (untoward::Index i = 0; i < at_a_time; ++i) next_window(samples + i * Detector::features);
}

template <class Threshold>
std::uint32_t alarms_among(std::uint32_t windows, const Threshold& by) {
    std::uint32_t alarms = 0;
    float sample[vibration::window];
    for (std::uint32_t i = 0; i < windows; ++i) {
        next_window(sample);
        alarms += Detector::judge(sample, nullptr, by).is_anomaly ? 1 : 0;
    }
    return alarms;
}

// Of the bits of every weight.
std::uint32_t mixed_weights() {
    std::uint32_t mixed = 0;
    for (const float weight : Weights::parameters) mixed = mixed * 31 + bits(weight);
    return mixed;
}

}  // namespace

int main() {
    Weights::load();
    if (!Detector::self_test()) return 1;
    say("alarms in 100 windows before", alarms_among(100, vibration::threshold));

    float held_out[at_a_time * Detector::features];
    next_batch(held_out);
    print_hex(bits(trainer.loss(held_out)));
    const std::uint32_t before = platform::instructions();
    constexpr std::uint32_t steps = 60;
    const bool is_better = trainer.improve(next_batch, steps, 0.001f, held_out);
    const std::uint32_t after = platform::instructions();
    print_hex(bits(trainer.loss(held_out)));
    print_hex(mixed_weights());
    say("better", is_better ? 1 : 0);

    float sample[vibration::window];
    for (int i = 0; i < 300; ++i) {
        next_window(sample);
        threshold.add(Detector::score(sample));
    }
    say("alarms in 100 windows afterwards", alarms_among(100, threshold));

    // Steps that are far too long make it worse, and are taken back.
    const std::uint32_t good = mixed_weights();
    say("better", trainer.improve(next_batch, 3, 10.0f, held_out) ? 1 : 0);
    say("taken back", mixed_weights() == good ? 1 : 0);
    say("arena as promised", trainer.arena_peak() == Trainer::arena_bytes ? 1 : 0);
    say("# instructions a step", (after - before) / steps);
    say("# arena", static_cast<std::uint32_t>(Trainer::arena_bytes));
    return 0;
}
