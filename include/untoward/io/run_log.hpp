// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <unistd.h>

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

namespace untoward::io {

/// A callback that writes a record of training as JSON lines, each on the disk as soon as it is known:
///
///     {"event":"begin","library":"0.1.0","step":0,"settings":{"scalar":"float","seed":7,"batch":128,...}}
///     {"event":"evaluation","step":37,"loss":8.1,"kl":0.9,"held_out_loss":7.9,"learning_rate":0.004,
///      "beta":0.08,"gradient_norm":12.5,"seconds":0.31,"best":true}                      (on one line)
///     {"event":"end","steps":1500,"best_step":1480,"loss":2.4,"stopped_by":"","seconds":12.7}
///
/// `loss` and `kl` are means since the evaluation before, in nats per sample; rate, beta and norm are the
/// last step's. A training that goes on from a checkpoint appends to the file, with a "begin" of its own; any
/// other replaces it. "-" is standard output. Throws Error where the file cannot be written.
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
        line += R"(,"settings":{)";
        add(line, more_);
        add(line, training.settings());
        write(line + "}}\n");
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
