// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../core/random.hpp"
#include "../train/callback.hpp"
#include "../version.hpp"
#include "safetensors.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// A callback that keeps the state of training in a file, and goes on from that file where there is one: what
/// was stopped, by a time limit or a power cut, is run again in the same way and ends with the same bits as
/// if it had never been stopped. The file appears whole or not at all; it is written after every
/// `evaluations` evaluations, after `seconds` seconds (at the next evaluation), and at the end. A training
/// that is over is not repeated.
///
///     options.training.callbacks = {untoward::TimeLimit{600}, untoward::io::Checkpoint{"fit.checkpoint"}};
///
/// The file is a safetensors file: parameters, moments, averages, the best so far, curves, and what schedules
/// have learned. Throws Error where it cannot be written, is damaged, or belongs to another training: other
/// rows, another layout of parameters, seed or options, or another version of the library, which need not take the same
/// steps. What has no parameters, like an activation, is only known to be another where `model` says so:
/// `.model = io::policy_text(model)`.
///
/// Threads: each training has its own copy; trainings at once want files of their own. Each would refuse to go on from
/// another's, and the last one written would be all that is left.
struct Checkpoint {
    std::string path;
    Index evaluations = 0;  ///< 0: by time only
    double seconds = 60;    ///< 0: by evaluations only
    bool resume = true;     ///< false: begin anew, and replace the file
    std::string model{};    ///< a text that a checkpoint to go on from has, too

    // Of this run.
    Index evaluated = 0;
    std::chrono::steady_clock::time_point written{};

    void check_options() const {
        const untoward::detail::OptionCheck check{"checkpoint"};
        check("evaluations", evaluations, at_least(0));
        check("seconds", seconds, OptionRange{0, std::numeric_limits<double>::infinity()});
    }

    void on_begin(Training& training) {
        evaluated = 0;
        written = Clock::now();
        if (resume && ::access(path.c_str(), F_OK) == 0) load(training);
    }
    void on_evaluation(Training& training) {
        ++evaluated;
        const std::chrono::duration<double> passed = Clock::now() - written;
        if ((evaluations > 0 && evaluated % evaluations == 0) || (seconds > 0 && passed.count() >= seconds))
            save(training);
    }
    void on_end(Training& training) { save(training); }

private:
    using Clock = std::chrono::steady_clock;
    using Bytes = std::map<std::string, std::span<const std::byte>>;
    static constexpr const char* format = "untoward checkpoint 1";
    static constexpr std::size_t shown = 1000;  // of a text in a message: two models may differ at their end

    // Of names and bytes, eight at a time.
    static std::string digest(const Bytes& tensors) {
        std::uint64_t hash = 0;
        const auto add = [&hash](std::span<const std::byte> bytes) {
            hash = mix64(hash + bytes.size());
            for (; !bytes.empty(); bytes = bytes.subspan(std::min<std::size_t>(8, bytes.size()))) {
                std::uint64_t word = 0;
                std::memcpy(&word, bytes.data(), std::min<std::size_t>(8, bytes.size()));
                hash = mix64(hash * 0x9e3779b97f4a7c15u + word);
            }
        };
        for (const auto& [name, bytes] : tensors) {
            add(as_bytes(name));
            add(bytes);
        }
        return std::to_string(hash);
    }

    // Takes the state down.
    class Saver final : public StateVisitor {
    public:
        using StateVisitor::visit;
        void visit(const std::string& name, std::span<float> values) override { add(name, values); }
        void visit(const std::string& name, std::span<double> values) override { add(name, values); }
        void visit(const std::string& name, std::int64_t& value) override { add(name, std::span(&value, 1)); }
        void visit(const std::string& name, std::vector<double>& values) override {
            add(name, std::span(values));
        }
        SafeTensorsWriter finish(SafeTensorsWriter writer) {
            Bytes all;
            for (const auto& [name, part] : parts_) {
                writer.add(name, part.dtype, {part.size}, part.bytes);
                all.emplace(name, part.bytes);
            }
            writer.metadata("digest", digest(all));
            return writer;
        }

    private:
        struct Part {
            Dtype dtype;
            Index size;
            std::vector<std::byte> bytes;
        };
        template <class T>
        void add(const std::string& name, std::span<T> values) {
            const auto bytes = std::as_bytes(values);
            parts_[name] = {dtype_of<T>(), static_cast<Index>(values.size()), {bytes.begin(), bytes.end()}};
        }
        std::map<std::string, Part> parts_;
    };

    // Puts it back.
    class Loader final : public StateVisitor {
    public:
        using StateVisitor::visit;
        explicit Loader(const SafeTensors& file) : file_(file) {}
        void visit(const std::string& name, std::span<float> values) override { put(name, values); }
        void visit(const std::string& name, std::span<double> values) override { put(name, values); }
        void visit(const std::string& name, std::int64_t& value) override { put(name, std::span(&value, 1)); }
        void visit(const std::string& name, std::vector<double>& values) override {
            values.resize(file_.bytes(name).size() / sizeof(double));
            put(name, std::span(values));
        }
        void finish() const {
            for (const TensorInfo& info : file_.tensors()) {
                if (seen_.count(info.name) == 0)
                    fail(file_.name(), ": holds ", in_quotes(info.name),
                         ", of which this training knows nothing");
            }
        }

    private:
        template <class T>
        void put(const std::string& name, std::span<T> values) {
            const auto found = file_.tensor<T>(name, {static_cast<Index>(values.size())});
            if (!values.empty()) std::memcpy(values.data(), found.data(), values.size_bytes());
            seen_.insert(name);
        }
        const SafeTensors& file_;
        std::set<std::string> seen_;
    };

    [[nodiscard]] std::vector<Setting> settings(const Training& training) const {
        std::vector<Setting> all = training.settings();
        if (!model.empty()) all.insert(all.begin(), {"model", model});
        return all;
    }
    // Of layouts and rows: it says that something differs, and not what.
    static bool is_hash(const Setting& setting) {
        return setting.name == "layout" || setting.name.ends_with("_hash");
    }

    void save(Training& training) {
        SafeTensorsWriter writer;
        writer.metadata("format", format);
        writer.metadata("library", UNTOWARD_VERSION);
        for (const Setting& setting : settings(training))
            writer.metadata("setting." + setting.name, setting.value);
        Saver saver;
        training.visit_state(saver);
        saver.finish(std::move(writer)).save(path);
        written = Clock::now();
    }

    void load(Training& training) const {
        const SafeTensors file = SafeTensors::load(path);
        const auto is = [&file](const std::string& key, std::string_view expected) {
            const auto found = file.metadata().find(key);
            return found != file.metadata().end() && found->second == expected;
        };
        const auto text_of = [&file](const std::string& key) {
            const auto found = file.metadata().find(key);
            return found != file.metadata().end() ? in_quotes(found->second, shown) : std::string("not said");
        };
        if (!is("format", format))
            fail(file.name(), ": is not a checkpoint of this version of untoward: format is ",
                 text_of("format"), ", expected ", in_quotes(format));
        Bytes all;
        for (const TensorInfo& info : file.tensors()) all.emplace(info.name, file.bytes(info.name));
        if (const std::string found = digest(all); !is("digest", found))
            fail(file.name(), ": is damaged: its digest does not fit: it is ", in_quotes(found),
                 ", expected ", text_of("digest"));
        const auto refuse = [&](const std::string& name, const std::string& there, const std::string& here) {
            fail(file.name(), ": is a checkpoint of another training: ", name, " is ", there, " there and ",
                 here, " here");
        };
        const std::vector<Setting> here = settings(training);
        const Setting* differs = nullptr;
        std::set<std::string> known{"format", "digest", "library"};
        for (const Setting& setting : here) {
            known.insert("setting." + setting.name);
            if (is("setting." + setting.name, setting.value)) continue;
            if (differs == nullptr || (is_hash(*differs) && !is_hash(setting))) differs = &setting;
        }
        if (differs != nullptr)
            refuse(differs->name, text_of("setting." + differs->name), in_quotes(differs->value, shown));
        for (const auto& [key, value] : file.metadata()) {
            constexpr std::string_view prefix = "setting.";
            if (known.count(key) == 0)
                refuse(key.starts_with(prefix) ? key.substr(prefix.size()) : key, in_quotes(value, shown),
                       "not said");
        }
        if (!is("library", UNTOWARD_VERSION))
            refuse("library", text_of("library"), in_quotes(UNTOWARD_VERSION));
        Loader loader(file);
        training.visit_state(loader);
        loader.finish();
    }
};

}  // namespace untoward::io
