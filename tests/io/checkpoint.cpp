// SPDX-License-Identifier: MIT
// What was stopped and goes on from a checkpoint ends with the bits of what never stopped.
#include "untoward/io/checkpoint.hpp"

#include <filesystem>

#include "io/folder.hpp"
#include "io/resumed.hpp"
#include "io/rewritten.hpp"
#include "support/catch.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::Folder;
using untoward_test::same;
using untoward_test::same_bits;
using untoward_test::StopAt;
using untoward_test::tiny_options;
using untoward_test::tiny_rows;
using untoward_test::train;

TEST_CASE("checkpoint: float, with every optimiser") {
    untoward_test::check_resuming<float>();
}

TEST_CASE("checkpoint: after an early stop or the last step nothing is repeated") {
    const Folder folder;
    auto options = tiny_options(400);
    options.evaluations = 100;
    options.patience = 2;
    options.beta = ConstantBeta{1};
    options.callbacks = {io::Checkpoint{folder / "early"}};
    const auto first = train(options);
    REQUIRE(first.report.stopped_early);
    const auto again = train(options);
    REQUIRE(same_bits(first.parameters, again.parameters));
    REQUIRE(same(first.report, again.report));
    // Not where it is told to begin anew.
    Index steps = 0;
    struct Count {
        Index* steps;
        void on_step(const Training&) const { ++*steps; }
    };
    options.callbacks = {io::Checkpoint{folder / "early"}, Count{&steps}};
    train(options);
    REQUIRE(steps == 0);
    options.callbacks = {io::Checkpoint{.path = folder / "early", .resume = false}, Count{&steps}};
    REQUIRE(same(train(options).report, first.report));
    REQUIRE(steps == first.report.steps);
    REQUIRE(folder.entries() == 1);
}

TEST_CASE("checkpoint: when it is written") {
    const Folder folder;
    const std::string path = folder / "fit";
    struct Watch {
        std::string path;
        std::vector<Index>* found;
        std::string last{};
        void on_evaluation(const Training& t) {
            if (!std::filesystem::exists(path)) return;
            const std::string bytes = io::read_file(path);
            if (bytes != last) found->push_back(t.step);
            last = bytes;
        }
    };
    std::vector<Index> found;
    auto options = tiny_options(100);
    options.callbacks = {io::Checkpoint{.path = path, .evaluations = 3, .seconds = 0}, Watch{path, &found}};
    train(options);
    REQUIRE(found == std::vector<Index>{30, 60, 90});
    const io::SafeTensors file = io::SafeTensors::load(path);
    REQUIRE(file.tensor<std::int64_t>("step", {1})(0) == 100);
    REQUIRE(file.metadata("library") == UNTOWARD_VERSION);
    REQUIRE(file.metadata("setting.seed") == "3");
    REQUIRE(file.metadata("setting.optimiser") == "Adam{.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-08}");
    found.clear();
    std::filesystem::remove(path);
    options.callbacks = {io::Checkpoint{.path = path, .seconds = 1e-9}, Watch{path, &found}};
    train(options);
    REQUIRE(found.size() == 10);
    found.clear();
    options.callbacks = {io::Checkpoint{.path = path, .seconds = 3600, .resume = false}, Watch{path, &found}};
    std::filesystem::remove(path);
    train(options);
    REQUIRE(found.empty());
    options.callbacks = {io::Checkpoint{folder / "no/such/folder"}};
    REQUIRE_THROWS_WITH(train(options), ContainsSubstring("no/such/folder: cannot be written"));
}

TEST_CASE("checkpoint: one of another training is refused, and says what differs") {
    const Folder folder;
    const std::string path = folder / "fit";
    auto options = tiny_options(40);
    options.callbacks = {io::Checkpoint{path}};
    train(options);
    const auto refused = [&](const TrainingOptions& o, const std::string& what) {
        REQUIRE_THROWS_WITH(train(o),
                            ContainsSubstring(path + ": is a checkpoint of another training: " + what));
    };
    auto other = options;
    other.seed = 4;
    refused(other, "seed is '3' there and '4' here");
    other = options;
    other.batch = 16;
    refused(other, "batch is '32' there and '16' here");
    other = options;
    other.optimiser = AdamW{};
    refused(other, "optimiser is 'Adam{.beta1 = 0.9, .beta2 = 0.999");
    other = options;
    other.beta = LinearBeta{.beta = 2};
    refused(other, "beta is 'LinearBeta{.beta = 1.0, .ramp = 0.3}' there and 'LinearBeta{.beta = 2.0");
    other = options;
    other.max_steps = other.min_steps = 41;
    refused(other, "steps is '40' there and '41' here");
    REQUIRE_THROWS_WITH((train<float>(options, tiny_rows<float>(100, 9), tiny_rows<float>(50, 2))),
                        ContainsSubstring("rows_hash is"));
    REQUIRE_THROWS_WITH((train<float>(options, tiny_rows<float>(99, 1), tiny_rows<float>(50, 2))),
                        ContainsSubstring("rows is '100' there and '99' here"));
    REQUIRE_THROWS_WITH((train<float>(options, tiny_rows<float>(100, 1), tiny_rows<float>(50, 3))),
                        ContainsSubstring("held_out_rows_hash is"));
    // Another seed splits rows otherwise, too: the seed is what is said.
    other = options;
    other.seed = 4;
    REQUIRE_THROWS_WITH((train<float>(other, tiny_rows<float>(100, 9), tiny_rows<float>(50, 3))),
                        ContainsSubstring("seed is '3' there and '4' here"));
}

TEST_CASE("checkpoint: every text in it is compared, and both are named") {
    const Folder folder;
    const std::string path = folder / "fit";
    auto options = tiny_options(10);
    options.callbacks = {io::Checkpoint{path}};
    train(options);
    const std::string good = io::read_file(path);
    const auto refused = [&](const std::string& key, const std::string& value, const std::string& what) {
        INFO(key << " is " << value);
        io::write_file(path, untoward_test::with_metadata(good, key, value));
        REQUIRE_THROWS_WITH(train(options), ContainsSubstring(path + ": " + what));
    };
    refused("format", "untoward checkpoint 2",
            "is not a checkpoint of this version of untoward: format is 'untoward checkpoint 2', expected "
            "'untoward checkpoint 1'");
    const std::string other = "is a checkpoint of another training: ";
    refused("library", "9.0.0", other + "library is '9.0.0' there and '" UNTOWARD_VERSION "' here");
    const io::SafeTensors file(good, "good");
    for (const auto& [key, value] : file.metadata()) {
        if (key.starts_with("setting."))
            refused(key, "odd", other + key.substr(8) + " is 'odd' there and '" + value + "' here");
    }
    refused("digest", "0", "is damaged: its digest does not fit");
    // A newer version chose something that this one cannot choose; another program said what its model is.
    refused("setting.lookahead", "5", other + "lookahead is '5' there and not said here");
    refused("setting.model", "Dense<3>{}", other + "model is 'Dense<3>{}' there and not said here");
    io::write_file(path, good);
    options.callbacks = {io::Checkpoint{.path = path, .model = "Dense<3>{}"}};
    REQUIRE_THROWS_WITH(train(options),
                        ContainsSubstring(other + "model is not said there and 'Dense<3>{}' here"));
}

TEST_CASE("checkpoint: a damaged one is refused, wherever the damage is") {
    const Folder folder;
    const std::string path = folder / "fit";
    auto options = tiny_options(20);
    options.callbacks = {io::Checkpoint{path}};
    train(options);
    const std::string good = io::read_file(path);
    const auto refuses = [&](const std::string& bytes) {
        io::write_file(path, bytes);
        REQUIRE_THROWS_WITH(train(options), ContainsSubstring(path));
    };
    for (const std::size_t size : {std::size_t{0}, std::size_t{7}, good.size() / 2, good.size() - 1})
        refuses(good.substr(0, size));
    refuses(good + "x");
    // One bit, in numbers and text alike; what is only said for people may change.
    const io::SafeTensors file(good, "good");
    const std::size_t data = file.tensors().front().begin;
    for (std::size_t i = data; i < good.size(); i += 97) {
        INFO("byte " << i << " of " << good.size());
        std::string bytes = good;
        bytes[i] = static_cast<char>(bytes[i] ^ 4);
        io::write_file(path, bytes);
        REQUIRE_THROWS_WITH(train(options), ContainsSubstring(path + ": is damaged"));
    }
    refuses("a letter");
    io::SafeTensorsWriter foreign;
    foreign.add("parameters", {2}, std::vector<float>{1, 2});
    foreign.save(path);
    REQUIRE_THROWS_WITH(train(options), ContainsSubstring(path + ": is not a checkpoint"));
    io::write_file(path, good);
    train(options);
}

TEST_CASE("checkpoint: a state that no training can be in is refused, even with the right digest") {
    // What a hostile file would do, done by a callback.
    struct Put {
        std::string name;
        std::int64_t value;
        class Visitor final : public StateVisitor {
        public:
            using StateVisitor::visit;
            explicit Visitor(const Put& put) : put_(put) {}
            void visit(const std::string&, std::span<float>) override {}
            void visit(const std::string&, std::span<double>) override {}
            void visit(const std::string& field, std::int64_t& number) override {
                if (field == put_.name) number = put_.value;
            }
            void visit(const std::string&, std::vector<double>&) override {}

        private:
            const Put& put_;
        };
        void on_begin(Training& training) const {
            Visitor visitor(*this);
            training.visit_state(visitor);
        }
    };
    auto options = tiny_options(20);
    for (const char* name : {"step", "best_step", "summed", "waited", "rows.position", "rows.epoch"}) {
        for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{1} << 40}) {
            INFO(name << " " << value);
            options.callbacks = {Put{name, value}};
            REQUIRE_THROWS_WITH(train(options), ContainsSubstring("state of training that was put back"));
        }
    }
}

TEST_CASE("checkpoint: a model of the same layout and another text is another training") {
    const Folder folder;
    auto options = tiny_options(4);
    options.callbacks = {io::Checkpoint{.path = folder / "fit", .model = "Dense<3, Relu>{}"}};
    const auto first = train(options);
    REQUIRE(same_bits(train(options).parameters, first.parameters));
    options.callbacks = {io::Checkpoint{.path = folder / "fit", .model = "Dense<3, Tanh>{}"}};
    CHECK_THROWS_WITH(train(options), ContainsSubstring("model is 'Dense<3, Relu>{}' there and "
                                                        "'Dense<3, Tanh>{}' here"));
    // Long ones, which differ at their end only.
    const std::string model(200, 'x');
    options.callbacks = {io::Checkpoint{.path = folder / "long", .model = model + "1"}};
    train(options);
    options.callbacks = {io::Checkpoint{.path = folder / "long", .model = model + "2"}};
    CHECK_THROWS_WITH(train(options), ContainsSubstring("x1' there") && ContainsSubstring("x2' here"));
}
