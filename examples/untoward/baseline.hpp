// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <untoward/data/scaler.hpp>
#include <untoward/io/detector_file.hpp>
#include <untoward/statistics/neighbours.hpp>

namespace program {

/// What a model has to beat: the distance to the fifth nearest of the rows it learned from, standardised, and
/// nothing learned. It lies beside the model in its file, for `untoward evaluate` to show.
class Baseline {
public:
    /// Of 2,000 rows at most: mean AUC-ROC over data/tabular is 91.00% with them and 91.02% with all
    /// (statistics/neighbours.hpp).
    static constexpr untoward::statistics::Neighbours policy{.k = 5, .most_rows = 2000};

    /// From rows, features x n, NaN = missing.
    static Baseline fit(const Eigen::MatrixXf& rows, std::uint64_t seed) {
        Baseline result;
        result.scaling_ = untoward::StandardScaler{}.fit(rows);
        const Eigen::MatrixXf scaled = result.scaled(rows, 0, rows.cols());
        result.nearest_ = policy.fit(untoward::statistics::columns(scaled), seed);
        return result;
    }

    /// Distances of rows, features x n.
    [[nodiscard]] Eigen::VectorXf score(const Eigen::MatrixXf& rows) const {
        constexpr untoward::Index block = 256;
        Eigen::VectorXf scores(rows.cols());
        untoward::Buffer<std::byte> memory(static_cast<untoward::Index>(nearest_.arena_bytes(block)));
        for (untoward::Index begin = 0; begin < rows.cols(); begin += block) {
            const Eigen::MatrixXf some = scaled(rows, begin, std::min(block, rows.cols() - begin));
            untoward::Arena arena(memory);
            nearest_.evaluate(untoward::statistics::columns(some), arena, scores.data() + begin);
        }
        return scores;
    }

    void save(untoward::io::SafeTensorsWriter& writer) const {
        Fitted::Sizes::list(nearest_.sizes, [&](const char* name, const untoward::Index& size) {
            writer.metadata(std::string("baseline.") + name, std::to_string(size));
        });
        const auto add = [&](const char* name, const Eigen::VectorXf& values, untoward::Index size) {
            writer.add(std::string("baseline.") + name, {size}, values);
        };
        Fitted::numbers(nearest_, add);
        const untoward::Index features = scaling_.features();
        add("centre", scaling_.centre, features);
        add("scale", scaling_.scale, features);
        add("fill", scaling_.fill, features);
        add("constant", scaling_.constant, features);
    }
    /// From a file that has one; throws untoward::Error where it is not of so many features.
    static Baseline load(const untoward::io::SafeTensors& file, untoward::Index features) {
        Baseline result;
        Fitted::Sizes::list(result.nearest_.sizes, [&](const char* name, untoward::Index& size) {
            size = untoward::io::detail::rows_of(file, std::string("baseline.") + name);
            if (size > untoward::io::detail::largest_size)
                untoward::fail(file.name(), ": baseline.", name, " is too large");
        });
        if (result.nearest_.sizes.features != features || result.nearest_.sizes.k < 1)
            untoward::fail(file.name(), ": its baseline is of ", result.nearest_.sizes.features,
                           " features and of the nearest ", result.nearest_.sizes.k, ", expected ", features,
                           " and 1 or more");
        const auto read = [&](const char* name, Eigen::VectorXf& values, untoward::Index size) {
            values = file.tensor<float>(std::string("baseline.") + name, std::vector<untoward::Index>{size});
        };
        Fitted::numbers(result.nearest_, read);
        read("centre", result.scaling_.centre, features);
        read("scale", result.scaling_.scale, features);
        read("fill", result.scaling_.fill, features);
        read("constant", result.scaling_.constant, features);
        return result;
    }

private:
    using Fitted = untoward::statistics::NeighbourDistance<Eigen::VectorXf>;

    Eigen::MatrixXf scaled(const Eigen::MatrixXf& rows, untoward::Index begin, untoward::Index n) const {
        Eigen::MatrixXf result(rows.rows(), n);
        for (untoward::Index j = 0; j < n; ++j) {
            for (untoward::Index i = 0; i < rows.rows(); ++i)
                result(i, j) = scaling_.apply(i, rows(i, begin + j));
        }
        return result;
    }

    untoward::Scaling<Eigen::VectorXf> scaling_{};
    Fitted nearest_{};
};

}  // namespace program
