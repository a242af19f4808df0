// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <untoward/dynamic/any_threshold.hpp>
#include <untoward/io/table_coding.hpp>

namespace program {

struct Network;
class Baseline;

using Threshold = untoward::AnyFittedThreshold<float>;

/// What fitting found out, for `untoward info`: metadata of the file whose keys begin with "fit.".
using Notes = std::map<std::string, std::string>;

/// How a feature is scaled before the network sees it.
struct FeatureScale {
    float centre;
    float scale;
    bool is_constant;  ///< one value only in training
};

/// What the model says of some rows, one a column.
struct Explanation {
    Eigen::VectorXf scores;
    Eigen::MatrixXf contributions;  ///< what each feature adds to the score, beyond what is usual
    Eigen::MatrixXf expected;       ///< the reconstruction, coded as the rows are
};

/// A model file: how a table becomes features, and the detector that judges them.
class Model {
public:
    /// Rows to explain at a time: what stays in the cache.
    static constexpr untoward::Index block = 256;

    Model(untoward::io::TableCoding coding, Network network, Notes notes, std::unique_ptr<Baseline> baseline);
    Model(Model&&) noexcept;
    ~Model();

    /// Reads and checks a file; throws untoward::Error.
    static Model load(const std::string& path);

    /// Writes a file whole or not at all; throws untoward::Error.
    void save(const std::string& path) const;

    /// The scores of features x n; higher is more anomalous.
    Eigen::VectorXf score(const Eigen::MatrixXf& x) const;

    /// Their distances to nearest neighbours among the rows that the model learned from; empty where the file
    /// has none.
    Eigen::VectorXf baseline_score(const Eigen::MatrixXf& x) const;

    /// Explains at most `block` columns of x.
    Explanation explain(const Eigen::MatrixXf& x, untoward::Index begin, untoward::Index n) const;

    /// The Monte Carlo standard errors of the scores of n columns of x; NaN where one is not known.
    Eigen::VectorXf standard_error(const Eigen::MatrixXf& x, untoward::Index begin, untoward::Index n) const;

    /// How far the models disagree about n columns of x, as a standard deviation; NaN for one model.
    Eigen::VectorXf spread(const Eigen::MatrixXf& x, untoward::Index begin, untoward::Index n) const;

    const untoward::io::TableCoding& coding() const { return coding_; }
    const Notes& notes() const { return notes_; }
    const Threshold& threshold() const;
    void set_threshold(Threshold threshold);
    FeatureScale scale(untoward::Index feature) const;

    /// What there is to say of the model, from the rows it was fitted to and others like them, or none
    /// (features x n): one sentence each.
    std::vector<std::string> diagnose(const Eigen::MatrixXf& training, const Eigen::MatrixXf& held_out,
                                      std::uint64_t seed) const;

    /// What the model makes of features x n: latent coordinates, and what is decoded from them.
    Eigen::MatrixXf encode(const Eigen::MatrixXf& x) const;
    Eigen::MatrixXf reconstruct(const Eigen::MatrixXf& x) const;
    /// Rows of its own, features x n: drawn, or what is expected at each drawn place.
    Eigen::MatrixXf sample(untoward::Index n, std::uint64_t seed, bool expected) const;
    /// The way from one row to another, features x steps.
    Eigen::MatrixXf interpolate(const Eigen::VectorXf& from, const Eigen::VectorXf& to,
                                untoward::Index steps) const;

    /// How many models there are: what follows, where it is of one, is of the first.
    untoward::Index model_count() const;
    /// The architecture in C++, and the number of its parameters.
    std::string summary() const;
    /// Scaler and score of each model in C++.
    std::vector<std::string> scalers() const;
    std::vector<std::string> score_texts() const;

    /// The same model with the weights that a header of this kind has: "float32", "bfloat16" or "int8".
    Model rounded(const std::string& weights) const;
    /// The detector as a C++ header, with these lines for people on top.
    std::string header(const std::string& name_space, const std::string& weights,
                       std::vector<std::string> notes) const;
    /// Bytes of constants that it puts into flash.
    std::size_t flash_bytes(const std::string& weights) const;
    /// About what its code takes of flash: the sum of what its parts took at most, each by itself, on a Cortex-M4 at -Os
    /// with everything that a detector in flash does (tests/house/embedded.py compares). And with NegativeElbo for its
    /// score, as one model.
    std::size_t code_bytes() const;
    std::size_t plain_code_bytes() const;
    /// Bytes of the vectors for the self-test, which are in flash where that is used.
    std::size_t test_bytes() const;
    /// Those bytes of constants that are for what the score learned of the training rows.
    std::size_t learned_bytes() const;
    /// A threshold of the same kind and options, for these scores.
    Threshold calibrated(const Eigen::VectorXf& scores) const;

    /// The promise of the threshold in a sentence, or what is missing for one.
    std::string promise() const;

private:
    untoward::io::TableCoding coding_;
    std::unique_ptr<Network> network_;
    Notes notes_;
    std::unique_ptr<Baseline> baseline_;
};

}  // namespace program
