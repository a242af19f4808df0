// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../train/callback.hpp"
#include "../version.hpp"
#include "file.hpp"
#include "json.hpp"
#include "number.hpp"

namespace untoward UNTOWARD_SETTING::io {

/// A callback that writes a record of training as JSON lines, each on the disk as soon as it is known:
///
///     {"event":"begin","library":"0.1.0","step":0,"settings":{"scalar":"float","seed":7,"batch":128,...}}
///     {"event":"evaluation","step":37,"loss":8.1,"kl":0.9,"held_out_loss":7.9,"learning_rate":0.004,
///      "beta":0.08,"gradient_norm":12.5,"seconds":0.31,"best":true}                      (on one line)
///     {"event":"end","steps":1500,"best_step":1480,"loss":2.4,"stopped_by":"","seconds":12.7}
///
/// `loss` and `kl` are means since the evaluation before, in nats per sample; rate, beta and norm are the
/// last step's. A training that goes on from a checkpoint appends to the file, with a "begin" of its own; any
/// other replaces it. "-" is standard output. Throws Error where the file cannot be written, and where it would be
/// appended to and is no log of the same training: its first line has other settings.
///
/// Threads: each training has its own copy, and wants a file of its own; lines of trainings at once would be mixed.
///
/// Training knows the layout of a model, not its text, and no score or threshold: what is to be found in the
/// settings besides is given as `more`, and stands in front.
///
///     options.training.callbacks = {untoward::io::RunLog("run.jsonl")};
///     options.training.callbacks = {
///         untoward::io::RunLog("run.jsonl", {{"model", untoward::io::policy_text(recipe.model)}})};
class RunLog {
public:
    explicit RunLog(std::string path, std::vector<Setting> more = {})
        : path_(std::move(path)), more_(std::move(more)) {}

    void on_begin(const Training&) {
        if (path_ != "-") {
            file_ = std::make_shared<detail::Descriptor>(
                ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
            if (file_->get() < 0) fail_to_write();
        } else {
            file_ = std::make_shared<detail::Descriptor>(STDOUT_FILENO);
        }
        begun_ = false;
    }
    void on_step(const Training& training) {
        // Not in on_begin: a callback after this one may put a checkpoint back.
        if (!begun_) begin(training, training.step - 1);
    }
    void on_evaluation(const Training& t) const {
        std::string line = R"({"event":"evaluation")";
        add(line, "step", t.step);
        add(line, "loss", t.training_loss);
        add(line, "kl", t.training_kl);
        add(line, "held_out_loss", t.held_out_loss);
        add(line, "learning_rate", t.learning_rate);
        add(line, "beta", t.beta);
        add(line, "gradient_norm", t.gradient_norm);
        add(line, "seconds", t.seconds());
        line += t.is_best ? R"(,"best":true)" : R"(,"best":false)";
        write(line + "}\n");
    }
    void on_end(const Training& t) {
        if (!begun_) begin(t, t.step);
        std::string line = R"({"event":"end")";
        add(line, "steps", t.report.steps);
        add(line, "best_step", t.report.best_step);
        add(line, "loss", t.report.loss);
        add(line, "stopped_by", t.report.stopped_by);
        add(line, "seconds", t.report.seconds);
        write(line + "}\n");
    }

private:
    static void key(std::string& line, std::string_view name) {
        if (line.back() != '{') line += ',';
        append_json_string(line, name);
        line += ':';
    }
    static void add(std::string& line, std::string_view name, Index value) {
        key(line, name);
        line += std::to_string(value);
    }
    static void add(std::string& line, std::string_view name, double value) {
        key(line, name);
        line += std::isfinite(value) ? format_shortest(value) : "null";
    }
    static void add(std::string& line, std::string_view name, const std::string& value) {
        key(line, name);
        append_json_string(line, is_utf8(value) ? value : in_quotes(value, value.size()));
    }
    static void add(std::string& line, const std::vector<Setting>& settings) {
        for (const Setting& setting : settings) {
            if (setting.is_number) {
                key(line, setting.name);
                line += setting.value;
            } else {
                add(line, setting.name, setting.value);
            }
        }
    }

    void begin(const Training& training, Index step) {
        begun_ = true;
        // Pipes and terminals have nothing to be emptied.
        if (step == 0 && path_ != "-" && ::ftruncate(file_->get(), 0) != 0 && errno != EINVAL)
            fail_to_write();
        std::string line = R"({"event":"begin")";
        add(line, "library", std::string(UNTOWARD_VERSION));
        add(line, "step", step);
        std::string settings = "{";
        add(settings, more_);
        add(settings, training.settings());
        settings += "}}";
        if (step > 0 && path_ != "-") require_same(settings);
        write(line + R"(,"settings":)" + settings + "\n");
    }

    // What is there already, if anything, begins with these settings. Pipes and terminals hold nothing.
    void require_same(const std::string& settings) const {
        struct stat status {};
        if (::fstat(file_->get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) return;
        std::string first(static_cast<std::size_t>(std::min<off_t>(status.st_size, off_t{1} << 20)), '\0');
        const detail::Descriptor reader(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        const ssize_t size = ::pread(reader.get(), first.data(), first.size(), 0);
        if (size < 0) fail(path_, ": cannot be read: ", detail::system_message(errno));
        first.resize(static_cast<std::size_t>(size));
        first.resize((std::min)(first.find('\n'), first.size()));
        constexpr std::string_view key = R"(,"settings":)";
        const std::size_t at = first.find(key);
        if (!first.starts_with(R"({"event":"begin")") || at == std::string::npos)
            fail(path_, ": is no log of this training: it begins with ", in_quotes(first), ", expected ",
                 in_quotes(R"({"event":"begin")"), "; what goes on from a checkpoint is appended");
        const auto there = parts_of(std::string_view(first).substr(at + key.size()));
        const auto here = parts_of(settings);
        for (std::size_t i = 0; i < (std::max)(there.size(), here.size()); ++i) {
            constexpr std::size_t shown = 1000;
            const auto text_of = [i](const std::vector<std::string_view>& parts) {
                return i < parts.size() ? in_quotes(parts[i], shown) : std::string("not said");
            };
            if (i >= there.size() || i >= here.size() || there[i] != here[i])
                fail(path_, ": is the log of another training: ", text_of(there), " there and ",
                     text_of(here), " here");
        }
    }
    // The settings of {"a":1,"b":"2"}: a quote within a string has a backslash in front, so each comma that stands before
    // a quote is between two.
    static std::vector<std::string_view> parts_of(std::string_view object) {
        std::vector<std::string_view> parts;
        if (object.starts_with('{')) object.remove_prefix(1);
        if (object.ends_with("}}")) object.remove_suffix(2);
        for (;;) {
            const std::size_t end = object.find(",\"");
            parts.push_back(object.substr(0, end));
            if (end == std::string_view::npos) return parts;
            object.remove_prefix(end + 1);
        }
    }
    void write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t done = ::write(file_->get(), bytes.data(), bytes.size());
            if (done < 0 && errno == EINTR) continue;
            if (done <= 0) fail_to_write();
            bytes.remove_prefix(static_cast<std::size_t>(done));
        }
    }
    [[noreturn]] void fail_to_write() const {
        fail(output_name(path_), ": cannot be written: ", detail::system_message(errno));
    }

    std::string path_;
    std::vector<Setting> more_;
    std::shared_ptr<detail::Descriptor> file_;
    bool begun_ = false;
};

}  // namespace untoward::io
