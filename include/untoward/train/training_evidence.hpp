// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "../scores/fitted.hpp"

namespace untoward UNTOWARD_SETTING {

/// What a score that is fitted (scores/fitted.hpp) may look at: the evidence of the training rows, and of
/// those that were held out, but never of the calibration slice; block by block, always in the same order and
/// the same blocks, so that the numbers of a row are the same bits each time.
template <class S>
class TrainingEvidence {
public:
    using Scalar = S;
    using Vector = Eigen::Matrix<S, Dynamic, 1>;
    using Look = std::function<void(const FlatEvidence<S>&)>;

    virtual ~TrainingEvidence() = default;
    [[nodiscard]] Index features() const { return features_; }
    /// Latent units.
    [[nodiscard]] Index units() const { return units_; }
    [[nodiscard]] std::uint64_t seed() const { return seed_; }
    [[nodiscard]] Index count(FitRows rows) const {
        return (rows == FitRows::held_out ? 0 : training_rows_) +
               (rows == FitRows::training ? 0 : held_out_rows_);
    }
    /// look(evidence) for at most `block` rows at a time. Of the evidence, what `needs` asks for.
    virtual void for_each(FitRows rows, const Needs& needs, const Look& look) const = 0;

    static constexpr Index block = 256;

protected:
    TrainingEvidence(Index features, Index units, std::uint64_t seed, Index training, Index held_out)
        : features_(features), units_(units), seed_(seed), training_rows_(training),
          held_out_rows_(held_out) {}
    TrainingEvidence(const TrainingEvidence&) = delete;
    TrainingEvidence& operator=(const TrainingEvidence&) = delete;

private:
    Index features_;
    Index units_;
    std::uint64_t seed_;
    Index training_rows_;
    Index held_out_rows_;
};

namespace detail {

// Of a trained model and its scaled rows, features x n.
template <class S, class Model, DrawDetail Detail = DrawDetail::mean_only>
class EvidenceOfModel final : public TrainingEvidence<S> {
public:
    using Matrix = Eigen::Matrix<S, Dynamic, Dynamic>;
    using Base = TrainingEvidence<S>;

    EvidenceOfModel(const Model& model, const S* parameters, const Matrix& training, const Matrix& held_out,
                    std::uint64_t seed)
        : Base(model.sample.size(), model.latent.units.size(), seed, training.cols(), held_out.cols()),
          model_(model), parameters_(parameters), training_(training), held_out_(held_out) {}

    void for_each(FitRows rows, const Needs& needs, const typename Base::Look& look) const override {
        if (rows != FitRows::held_out) look_at(training_, needs, look);
        if (rows != FitRows::training) look_at(held_out_, needs, look);
    }

private:
    void look_at(const Matrix& rows, const Needs& needs, const typename Base::Look& look) const {
        const GatherEvidence<Model, Detail> layer{model_, needs};
        const Index most = (std::min)(Base::block, std::max<Index>(rows.cols(), 1));
        Buffer<std::byte> memory(
            static_cast<Index>(count_pass<S>(false, layer, most, model_.sample).run_bytes));
        for (Index begin = 0; begin < rows.cols(); begin += most) {
            const Index n = (std::min)(most, rows.cols() - begin);
            Arena arena(memory);
            Run<S> scope(parameters_, arena, Pass{.seed = needs.seed});
            const Tensor<const S, typename Model::SampleShape> x(rows.data() + begin * rows.rows(),
                                                                 model_.sample, n);
            look(layer(scope, x).flattened());
        }
    }

    const Model& model_;
    const S* parameters_;
    const Matrix& training_;
    const Matrix& held_out_;
};

}  // namespace detail

}  // namespace untoward
