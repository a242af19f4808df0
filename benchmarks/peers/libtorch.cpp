// SPDX-License-Identifier: MIT
// The same work by the library and by libtorch, in one process, on one thread, in alternating blocks. Workloads
// W1 to W5.
//
//     bench_peers_libtorch            libtorch as it chooses itself
//     bench_peers_libtorch --tuned    told to use AVX-512: Debian's OpenBLAS does not know newer processors
//
// It refuses where libtorch multiplies with the reference BLAS, or where the two do not compute the same loss,
// gradient and scores from the same parameters and noise.
//
// Memory that was freed stays with the process. glibc's malloc would give the largest arrays back to the kernel,
// which clears them again for the next call, in a program whose largest they are, or not, as the heap happens to
// lie; one call with 10,000 rows is therefore measured both ways.
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "peers/torch_models.hpp"
#include "support/workloads.hpp"

namespace {

using namespace bench;

// Whether its likelihood is of values in [0, 1].
template <class Model>
constexpr bool is_unit = std::is_same_v<decltype(Model::likelihood), u::Bernoulli>;

// A model on both sides.
template <class Model>
struct Workload {
    const char* name;
    std::unique_ptr<peer::Model> (*make)();

    [[nodiscard]] Eigen::MatrixXf rows(Index n) const {
        return rows_of(Model{}.sample.size(), n, is_unit<Model>);
    }
};

template <class T>
bool near(const char* name, const char* what, T ours, T theirs, double tolerance) {
    const double apart = static_cast<double>(std::abs(ours - theirs));
    if (apart <= tolerance * static_cast<double>(std::abs(theirs))) return true;
    std::fprintf(stderr, "%s: %s %.9g, libtorch's %.9g\n", name, what, static_cast<double>(ours),
                 static_cast<double>(theirs));
    return false;
}

// The same loss, the same gradient, the same scores?
template <class Model>
bool check(const Workload<Model>& workload) {
    constexpr Index batch = 64;
    const Model model;
    Eigen::MatrixXf rows = workload.rows(batch);
    const u::Buffer<float> parameters = initial_parameters(model);
    const auto peer = workload.make();
    if (!peer->set_parameters(parameters.data(), parameters.size())) {
        std::fprintf(stderr, "%s: another number of parameters than libtorch's\n", workload.name);
        return false;
    }
    peer->set_rows(rows.data(), rows.cols());

    std::vector<std::uint32_t> ids(batch);
    for (Index j = 0; j < batch; ++j) ids[static_cast<std::size_t>(j)] = static_cast<std::uint32_t>(j);
    const u::Pass pass{.training = true, .samples = ids.data()};
    const u::Tensor<const float, typename Model::SampleShape> x(rows.data(), model.sample, batch);
    const u::NegativeElboLoss<Model> loss{model};
    u::Buffer<float> gradient(parameters.size());
    u::Buffer<std::byte> memory(static_cast<Index>(u::count<float>(loss, batch, model.sample).record_bytes));
    u::Arena arena(memory);

    // The noise that the model drew, from what it made of it.
    u::Run<float> run(parameters.data(), arena, pass);
    const auto drawn = model(run, run.input(x));
    const Eigen::ArrayXXf deviation = (0.5f * drawn.posterior.log_variance.matrix().array()).exp();
    const Eigen::ArrayXXf noise = (drawn.z.matrix() - drawn.posterior.mean.matrix()).array() / deviation;

    arena.rewind();
    u::Tape<float> tape(arena, parameters.data(), gradient.data(), u::measure(loss, model.sample), pass);
    u::Record<float> scope(tape);
    const auto terms = loss(scope, scope.input(x));
    tape.backward(terms.loss);
    const peer::Gradient theirs = peer->gradient(batch, noise.data());

    // A density has constants, an error has none.
    const double constants =
        is_unit<Model> ? 0 : 0.9189385332046727 * static_cast<double>(model.sample.size());
    bool fine =
        near(workload.name, "loss", static_cast<double>(terms.loss.scalar()), theirs.loss + constants, 1e-5);
    const Eigen::Map<const Eigen::ArrayXf> their_gradient(theirs.values.data(),
                                                          static_cast<Index>(theirs.values.size()));
    const float apart =
        (gradient.array() - their_gradient).abs().maxCoeff() / their_gradient.abs().maxCoeff();
    if (!(apart < 1e-5f)) {
        std::fprintf(stderr, "%s: the gradients differ by %g of the largest number\n", workload.name,
                     static_cast<double>(apart));
        fine = false;
    }

    const auto detector = make_detector(model, parameters);
    const Eigen::VectorXf scores = detector.score(rows);
    Eigen::VectorXf their_scores(batch);
    peer->score(0, batch, batch, their_scores.data());
    for (Index j = 0; j < batch; ++j)
        fine = near(workload.name, "score", scores[j], their_scores[j], 1e-4) && fine;
    return fine;
}

// A model of libtorch's with the parameters and rows of ours, ready to work.
template <class Model>
class Peer {
public:
    Peer(const Workload<Model>& workload, Index n)
        : rows(workload.rows(n)), model(workload.make()), scores(static_cast<std::size_t>(n)) {
        const auto parameters = initial_parameters(Model{});
        model->set_parameters(parameters.data(), parameters.size());
        model->set_rows(rows.data(), n);
    }

    Eigen::MatrixXf rows;
    std::unique_ptr<peer::Model> model;
    std::vector<float> scores;
};

template <class Model>
void add_training(const Workload<Model>& workload, Index batch, double multiply_adds) {
    Row row{std::string(workload.name) + " training, batch " + std::to_string(batch),
            2 * multiply_adds * static_cast<double>(batch),
            {training(Model{}, batch)}};
    for (const bool whole : {false, true}) {
        row.contenders.push_back(contender(whole ? "libtorch, whole step" : "libtorch", [=] {
            auto peer = std::make_shared<Peer<Model>>(workload, 4096);
            return [=] { benchmark::DoNotOptimize(peer->model->step(batch, whole)); };
        }));
    }
    add(std::move(row));
}

constexpr Index samples = 256;
constexpr Index many = 10000;

template <class Model>
void add_sample(const Workload<Model>& workload, double multiply_adds) {
    const auto ours = [] {
        using Detector = decltype(make_detector(Model{}, {}));
        struct State {
            Eigen::MatrixXf rows = rows_of(Model{}.sample.size(), samples, is_unit<Model>);
            Detector detector = make_detector(Model{}, initial_parameters(Model{}));
            u::Buffer<std::byte> memory{
                static_cast<Index>(Detector::arena_bytes(detector.recipe(), 1, false))};
        };
        auto state = std::make_shared<State>();
        return [state, arena = u::Arena(state->memory), i = Index{0}]() mutable {
            float score = 0;
            state->detector.evaluate(state->rows.col(i), arena, &score);
            benchmark::DoNotOptimize(score);
            i = (i + 1) % samples;
        };
    };
    add({std::string("W3 one sample, ") + workload.name + "'s net",
         2 * multiply_adds,
         {contender("untoward", ours), contender("libtorch", [=] {
              auto peer = std::make_shared<Peer<Model>>(workload, samples);
              return [peer, i = Index{0}]() mutable {
                  peer->model->score(i, 1, 1, peer->scores.data());
                  benchmark::DoNotOptimize(peer->scores.data());
                  i = (i + 1) % samples;
              };
          })}});
}

void add_rows(const Workload<TableModel>& workload) {
    Row row{"W4 scoring, 10,000 rows", 2 * table_forward * many, {scoring(TableModel{}, many)}};
    const auto peer_by = [&](const std::string& label, Index in_one_call, bool give_back) {
        row.contenders.push_back(contender("libtorch, " + label, [=] {
            auto peer = std::make_shared<Peer<TableModel>>(workload, many);
            return [=] {
                peer->model->score(0, many, in_one_call, peer->scores.data());
                benchmark::DoNotOptimize(peer->scores.data());
                if (give_back) malloc_trim(0);
            };
        }));
    };
    peer_by("one call", many, false);
    peer_by("one, cleared", many, true);
    for (const Index chunk : {128, 256, 512, 1024}) peer_by(std::to_string(chunk), chunk, false);
    add(std::move(row));
}

double process_seconds() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Work on other threads would not be seen by this thread's clock.
template <class Model>
bool check_threads(const Workload<Model>& workload) {
    Peer<Model> peer(workload, 128);
    peer.model->step(128, true);
    const double process = process_seconds();
    const double thread = thread_seconds();
    for (int i = 0; i < 20; ++i) peer.model->step(128, true);
    const double elsewhere = (process_seconds() - process) / (thread_seconds() - thread) - 1;
    if (elsewhere < 0.02) return true;
    std::fprintf(stderr, "libtorch does %.0f%% more work on other threads\n", 100 * elsewhere);
    return false;
}

// One thread, and AVX-512 where the first argument is --tuned, which is then gone; says what libtorch computes with.
// False where that would be no comparison.
bool begin(int& argc, char**& argv) {
    // What OpenBLAS and ATen are told they read as they are loaded: so, again from the start.
    const bool tuned = argc > 1 && std::strcmp(argv[1], "--tuned") == 0;
    if (std::getenv("OPENBLAS_NUM_THREADS") == nullptr) {
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
        setenv("OMP_NUM_THREADS", "1", 1);
        if (tuned) {
            setenv("ATEN_CPU_CAPABILITY", "avx512", 1);
            setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
        }
        execv("/proc/self/exe", argv);
        std::perror("execv");
        return false;
    }
    if (tuned) {
        argv[1] = argv[0];
        --argc;
        ++argv;
    }
    peer::use_one_thread();
    const peer::Setup setup = peer::setup();
    std::printf("%s%s; 512 x 512 x 512 in it: %.0f GFLOP/s, by %s\n", tuned ? "tuned: " : "",
                setup.text.c_str(), setup.sgemm, setup.blas_file.c_str());
    if (!setup.blas_problem.empty()) std::fprintf(stderr, "%s\n", setup.blas_problem.c_str());
    return setup.blas_problem.empty();
}

}  // namespace

int main(int argc, char** argv) {
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    if (!begin(argc, argv)) return 1;
    const Workload<TableModel> table{"W1", peer::table_model};
    const Workload<ImageModel> image{"W2", peer::image_model};
    const Workload<WindowModel> window{"W5", peer::window_model};
    const bool same = check(table) && check(image) && check(window);
    if (!same || !check_threads(image)) return 1;
    std::printf("W1, W2, W5: the same loss, gradient and scores on both sides\n");

    for (const Index batch : {32, 64, 256}) add_training(table, batch, table_training);
    add_training(image, 128, image_training);
    add_sample(table, table_forward);
    add_sample(image, image_forward);
    add_rows(table);
    add_training(window, 64, window_training);
    return run(argc, argv);
}
