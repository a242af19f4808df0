// SPDX-License-Identifier: MIT
#pragma once

// How everything here is timed. A row of the table is one piece of work and the contenders that do it, the
// first of them ours. One repetition of a row is a block of a few milliseconds of each contender, in
// an order that turns, with the FMA peak measured before and after; Google Benchmark puts the repetitions of all
// rows in random order. So what is compared was measured within a few hundredths of a second, and a machine that
// is busy or changes its clock disturbs both sides of a ratio. The table has the median over the repetitions with
// the 10th and 90th percentile, and ratios are medians of the ratios of single repetitions.
//
//     int main(int argc, char** argv) {
//         bench::add({"sum of 1,000", 1000, {bench::contender("ours", [] {
//                         return [x = Eigen::VectorXf::Ones(1000).eval()] { benchmark::DoNotOptimize(x.sum()); };
//                     })}});
//         return bench::run(argc, argv);
//     }
//
// Options: Google Benchmark's, and --instructions=avx2 (or baseline, or avx512) for the library's work and the peak in
// these (there is none of baseline).
// --benchmark_repetitions=N is the number of blocks (21), --benchmark_filter=REGEX chooses rows.

#include <benchmark/benchmark.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <untoward/core/instruction_set.hpp>
#include <utility>
#include <vector>

#include "peak.hpp"

#ifndef UNTOWARD_BENCHMARK_FLAGS
#define UNTOWARD_BENCHMARK_FLAGS ""
#endif

namespace bench {

/// So many calls of a piece of work, one after the other.
using Calls = std::function<void(long)>;

/// One way of doing a piece of work. `make` is called once, before the first block.
struct Contender {
    std::string label;
    std::function<Calls()> make;
};

/// `make()` returns what does the work once, as a copyable callable.
template <class Make>
Contender contender(std::string label, const Make& make) {
    return {std::move(label), [make] {
                return Calls([call = make()](long n) mutable {
                    for (; n > 0; --n) call();
                });
            }};
}

struct Row {
    std::string name;
    double flops = 0;  ///< of one call, where a percentage of the peak means something
    std::vector<Contender> contenders{};
    double (*clock)() = thread_seconds;  ///< wall_seconds where the work has threads of its own
};

namespace detail {

/// A contender at work: how many of its calls are a block.
class Block {
public:
    Block(const Contender& contender, double (*clock)())
        : label_(contender.label), calls_(contender.make()), clock_(clock) {
        constexpr double block_seconds = 8e-3;
        calls_(1);
        double seconds = 0;
        for (n_ = 1; (seconds = time(n_)) < block_seconds / 4; n_ *= 2) {
        }
        n_ = std::max(1L, std::lround(static_cast<double>(n_) * block_seconds / seconds));
    }
    /// Seconds per call.
    double measure() {
        calls_(1 + n_ / 50);  // the caches are someone else's
        return time(n_) / static_cast<double>(n_);
    }
    [[nodiscard]] const std::string& label() const { return label_; }

private:
    double time(long n) {
        const double start = clock_();
        calls_(n);
        return clock_() - start;
    }

    std::string label_;
    Calls calls_;
    double (*clock_)();
    long n_ = 1;
};

/// One repetition of a row.
class RunRow {
public:
    explicit RunRow(Row row) : row_(std::move(row)) {}

    void operator()(benchmark::State& state) {
        if (blocks_.empty()) {
            for (const Contender& one : row_.contenders) blocks_.emplace_back(one, row_.clock);
        }
        const std::size_t n = blocks_.size();
        std::vector<double> seconds(n);
        for ([[maybe_unused]] auto _ : state) {
            const double before = fma_peak();
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t k = (i + turn_) % n;
                seconds[k] = blocks_[k].measure();
            }
            ++turn_;
            const double peak = (before + fma_peak()) / 2;
            state.SetIterationTime(seconds[0]);
            state.counters["peak"] = peak;
            for (std::size_t k = 0; k < n; ++k) {
                const std::string& label = blocks_[k].label();
                state.counters[label + " us"] = seconds[k] * 1e6;
                state.counters[label + " ratio"] = seconds[k] / seconds[0];
                if (row_.flops == 0) continue;
                const double rate = row_.flops * 1e-9 / seconds[k];
                state.counters[label + " GFLOP/s"] = rate;
                if (peak > 0) state.counters[label + " %"] = 100 * rate / peak;
            }
        }
    }

private:
    Row row_;
    std::vector<Block> blocks_{};
    std::size_t turn_ = 0;
};

inline double quantile(std::vector<double> values, double level) {
    if (values.empty()) return std::nan("");
    std::sort(values.begin(), values.end());
    const double place = level * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

inline std::string number(const char* format, double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, format, value);
    return std::isnan(value) ? "" : buffer;
}
inline std::string duration(double microseconds) {
    if (microseconds >= 1e4) return number("%.2f ms", microseconds / 1e3);
    return number(microseconds < 10 ? "%.3f us" : microseconds < 100 ? "%.2f us" : "%.1f us", microseconds);
}

inline std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown processor";
}

/// The table.
class Table : public benchmark::BenchmarkReporter {
public:
    explicit Table(const std::vector<Row>& rows) : rows_(rows) {}

    bool ReportContext(const Context& context) override {
        const auto& cpu = context.cpu_info;
        std::printf("%s, %d cores, load %.1f; %s; %s\n", processor().c_str(), cpu.num_cpus,
                    cpu.load_avg.empty() ? 0.0 : cpu.load_avg[0], compiler, UNTOWARD_BENCHMARK_FLAGS);
        std::printf("f32 FMA peak of one core: %s, %.0f GFLOP/s just now\n\n",
                    text(untoward::instruction_set()), fma_peak());
        std::printf("%-34s %-18s %10s %10s %10s %8s %7s   %s\n", "", "", "median", "p10", "p90", "GFLOP/s",
                    "% peak", "times the first");
        std::fflush(stdout);
        return true;
    }
    // Rows end in random order.
    void ReportRuns(const std::vector<Run>& runs) override {
        if (runs.empty() || runs.front().run_type != Run::RT_Iteration) return;
        results_[runs.front().run_name.function_name] = runs;
    }
    void Finalize() override {
        for (const Row& row : rows_) {
            const auto found = results_.find(row.name);
            if (found != results_.end()) print(row, found->second);
        }
    }

private:
    static void print(const Row& row, const std::vector<Run>& runs) {
        for (const Contender& one : row.contenders) {
            const auto at = [&](const char* what, double level) {
                std::vector<double> values;
                for (const Run& run : runs) {
                    const auto found = run.counters.find(one.label + " " + what);
                    if (found != run.counters.end()) values.push_back(found->second);
                }
                return quantile(values, level);
            };
            const bool first = &one == row.contenders.data();
            std::printf("%-34s %-18s %10s %10s %10s %8s %7s", first ? row.name.c_str() : "",
                        one.label.c_str(), duration(at("us", 0.5)).c_str(), duration(at("us", 0.1)).c_str(),
                        duration(at("us", 0.9)).c_str(), number("%.1f", at("GFLOP/s", 0.5)).c_str(),
                        number("%.1f", at("%", 0.5)).c_str());
            if (!first) {
                std::printf("   %s (%s-%s)", number("%.3f", at("ratio", 0.5)).c_str(),
                            number("%.3f", at("ratio", 0.1)).c_str(),
                            number("%.3f", at("ratio", 0.9)).c_str());
            }
            std::printf("\n");
        }
        std::fflush(stdout);
    }

#if defined(__clang__)
    static constexpr const char* compiler = "clang " __clang_version__;
#elif defined(__GNUC__)
    static constexpr const char* compiler = "g++ " __VERSION__;
#else
    static constexpr const char* compiler = "unknown compiler";
#endif

    const std::vector<Row>& rows_;
    std::map<std::string, std::vector<Run>> results_{};
};

/// Uses the set of this name from now on. Whether the machine has it.
inline bool use_instructions(std::string_view name) {
    using untoward::InstructionSet;
    constexpr std::pair<std::string_view, InstructionSet> choices[] = {{"baseline", InstructionSet::baseline},
                                                                       {"avx2", InstructionSet::avx2},
                                                                       {"avx512", InstructionSet::avx512}};
    std::string here;
    for (const auto& [choice, set] : choices) {
        if (set > untoward::available_instruction_set()) continue;
        if (choice == name) {
            untoward::use_instruction_set(set);
            return true;
        }
        here += (here.empty() ? "" : ", ") + std::string(choice);
    }
    std::fprintf(stderr, "--instructions=%s: this machine has %s\n", std::string(name).c_str(), here.c_str());
    return false;
}

inline std::vector<Row>& rows() {
    static std::vector<Row> all;
    return all;
}

}  // namespace detail

/// Puts a row at the end of the table.
inline void add(Row row) {
    detail::rows().push_back(std::move(row));
}

/// Measures what was added and prints the table: the end of main.
inline int run(int argc, char** argv) {
    // Blocks, in random order, unless the command line says otherwise.
    std::string blocks = "--benchmark_repetitions=21";
    std::string order = "--benchmark_enable_random_interleaving=true";
    std::vector<char*> arguments{argv[0], blocks.data(), order.data()};
    for (int i = 1; i < argc; ++i) {
        constexpr std::string_view wanted = "--instructions=";
        const std::string_view argument = argv[i];
        if (argument.starts_with(wanted)) {
            if (!detail::use_instructions(argument.substr(wanted.size()))) return 1;
        } else {
            arguments.push_back(argv[i]);
        }
    }
    int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    for (const Row& row : detail::rows()) {
        benchmark::RegisterBenchmark(row.name.c_str(), detail::RunRow(row))
            ->UseManualTime()
            ->Iterations(1)
            ->Unit(benchmark::kMicrosecond);
    }
    detail::Table table(detail::rows());
    benchmark::RunSpecifiedBenchmarks(&table);
    benchmark::Shutdown();
    return 0;
}

}  // namespace bench
