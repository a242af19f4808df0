// SPDX-License-Identifier: MIT
#include "untoward/io/run_log.hpp"

#include <cmath>
#include <map>
#include <vector>

#include "io/folder.hpp"
#include "support/catch.hpp"
#include "train/trained.hpp"
#include "untoward/io/checkpoint.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::Folder;
using untoward_test::tiny_options;
using untoward_test::train;

namespace {

using Line = std::map<std::string, std::string>;

// One flat object: strings without their quotes, all else as it is written. "settings" gives "settings.seed".
Line parse(const std::string& line, std::size_t& at, const std::string& prefix) {
    Line record;
    const auto string = [&] {
        REQUIRE(line.at(at) == '"');
        io::JsonCursor cursor(std::string_view(line).substr(at), "line");
        std::string text = cursor.string();
        at += cursor.position();
        return text;
    };
    REQUIRE(line.at(at++) == '{');
    while (true) {
        const std::string key = string();
        REQUIRE(line.at(at++) == ':');
        if (line.at(at) == '{') {
            record.merge(parse(line, at, key + "."));
        } else if (line.at(at) == '"') {
            REQUIRE(record.emplace(prefix + key, string()).second);
        } else {
            const std::size_t end = line.find_first_of(",}", at);
            const std::string value = line.substr(at, end - at);
            double number = 0;
            // Not "nan" or "inf", which are no JSON.
            REQUIRE((value == "true" || value == "false" ||
                     (io::parse_number(value, number) && std::isfinite(number))));
            record.emplace(prefix + key, value);
            at = end;
        }
        if (line.at(at++) == '}') return record;
        REQUIRE(line.at(at - 1) == ',');
    }
}

std::vector<Line> records_of(const std::string& path) {
    const std::string text = io::read_file(path);
    REQUIRE(text.back() == '\n');
    std::vector<Line> records;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        const std::string line = text.substr(begin, end - begin);
        INFO(line);
        std::size_t at = 0;
        records.push_back(parse(line, at, ""));
        REQUIRE(at == line.size());
        begin = end + 1;
    }
    return records;
}

double number(const Line& record, const char* name) {
    INFO(name);
    double value = 0;
    REQUIRE(io::parse_number(record.at(name), value));
    return value;
}

struct StopAt {
    Index step;
    void on_step(Training& t) const {
        if (t.step == step) t.stop("step \"" + std::to_string(step) + "\"\n\x01");
    }
};

}  // namespace

TEST_CASE("run log: a begin with every setting, every evaluation with its numbers, an end") {
    const Folder folder;
    const std::string path = folder / "run.jsonl";
    io::write_file(path, "an older file\n");
    auto options = tiny_options(95);
    options.callbacks = {io::RunLog(path)};
    const auto trained = train(options);
    const auto records = records_of(path);
    REQUIRE(records.size() == trained.report.held_out_losses.size() + 2);

    const Line& begin = records.front();
    REQUIRE(begin.at("event") == "begin");
    REQUIRE(begin.at("library") == UNTOWARD_VERSION);
    REQUIRE(begin.at("step") == "0");
    const Line expected{
        {"settings.scalar", "float"},
        {"settings.parameters", std::to_string(trained.parameters.size())},
        {"settings.features", "3"},
        {"settings.rows", "100"},
        {"settings.held_out_rows", "50"},
        {"settings.seed", "3"},
        {"settings.steps", "95"},
        {"settings.batch", "32"},
        {"settings.shards", "1"},
        {"settings.optimiser", "Adam{.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-08}"},
        {"settings.learning_rate", "CosineSchedule{.peak = 0.05, .warmup = 0.02, .last = 0.0}"},
        {"settings.beta", "LinearBeta{.beta = 1.0, .ramp = 0.3}"},
        {"settings.free_bits", "0.0"},
        {"settings.averaging", "none"},
        {"settings.max_gradient_norm", "1000.0"},
        {"settings.evaluations", "10"},
        {"settings.patience", "12"},
    };
    for (const auto& [key, value] : expected) {
        INFO(key);
        REQUIRE(begin.at(key) == value);
    }
    REQUIRE(begin.size() == expected.size() + 6);  // event, library, step and three hashes

    double seconds = 0;
    std::string best;
    for (std::size_t i = 0; i + 2 < records.size(); ++i) {
        const Line& record = records[i + 1];
        REQUIRE(record.at("event") == "evaluation");
        const Index step = std::min<Index>(9 * (static_cast<Index>(i) + 1), 95);
        REQUIRE(record.at("step") == std::to_string(step));
        REQUIRE(number(record, "loss") == trained.report.training_losses[i]);
        REQUIRE(number(record, "held_out_loss") == trained.report.held_out_losses[i]);
        REQUIRE(number(record, "learning_rate") == CosineSchedule{.peak = 0.05}(step - 1, 95));
        REQUIRE(number(record, "beta") == LinearBeta{}(step - 1, 95));
        REQUIRE(number(record, "kl") >= 0);
        REQUIRE(number(record, "gradient_norm") > 0);
        REQUIRE(number(record, "seconds") >= seconds);
        seconds = number(record, "seconds");
        if (record.at("best") == "true") best = record.at("step");
    }
    const Line& end = records.back();
    REQUIRE(end.at("event") == "end");
    REQUIRE(end.at("steps") == "95");
    REQUIRE(end.at("best_step") == best);
    REQUIRE(number(end, "loss") == trained.report.loss);
    REQUIRE(end.at("stopped_by").empty());
    REQUIRE(number(end, "seconds") >= seconds);
}

TEST_CASE(
    "run log: what goes on from a checkpoint is appended, wherever the log stands among the callbacks") {
    for (const bool log_first : {true, false}) {
        const Folder folder;
        const std::string path = folder / "run.jsonl";
        auto options = tiny_options(95);
        const io::Checkpoint checkpoint{folder / "checkpoint"};
        options.callbacks = {io::RunLog(path), StopAt{40}};
        options.callbacks.insert(options.callbacks.begin() + (log_first ? 1 : 0), checkpoint);
        train(options);
        auto records = records_of(path);
        REQUIRE(records.size() == 6);
        REQUIRE(records.back().at("stopped_by") == "step \"40\"\n\x01");
        options.callbacks.pop_back();
        train(options);
        records = records_of(path);
        REQUIRE(records.size() == 6 + 9);
        REQUIRE(records[6].at("event") == "begin");
        REQUIRE(records[6].at("step") == "40");
        REQUIRE(records[7].at("step") == "45");
        // All is done: only that is said.
        train(options);
        records = records_of(path);
        REQUIRE(records.size() == 6 + 9 + 2);
        REQUIRE(records[15].at("step") == "95");
        REQUIRE(records[16].at("loss") == records[14].at("loss"));
    }
}

TEST_CASE("run log: nothing is appended to what is no log of the same training") {
    const Folder folder;
    const std::string path = folder / "run.jsonl";
    const io::Checkpoint checkpoint{folder / "checkpoint"};
    auto options = tiny_options(30);
    options.callbacks = {
        checkpoint, io::RunLog(path, {{"model", "Chain{Relu{}}", false}, {"fold", "7", true}}), StopAt{10}};
    train(options);
    const std::string log = io::read_file(path);
    const auto refused = [&](const std::string& before, const std::string& what) {
        io::write_file(path, before);
        REQUIRE_THROWS_WITH(train(options), ContainsSubstring(path + ": " + what));
        REQUIRE(io::read_file(path) == before);
    };
    const auto with = [&](const std::string& old_text, const std::string& new_text) {
        std::string changed = log;
        return changed.replace(changed.find(old_text), old_text.size(), new_text);
    };
    options.callbacks = {
        checkpoint, io::RunLog(path, {{"model", "Chain{Relu{}}", false}, {"fold", "7", true}}), StopAt{20}};
    const std::string other = "is the log of another training: ";
    refused(with("\"seed\":3", "\"seed\":4"), other + "'\"seed\":4' there and '\"seed\":3' here");
    refused(with("\"fold\":7", "\"fold\":71"), other + "'\"fold\":71' there and '\"fold\":7' here");
    refused(with("\"patience\":12", "\"patience\":1"),
            other + "'\"patience\":1' there and '\"patience\":12' here");
    refused(with("\"scalar\":\"float\"", "\"scalar\":\"double\""),
            other + "'\"scalar\":\"double\"' there and '\"scalar\":\"float\"' here");
    refused(with("\"patience\":12", "\"patience\":12,\"more\":1"),
            other + "'\"more\":1' there and not said here");
    refused(with(",\"patience\":12", ""), other + "not said there and '\"patience\":12' here");
    refused("a,b\n1,2\n", "is no log of this training: it begins with 'a,b'");
    refused(log.substr(0, 40), "is no log of this training");
    // Where there is nothing yet, or the same training, it goes on.
    io::write_file(path, "");
    train(options);
    REQUIRE(records_of(path).front().at("step") == "10");
    train(options);
    REQUIRE(records_of(path).size() > 2);
}

TEST_CASE("run log: settings that training does not know") {
    const Folder folder;
    auto options = tiny_options(5);
    options.callbacks = {
        io::RunLog(folder / "log", {{"model", "Dense<3, \"Relu\">{}", false}, {"fold", "7", true}})};
    train(options);
    const std::string text = io::read_file(folder / "log");
    CHECK_THAT(text,
               ContainsSubstring(R"("settings":{"model":"Dense<3, \"Relu\">{}","fold":7,"scalar":"float",)"));
    CHECK(records_of(folder / "log").front().at("settings.fold") == "7");
}

TEST_CASE("run log: a file that cannot be written is an error before the first step") {
    const Folder folder;
    auto options = tiny_options(10);
    options.callbacks = {io::RunLog(folder / "no/such/folder")};
    REQUIRE_THROWS_WITH(train(options), ContainsSubstring("no/such/folder: cannot be written"));
    options.callbacks = {io::RunLog("/dev/full")};
    REQUIRE_THROWS_WITH(train(options), ContainsSubstring("/dev/full: cannot be written"));
}
