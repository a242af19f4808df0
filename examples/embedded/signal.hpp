// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <untoward/core/random.hpp>

namespace vibration {

/// A make-believe accelerometer on a bearing: two tones of a shaft that turns a little unevenly, and noise. With the
/// fault, something knocks every eleventh reading and rings out. The same seed gives the same bits everywhere.
class Accelerometer {
public:
    explicit Accelerometer(std::uint64_t seed) : noise_(seed) {}

    float next(bool fault) {
        // Turned by angles whose cosine and sine are written down, so that no library's sine is asked.
        shaft_.turn(0.92387953f, 0.38268343f);
        gear_.turn(0.39073113f, 0.92050485f);
        ring_.turn(-0.64278761f, 0.76604444f);
        if (++reading_ % 64 == 0) load_ += 0.1f * (0.05f * noise_.normal() - load_);
        if (fault && reading_ % 11 == 0) knock_ = 1.2f;
        knock_ *= 0.7f;
        return (1 + load_) * shaft_.y + 0.4f * (1 - load_) * gear_.x + knock_ * ring_.y +
               0.1f * noise_.normal();
    }

private:
    struct Phasor {
        float x = 1;
        float y = 0;
        void turn(float cosine, float sine) {
            const float turned = x * cosine - y * sine;
            y = x * sine + y * cosine;
            x = turned;
            const float shrink = 1.5f - 0.5f * (x * x + y * y);  // rounding moves it off the circle
            x *= shrink;
            y *= shrink;
        }
    };

    untoward::RandomStream noise_;
    Phasor shaft_{}, gear_{}, ring_{};
    std::uint32_t reading_ = 0;
    float load_ = 0;
    float knock_ = 0;
};

constexpr int window = 16;  // readings that are judged together
constexpr int hop = 8;      // readings from one window to the next

}  // namespace vibration
