// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "train.hpp"

namespace untoward {

/// A progress bar with loss, KL and the time left, on a terminal; silent where the stream is none. Give it to
/// `TrainingOptions::progress`.
class ProgressBar {
public:
    explicit ProgressBar(std::FILE* stream = stderr) : stream_(stream), shown_(isatty(fileno(stream)) != 0) {}

    void operator()(const TrainingProgress& p) const {
        if (!shown_) return;
        if (p.finished) {
            std::fprintf(stream_, "\r\x1b[K");
            std::fflush(stream_);
            return;
        }
        constexpr Index width = 30;
        const Index filled = p.step * width / std::max<Index>(p.steps, 1);
        char bar[width + 1] = {};
        for (Index i = 0; i < width; ++i) bar[i] = i < filled ? '#' : '.';
        const double left = p.seconds / static_cast<double>(p.step) * static_cast<double>(p.steps - p.step);
        std::fprintf(stream_, "\r\x1b[Ktraining [%s] %lld/%lld  loss %.4g  KL %.3g  %.0f s left", bar,
                     static_cast<long long>(p.step), static_cast<long long>(p.steps), p.loss, p.kl, left);
        std::fflush(stream_);
    }

private:
    std::FILE* stream_;
    bool shown_;
};

}  // namespace untoward
