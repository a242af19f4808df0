// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "callback.hpp"

namespace untoward UNTOWARD_SETTING {

/// A callback: a progress bar with loss, KL and the time left, on a terminal; silent where the stream is
/// none.
class ProgressBar {
public:
    explicit ProgressBar(std::FILE* stream = stderr) : stream_(stream), shown_(isatty(fileno(stream)) != 0) {}

    void on_evaluation(const Training& t) const {
        if (!shown_) return;
        constexpr Index width = 30;
        const Index filled = t.step * width / std::max<Index>(t.steps, 1);
        char bar[width + 1] = {};
        for (Index i = 0; i < width; ++i) bar[i] = i < filled ? '#' : '.';
        const double left = t.seconds() / static_cast<double>(t.step) * static_cast<double>(t.steps - t.step);
        std::fprintf(stream_, "\r\x1b[Ktraining [%s] %lld/%lld  loss %.4g  KL %.3g  %.0f s left", bar,
                     static_cast<long long>(t.step), static_cast<long long>(t.steps), t.training_loss,
                     t.training_kl, left);
        std::fflush(stream_);
    }
    void on_end(const Training&) const {
        if (!shown_) return;
        std::fprintf(stream_, "\r\x1b[K");
        std::fflush(stream_);
    }

private:
    std::FILE* stream_;
    bool shown_;
};

}  // namespace untoward
