// SPDX-License-Identifier: MIT
// One sample scored, by squared error + KL, in an arena and without an allocation. Workload W3, beside the loop
// over matrix-vector products that one would write with Eigen, over the same weights; and a `FlashDetector` whose
// weights are bfloat16 or int8.
#include <untoward/embedded/flash_detector.hpp>
#include <untoward/io/cpp_header.hpp>

#include "../../tests/support/allocation.hpp"
#include "../../tests/support/worst.hpp"
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

// The same detector with fewer bits, in memory that is filled when the program starts.
template <class Model, class Code>
struct PackedDefinition {
    using Scalar = float;
    static constexpr auto model = Model{};
    static constexpr auto score = u::ReconstructionError{} + 1.0f * u::KlDivergence{};

    static constexpr u::detail::PackedSizes sizes = u::detail::pack_places(Model{}, nullptr);
    static constexpr auto features = static_cast<std::size_t>(Model{}.sample.size());
    static inline std::array<Code, static_cast<std::size_t>(sizes.codes)> codes;
    static inline std::array<u::BFloat16, static_cast<std::size_t>(sizes.rows)> scales;
    static inline std::array<float, static_cast<std::size_t>(sizes.others)> others;
    static inline std::array<float, features> centre, scale, fill, typical;

    // The parameters that they stand for.
    static u::Buffer<float> fill_all() {
        constexpr bool is_int8 = std::is_same_v<Code, std::int8_t>;
        auto packed =
            u::io::detail::pack(Model{}, initial_parameters(Model{}),
                                is_int8 ? u::io::HeaderWeights::int8 : u::io::HeaderWeights::bfloat16);
        const auto half = [](std::uint16_t bits) { return u::BFloat16{bits}; };
        if constexpr (is_int8) {
            std::copy(packed.codes.begin(), packed.codes.end(), codes.begin());
            std::transform(packed.scales.begin(), packed.scales.end(), scales.begin(), half);
        } else {
            std::transform(packed.halves.begin(), packed.halves.end(), codes.begin(), half);
            scales.fill(u::BFloat16::from(1));
        }
        std::copy(packed.others.begin(), packed.others.end(), others.begin());
        scale.fill(1);
        return std::move(packed.rounded);
    }
};

// Whether it says what a detector of the parameters says that its codes stand for.
template <class Model, class Code>
bool check_packed(const char* name) {
    using Definition = PackedDefinition<Model, Code>;
    constexpr bool unit = std::is_same_v<decltype(Model::likelihood), u::Bernoulli>;
    const auto detector = make_detector(Model{}, Definition::fill_all());
    const Eigen::MatrixXf rows = rows_of(Model{}.sample.size(), samples, unit);
    const Eigen::VectorXf expected = detector.score(rows);
    double worst = 0;
    const AllocationCount count;
    for (Index i = 0; i < samples; ++i) {
        const float score = u::FlashDetector<Definition>::score(&rows(0, i));
        worst = larger_error(worst, static_cast<double>(std::abs(score - expected[i]) / expected[i]));
    }
    if (worst < 1e-5 && count.since() == 0) return true;
    std::fprintf(stderr, "%s: scores by packed weights differ by a share of %g; %ld allocations\n", name,
                 worst, count.since());
    return false;
}

template <class Model, class Code>
Contender packed(const char* label) {
    constexpr bool unit = std::is_same_v<decltype(Model::likelihood), u::Bernoulli>;
    return contender(label, [] {
        auto rows = std::make_shared<Eigen::MatrixXf>(rows_of(Model{}.sample.size(), samples, unit));
        return [rows, i = Index{0}]() mutable {
            benchmark::DoNotOptimize(u::FlashDetector<PackedDefinition<Model, Code>>::score(&(*rows)(0, i)));
            i = (i + 1) % samples;
        };
    });
}

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
            worst = larger_error(worst, std::abs(ours - theirs) / std::abs(theirs));
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
    row.contenders.push_back(packed<Model, u::BFloat16>("bfloat16 weights"));
    row.contenders.push_back(packed<Model, std::int8_t>("int8 weights"));
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
    if (!check_packed<TableModel, u::BFloat16>("W1's net") ||
        !check_packed<TableModel, std::int8_t>("W1's net") ||
        !check_packed<ImageModel, u::BFloat16>("W2's net") ||
        !check_packed<ImageModel, std::int8_t>("W2's net"))
        return 1;
    add_rows<TableModel>("W3 one sample, W1's net", 2 * table_forward, all);
    add_rows<ImageModel>("W3 one sample, W2's net", 2 * image_forward, all);
    return run(argc, argv);
}
