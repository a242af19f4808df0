// SPDX-License-Identifier: MIT
// One sample scored, by squared error + KL, in an arena and without an allocation. Workload W3, beside the loop
// over matrix-vector products that one would write with Eigen, over the same weights.
#include "../../tests/support/allocation.hpp"
#include "support/eigen_network.hpp"
#include "support/workloads.hpp"

namespace {

using namespace bench;

constexpr Index samples = 256;

// A way to do it with Eigen.
struct ByEigen {
    const char* label;
    EigenScore* score;
    bool columns;
};

template <class Model>
class Scored {
public:
    float by_detector(Index sample) {
        float score = 0;
        detector_.evaluate(rows_.col(sample), arena_, &score);
        return score;
    }
    float by_eigen(const ByEigen& eigen, Index sample) const {
        return eigen.score(eigen.columns ? by_columns_ : by_rows_, &rows_(0, sample));
    }

private:
    static constexpr bool unit = std::is_same_v<decltype(Model::likelihood), u::Bernoulli>;
    using Detector = decltype(make_detector(Model{}, {}));

    // A layer's weights are followed by its biases.
    EigenNetwork network(bool columns) {
        EigenNetwork result{{}, columns, unit, {work_[0].data(), work_[1].data()}};
        Index layer = 0;
        u::describe(
            [&](const u::ParameterInfo& info) {
                const float* const from = detector_.parameters().data() + info.offset;
                EigenLayer& to = result.layers[layer];
                if (info.rank == 1) {
                    to.bias = from;
                    ++layer;
                    return;
                }
                const Index out = info.extents[0];
                const Index in = info.extents[1];
                to = {from, nullptr, in, out};
                if (!columns) return;
                float* const turned = transposed_.data() + info.offset;
                for (Index i = 0; i < out; ++i)
                    for (Index j = 0; j < in; ++j) turned[j * out + i] = from[i * in + j];
                to.weight = turned;
            },
            Model{}, Model{}.sample);
        return result;
    }

    Eigen::MatrixXf rows_ = rows_of(Model{}.sample.size(), samples, unit);
    Detector detector_ = make_detector(Model{}, initial_parameters(Model{}));
    u::Buffer<std::byte> memory_{static_cast<Index>(Detector::arena_bytes(detector_.recipe(), 1, false))};
    u::Arena arena_{memory_};
    u::Buffer<float> transposed_{detector_.parameters().size()};
    u::Buffer<float> work_[2] = {u::Buffer<float>(784), u::Buffer<float>(784)};
    EigenNetwork by_rows_ = network(false);
    EigenNetwork by_columns_ = network(true);
};

// Whether all of them say the same, and none asks for memory.
template <class Model>
bool check(const char* name, const std::vector<ByEigen>& all) {
    Scored<Model> scored;
    bool fine = true;
    const AllocationCount count;
    for (const ByEigen& eigen : all) {
        double worst = 0;
        for (Index i = 0; i < samples; ++i) {
            const auto ours = static_cast<double>(scored.by_detector(i));
            const auto theirs = static_cast<double>(scored.by_eigen(eigen, i));
            worst = std::max(worst, std::abs(ours - theirs) / std::abs(theirs));
        }
        if (!(worst < 1e-5)) {
            std::fprintf(stderr, "%s: the detector's scores and those of %s differ by a share of %g\n", name,
                         eigen.label, worst);
            fine = false;
        }
    }
    if (count.since() != 0) {
        std::fprintf(stderr, "%s: %ld allocations\n", name, count.since());
        fine = false;
    }
    return fine;
}

template <class Model>
void add_rows(const char* name, double flops, const std::vector<ByEigen>& all) {
    Row row{name, flops, {}};
    row.contenders.push_back(contender("untoward", [] {
        auto scored = std::make_shared<Scored<Model>>();
        return [scored, i = Index{0}]() mutable {
            benchmark::DoNotOptimize(scored->by_detector(i));
            i = (i + 1) % samples;
        };
    }));
    for (const ByEigen& eigen : all) {
        row.contenders.push_back(contender(eigen.label, [eigen] {
            auto scored = std::make_shared<Scored<Model>>();
            return [scored, eigen, i = Index{0}]() mutable {
                benchmark::DoNotOptimize(scored->by_eigen(eigen, i));
                i = (i + 1) % samples;
            };
        }));
    }
    add(std::move(row));
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<ByEigen> all{{"Eigen", &bench_eigen_score_plain, false}};
    // A build without flags is to be no worse than what Eigen makes of this machine, nor than what it makes of its
    // own order of weights, which is the faster one for small layers.
    if (untoward::available_instruction_set() == untoward::InstructionSet::avx512) {
        all.push_back({"Eigen v4", &bench_eigen_score_v4, false});
        all.push_back({"Eigen v4, columns", &bench_eigen_score_v4, true});
    }
    if (!check<TableModel>("W1's net", all) || !check<ImageModel>("W2's net", all)) return 1;
    add_rows<TableModel>("W3 one sample, W1's net", 2 * table_forward, all);
    add_rows<ImageModel>("W3 one sample, W2's net", 2 * image_forward, all);
    return run(argc, argv);
}
