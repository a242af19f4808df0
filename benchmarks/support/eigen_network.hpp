// SPDX-License-Identifier: MIT
#pragma once

// One sample scored as one would write it with Eigen: what the library's single samples are compared with.

namespace bench {

/// One dense layer: its weights are out x in.
struct EigenLayer {
    const float* weight;
    const float* bias;
    long in;
    long out;
};

/// Three layers to the latent units' means and log-variances, three back; all but the third of each end in
/// ReLU, or the last one in a sigmoid.
struct EigenNetwork {
    EigenLayer layers[6];
    bool columns;  ///< weights are column-major, Eigen's own order; else row-major, as the library has them
    bool sigmoid;
    float* work[2];  ///< each as long as the widest layer
};

/// Squared error of the decoded mean + KL.
using EigenScore = float(const EigenNetwork& network, const float* x);

}  // namespace bench

// One function, compiled with the flags of everything else, and for AVX-512.
extern "C" bench::EigenScore bench_eigen_score_plain;
extern "C" bench::EigenScore bench_eigen_score_v4;
