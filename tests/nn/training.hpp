// SPDX-License-Identifier: MIT
#pragma once

// Models trained on windows of real data as tests/reference/training.py trains them with PyTorch: the same
// start, the same noise, the same losses.

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "reference/training.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "untoward/autodiff/count.hpp"
#include "untoward/autodiff/initialiser.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/train/adam.hpp"
#include "untoward/vae/elbo.hpp"

namespace untoward_test {

using namespace untoward;

/// Windows of a table, one a column: `length` rows each, scaled as the reference says.
struct Windows {
    Index channels = 0;
    std::vector<double> values;
};

/// Reads all columns but the first, which is a time.
inline Windows windows_of(const std::string& relative, char separator) {
    namespace ref = untoward::reference;
    std::ifstream file(data_file(relative));
    std::string line;
    std::getline(file, line);
    constexpr std::size_t length = ref::training_length;
    constexpr std::size_t stride = ref::training_stride;
    constexpr std::size_t rows = (ref::training_windows - 1) * stride + length;
    std::vector<std::vector<double>> table;
    while (table.size() < rows && std::getline(file, line)) {
        std::istringstream cells(line);
        std::string cell;
        std::getline(cells, cell, separator);
        table.emplace_back();
        while (std::getline(cells, cell, separator)) table.back().push_back(std::stod(cell));
    }
    REQUIRE(table.size() == rows);

    Windows result;
    const std::size_t channels = table[0].size();
    result.channels = static_cast<Index>(channels);
    result.values.resize(ref::training_windows * length * channels);
    for (std::size_t c = 0; c < channels; ++c) {
        double mean = 0;
        for (const auto& row : table) mean += row.at(c) / static_cast<double>(rows);
        double variance = 0;
        for (const auto& row : table)
            variance += (row[c] - mean) * (row[c] - mean) / static_cast<double>(rows);
        for (std::size_t i = 0; i < ref::training_windows * length; ++i) {
            const double value = table[i / length * stride + i % length][c];
            result.values[i * channels + c] = (value - mean) / std::sqrt(variance);
        }
    }
    return result;
}
inline Windows skab_windows() {
    return windows_of("skab/anomaly-free.csv", ';');
}
inline Windows nab_windows() {
    return windows_of("nab/realKnownCause/nyc_taxi.csv", ',');
}

/// Samples of nobody's data, exact in float: three hidden numbers of each sample, and noise.
inline Windows made_up_windows() {
    namespace ref = untoward::reference;
    std::uint32_t state = 1;
    const auto draw = [&state] {
        state = state * 1664525u + 1013904223u;
        return (static_cast<double>(state >> 22) - 512) / 512;
    };
    Windows result;
    result.channels = ref::made_up_features;
    for (int i = 0; i < ref::training_windows; ++i) {
        const double a = draw();
        const double b = draw();
        const double c = draw();
        for (int d = 0; d < ref::made_up_features; ++d)
            result.values.push_back(a * (d % 5) / 4 + b * (d % 3) / 2 + c + draw() / 4);
    }
    return result;
}

/// What PyTorch met: the windows of a step, the number of parameters, their weighted sum at the start, and the
/// losses of steps 1, 10, 50 and 100.
struct ExpectedTraining {
    int batch;
    int parameters;
    double start;
    const double (&losses)[4];
};

/// Trains `model`, in double unless said otherwise, and compares.
template <class S = double, class Model>
void check_training(const Model& model, const Windows& windows, const ExpectedTraining& expected) {
    constexpr double of_start = sizeof(S) == 8 ? 1e-10 : 1e-4;
    constexpr double of_loss = sizeof(S) == 8 ? 1e-9 : 2e-4;  // 2e-12 at most on x86-64
    namespace ref = untoward::reference;
    const NegativeElboLoss<Model> loss{model};
    const Index batch = expected.batch;
    REQUIRE(model.sample.size() * batch <= static_cast<Index>(windows.values.size()));
    const Cursor size = measure(loss, model.sample);
    REQUIRE(size.scalars == expected.parameters);
    const std::vector<S> values(windows.values.begin(), windows.values.end());
    Buffer<S> parameters(size.scalars);
    initialise(parameters.data(), ref::training_seed, loss, model.sample);
    double start = 0;
    for (Index i = 0; i < size.scalars; ++i)
        start += static_cast<double>(parameters[i]) * std::cos(static_cast<double>(i));
    CHECK(std::abs(start - expected.start) < of_start);

    Buffer<S> gradient(size.scalars);
    Buffer<S> first(size.scalars);
    Buffer<S> second(size.scalars);
    S* const moments[] = {first.data(), second.data()};
    std::vector<std::uint32_t> ids(ref::training_windows);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint32_t>(i);
    Buffer<std::byte> memory(static_cast<Index>(count<S>(loss, batch, model.sample).record_bytes));

    std::vector<double> losses;
    for (int step = 1; step <= ref::training_steps; ++step) {
        Arena arena(memory);
        const Pass pass{.training = true,
                        .seed = ref::training_noise_seed,
                        .epoch = static_cast<std::uint32_t>(step - 1),
                        .samples = ids.data()};
        Tape<S> tape(arena, parameters.data(), gradient.data(), size, pass);
        Record<S> scope(tape);
        const auto terms = loss(scope, scope.input(Tensor<const S, typename Model::SampleShape>(
                                           values.data(), model.sample, batch)));
        tape.backward(terms.loss);
        losses.push_back(static_cast<double>(terms.loss.scalar()));
        Adam{}(Update<S>{.parameters = parameters.data(),
                         .gradient = gradient.data(),
                         .moments = moments,
                         .size = size.scalars,
                         .learning_rate = ref::training_rate,
                         .step = step,
                         .decay = false});
    }
    constexpr std::size_t reported[] = {1, 10, 50, 100};
    for (std::size_t i = 0; i < 4; ++i) {
        INFO("step " << reported[i] << ": " << losses[reported[i] - 1] << ", PyTorch " << expected.losses[i]);
        const double difference = std::abs(losses[reported[i] - 1] / expected.losses[i] - 1);
        CAPTURE(difference);
        CHECK(difference < of_loss);
    }
    CHECK(losses.back() < 0.99 * losses.front());
}

#define EXPECTED_TRAINING(prefix)                                                      \
    untoward_test::ExpectedTraining {                                                  \
        untoward::reference::prefix##_batch, untoward::reference::prefix##_parameters, \
            untoward::reference::prefix##_start, untoward::reference::prefix##_losses  \
    }

}  // namespace untoward_test
