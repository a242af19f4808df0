// SPDX-License-Identifier: MIT
#pragma once

// The workloads in libtorch, behind an interface without its headers: those and the library's own in one source
// file would take a minute to compile.

#include <memory>
#include <string>
#include <vector>

namespace bench::peer {

/// What a training step on one batch with given noise comes to.
struct Gradient {
    double loss = 0;  ///< of squared errors halved, or cross-entropies, and KL: a mean over the batch
    std::vector<float> values{};  ///< parameter after parameter, in the library's order
};

/// A VAE in libtorch, written as its users write one. Samples lie one after the other.
class Model {
public:
    virtual ~Model() = default;

    /// Takes over parameters in the library's order and shapes (PyTorch's own, as it happens); returns false
    /// where their number is another.
    virtual bool set_parameters(const float* values, long size) = 0;
    /// Rows to train on and to score; they stay where they are.
    virtual void set_rows(float* rows, long n) = 0;

    /// Of the first rows; the noise is batch x units.
    virtual Gradient gradient(long batch, const float* noise) = 0;
    /// A training step of noise of its own: forward, backward, Adam; on the next rows, as they lie. Where `whole`, also
    /// what a program that trains does besides, as `Trainer::step` does: rows of a shuffled order are gathered, the
    /// log-variance is bounded, gradients are zeroed, and clipped by their norm.
    virtual float step(long batch, bool whole) = 0;
    /// Squared error + KL of rows begin, begin + 1, ... into scores; so many rows in one call of the network.
    virtual void score(long begin, long rows, long in_one_call, float* scores) = 0;
};

std::unique_ptr<Model> table_model();
std::unique_ptr<Model> image_model();
std::unique_ptr<Model> window_model();

/// One thread, everywhere.
void use_one_thread();
/// What libtorch computes with: versions, instructions, who does its matrix products and how fast.
struct Setup {
    std::string text{};
    std::string blas_file{};     ///< the library that sgemm_ is in
    std::string blas_problem{};  ///< empty where that is OpenBLAS
    double sgemm = 0;            ///< GFLOP/s, 512 x 512
};
Setup setup();

}  // namespace bench::peer
