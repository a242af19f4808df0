// SPDX-License-Identifier: MIT
// A bearing that is listened to: readings of an accelerometer go through a window to a detector in flash, and the
// verdicts to an alarm. The same program runs on a microcontroller (cortex_m.cpp) and on a host (hosted.cpp);
// build.py makes the detector, builds both and runs them.
#include <untoward/embedded.hpp>

#include "detector.hpp"  // untoward export m.safetensors --header detector.hpp --namespace vibration
#include "platform.hpp"
#include "print.hpp"
#include "signal.hpp"

using Detector = vibration::Detector;
using untoward::Index;

// What there is room for is known before anything runs.
#ifndef MOST_FLASH
#define MOST_FLASH (16 * 1024)
#define MOST_ARENA 1024
#endif
static_assert(Detector::features == vibration::window);
static_assert(Detector::flash_bytes <= MOST_FLASH);
static_assert(Detector::arena_bytes <= MOST_ARENA);

namespace {

// With a frame of its own, to be measured.
[[gnu::noinline]] float score(const float* sample) {
    return Detector::score(sample);
}

}  // namespace

int main() {
    if (!Detector::self_test()) {
        platform::print("self-test failed\n");
        return 1;
    }
    platform::print("self-test passed\n");

    vibration::Accelerometer accelerometer(20);
    untoward::SlidingWindow<float, 1, vibration::window, vibration::hop> window;
    untoward::KOfN alarm(3, 8);
    untoward::ConformalTail<float, 16> recalibrated(vibration::threshold.false_alarm_rate());
    constexpr std::uint32_t normal_windows = 300;
    constexpr std::uint32_t all_windows = 340;
    std::uint32_t judged = 0;
    std::uint32_t false_alarms = 0;
    std::uint32_t mixed = 0;  // of the bits of every score
    float sample[vibration::window];
    float excess[vibration::window];
    while (judged < all_windows) {
        if (!window.push(accelerometer.next(judged >= normal_windows))) continue;
        window.copy_to(sample);
        const auto verdict = Detector::judge(sample, excess);
        const bool was_on = alarm.is_on();
        if (alarm.push(verdict.is_anomaly) && !was_on) say("alarm at window", judged);
        if (judged < normal_windows) {
            recalibrated.add(verdict.score);
            false_alarms += verdict.is_anomaly ? 1 : 0;
        }
        if (judged < 16 || judged >= all_windows - 16) print_hex(bits(verdict.score));
        mixed = mixed * 31 + bits(verdict.score);
        ++judged;
    }
    platform::print("\nlast p-value, score of all, threshold, recalibrated: ");
    print_hex(bits(vibration::threshold.p_value(Detector::score(sample))));
    print_hex(mixed);
    print_hex(bits(vibration::threshold.threshold()));
    print_hex(bits(recalibrated.threshold()));
    untoward::FlashContribution<float> most[3];
    Detector::most_to_blame(excess, most, 3);
    platform::print("\nto blame: ");
    for (const auto& feature : most) {
        print_number(static_cast<std::uint32_t>(feature.feature));
        platform::print(" ");
    }
    float expected[vibration::window];
    Detector::expect(sample, expected);
    platform::print("\nexpected: ");
    for (const float value : expected) print_hex(bits(value));
    platform::print("\n");
    say("false alarms", false_alarms);

    // One reading missing, and one broken.
    sample[3] = __builtin_nanf("");
    const auto with_missing = Detector::judge(sample);
    sample[5] = __builtin_inff();
    const auto with_infinity = Detector::judge(sample);
    say("missing", static_cast<std::uint32_t>(with_missing.missing));
    say("valid", with_infinity.is_valid ? 1 : 0);
    sample[5] = 0;

    platform::stack_used();
    const std::uint32_t before = platform::instructions();
    constexpr std::uint32_t times = 8;
    for (std::uint32_t i = 0; i < times; ++i) {
        sample[0] = static_cast<float>(i);
        mixed += bits(score(sample));
    }
    const std::uint32_t after = platform::instructions();
    platform::print(mixed == 0 ? " " : "");  // so that nothing of it is left out
    say("# instructions a score", (after - before) / times);
    say("# stack of a score, arena and all", platform::stack_used());
    say("# arena", static_cast<std::uint32_t>(Detector::arena_bytes));
    return 0;
}
